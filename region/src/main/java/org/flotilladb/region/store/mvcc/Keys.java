package org.flotilladb.region.store.mvcc;

import java.util.Arrays;

/**
 * Keys as they stand in the families. A user key is escaped (0x00 becomes 0x00 0xff) and ended by 0x00 0x00, so that no
 * key is a prefix of another and the order of bytes is the order of user keys; then follows the family's suffix:
 *
 * <ul>
 *   <li>LOCK: none for an exclusive lock, the start timestamp for a shared one
 *   <li>WRITE: the inverted commit timestamp, so that newer versions come first
 *   <li>ROLLBACK: the start timestamp
 *   <li>DEFAULT: the inverted start timestamp
 * </ul>
 */
public final class Keys {
    private static final int END_BYTES = 2;

    /** Bytes of a timestamp suffix. */
    public static final int SUFFIX_BYTES = 8;

    private Keys() {}

    /** The escaped key with its end and room for {@code extra} more bytes. */
    private static byte[] escape(byte[] key, int extra) {
        int zeros = 0;
        for (byte b : key) {
            zeros += b == 0 ? 1 : 0;
        }
        byte[] result = new byte[key.length + zeros + END_BYTES + extra];
        if (zeros == 0) {
            System.arraycopy(key, 0, result, 0, key.length);
            return result;
        }
        int at = 0;
        for (byte b : key) {
            result[at++] = b;
            if (b == 0) {
                result[at++] = (byte) 0xff;
            }
        }
        return result;
    }

    /** The key's prefix in every family: also the key of its exclusive lock, and the lower bound of everything on it. */
    public static byte[] prefix(byte[] key) {
        return escape(key, 0);
    }

    /** The upper bound of everything on a key, from its prefix. */
    public static byte[] prefixEnd(byte[] prefix) {
        byte[] end = prefix.clone();
        end[end.length - 1] = 1;
        return end;
    }

    /** The lower bound of a range of user keys; null stays null. */
    public static byte[] lowerBound(byte[] start) {
        return start == null ? null : prefix(start);
    }

    /** The upper bound of a range of user keys; null and empty mean no bound. */
    public static byte[] upperBound(byte[] end) {
        return end == null || end.length == 0 ? null : prefix(end);
    }

    public static byte[] sharedLock(byte[] key, long startTs) {
        return withSuffix(key, startTs);
    }

    /** The key of a version. */
    public static byte[] write(byte[] key, long commitTs) {
        return withSuffix(key, ~commitTs);
    }

    public static byte[] rollback(byte[] key, long startTs) {
        return withSuffix(key, startTs);
    }

    public static byte[] large(byte[] key, long startTs) {
        return withSuffix(key, ~startTs);
    }

    private static byte[] withSuffix(byte[] key, long suffix) {
        byte[] result = escape(key, SUFFIX_BYTES);
        putLong(result, result.length - SUFFIX_BYTES, suffix);
        return result;
    }

    /** The commit timestamp in a key of WRITE. */
    public static long commitTs(byte[] writeKey) {
        return ~getLong(writeKey, writeKey.length - SUFFIX_BYTES);
    }

    /** The start timestamp in a key of ROLLBACK or of a shared lock. */
    public static long suffixTs(byte[] key) {
        return getLong(key, key.length - SUFFIX_BYTES);
    }

    /** The user key in a key of any family, whatever its suffix. */
    public static byte[] userKey(byte[] stored) {
        int end = prefixLength(stored) - END_BYTES;
        int escaped = 0;
        for (int i = 0; i < end; i++) {
            if (stored[i] == 0) {
                escaped++;
                i++;
            }
        }
        if (escaped == 0) {
            return Arrays.copyOf(stored, end);
        }
        byte[] key = new byte[end - escaped];
        int at = 0;
        for (int i = 0; i < end; i++) {
            key[at++] = stored[i];
            if (stored[i] == 0) {
                i++;
            }
        }
        return key;
    }

    /** The length of the escaped key with its end at the front of a stored key. */
    public static int prefixLength(byte[] stored) {
        for (int i = 0; i + 1 < stored.length; i++) {
            if (stored[i] == 0) {
                if (stored[i + 1] == 0) {
                    return i + END_BYTES;
                }
                i++;
            }
        }
        throw new IllegalArgumentException("a stored key of " + stored.length + " bytes has no end mark");
    }

    /** Whether two stored keys belong to one user key, given the first one's prefix length. */
    public static boolean sameKey(byte[] stored, int prefixLength, byte[] other) {
        return other.length >= prefixLength && Arrays.equals(stored, 0, prefixLength, other, 0, prefixLength);
    }

    static void putLong(byte[] bytes, int at, long value) {
        for (int i = 7; i >= 0; i--) {
            bytes[at + 7 - i] = (byte) (value >>> (8 * i));
        }
    }

    static long getLong(byte[] bytes, int at) {
        long value = 0;
        for (int i = 0; i < 8; i++) {
            value = value << 8 | (bytes[at + i] & 0xff);
        }
        return value;
    }
}
