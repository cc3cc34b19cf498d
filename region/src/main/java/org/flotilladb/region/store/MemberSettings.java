package org.flotilladb.region.store;

/**
 * How a Store treats peers that come, go and fall behind.
 *
 * @param maxOutgoing snapshots kept open for others at a time
 * @param maxIncoming snapshots received at a time
 * @param chunkBytes of rows in one answer, about
 * @param bytesPerTick of rows received in a tick, about
 * @param idleTicks after which a snapshot that nobody asks about any more is given up
 * @param logMaxEntriesBehind entries kept for a peer that is slow; what lacks more gets a snapshot
 * @param peerDownNs of silence after which a peer counts as down
 * @param directed whether the Store takes part in what the Placement Driver decides: it sends heartbeats of its own, and its
 *     leaders do what they are told
 */
public record MemberSettings(
        int maxOutgoing,
        int maxIncoming,
        int chunkBytes,
        long bytesPerTick,
        int idleTicks,
        long logMaxEntriesBehind,
        long peerDownNs,
        boolean directed) {

    /** For production. */
    public static final MemberSettings DEFAULT =
            new MemberSettings(8, 4, 1 << 20, 16L << 20, 100, 100_000, 30_000_000_000L, true);
}
