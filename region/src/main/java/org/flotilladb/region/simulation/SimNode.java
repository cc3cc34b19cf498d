package org.flotilladb.region.simulation;

import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.Scheduler;

/**
 * Clock and scheduler of one life of one simulated process. The monotonic clock starts at an origin of its own and runs
 * at its own rate; when the process crashes, its tasks never run again.
 */
public final class SimNode implements Clock, Scheduler {
    private final SimTime time;
    private final String name;
    private final long startNs;
    private final long originNs;
    private final double rate;
    private long wallOffsetMs;
    private boolean dead;
    private boolean dying;
    private long pausedUntilNs;
    private long suspendedNs;
    private long suspendedFromNs;
    private long suspendedUntilNs;
    private Runnable afterTask = () -> {};
    private Runnable onPowerLoss = () -> {};
    private long sendsUntilDeath = Long.MAX_VALUE;

    /**
     * @param originNs what {@link #nanoTime()} reads at the start
     * @param rate nanoseconds of this clock for each true nanosecond, for example 0.97 to 1.03
     * @param wallOffsetMs error of the wall clock
     */
    public SimNode(SimTime time, String name, long originNs, double rate, long wallOffsetMs) {
        this.time = time;
        this.name = name;
        this.startNs = time.nowNs();
        this.originNs = originNs;
        this.rate = rate;
        this.wallOffsetMs = wallOffsetMs;
    }

    public String name() {
        return name;
    }

    /** Called after each task that ran here, while the process lives. */
    public void afterEachTask(Runnable look) {
        afterTask = look;
    }

    /** Called when the power has failed in the middle of a task; the process is dead then. */
    public void onPowerLoss(Runnable told) {
        onPowerLoss = told;
    }

    /** The process dies when it is about to send its next message but {@code sends}. */
    public void dieAfterSends(long sends) {
        sendsUntilDeath = sends;
    }

    /** Counts a message; false when the process has died instead of sending it. */
    boolean maySend() {
        if (dead) {
            return false;
        }
        if (sendsUntilDeath != Long.MAX_VALUE && sendsUntilDeath-- <= 0) {
            throw die("send");
        }
        return true;
    }

    /** The power fails now, in the middle of a task; throw what this returns. */
    SimCrash die(String where) {
        dead = true;
        dying = true;
        return new SimCrash(where);
    }

    /** Ends this life. */
    public void crash() {
        dead = true;
    }

    public boolean dead() {
        return dead;
    }

    /** Stops the process for a while; what was due fires afterwards, all at once. */
    public void pause(long forNs) {
        pausedUntilNs = Math.max(pausedUntilNs, time.nowNs() + forNs);
    }

    /** Suspends the machine for a while: nothing runs, its monotonic clock stands still, nothing reaches it. */
    public void suspend(long forNs) {
        if (!suspended()) {
            suspendedNs += suspendedUntilNs - suspendedFromNs;
            suspendedFromNs = time.nowNs();
            suspendedUntilNs = time.nowNs();
        }
        suspendedUntilNs = Math.max(suspendedUntilNs, time.nowNs() + forNs);
        pause(forNs);
    }

    /** Whether it is suspended just now. */
    public boolean suspended() {
        return time.nowNs() < suspendedUntilNs;
    }

    /** True virtual time until which nothing runs here. */
    public long pausedUntilNs() {
        return pausedUntilNs;
    }

    /** Moves the wall clock by this much. */
    public void jumpWallMs(long byMs) {
        wallOffsetMs += byMs;
    }

    @Override
    public long nanoTime() {
        long now = time.nowNs();
        long asleepNs = suspendedNs + Math.min(now, suspendedUntilNs) - suspendedFromNs;
        return originNs + (long) ((now - startNs - asleepNs) * rate);
    }

    @Override
    public long wallMs() {
        return 1_700_000_000_000L + time.nowNs() / 1_000_000L + wallOffsetMs;
    }

    @Override
    public void execute(Runnable task) {
        schedule(0, task);
    }

    @Override
    public Cancellable schedule(long delayNs, Runnable task) {
        if (dead) {
            return () -> {};
        }
        Timer timer = new Timer(nanoTime() + Math.max(0, delayNs), task);
        timer.arm((long) (Math.max(0, delayNs) / rate));
        return () -> timer.armed.cancel();
    }

    /** Due by the monotonic clock, which may have stood still meanwhile. */
    private final class Timer {
        private final long dueNs;
        private final Runnable task;
        private Cancellable armed;

        Timer(long dueNs, Runnable task) {
            this.dueNs = dueNs;
            this.task = task;
        }

        void arm(long trueNs) {
            armed = time.schedule(trueNs, () -> run(this::fire));
        }

        private void fire() {
            // Both ways are rounded.
            long leftNs = dueNs - nanoTime() - 2;
            if (leftNs > 0) {
                arm((long) (leftNs / rate) + 1);
            } else {
                task.run();
            }
        }
    }

    /** Runs a task in this process now, after its pause, or never when it is dead. */
    public void run(Runnable task) {
        if (dead) {
            return;
        }
        if (pausedUntilNs > time.nowNs()) {
            time.schedule(pausedUntilNs - time.nowNs(), () -> run(task));
            return;
        }
        try {
            task.run();
        } catch (SimCrash crash) {
            // Noted when it was thrown: somebody on the way may have caught it.
        }
        if (dying) {
            dying = false;
            onPowerLoss.run();
        } else if (!dead) {
            afterTask.run();
        }
    }
}
