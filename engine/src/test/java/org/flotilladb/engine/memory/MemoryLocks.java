package org.flotilladb.engine.memory;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.flotilladb.engine.keyspace.KeySpaceException;

/** Exclusive locks on keys, with waiting, timeouts and deadlocks found at once. Safe for many threads. */
final class MemoryLocks {
    private final Map<ByteBuffer, MemoryTransaction> owners = new HashMap<>();
    private final Map<MemoryTransaction, MemoryTransaction> waitsFor = new HashMap<>();

    /** Returns whether the lock is new to the transaction. */
    synchronized boolean lock(byte[] key, MemoryTransaction who, long waitMs) {
        ByteBuffer name = ByteBuffer.wrap(key);
        long deadlineNs = System.nanoTime() + waitMs * 1_000_000L;
        while (true) {
            MemoryTransaction owner = owners.get(name);
            if (owner == who) {
                return false;
            }
            if (owner == null) {
                owners.put(name, who);
                return true;
            }
            for (MemoryTransaction at = owner; at != null; at = waitsFor.get(at)) {
                if (at == who) {
                    throw new KeySpaceException(KeySpaceException.Kind.CONFLICT, "a deadlock between transactions");
                }
            }
            long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000L;
            if (leftMs <= 0) {
                throw new KeySpaceException(
                        KeySpaceException.Kind.LOCK_TIMEOUT,
                        "a row is locked by another transaction for " + waitMs + " ms");
            }
            waitsFor.put(who, owner);
            try {
                wait(leftMs);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new KeySpaceException(
                        KeySpaceException.Kind.LOCK_TIMEOUT, "interrupted while waiting for a lock", e);
            } finally {
                waitsFor.remove(who);
            }
        }
    }

    synchronized void unlock(Iterable<byte[]> keys, MemoryTransaction who) {
        for (byte[] key : keys) {
            owners.remove(ByteBuffer.wrap(key), who);
        }
        notifyAll();
    }

    synchronized int waiting() {
        return waitsFor.size();
    }

    /** Locks held by anybody; 0 when all transactions are over. */
    synchronized int held() {
        return owners.size();
    }
}
