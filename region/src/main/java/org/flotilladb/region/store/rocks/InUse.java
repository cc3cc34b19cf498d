package org.flotilladb.region.store.rocks;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.flotilladb.region.runtime.StorageException;

/**
 * Counts who is inside of native code, so that closing waits for them and whoever comes later gets an exception instead of
 * a crash of the JVM. Readers on different threads count in different places and do not disturb one another. Safe for
 * many threads.
 */
final class InUse {
    private static final int SLOTS = 32;
    /** Longs between two slots: they must not share a cache line. */
    private static final int STRIDE = 16;

    private static final long PAUSE_NS = TimeUnit.MICROSECONDS.toNanos(50);
    /** About ten seconds; whoever is inside for longer has leaked what he opened. */
    private static final int MAX_PAUSES = 200_000;

    private final String what;
    private final String where;
    private final Runnable pause;
    private final AtomicLongArray counts = new AtomicLongArray(SLOTS * STRIDE);
    private volatile boolean closed;

    /** @param what the store, in a word */
    InUse(String what, String where) {
        this(what, where, () -> LockSupport.parkNanos(PAUSE_NS));
    }

    /** @param pause what whoever closes does between two looks */
    InUse(String what, String where, Runnable pause) {
        this.what = what;
        this.where = where;
        this.pause = pause;
    }

    /** Goes in; what it returns is for {@link #exit}. */
    int enter() {
        int slot = (int) (Thread.currentThread().getId() % SLOTS) * STRIDE;
        counts.incrementAndGet(slot);
        if (closed) {
            counts.decrementAndGet(slot);
            throw new StorageException(
                    StorageException.Kind.IO, "The " + what + " store in " + where + " is closed.", null);
        }
        return slot;
    }

    void exit(int slot) {
        counts.decrementAndGet(slot);
    }

    /** Lets nobody in any more and waits until all are out; false if it was closed before. */
    boolean close() {
        synchronized (this) {
            if (closed) {
                return false;
            }
            closed = true;
        }
        for (int i = 0; i < MAX_PAUSES && isUsed(); i++) {
            pause.run();
        }
        return true;
    }

    private boolean isUsed() {
        for (int i = 0; i < SLOTS; i++) {
            if (counts.get(i * STRIDE) != 0) {
                return true;
            }
        }
        return false;
    }
}
