package org.flotilladb.region.placement.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.flotilladb.proto.Peer;
import org.flotilladb.region.placement.engine.Operator.Kind;

/**
 * Busy Regions are not all led by the same Store. Only what matters is moved: a Region that makes a good part of the
 * difference, from a Store that has a good part more than the mean; the balance of numbers then moves an idle Region back.
 * A single Region that is too busy splits first, at the keys that its leader finds.
 */
final class LoadBalance {
    /** Reads and writes per second below which a Store is not busy. */
    static final long BUSY = 1000;
    /** Of the mean: how much more is too much. */
    private static final double TOO_MUCH = 0.25;
    /** Of the difference: how much a Region must make. */
    private static final double MATTERS = 0.05;

    private static final int LIMIT = 4;

    private final ClusterView cluster;
    private final Operators operators;

    LoadBalance(ClusterView cluster, Operators operators) {
        this.cluster = cluster;
        this.operators = operators;
    }

    /** Starts at most one transfer: what it does must be measured before the next. */
    void look() {
        List<StoreView> stores = new ArrayList<>();
        long sum = 0;
        for (StoreView store : cluster.stores()) {
            if (cluster.takesLeaders(store)) {
                stores.add(store);
                sum += load(store);
            }
        }
        if (stores.size() < 2 || operators.count(Kind.BALANCE_LOAD) >= LIMIT) {
            return;
        }
        stores.sort(Comparator.comparingLong(this::load).reversed().thenComparingLong(StoreView::id));
        StoreView busiest = stores.get(0);
        double mean = (double) sum / stores.size();
        if (load(busiest) < BUSY || load(busiest) < mean * (1 + TOO_MUCH)) {
            return;
        }
        RegionView best = null;
        StoreView to = null;
        for (long regionId : cluster.regions().ledBy(busiest.id())) {
            RegionView region = cluster.regions().get(regionId);
            if (region.joint() || !operators.freeForBalance(regionId)) {
                continue;
            }
            for (Peer peer : region.voters()) {
                StoreView target = cluster.store(peer.getStoreId());
                if (target != busiest
                        && cluster.takesLeaders(target)
                        && cluster.live(region, peer)
                        && helps(region, busiest, target)
                        && (best == null || better(region, target, best, to))) {
                    best = region;
                    to = target;
                }
            }
        }
        if (best != null) {
            operators.start(
                    best,
                    Kind.BALANCE_LOAD,
                    busiest.name() + " serves " + load(busiest) + " reads and writes per second, " + to.name() + " "
                            + load(to),
                    List.of(new Step.TransferLeader(to.id())));
        }
    }

    /** The busiest Region, to the Store that has least to do. */
    private boolean better(RegionView a, StoreView toA, RegionView b, StoreView toB) {
        return a.load() > b.load() || (a == b && load(toA) < load(toB));
    }

    private long load(StoreView store) {
        return cluster.regions().reads(store.id()) + cluster.regions().writes(store.id());
    }

    /** The busier stays the busier, so it will not come back. */
    private boolean helps(RegionView region, StoreView from, StoreView to) {
        long difference = load(from) - load(to);
        return region.load() >= difference * MATTERS && 2 * region.load() <= difference;
    }
}
