package org.flotilladb.engine.internal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Bytes of one row as they are put together. Not thread-safe. */
final class RowWriter {
    private static final int FIRST_BYTES = 64;
    private static final int UNIT_BYTES = 2;

    private byte[] bytes = new byte[FIRST_BYTES];
    private int size;

    private void reserve(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, size + more));
        }
    }

    void write(int b) {
        reserve(1);
        bytes[size++] = (byte) b;
    }

    /** A number from 0, seven bits a byte. */
    void number(long value) {
        reserve(10);
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            bytes[size++] = (byte) (rest & 0x7f | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
    }

    void signed(long value) {
        number(value << 1 ^ value >> 63);
    }

    void block(byte[] block) {
        number(block.length);
        reserve(block.length);
        System.arraycopy(block, 0, bytes, size, block.length);
        size += block.length;
    }

    void fixed(long value) {
        reserve(Long.BYTES);
        for (int shift = 56; shift >= 0; shift -= 8) {
            bytes[size++] = (byte) (value >>> shift);
        }
    }

    void text(String text) {
        block(text.getBytes(StandardCharsets.UTF_8));
    }

    /** Text that UTF-8 cannot hold, unit by unit. */
    void units(String text) {
        int length = text.length();
        number((long) length * UNIT_BYTES);
        reserve(length * UNIT_BYTES);
        for (int i = 0; i < length; i++) {
            bytes[size++] = (byte) (text.charAt(i) >>> 8);
            bytes[size++] = (byte) text.charAt(i);
        }
    }

    /** Whether a surrogate stands without its other half. */
    static boolean isTorn(String text) {
        int length = text.length();
        for (int i = 0; i < length; i++) {
            char c = text.charAt(i);
            if (Character.isSurrogate(c)) {
                if (!Character.isHighSurrogate(c) || i + 1 == length || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    return true;
                }
                i++;
            }
        }
        return false;
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }
}
