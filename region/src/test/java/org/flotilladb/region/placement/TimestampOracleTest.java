package org.flotilladb.region.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.LeaseClock.Lease;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.store.mvcc.Timestamps;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TimestampOracleTest {
    private static final long START_MS = 1_700_000_000_000L;
    private static final long HOUR_MS = 3_600_000L;

    private final TestClock clock = new TestClock();
    private int extensions;
    private final LeaseClock leases = new LeaseClock(clock, GroupSettings.DEFAULT, FailPoints.OFF);
    private final TimestampOracle oracle = new TimestampOracle(clock, leases, () -> extensions++);

    private static final class TestClock implements Clock {
        long ns;
        long wallMs = START_MS;

        @Override
        public long nanoTime() {
            return ns;
        }

        @Override
        public long wallMs() {
            return wallMs;
        }

        void pass(long ms) {
            ns += ms * 1_000_000L;
            wallMs += ms;
        }
    }

    private void lead(long bound) {
        oracle.lead(bound);
        oracle.lease(Lease.FOREVER);
        oracle.committed(oracle.nextBound());
    }

    private long next() {
        long ts = oracle.tryAllocate(1);
        if (ts < 0) {
            oracle.committed(oracle.nextBound());
            ts = oracle.tryAllocate(1);
        }
        assertTrue(ts > 0, "no timestamp after the bound was moved");
        return ts;
    }

    @Test
    void nothing_is_handed_out_before_this_peer_leads() {
        assertEquals(-1, oracle.tryAllocate(1));
        oracle.committed(Timestamps.of(START_MS + 10_000, 0));
        assertEquals(-1, oracle.tryAllocate(1));
    }

    @Test
    void nothing_is_handed_out_beyond_the_committed_bound() {
        lead(0);
        clock.pass(TimestampOracle.AHEAD_MS + 1);
        assertEquals(-1, oracle.tryAllocate(1));
        assertTrue(extensions > 0, "the bound was not asked to be moved");
        oracle.committed(oracle.nextBound());
        assertTrue(oracle.tryAllocate(1) >= Timestamps.of(clock.wallMs, 0));
    }

    @Test
    void nothing_is_handed_out_when_the_lease_has_run_out() {
        lead(0);
        oracle.lease(new Lease(clock.ns + 1_000_000, clock.ns, clock.wallMs * 1_000_000 - clock.ns));
        assertTrue(oracle.tryAllocate(1) > 0);
        clock.pass(2);
        assertEquals(-1, oracle.tryAllocate(1));
    }

    @Test
    void nothing_is_handed_out_after_the_machine_was_suspended() {
        lead(0);
        oracle.lease(new Lease(clock.ns + 500_000_000, clock.ns, clock.wallMs * 1_000_000 - clock.ns));
        assertTrue(oracle.tryAllocate(1) > 0);
        clock.wallMs += 1000;
        assertEquals(-1, oracle.tryAllocate(1));
    }

    @Test
    void a_new_leader_starts_above_everything_its_predecessors_were_allowed() {
        long bound = Timestamps.of(START_MS + HOUR_MS, 5);
        lead(bound);
        assertTrue(next() > bound);
    }

    @Test
    void a_range_belongs_to_one_caller() {
        lead(0);
        long first = oracle.tryAllocate(10);
        assertTrue(oracle.tryAllocate(1) >= first + 10);
    }

    @ParameterizedTest
    @CsvSource({"0, -1", "0, 1", "10, -1", "10, 1"})
    void time_goes_on_when_the_wall_clock_jumps(long hoursBefore, long hoursAhead) {
        lead(0);
        clock.pass(hoursBefore * HOUR_MS);
        long before = next();
        long jumpMs = hoursAhead * HOUR_MS;
        clock.wallMs += jumpMs;
        long last = before;
        for (int i = 0; i < 100; i++) {
            clock.pass(100);
            long ts = next();
            assertTrue(ts > last, ts + " after " + last);
            last = ts;
        }
        long passedMs = Timestamps.physicalMs(last) - Timestamps.physicalMs(before);
        assertTrue(passedMs >= 4_950 && passedMs <= 20_100, "10 s made " + passedMs + " ms");
    }

    @Test
    void time_goes_on_from_a_bound_far_ahead_of_this_wall_clock() {
        lead(Timestamps.of(START_MS + HOUR_MS, 0));
        long before = next();
        clock.pass(5000);
        assertTrue(Timestamps.physicalMs(next()) - Timestamps.physicalMs(before) >= 2_490);
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MAX_VALUE, 1L << 50, 1L << 45, -1, Long.MIN_VALUE})
    void a_wall_clock_that_is_far_off_when_this_peer_begins_to_lead_leaves_room_for_timestamps(long wallMs) {
        clock.wallMs = wallMs;
        lead(0);
        long first = next();
        assertTrue(first > 0 && first < Long.MAX_VALUE / 2, "the first is " + first);
        clock.pass(1000);
        assertTrue(next() > first);
    }

    @Test
    void what_was_promised_before_limits_how_far_a_wall_clock_can_jump_at_a_change_of_leaders() {
        clock.wallMs = START_MS + 200L * 365 * 24 * HOUR_MS;
        lead(Timestamps.of(START_MS, 0));
        long aheadMs = Timestamps.physicalMs(next()) - START_MS;
        assertTrue(aheadMs < 32L * 365 * 24 * HOUR_MS, aheadMs + " ms ahead");
    }
}
