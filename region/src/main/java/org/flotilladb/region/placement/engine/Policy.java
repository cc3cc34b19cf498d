package org.flotilladb.region.placement.engine;

import org.flotilladb.proto.PlacementSettings;

/**
 * What the engine aims at, and how much it does at once.
 *
 * @param replicas voters of each Region
 * @param goneAfterNs a Store that was not heard of for so long is gone: its peers are replaced
 * @param silentAfterNs a Store that was not heard of for so long is given nothing
 * @param movesPerStore peers that one Store may be receiving, and one may be sending, at once
 * @param leaderMoves leaders on their way at once for balance
 * @param balance whether anything is done for balance
 */
public record Policy(
        int replicas, long goneAfterNs, long silentAfterNs, int movesPerStore, int leaderMoves, boolean balance) {
    /** The most replicas that may be asked for. */
    public static final int MAX_REPLICAS = 9;

    private static final long MS = 1_000_000L;
    private static final long MAX_MS = Long.MAX_VALUE / MS / 4;

    public static final Policy DEFAULT = new Policy(3, 30 * 60_000 * MS, 10_000 * MS, 4, 16, true);

    /** The defaults, where the settings say nothing else. */
    public static Policy of(PlacementSettings settings) {
        return new Policy(
                settings.hasReplicas() ? settings.getReplicas() : DEFAULT.replicas,
                settings.hasGoneAfterMs() ? settings.getGoneAfterMs() * MS : DEFAULT.goneAfterNs,
                settings.hasSilentAfterMs() ? settings.getSilentAfterMs() * MS : DEFAULT.silentAfterNs,
                settings.hasMovesPerStore() ? settings.getMovesPerStore() : DEFAULT.movesPerStore,
                settings.hasLeaderMoves() ? settings.getLeaderMoves() : DEFAULT.leaderMoves,
                settings.hasBalance() ? settings.getBalance() : DEFAULT.balance);
    }

    /** Everything said. */
    public PlacementSettings toSettings() {
        return PlacementSettings.newBuilder()
                .setReplicas(replicas)
                .setGoneAfterMs(goneAfterNs / MS)
                .setSilentAfterMs(silentAfterNs / MS)
                .setMovesPerStore(movesPerStore)
                .setLeaderMoves(leaderMoves)
                .setBalance(balance)
                .build();
    }

    /** What is wrong with settings that somebody asks for, or null. */
    public static String refuses(PlacementSettings wanted) {
        if (wanted.hasReplicas() && (wanted.getReplicas() < 1 || wanted.getReplicas() > MAX_REPLICAS)) {
            return "replicas must be 1 to " + MAX_REPLICAS + ", not " + wanted.getReplicas();
        }
        if (wanted.hasGoneAfterMs() && !inRange(wanted.getGoneAfterMs(), 1000, MAX_MS)) {
            return "gone_after_ms must be 1000 or more, not " + wanted.getGoneAfterMs();
        }
        if (wanted.hasSilentAfterMs() && !inRange(wanted.getSilentAfterMs(), 500, MAX_MS)) {
            return "silent_after_ms must be 500 or more, not " + wanted.getSilentAfterMs();
        }
        if (wanted.hasMovesPerStore() && !inRange(wanted.getMovesPerStore(), 1, 64)) {
            return "moves_per_store must be 1 to 64, not " + wanted.getMovesPerStore();
        }
        if (wanted.hasLeaderMoves() && !inRange(wanted.getLeaderMoves(), 1, 1000)) {
            return "leader_moves must be 1 to 1000, not " + wanted.getLeaderMoves();
        }
        return null;
    }

    private static boolean inRange(long value, long least, long most) {
        return value >= least && value <= most;
    }
}
