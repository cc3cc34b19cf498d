package org.flotilladb.region.store;

import java.util.TreeMap;

/** Which transaction waits for which, over all Regions of a Store. Used by the loop alone. */
final class WaitsFor {
    private static final int MAX_WAITS = 100_000;

    private final TreeMap<Long, Long> holders = new TreeMap<>();

    /** Notes a wait; true if it closes a circle. */
    boolean add(long waiterStartTs, long holderStartTs) {
        if (holders.size() >= MAX_WAITS) {
            return false;
        }
        holders.put(waiterStartTs, holderStartTs);
        Long next = holderStartTs;
        for (int steps = 0; next != null && steps < MAX_WAITS; steps++) {
            if (next == waiterStartTs) {
                return true;
            }
            next = holders.get(next);
        }
        return false;
    }

    void remove(long waiterStartTs) {
        holders.remove(waiterStartTs);
    }
}
