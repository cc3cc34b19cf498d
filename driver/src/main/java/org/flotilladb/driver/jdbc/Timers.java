package org.flotilladb.driver.jdbc;

import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** One daemon thread for time limits; started with the first. Safe for many threads. */
public final class Timers {
    private static final class Holder {
        static final ScheduledThreadPoolExecutor EXECUTOR = make();

        private static ScheduledThreadPoolExecutor make() {
            ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
                Thread thread = new Thread(task, "flotilla-timers");
                thread.setDaemon(true);
                return thread;
            });
            // Most limits are not reached: what is cancelled must not stay until its time.
            executor.setRemoveOnCancelPolicy(true);
            return executor;
        }
    }

    private Timers() {}

    /** Runs a task later, unless it is cancelled before; it must not block for long. */
    public static Future<?> after(long delayMs, Runnable task) {
        return Holder.EXECUTOR.schedule(task, delayMs, TimeUnit.MILLISECONDS);
    }
}
