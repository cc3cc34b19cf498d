package org.flotilladb.region.simulation;

import java.util.PriorityQueue;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.Scheduler.Cancellable;

/**
 * The one queue of a simulated world: tasks ordered by virtual time, ties broken by a seeded number and then by arrival.
 * Single-threaded.
 */
public final class SimTime {
    private final PriorityQueue<Task> queue = new PriorityQueue<>();
    private final RandomSource random;
    private final EventHash hash;
    private long nowNs = 1_000_000_000L;
    private long sequence;

    public SimTime(RandomSource random, EventHash hash) {
        this.random = random;
        this.hash = hash;
    }

    /** True virtual time, which no node sees directly. */
    public long nowNs() {
        return nowNs;
    }

    /** Queues a task for {@code nowNs + delayNs}. */
    public Cancellable schedule(long delayNs, Runnable action) {
        if (delayNs < 0) {
            throw new IllegalArgumentException("delayNs " + delayNs + " is negative");
        }
        Task task = new Task(nowNs + delayNs, random.nextInt(1 << 20), sequence++, action);
        queue.add(task);
        return () -> task.action = null;
    }

    /** Runs the next task; false when there is none. */
    public boolean step() {
        while (true) {
            Task task = queue.poll();
            if (task == null) {
                return false;
            }
            Runnable action = task.action;
            if (action == null) {
                continue;
            }
            nowNs = task.atNs;
            hash.event(1, task.atNs, task.sequence);
            action.run();
            return true;
        }
    }

    /** Lets time pass in which nothing happens. */
    public void advanceTo(long ns) {
        if (nextNs() < ns) {
            throw new IllegalStateException("a task is due before " + ns);
        }
        nowNs = Math.max(nowNs, ns);
    }

    /** The time of the next task, or {@link Long#MAX_VALUE}. */
    public long nextNs() {
        while (!queue.isEmpty() && queue.peek().action == null) {
            queue.poll();
        }
        return queue.isEmpty() ? Long.MAX_VALUE : queue.peek().atNs;
    }

    private static final class Task implements Comparable<Task> {
        final long atNs;
        final int tieBreak;
        final long sequence;
        Runnable action;

        Task(long atNs, int tieBreak, long sequence, Runnable action) {
            this.atNs = atNs;
            this.tieBreak = tieBreak;
            this.sequence = sequence;
            this.action = action;
        }

        @Override
        public int compareTo(Task other) {
            int byTime = Long.compare(atNs, other.atNs);
            if (byTime != 0) {
                return byTime;
            }
            int byTie = Integer.compare(tieBreak, other.tieBreak);
            return byTie != 0 ? byTie : Long.compare(sequence, other.sequence);
        }
    }
}
