package org.flotilladb.region.group;

/**
 * How groups keep time.
 *
 * @param tickNs between two ticks
 * @param electionTicks without a leader before an election, at least
 * @param heartbeatTicks between heartbeats
 * @param promiseNs the promised election timeout E; 0 switches leases off
 * @param clockRateError the largest error of a clock's rate
 * @param marginNs taken off each lease; wall time may run ahead of monotonic time by about as much before a lease is dropped
 * @param rest when they go to rest
 */
public record GroupSettings(
        long tickNs,
        int electionTicks,
        int heartbeatTicks,
        long promiseNs,
        double clockRateError,
        long marginNs,
        RestSettings rest) {

    /** For production: elections after 1 to 2 s of silence. */
    public static final GroupSettings DEFAULT =
            new GroupSettings(100_000_000L, 10, 2, 1_000_000_000L, 0.05, 10_000_000L, RestSettings.DEFAULT);

    /** Of groups that never rest. */
    public GroupSettings(
            long tickNs, int electionTicks, int heartbeatTicks, long promiseNs, double clockRateError, long marginNs) {
        this(tickNs, electionTicks, heartbeatTicks, promiseNs, clockRateError, marginNs, RestSettings.NEVER);
    }

    /** The same, with groups that rest otherwise. */
    public GroupSettings withRest(RestSettings other) {
        return new GroupSettings(tickNs, electionTicks, heartbeatTicks, promiseNs, clockRateError, marginNs, other);
    }
}
