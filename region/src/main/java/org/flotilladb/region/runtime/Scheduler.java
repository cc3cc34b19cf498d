package org.flotilladb.region.runtime;

/** Runs tasks later. Tasks must not block. Under the simulator there is one queue ordered by time. */
public interface Scheduler {
    /** Runs soon, never within this call. */
    void execute(Runnable task);

    /** Runs once after a delay; the handle cancels it if it has not begun. */
    Cancellable schedule(long delayNs, Runnable task);

    /** Something that can be called off. */
    @FunctionalInterface
    interface Cancellable {
        void cancel();
    }
}
