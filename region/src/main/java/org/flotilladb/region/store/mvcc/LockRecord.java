package org.flotilladb.region.store.mvcc;

import com.google.protobuf.UnsafeByteOperations;
import java.util.Arrays;
import org.flotilladb.proto.LockInfo;
import org.flotilladb.proto.MutationKind;

/**
 * A lock as it stands in the family LOCK.
 *
 * @param value what a PUT will write; null when it stands in DEFAULT, or for other kinds
 */
public record LockRecord(
        MutationKind kind, byte[] primary, long startTs, long ttlMs, long forUpdateTs, long minCommitTs, byte[] value) {

    private static final int FIXED_BYTES = 2 + 4 * 8 + 4;

    /** The bytes on disk: kind, flag, four timestamps, length of the primary, primary, value. */
    public byte[] encode() {
        int valueLength = value == null ? 0 : value.length;
        byte[] bytes = new byte[FIXED_BYTES + primary.length + valueLength];
        bytes[0] = (byte) kind.getNumber();
        bytes[1] = (byte) (value == null ? 0 : 1);
        Keys.putLong(bytes, 2, startTs);
        Keys.putLong(bytes, 10, ttlMs);
        Keys.putLong(bytes, 18, forUpdateTs);
        Keys.putLong(bytes, 26, minCommitTs);
        bytes[34] = (byte) (primary.length >>> 24);
        bytes[35] = (byte) (primary.length >>> 16);
        bytes[36] = (byte) (primary.length >>> 8);
        bytes[37] = (byte) primary.length;
        System.arraycopy(primary, 0, bytes, FIXED_BYTES, primary.length);
        if (value != null) {
            System.arraycopy(value, 0, bytes, FIXED_BYTES + primary.length, valueLength);
        }
        return bytes;
    }

    public static LockRecord decode(byte[] bytes) {
        MutationKind kind = MutationKind.forNumber(bytes[0]);
        int primaryLength =
                (bytes[34] & 0xff) << 24 | (bytes[35] & 0xff) << 16 | (bytes[36] & 0xff) << 8 | (bytes[37] & 0xff);
        int valueAt = FIXED_BYTES + primaryLength;
        return new LockRecord(
                kind,
                Arrays.copyOfRange(bytes, FIXED_BYTES, valueAt),
                Keys.getLong(bytes, 2),
                Keys.getLong(bytes, 10),
                Keys.getLong(bytes, 18),
                Keys.getLong(bytes, 26),
                bytes[1] == 0 ? null : Arrays.copyOfRange(bytes, valueAt, bytes.length));
    }

    /** Whether committing will change what readers see. */
    public boolean changesValue() {
        return kind == MutationKind.PUT || kind == MutationKind.DELETE || kind == MutationKind.INSERT;
    }

    /** Whether locks of this kind stand beside one another, each under its owner's start. */
    public static boolean isShared(MutationKind kind) {
        return kind == MutationKind.SHARED_LOCK || kind == MutationKind.CHECK;
    }

    LockRecord withMinCommitTs(long newMinCommitTs) {
        return new LockRecord(kind, primary, startTs, ttlMs, forUpdateTs, newMinCommitTs, value);
    }

    LockRecord withTtlMs(long newTtlMs) {
        return new LockRecord(kind, primary, startTs, newTtlMs, forUpdateTs, minCommitTs, value);
    }

    /** What a client needs to find the owner. */
    public LockInfo info(byte[] key) {
        return LockInfo.newBuilder()
                .setKey(UnsafeByteOperations.unsafeWrap(key))
                .setPrimary(UnsafeByteOperations.unsafeWrap(primary))
                .setStartTs(startTs)
                .setTtlMs(ttlMs)
                .setMinCommitTs(minCommitTs)
                .setKind(kind)
                .build();
    }
}
