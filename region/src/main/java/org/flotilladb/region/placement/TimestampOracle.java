package org.flotilladb.region.placement;

import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.LeaseClock.Lease;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.store.mvcc.Timestamps;

/**
 * Hands out timestamps, strictly increasing, never beyond the bound that the group has committed. While this peer leads,
 * time in timestamps follows the wall clock, but never runs at less than half or more than twice the rate of the
 * monotonic clock, from where the last leader's bound or the wall clock was at the start: a wall clock that jumps back
 * does not stop it, so that locks still expire, and one that jumps ahead does not make all locks expire at once. Safe for
 * many threads: {@link #tryAllocate} is called by whoever wants one; the loop alone moves the bound and the lease.
 */
public final class TimestampOracle {
    /** How far ahead of the clock the bound is committed, in milliseconds. */
    static final long AHEAD_MS = 3000;

    private static final long NS_IN_MS = 1_000_000L;
    /** A wall clock further away than this (30 years) is as good as one that is as far away. */
    private static final long MAX_AWAY_MS = 1_000_000_000_000L;
    /** The year 2500: no wall clock that is right shows a later time, and timestamps have room above it. */
    private static final long LATEST_WALL_MS = 16_725_225_600_000L;

    private final Clock clock;
    private final LeaseClock leases;
    private final Runnable extend;
    private long last;
    private long bound;
    private volatile Lease lease = Lease.NONE;
    private boolean extensionWanted;
    /** Where time in timestamps stood when this peer began to lead. */
    private long baseMs;
    /** How far it has come since, and what the monotonic clock read then. */
    private long sinceNs;

    private long readNs;

    /** @param extend asked, on any thread, when the bound should be moved */
    TimestampOracle(Clock clock, LeaseClock leases, Runnable extend) {
        this.clock = clock;
        this.leases = leases;
        this.extend = extend;
    }

    /** The first of {@code count} timestamps, or -1 when this peer may not or cannot answer just now. */
    public long tryAllocate(int count) {
        long first;
        boolean ask = false;
        Lease held;
        synchronized (this) {
            // The lease of the leadership that allocates: another may have begun by the time it is checked.
            held = lease;
            if (held == Lease.NONE) {
                return -1;
            }
            first = Math.max(last + 1, Timestamps.of(nowMs(), 0));
            if (first + count > bound) {
                first = -1;
                ask = !extensionWanted;
            } else {
                last = first + count - 1;
                ask = !extensionWanted && bound - last < Timestamps.of(AHEAD_MS / 2, 0);
            }
            extensionWanted |= ask;
        }
        if (ask) {
            extend.run();
        }
        // Allocate, read the clock, check the lease, answer.
        return leases.holds(held) ? first : -1;
    }

    /** The bound to commit next. */
    synchronized long nextBound() {
        return Math.max(Math.max(last, bound), Timestamps.of(nowMs(), 0)) + Timestamps.of(AHEAD_MS, 0);
    }

    /** Moves time on, by what the monotonic clock says has passed since it was moved last. */
    private long nowMs() {
        long readNow = clock.nanoTime();
        long elapsedNs = Math.max(0, readNow - readNs);
        readNs = readNow;
        long wallMs = Math.max(-MAX_AWAY_MS, Math.min(MAX_AWAY_MS, clock.wallMs() - baseMs));
        sinceNs = Math.max(sinceNs + elapsedNs / 2, Math.min(wallMs * NS_IN_MS, sinceNs + 2 * elapsedNs));
        return baseMs + sinceNs / NS_IN_MS;
    }

    /** A bound is committed and applied. */
    synchronized void committed(long newBound) {
        bound = Math.max(bound, newBound);
        extensionWanted = false;
    }

    /** This peer has begun to lead and has applied an entry of its term: it starts above everything promised before. */
    synchronized void lead(long committedBound) {
        last = Math.max(last, committedBound);
        long promisedMs = Timestamps.physicalMs(last);
        long latestMs = promisedMs == 0 ? LATEST_WALL_MS : Math.min(LATEST_WALL_MS, promisedMs + MAX_AWAY_MS);
        // What is promised once is promised for good: a wall clock far off must not use up the room that timestamps
        // have.
        baseMs = Math.max(Math.min(clock.wallMs(), latestMs), promisedMs + 1);
        sinceNs = 0;
        readNs = clock.nanoTime();
        extensionWanted = false;
    }

    void lease(Lease now) {
        lease = now;
    }
}
