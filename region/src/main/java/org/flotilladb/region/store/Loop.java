package org.flotilladb.region.store;

import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.flotilladb.raft.RaftInvariantException;
import org.flotilladb.region.runtime.Scheduler;
import org.flotilladb.region.runtime.StorageException;

/**
 * Runs inputs one batch at a time, each batch followed by a round. Whoever submits may run the loop itself when it is
 * free, so that an embedded commit costs no hand-off; what has come in meanwhile goes to the scheduler. Never blocks
 * the submitter for longer than one round, and never runs recursively.
 */
final class Loop {
    private static final int MAX_BATCH = 4096;

    private final Scheduler scheduler;
    private final boolean callerRuns;
    private final Runnable round;
    private final Consumer<RuntimeException> failed;
    private final ConcurrentLinkedQueue<Runnable> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger queued = new AtomicInteger();
    private final AtomicBoolean running = new AtomicBoolean();
    private final AtomicBoolean woken = new AtomicBoolean();
    private volatile boolean closed;

    /** @param failed told when the disk, an invariant, or anything that nobody foresaw has failed under an input */
    Loop(Scheduler scheduler, boolean callerRuns, Runnable round, Consumer<RuntimeException> failed) {
        this.scheduler = scheduler;
        this.callerRuns = callerRuns;
        this.round = round;
        this.failed = failed;
    }

    /** How many inputs wait. */
    int queued() {
        return queued.get();
    }

    /** Hands an input in; it may run within this call. */
    void submit(Runnable input) {
        queued.incrementAndGet();
        queue.add(input);
        if (callerRuns && running.compareAndSet(false, true)) {
            try {
                runBatch();
            } finally {
                running.set(false);
                if (!queue.isEmpty()) {
                    wake();
                }
            }
        } else if (!running.get()) {
            // Else whoever runs looks at the queue again after it has let go.
            wake();
        }
    }

    private void wake() {
        if (!closed && woken.compareAndSet(false, true)) {
            scheduler.execute(this::drain);
        }
    }

    private void drain() {
        woken.set(false);
        while (!queue.isEmpty()) {
            if (!running.compareAndSet(false, true)) {
                return;
            }
            boolean ended = false;
            try {
                runBatch();
                ended = true;
            } finally {
                running.set(false);
                if (!ended && !queue.isEmpty()) {
                    // Whoever waits in the queue is to be told that the Store has stopped.
                    wake();
                }
            }
        }
    }

    private void runBatch() {
        for (int i = 0; i < MAX_BATCH; i++) {
            Runnable input = queue.poll();
            if (input == null) {
                break;
            }
            queued.decrementAndGet();
            try {
                input.run();
            } catch (StorageException | RaftInvariantException e) {
                failed.accept(e);
            } catch (RuntimeException e) {
                // Nobody foresaw it: what it has left half done must not go on.
                failed.accept(e);
                throw e;
            }
        }
        round.run();
    }

    /** Drops what waits; a batch under way ends. */
    void close() {
        closed = true;
        queue.clear();
    }
}
