package org.flotilladb.region.store.mvcc;

/** Timestamps: milliseconds since the epoch shifted left by 18, plus a counter. */
public final class Timestamps {
    /** Bits of the counter. */
    public static final int LOGICAL_BITS = 18;

    private Timestamps() {}

    public static long of(long physicalMs, long logical) {
        return (physicalMs << LOGICAL_BITS) + logical;
    }

    public static long physicalMs(long timestamp) {
        return timestamp >>> LOGICAL_BITS;
    }
}
