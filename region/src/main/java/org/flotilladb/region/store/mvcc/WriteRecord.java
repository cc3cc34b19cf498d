package org.flotilladb.region.store.mvcc;

import java.util.Arrays;

/** A committed version as it stands in the family WRITE: kind and flag, start timestamp, inline value. */
public final class WriteRecord {
    /** Values up to this length stand in the version itself. */
    public static final int MAX_INLINE_BYTES = 1024;

    private static final int PUT = 0;
    private static final int DELETE = 1;
    private static final int LOCK = 2;
    private static final int LARGE_PUT = 3;
    private static final int HEADER_BYTES = 9;

    private WriteRecord() {}

    /** A version with its value inline. */
    public static byte[] put(long startTs, byte[] value) {
        byte[] bytes = header(PUT, startTs, value.length);
        System.arraycopy(value, 0, bytes, HEADER_BYTES, value.length);
        return bytes;
    }

    /** A version whose value stands in DEFAULT. */
    public static byte[] largePut(long startTs) {
        return header(LARGE_PUT, startTs, 0);
    }

    public static byte[] delete(long startTs) {
        return header(DELETE, startTs, 0);
    }

    /** A key that was locked and not changed. */
    public static byte[] lock(long startTs) {
        return header(LOCK, startTs, 0);
    }

    private static byte[] header(int kind, long startTs, int extra) {
        byte[] bytes = new byte[HEADER_BYTES + extra];
        bytes[0] = (byte) kind;
        Keys.putLong(bytes, 1, startTs);
        return bytes;
    }

    public static long startTs(byte[] record) {
        return Keys.getLong(record, 1);
    }

    public static boolean isLock(byte[] record) {
        return record[0] == LOCK;
    }

    public static boolean isDelete(byte[] record) {
        return record[0] == DELETE;
    }

    /** Whether the value stands in DEFAULT. */
    public static boolean isLarge(byte[] record) {
        return record[0] == LARGE_PUT;
    }

    /** The inline value. */
    public static byte[] value(byte[] record) {
        return Arrays.copyOfRange(record, HEADER_BYTES, record.length);
    }
}
