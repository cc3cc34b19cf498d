package org.flotilladb.region.placement.engine;

/** Stores of different sizes are compared by what they have for each unit of room. */
final class Weights {
    private static final double SAME = 0.20;
    private static final double MOST = 4;

    private Weights() {}

    /** How much of the Regions a Store should have, 1 for one of the usual size or of one not known. */
    static double of(ClusterView cluster, StoreView store) {
        double sum = 0;
        int known = 0;
        for (StoreView each : cluster.stores()) {
            long capacity = each.last().getCapacityBytes();
            if (cluster.connected(each) && capacity > 0) {
                sum += capacity;
                known++;
            }
        }
        long capacity = store.last().getCapacityBytes();
        if (known < 2 || capacity <= 0) {
            return 1;
        }
        double ratio = capacity / (sum / known);
        return Math.abs(ratio - 1) <= SAME ? 1 : Math.max(1 / MOST, Math.min(MOST, ratio));
    }

    /** Regions for each unit of room, when all that is under way is done. */
    static double regions(ClusterView cluster, Operators.Outlook outlook, StoreView store) {
        return outlook.regions(store.id()) / of(cluster, store);
    }
}
