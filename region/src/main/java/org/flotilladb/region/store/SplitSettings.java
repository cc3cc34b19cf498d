package org.flotilladb.region.store;

/**
 * When a Region is to be split without anybody asking for it.
 *
 * @param maxBytes of rows: keys and values of all versions, as they are written
 * @param maxKeys versions of keys
 * @param maxRequestsPerSecond reads and writes that come as requests; reads from this process are not counted, they cost
 *     the leader's loop nothing. Of a Region with one peer it counts for nothing: its halves would stay where they are
 */
public record SplitSettings(long maxBytes, long maxKeys, long maxRequestsPerSecond) {

    /** For a cluster: a Region moves in seconds, and many of them spread evenly. */
    public static final SplitSettings DEFAULT = new SplitSettings(96L << 20, 1_000_000, 20_000);

    /**
     * Where all Stores are in one process: there splitting spreads nothing and makes commits of one phase into commits of
     * two, so that Regions only stay small enough to be moved one day.
     */
    public static final SplitSettings EMBEDDED = new SplitSettings(1L << 30, 10_000_000, Long.MAX_VALUE);

    public SplitSettings {
        if (maxBytes < 2 || maxKeys < 2 || maxRequestsPerSecond < 2) {
            throw new IllegalArgumentException("limits of a Region's size must be 2 or more: " + maxBytes + " bytes, "
                    + maxKeys + " keys, " + maxRequestsPerSecond + " requests per second");
        }
    }

    /** The same with another limit of bytes. */
    public SplitSettings withMaxBytes(long bytes) {
        return new SplitSettings(bytes, maxKeys, maxRequestsPerSecond);
    }
}
