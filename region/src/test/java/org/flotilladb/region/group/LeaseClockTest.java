package org.flotilladb.region.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.flotilladb.region.group.LeaseClock.Lease;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LeaseClockTest {
    private static final long MS = 1_000_000L;
    private static final double RHO = 0.05;
    private static final long MARGIN_MS = 10;
    private static final GroupSettings SETTINGS = new GroupSettings(100 * MS, 10, 2, 1000 * MS, RHO, MARGIN_MS * MS);
    /** E(1-rho)/(1+rho), less the margin. */
    private static final long LEASE_NS = (long) (1000 * MS * (1 - RHO) / (1 + RHO)) - MARGIN_MS * MS;

    private final MachineClock clock = new MachineClock();
    private final LeaseClock leases = new LeaseClock(clock, SETTINGS, FailPoints.OFF);

    /** True time, seen through a machine that may be suspended and whose monotonic clock may run wrong. */
    private static final class MachineClock implements Clock {
        long monotonicNs = 77;
        long wallNs = 1_700_000_000_000L * MS;

        @Override
        public long nanoTime() {
            return monotonicNs;
        }

        @Override
        public long wallMs() {
            return wallNs / MS;
        }

        void pass(long ms, double rate) {
            monotonicNs += (long) (ms * MS * rate);
            wallNs += ms * MS;
        }

        void suspend(long ms) {
            wallNs += ms * MS;
        }
    }

    private Lease begin() {
        return leases.until(leases.nowNs() + LEASE_NS);
    }

    @ParameterizedTest
    @ValueSource(doubles = {1 - RHO, 1, 1 + RHO})
    void a_lease_holds_to_its_end_at_every_rate_that_is_allowed(double rate) {
        Lease lease = begin();
        while (clock.monotonicNs + 11 * MS < lease.untilNs()) {
            clock.pass(10, rate);
            leases.nowNs();
            assertTrue(leases.holds(lease), "at " + clock.monotonicNs);
            assertFalse(leases.takeJump());
        }
        clock.pass(20, rate);
        assertFalse(leases.holds(lease));
    }

    @ParameterizedTest
    @CsvSource({"0, 11", "300, 11", "800, 60", "800, 3600000"})
    void a_lease_does_not_hold_after_a_suspension_that_outlasts_the_margin(long afterMs, long suspendedMs) {
        Lease lease = begin();
        clock.pass(afterMs, 1);
        assertTrue(leases.holds(lease));
        clock.suspend(suspendedMs + (long) (afterMs * RHO / (1 - RHO)));
        assertFalse(leases.holds(lease));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1 - RHO, 1, 1 + RHO})
    void no_lease_is_seen_to_hold_beyond_what_the_fastest_follower_has_promised(double rate) {
        // E on a clock that runs fast by rho.
        long promisedMs = (long) (1000 / (1 + RHO));
        for (long suspendedMs = 0; suspendedMs < 200; suspendedMs++) {
            Lease lease = begin();
            clock.suspend(suspendedMs);
            for (long ms = suspendedMs; ms < 1200; ms++) {
                assertFalse(
                        ms > promisedMs && leases.holds(lease),
                        "suspended for " + suspendedMs + " ms, the lease holds after " + ms + " ms");
                clock.pass(1, rate);
            }
        }
    }

    @Test
    void a_lease_that_begins_after_a_suspension_holds() {
        Lease old = begin();
        clock.suspend(5000);
        assertFalse(leases.holds(old));
        leases.nowNs();
        clock.pass(1, 1);
        assertTrue(leases.holds(begin()));
        assertTrue(leases.takeJump(), "the groups are not told");
        assertFalse(leases.takeJump(), "they are told twice");
    }

    @Test
    void a_round_sent_before_a_suspension_and_answered_after_it_gives_no_lease() {
        long sentNs = leases.nowNs();
        clock.suspend(400);
        leases.nowNs();
        assertFalse(leases.holds(leases.until(sentNs + LEASE_NS)));
    }

    @Test
    void a_wall_clock_that_is_set_back_does_not_lengthen_a_lease() {
        Lease lease = begin();
        clock.wallNs -= 3_600_000 * MS;
        clock.pass(LEASE_NS / MS + 1, 1);
        assertFalse(leases.holds(lease));
    }

    @ParameterizedTest
    @ValueSource(longs = {3, 400, 3_600_000})
    void a_wall_clock_that_is_set_back_does_not_hide_a_suspension(long backMs) {
        Lease before = begin();
        clock.pass(50, 1);
        clock.wallNs -= backMs * MS;
        leases.nowNs();
        assertTrue(leases.holds(before));
        Lease after = begin();
        clock.suspend(1000);
        assertFalse(leases.holds(before));
        assertFalse(leases.holds(after));
        leases.nowNs();
        assertTrue(leases.takeJump());
        clock.pass(1, 1);
        assertTrue(leases.holds(begin()));
    }

    @ParameterizedTest
    @ValueSource(doubles = {1 - RHO, 1 + RHO})
    void a_clock_whose_rate_is_wrong_within_the_bound_is_not_taken_for_one_that_was_set(double rate) {
        for (int i = 0; i < 1000; i++) {
            clock.pass(100, rate);
            leases.nowNs();
            assertFalse(leases.takeJump(), "after " + i + " ticks");
        }
    }

    @Test
    void a_group_of_one_needs_no_clock() {
        clock.suspend(3_600_000);
        assertTrue(leases.holds(leases.until(Long.MAX_VALUE)));
        assertEquals(Lease.NONE, leases.until(Long.MIN_VALUE));
        assertFalse(leases.holds(Lease.NONE));
    }
}
