package org.flotilladb.region.store.mvcc;

import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.flotilladb.proto.CheckStatusResponse;
import org.flotilladb.proto.Family;
import org.flotilladb.proto.KeyError;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.MutationKind;
import org.flotilladb.proto.WriteConflict;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.KvStore;

/**
 * The commands of a transaction, evaluated by a leader against its newest state: each gives an answer and the writes to
 * propose. Pure: nothing is changed here. The caller holds the keys' latches from before the evaluation until the writes
 * are applied. The protocol is Percolator's (Peng and Dabek, "Large-scale incremental processing using distributed
 * transactions and notifications", 2010) with the additions of one-phase commit, shared locks and rollback records in a
 * family of their own.
 */
public final class Mvcc {
    private Mvcc() {}

    /** What one transaction has left on a key. */
    public record Outcome(boolean committed, long commitTs, boolean rolledBack) {
        static final Outcome NONE = new Outcome(false, 0, false);
    }

    /** A transaction's writes on a Region: what is proposed. Not thread-safe. */
    public static final class Writes {
        private final List<KeyWrite> list = new ArrayList<>();

        void put(Family family, byte[] key, byte[] value) {
            list.add(KeyWrite.newBuilder()
                    .setFamily(family)
                    .setKey(UnsafeByteOperations.unsafeWrap(key))
                    .setValue(UnsafeByteOperations.unsafeWrap(value))
                    .build());
        }

        void delete(Family family, byte[] key) {
            list.add(KeyWrite.newBuilder()
                    .setFamily(family)
                    .setKey(UnsafeByteOperations.unsafeWrap(key))
                    .setDelete(true)
                    .build());
        }

        public List<KeyWrite> list() {
            return list;
        }

        public boolean isEmpty() {
            return list.isEmpty();
        }
    }

    /** What the transaction with this start has left on the key, below newer versions too. */
    public static Outcome outcome(KvReader reader, byte[] key, long startTs) {
        return outcome(reader, key, startTs, newest(reader, key));
    }

    /** The newest record in WRITE for a key, or null. */
    public static Pair newest(KvReader reader, byte[] key) {
        byte[] prefix = Keys.prefix(key);
        return reader.first(KvStore.Family.WRITE, prefix, Keys.prefixEnd(prefix));
    }

    /** As {@link #outcome}, for a caller that has looked up {@link #newest}. */
    public static Outcome outcome(KvReader reader, byte[] key, long startTs, Pair newest) {
        if (reader.get(KvStore.Family.ROLLBACK, Keys.rollback(key, startTs)) != null) {
            return new Outcome(false, 0, true);
        }
        if (newest == null || Keys.commitTs(newest.key()) <= startTs) {
            return Outcome.NONE;
        }
        byte[] prefix = Keys.prefix(key);
        try (KvCursor cursor = reader.cursor(KvStore.Family.WRITE, prefix, Keys.prefixEnd(prefix))) {
            for (boolean more = cursor.seek(prefix); more; more = cursor.next()) {
                long commitTs = Keys.commitTs(cursor.key());
                if (commitTs <= startTs) {
                    break;
                }
                if (WriteRecord.startTs(cursor.value()) == startTs) {
                    return new Outcome(true, commitTs, false);
                }
            }
        }
        return Outcome.NONE;
    }

    /**
     * Checks one mutation of a prewrite. Repeats are recognised by the caller through {@link #outcome} and {@link
     * #ownLock}.
     *
     * @return null if it may be written
     */
    public static KeyError check(KvReader reader, Mutation mutation, long startTs) {
        byte[] key = mutation.getKey().toByteArray();
        return check(reader, mutation, key, startTs, newest(reader, key), true);
    }

    /**
     * As {@link #check}, for a caller that has looked up {@link #newest}.
     *
     * @param locked false when the caller knows that no lock stands on the key
     */
    public static KeyError check(
            KvReader reader, Mutation mutation, byte[] key, long startTs, Pair newestRecord, boolean locked) {
        KeyError foreign = locked ? foreignLock(reader, mutation, key, startTs) : null;
        return foreign != null ? foreign : conflict(reader, mutation, key, startTs, newestRecord);
    }

    /** Whether any lock stands on the key, in one look. */
    public static boolean anyLock(KvReader reader, byte[] key) {
        byte[] prefix = Keys.prefix(key);
        return reader.first(KvStore.Family.LOCK, prefix, Keys.prefixEnd(prefix)) != null;
    }

    private static KeyError foreignLock(KvReader reader, Mutation mutation, byte[] key, long startTs) {
        boolean shared = LockRecord.isShared(mutation.getKind());
        byte[] prefix = Keys.prefix(key);
        byte[] locked = reader.get(KvStore.Family.LOCK, prefix);
        if (locked != null) {
            LockRecord lock = LockRecord.decode(locked);
            if (lock.startTs() != startTs) {
                return KeyError.newBuilder().setLocked(lock.info(key)).build();
            }
        }
        byte[] end = Keys.prefixEnd(prefix);
        if (!shared) {
            byte[] from = Arrays.copyOf(prefix, prefix.length + 1);
            Pair foreign = reader.first(KvStore.Family.LOCK, from, end);
            while (foreign != null && Keys.suffixTs(foreign.key()) == startTs) {
                foreign =
                        reader.first(KvStore.Family.LOCK, Arrays.copyOf(foreign.key(), foreign.key().length + 1), end);
            }
            if (foreign != null) {
                return KeyError.newBuilder()
                        .setLocked(LockRecord.decode(foreign.value()).info(key))
                        .build();
            }
        }
        return null;
    }

    private static KeyError conflict(KvReader reader, Mutation mutation, byte[] key, long startTs, Pair newestRecord) {
        boolean shared = LockRecord.isShared(mutation.getKind());
        byte[] prefix = Keys.prefix(key);
        byte[] end = Keys.prefixEnd(prefix);
        long seenTs = Math.max(startTs, mutation.getForUpdateTs());
        Pair newest = newestRecord;
        while (newest != null && WriteRecord.isLock(newest.value())) {
            long commitTs = Keys.commitTs(newest.key());
            if (commitTs <= seenTs) {
                break;
            }
            if (!shared) {
                return conflict(mutation, startTs, commitTs, "locked by a transaction that committed later");
            }
            newest = reader.first(KvStore.Family.WRITE, Keys.write(key, commitTs - 1), end);
        }
        if (newest != null && !WriteRecord.isLock(newest.value()) && Keys.commitTs(newest.key()) > seenTs) {
            return conflict(
                    mutation, startTs, Keys.commitTs(newest.key()), "written by a transaction that committed later");
        }
        if (mutation.getKind() == MutationKind.INSERT) {
            while (newest != null && WriteRecord.isLock(newest.value())) {
                newest = reader.first(KvStore.Family.WRITE, Keys.write(key, Keys.commitTs(newest.key()) - 1), end);
            }
            if (newest != null && !WriteRecord.isDelete(newest.value())) {
                return KeyError.newBuilder().setAlreadyExists(mutation.getKey()).build();
            }
        }
        return null;
    }

    private static KeyError conflict(Mutation mutation, long startTs, long commitTs, String reason) {
        return KeyError.newBuilder()
                .setConflict(WriteConflict.newBuilder()
                        .setKey(mutation.getKey())
                        .setStartTs(startTs)
                        .setConflictCommitTs(commitTs)
                        .setReason(reason))
                .build();
    }

    /** The transaction's own lock on the key, exclusive or shared, or null. */
    public static LockRecord ownLock(KvReader reader, byte[] key, long startTs) {
        byte[] locked = reader.get(KvStore.Family.LOCK, Keys.prefix(key));
        if (locked != null) {
            LockRecord lock = LockRecord.decode(locked);
            if (lock.startTs() == startTs) {
                return lock;
            }
        }
        byte[] shared = reader.get(KvStore.Family.LOCK, Keys.sharedLock(key, startTs));
        return shared == null ? null : LockRecord.decode(shared);
    }

    /** As {@link #ownLock}, where it is known which of the two it would be. */
    public static LockRecord ownLock(KvReader reader, byte[] key, long startTs, boolean shared) {
        byte[] locked = reader.get(KvStore.Family.LOCK, shared ? Keys.sharedLock(key, startTs) : Keys.prefix(key));
        if (locked == null) {
            return null;
        }
        LockRecord lock = LockRecord.decode(locked);
        return lock.startTs() == startTs ? lock : null;
    }

    /** The lock that a prewrite leaves. */
    public static void prewrite(
            Mutation mutation, byte[] primary, long startTs, long ttlMs, long minCommitTs, Writes writes) {
        byte[] key = mutation.getKey().toByteArray();
        byte[] value = null;
        if (mutation.getKind() == MutationKind.PUT || mutation.getKind() == MutationKind.INSERT) {
            value = mutation.getValue().toByteArray();
            if (value.length > WriteRecord.MAX_INLINE_BYTES) {
                writes.put(Family.FAMILY_DEFAULT, Keys.large(key, startTs), value);
                value = null;
            }
        }
        LockRecord lock = new LockRecord(
                mutation.getKind(), primary, startTs, ttlMs, mutation.getForUpdateTs(), minCommitTs, value);
        byte[] at = LockRecord.isShared(mutation.getKind()) ? Keys.sharedLock(key, startTs) : Keys.prefix(key);
        writes.put(Family.FAMILY_LOCK, at, lock.encode());
    }

    /** Prewrite and commit in one. */
    public static void onePhase(Mutation mutation, long startTs, long commitTs, Writes writes) {
        if (mutation.getKind() == MutationKind.CHECK) {
            // It was checked in this step: what is proposed later on its key comes later in the log.
            return;
        }
        byte[] key = mutation.getKey().toByteArray();
        byte[] record = switch (mutation.getKind()) {
            case PUT, INSERT -> {
                byte[] value = mutation.getValue().toByteArray();
                if (value.length > WriteRecord.MAX_INLINE_BYTES) {
                    writes.put(Family.FAMILY_DEFAULT, Keys.large(key, startTs), value);
                    yield WriteRecord.largePut(startTs);
                }
                yield WriteRecord.put(startTs, value);
            }
            case DELETE -> WriteRecord.delete(startTs);
            default -> WriteRecord.lock(startTs);
        };
        writes.put(Family.FAMILY_WRITE, Keys.write(key, commitTs), record);
    }

    /**
     * Commits one key.
     *
     * @return the error, or null when it is committed by these writes or was before
     */
    public static KeyError commit(KvReader reader, byte[] key, long startTs, long commitTs, Writes writes) {
        LockRecord lock = ownLock(reader, key, startTs);
        if (lock == null) {
            Outcome outcome = outcome(reader, key, startTs);
            if (outcome.committed()) {
                return null;
            }
            return KeyError.newBuilder()
                    .setAborted(
                            outcome.rolledBack()
                                    ? "the transaction was rolled back by another one that met its locks"
                                    : "the transaction has no lock here")
                    .build();
        }
        if (commitTs < lock.minCommitTs()) {
            return KeyError.newBuilder()
                    .setCommitTsTooLowMin(lock.minCommitTs())
                    .build();
        }
        writes.delete(Family.FAMILY_LOCK, lockKey(lock, key));
        if (lock.kind() == MutationKind.CHECK) {
            return null;
        }
        byte[] record = switch (lock.kind()) {
            case PUT, INSERT ->
                lock.value() == null ? WriteRecord.largePut(startTs) : WriteRecord.put(startTs, lock.value());
            case DELETE -> WriteRecord.delete(startTs);
            default -> WriteRecord.lock(startTs);
        };
        writes.put(Family.FAMILY_WRITE, Keys.write(key, commitTs), record);
        return null;
    }

    private static byte[] lockKey(LockRecord lock, byte[] key) {
        return LockRecord.isShared(lock.kind()) ? Keys.sharedLock(key, lock.startTs()) : Keys.prefix(key);
    }

    /**
     * Rolls one key back and leaves the record that this transaction shall never commit here.
     *
     * @return the commit timestamp when it is committed, else 0
     */
    public static long rollback(KvReader reader, byte[] key, long startTs, Writes writes) {
        LockRecord lock = ownLock(reader, key, startTs);
        if (lock == null) {
            Outcome outcome = outcome(reader, key, startTs);
            if (outcome.committed()) {
                return outcome.commitTs();
            }
            if (!outcome.rolledBack()) {
                writes.put(Family.FAMILY_ROLLBACK, Keys.rollback(key, startTs), new byte[0]);
            }
            return 0;
        }
        writes.delete(Family.FAMILY_LOCK, lockKey(lock, key));
        if (lock.value() == null && (lock.kind() == MutationKind.PUT || lock.kind() == MutationKind.INSERT)) {
            writes.delete(Family.FAMILY_DEFAULT, Keys.large(key, startTs));
        }
        writes.put(Family.FAMILY_ROLLBACK, Keys.rollback(key, startTs), new byte[0]);
        return 0;
    }

    /**
     * The state of a transaction as its primary tells it; see {@code CheckStatusRequest}. What is written (a rollback
     * record, a pushed lock) must be committed before the answer leaves.
     *
     * @param currentTs a timestamp of now, to compare the lock's ttl with
     */
    public static CheckStatusResponse checkStatus(
            KvReader reader,
            byte[] primary,
            long startTs,
            long callerTs,
            long currentTs,
            boolean rollbackIfMissing,
            Writes writes) {
        CheckStatusResponse.Builder answer = CheckStatusResponse.newBuilder();
        LockRecord lock = ownLock(reader, primary, startTs);
        if (lock == null) {
            Outcome outcome = outcome(reader, primary, startTs);
            if (outcome.committed()) {
                return answer.setState(CheckStatusResponse.State.COMMITTED)
                        .setCommitTs(outcome.commitTs())
                        .build();
            }
            if (outcome.rolledBack()) {
                return answer.setState(CheckStatusResponse.State.ROLLED_BACK).build();
            }
            if (!rollbackIfMissing) {
                return answer.setState(CheckStatusResponse.State.NOT_FOUND).build();
            }
            writes.put(Family.FAMILY_ROLLBACK, Keys.rollback(primary, startTs), new byte[0]);
            return answer.setState(CheckStatusResponse.State.ROLLED_BACK).build();
        }
        if (Timestamps.physicalMs(startTs) + lock.ttlMs() < Timestamps.physicalMs(currentTs)) {
            rollback(reader, primary, startTs, writes);
            return answer.setState(CheckStatusResponse.State.ROLLED_BACK).build();
        }
        long minCommitTs = lock.minCommitTs();
        boolean pushed = callerTs > 0;
        if (callerTs >= minCommitTs && pushed) {
            minCommitTs = callerTs + 1;
            writes.put(
                    Family.FAMILY_LOCK,
                    lockKey(lock, primary),
                    lock.withMinCommitTs(minCommitTs).encode());
        }
        return answer.setState(CheckStatusResponse.State.ALIVE)
                .setTtlMs(lock.ttlMs())
                .setMinCommitTs(minCommitTs)
                .setPushed(pushed)
                .build();
    }

    /** Extends the ttl of a primary's lock; the ttl now, or -1 when there is no lock. */
    public static long heartbeat(KvReader reader, byte[] primary, long startTs, long ttlMs, Writes writes) {
        LockRecord lock = ownLock(reader, primary, startTs);
        if (lock == null) {
            return -1;
        }
        if (ttlMs > lock.ttlMs()) {
            writes.put(
                    Family.FAMILY_LOCK,
                    lockKey(lock, primary),
                    lock.withTtlMs(ttlMs).encode());
        }
        return Math.max(ttlMs, lock.ttlMs());
    }

    /** The user keys in a range that the transaction has locked, at most {@code limit}. */
    public static List<byte[]> lockedKeys(KvReader reader, byte[] start, byte[] end, long startTs, int limit) {
        List<byte[]> keys = new ArrayList<>();
        byte[] lower = Keys.lowerBound(start);
        try (KvCursor cursor = reader.cursor(KvStore.Family.LOCK, lower, Keys.upperBound(end))) {
            for (boolean more = cursor.seek(lower); more && keys.size() < limit; more = cursor.next()) {
                if (LockRecord.decode(cursor.value()).startTs() == startTs) {
                    keys.add(Keys.userKey(cursor.key()));
                }
            }
        }
        return keys;
    }

    /** The family of the store that a write of a log entry goes to. */
    public static KvStore.Family family(Family family) {
        return switch (family) {
            case FAMILY_LOCK -> KvStore.Family.LOCK;
            case FAMILY_WRITE -> KvStore.Family.WRITE;
            case FAMILY_ROLLBACK -> KvStore.Family.ROLLBACK;
            case FAMILY_DEFAULT -> KvStore.Family.DEFAULT;
            case FAMILY_META, UNRECOGNIZED ->
                throw new IllegalArgumentException("a log entry writes to family " + family);
        };
    }
}
