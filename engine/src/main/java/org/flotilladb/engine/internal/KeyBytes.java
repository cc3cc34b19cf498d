package org.flotilladb.engine.internal;

import java.util.Arrays;

/** Writes keys whose order as bytes is the order of what was written. Not thread-safe. */
final class KeyBytes {
    private static final int FIRST_BYTES = 48;

    private byte[] bytes;
    private int size;

    KeyBytes() {
        bytes = new byte[FIRST_BYTES];
    }

    KeyBytes(byte[] prefix) {
        bytes = Arrays.copyOf(prefix, prefix.length + FIRST_BYTES);
        size = prefix.length;
    }

    KeyBytes add(int b) {
        if (size == bytes.length) {
            bytes = Arrays.copyOf(bytes, size * 2);
        }
        bytes[size++] = (byte) b;
        return this;
    }

    /** A number from 0, shorter numbers in fewer bytes: the count of bytes, then the bytes. */
    KeyBytes addNumber(long number) {
        int count = (64 - Long.numberOfLeadingZeros(number) + 7) / 8;
        add(count);
        for (int i = count - 1; i >= 0; i--) {
            add((int) (number >>> (8 * i)));
        }
        return this;
    }

    /** A signed number: 0x80 plus or minus the count of bytes, then the bytes. */
    KeyBytes addSigned(long number) {
        long magnitude = number < 0 ? ~number : number;
        int count = (64 - Long.numberOfLeadingZeros(magnitude) + 7) / 8;
        add(number < 0 ? 0x7f - count : 0x80 + count);
        for (int i = count - 1; i >= 0; i--) {
            add((int) (number >>> (8 * i)));
        }
        return this;
    }

    /** The signed number that begins at {@code at}. */
    static long signedAt(byte[] key, int at) {
        int head = key[at] & 0xff;
        boolean negative = head < 0x80;
        int count = negative ? 0x7f - head : head - 0x80;
        long number = negative ? -1 : 0;
        for (int i = 1; i <= count; i++) {
            number = number << 8 | (key[at + i] & 0xff);
        }
        return number;
    }

    KeyBytes addLong(long value) {
        for (int i = 7; i >= 0; i--) {
            add((int) (value >>> (8 * i)));
        }
        return this;
    }

    KeyBytes addAll(byte[] more) {
        for (byte b : more) {
            add(b);
        }
        return this;
    }

    int size() {
        return size;
    }

    /** Inverts everything from {@code from}: descending order. */
    void invertFrom(int from) {
        for (int i = from; i < size; i++) {
            bytes[i] = (byte) ~bytes[i];
        }
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }

    /** The least key above all that begin with this one; null when there is none. */
    static byte[] after(byte[] prefix) {
        int end = prefix.length;
        while (end > 0 && prefix[end - 1] == (byte) 0xff) {
            end--;
        }
        if (end == 0) {
            return null;
        }
        byte[] next = Arrays.copyOf(prefix, end);
        next[end - 1]++;
        return next;
    }
}
