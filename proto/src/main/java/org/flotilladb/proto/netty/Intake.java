package org.flotilladb.proto.netty;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The bytes of requests that a server has read and not answered yet, over all its connections: past the limit none is read
 * from, until half of it is free again. So what strangers send cannot take the memory of the process, however many they are.
 * Safe for many threads.
 */
final class Intake {
    private final long limitBytes;
    private final AtomicLong bytes = new AtomicLong();
    /** Who waits for room; guarded by itself. */
    private final List<Runnable> waiting = new ArrayList<>();

    private volatile boolean anyWaits;

    Intake(long limitBytes) {
        this.limitBytes = limitBytes;
    }

    void take(long sizeBytes) {
        bytes.addAndGet(sizeBytes);
    }

    void giveBack(long sizeBytes) {
        if (bytes.addAndGet(-sizeBytes) <= limitBytes / 2 && anyWaits) {
            resume();
        }
    }

    /** Whether nothing more is to be read; if so, the task is run, on any thread, once there is room. */
    boolean isFull(Runnable whenRoom) {
        if (bytes.get() < limitBytes) {
            return false;
        }
        synchronized (waiting) {
            waiting.add(whenRoom);
            anyWaits = true;
        }
        if (bytes.get() <= limitBytes / 2) {
            // It has become free meanwhile, and nobody else may come to say so.
            resume();
        }
        return true;
    }

    private void resume() {
        List<Runnable> now;
        synchronized (waiting) {
            now = new ArrayList<>(waiting);
            waiting.clear();
            anyWaits = false;
        }
        now.forEach(Runnable::run);
    }
}
