package org.flotilladb.region.store;

import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.flotilladb.proto.LockInfo;
import org.flotilladb.proto.MutationKind;

/**
 * Locks that live in a leader's memory only: FOR UPDATE and the rows an explicit transaction has written. Losing them
 * costs a conflict at commit, never a wrong result: prewrite checks versions against each key's for_update_ts. Used by
 * the loop alone.
 */
final class MemoryLocks {
    private record Lock(long startTs, byte[] primary, long expiresNs) {}

    private final TreeMap<byte[], Lock> locks = new TreeMap<>(Arrays::compareUnsigned);

    /** The start of another transaction that holds the key, or 0. */
    long holder(byte[] key, long startTs, long nowNs) {
        if (locks.isEmpty()) {
            return 0;
        }
        Lock lock = locks.get(key);
        if (lock == null || lock.startTs == startTs) {
            return 0;
        }
        if (lock.expiresNs <= nowNs) {
            locks.remove(key);
            return 0;
        }
        return lock.startTs;
    }

    LockInfo info(byte[] key) {
        Lock lock = locks.get(key);
        return LockInfo.newBuilder()
                .setKey(UnsafeByteOperations.unsafeWrap(key))
                .setPrimary(UnsafeByteOperations.unsafeWrap(lock.primary))
                .setStartTs(lock.startTs)
                .setKind(MutationKind.LOCK)
                .setInMemory(true)
                .build();
    }

    void acquire(byte[] key, byte[] primary, long startTs, long expiresNs) {
        locks.put(key, new Lock(startTs, primary, expiresNs));
    }

    /** True if the transaction held the key. */
    boolean release(byte[] key, long startTs) {
        if (locks.isEmpty()) {
            return false;
        }
        Lock lock = locks.get(key);
        if (lock == null || lock.startTs != startTs) {
            return false;
        }
        locks.remove(key);
        return true;
    }

    /** Releases everything the transaction holds; the keys. */
    List<byte[]> releaseAll(long startTs) {
        List<byte[]> released = new ArrayList<>();
        for (Map.Entry<byte[], Lock> entry : locks.entrySet()) {
            if (entry.getValue().startTs == startTs) {
                released.add(entry.getKey());
            }
        }
        released.forEach(locks::remove);
        return released;
    }

    /** Drops locks whose ttl has run out; the keys. */
    List<byte[]> expire(long nowNs) {
        List<byte[]> released = new ArrayList<>();
        for (Map.Entry<byte[], Lock> entry : locks.entrySet()) {
            if (entry.getValue().expiresNs <= nowNs) {
                released.add(entry.getKey());
            }
        }
        released.forEach(locks::remove);
        return released;
    }

    /** Drops the locks of all other keys. */
    void releaseUnless(Predicate<byte[]> kept) {
        locks.keySet().removeIf(key -> !kept.test(key));
    }

    int size() {
        return locks.size();
    }

    void clear() {
        locks.clear();
    }
}
