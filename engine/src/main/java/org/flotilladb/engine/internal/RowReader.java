package org.flotilladb.engine.internal;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Reads what a {@link RowWriter} has written. Not thread-safe. */
final class RowReader {
    private final byte[] bytes;
    private int at;

    RowReader(byte[] bytes) {
        this.bytes = bytes;
    }

    int position() {
        return at;
    }

    void moveTo(int position) {
        at = position;
    }

    int size() {
        return bytes.length;
    }

    boolean hasSameBytes(RowReader other) {
        return Arrays.equals(bytes, other.bytes);
    }

    int next() {
        return bytes[at++] & 0xff;
    }

    void skip(int count) {
        at += count;
    }

    long number() {
        byte first = bytes[at++];
        if (first >= 0) {
            return first;
        }
        long value = first & 0x7f;
        int shift = 7;
        while (true) {
            byte b = bytes[at++];
            value |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return value;
            }
            shift += 7;
        }
    }

    long signed() {
        long value = number();
        return value >>> 1 ^ -(value & 1);
    }

    byte[] block() {
        int length = (int) number();
        at += length;
        return Arrays.copyOfRange(bytes, at - length, at);
    }

    void skipBlock() {
        int length = (int) number();
        at += length;
    }

    String text() {
        int length = (int) number();
        at += length;
        return new String(bytes, at - length, length, StandardCharsets.UTF_8);
    }

    String units() {
        char[] units = new char[(int) number() / 2];
        for (int i = 0; i < units.length; i++) {
            units[i] = (char) (next() << 8 | next());
        }
        return new String(units);
    }

    long fixed() {
        long value = 0;
        for (int i = 0; i < Long.BYTES; i++) {
            value = value << 8 | next();
        }
        return value;
    }
}
