package org.flotilladb.region.runtime.system;

import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.flotilladb.region.runtime.Scheduler;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Daemon threads. A task that throws is logged and does not end its thread. */
public final class ThreadScheduler implements Scheduler, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ThreadScheduler.class);

    private final ScheduledThreadPoolExecutor pool;

    public ThreadScheduler(String name, int threads) {
        pool = new ScheduledThreadPoolExecutor(threads, task -> {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            return thread;
        });
        pool.setRemoveOnCancelPolicy(true);
        pool.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        pool.setRejectedExecutionHandler((task, executor) -> LOG.debug("{} is closed, a task is dropped", name));
    }

    @Override
    public void execute(Runnable task) {
        pool.execute(guarded(task));
    }

    @Override
    public Cancellable schedule(long delayNs, Runnable task) {
        ScheduledFuture<?> future = pool.schedule(guarded(task), delayNs, TimeUnit.NANOSECONDS);
        return () -> future.cancel(false);
    }

    private static Runnable guarded(Runnable task) {
        return () -> {
            try {
                task.run();
            } catch (RuntimeException | Error e) {
                LOG.error("A scheduled task failed", e);
            }
        };
    }

    @Override
    public void close() {
        pool.shutdownNow();
    }
}
