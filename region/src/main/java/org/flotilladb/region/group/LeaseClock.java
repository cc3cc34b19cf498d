package org.flotilladb.region.group;

import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;

/**
 * The time that a node's groups are told, and whether their leases hold by it. Leases are measured on the monotonic clock.
 * That stands still while the machine is suspended, as the others' clocks do not; the wall clock goes on, so each lease
 * notes how far wall time was ahead of monotonic time when it began, and ends when wall time has run ahead further than
 * rates and the margin allow. Wall time only ever shortens a lease. {@link #holds} is for any thread, the rest for the
 * loop.
 */
public final class LeaseClock {
    private static final long MS = 1_000_000L;
    /** A lease begins at most E ago; notes are at least E/256 apart. */
    private static final int NOTES = 512;

    private final Clock clock;
    private final FailPoints failPoints;
    private final double slowest;
    private final long spacingNs;
    private final long allowanceNs;
    private final long lengthNs;
    private final long[] notedNs = new long[NOTES];
    private final long[] notedAheadNs = new long[NOTES];
    private long notes;
    private long lastNs;
    private long lastAheadNs = Long.MIN_VALUE;
    private long leastAheadNs;
    /** How far the wall clock was set back in all: a suspension of later must not hide behind that. */
    private volatile long setBackNs;

    private boolean jumped;

    /**
     * A leader's right to serve alone.
     *
     * @param untilNs when it ends on the monotonic clock
     * @param notedNs a moment at its start, or before it
     * @param wallAheadNs wall time minus monotonic time at that moment
     */
    public record Lease(long untilNs, long notedNs, long wallAheadNs) {
        /** Nothing may be served. */
        public static final Lease NONE = new Lease(Long.MIN_VALUE, 0, 0);

        /** Of a group that has one member. */
        public static final Lease FOREVER = new Lease(Long.MAX_VALUE, 0, 0);

        /** The one that ends first. */
        public Lease min(Lease other) {
            return other.untilNs < untilNs ? other : this;
        }
    }

    public LeaseClock(Clock clock, GroupSettings settings, FailPoints failPoints) {
        this.clock = clock;
        this.failPoints = failPoints;
        double rho = settings.clockRateError();
        // A clock that runs slow by rho lags behind true time by this share of what it shows.
        slowest = rho / (1 - rho);
        spacingNs = settings.promiseNs() / (NOTES / 2);
        // A lease ends one margin early, so it may be outlived by as much. Off that: what the note was taken too early,
        // and the part of a millisecond that the wall clock does not show.
        allowanceNs = settings.marginNs() - MS - (long) Math.ceil(2 * rho * spacingNs);
        double shortened = settings.promiseNs() * (1 - rho) / (1 + rho);
        lengthNs = (long) shortened - settings.marginNs();
    }

    /** Monotonic time; notes what the wall clock shows. */
    public long nowNs() {
        long now = clock.nanoTime();
        // In this order: a suspension between the two shows.
        long ahead = aheadNs(now);
        // A thread that stood still between the two has seen the wall clock too far ahead, by no more than this.
        long inDoubtNs = clock.nanoTime() - now;
        long backNs = leastAheadNs - ahead;
        if (lastAheadNs != Long.MIN_VALUE && backNs > 2 * MS + (long) ((now - lastNs) * slowest)) {
            setBackNs += backNs;
            ahead = leastAheadNs;
        }
        leastAheadNs = ahead - inDoubtNs;
        if (lastAheadNs != Long.MIN_VALUE && ahead - lastAheadNs > allowedNs(now - lastNs)) {
            jumped |= !failPoints.hit("suspension-unseen");
            // What was sent at this very time may have left before.
            note(now + 1, ahead);
        } else if (notes == 0 || now - notedNs[(int) ((notes - 1) % NOTES)] >= spacingNs) {
            note(now, ahead);
        }
        lastNs = now;
        lastAheadNs = ahead;
        return now;
    }

    private long aheadNs(long now) {
        return clock.wallMs() * MS - now + setBackNs;
    }

    private void note(long now, long ahead) {
        notedNs[(int) (notes % NOTES)] = now;
        notedAheadNs[(int) (notes % NOTES)] = ahead;
        notes++;
    }

    /** Whether wall time has jumped ahead since this was asked last: the machine may have been suspended. */
    public boolean takeJump() {
        boolean result = jumped;
        jumped = false;
        return result;
    }

    /** The lease that ends then. Times that groups were told came from {@link #nowNs}, so its start is noted. */
    public Lease until(long untilNs) {
        if (untilNs == Long.MAX_VALUE) {
            return Lease.FOREVER;
        }
        if (untilNs == Long.MIN_VALUE) {
            return Lease.NONE;
        }
        long startNs = untilNs - lengthNs;
        for (long i = notes - 1; i >= 0 && i >= notes - NOTES; i--) {
            int at = (int) (i % NOTES);
            if (notedNs[at] <= startNs) {
                return new Lease(untilNs, notedNs[at], notedAheadNs[at]);
            }
        }
        // It began before all that is noted, and has ended long ago.
        return Lease.NONE;
    }

    /** Reads both clocks: whether the lease still holds. */
    public boolean holds(Lease lease) {
        if (lease.untilNs == Long.MAX_VALUE) {
            return true;
        }
        long now = clock.nanoTime();
        if (now >= lease.untilNs) {
            return false;
        }
        long ahead = aheadNs(now);
        return ahead - lease.wallAheadNs <= allowedNs(now - lease.notedNs) || failPoints.hit("suspension-unseen");
    }

    private long allowedNs(long elapsedNs) {
        return allowanceNs + (long) (elapsedNs * slowest);
    }
}
