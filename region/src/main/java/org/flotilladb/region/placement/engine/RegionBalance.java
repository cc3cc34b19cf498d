package org.flotilladb.region.placement.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeMap;
import org.flotilladb.proto.Peer;
import org.flotilladb.region.placement.engine.Operator.Kind;

/**
 * Every Store has about as many Regions for the room that it has; a Store that is nearly full loses some in any case. Of
 * the Regions that could go, large ones go first when the Store also has more bytes than the other.
 */
final class RegionBalance {
    /** Differences below this share of the mean are left alone. */
    private static final double TOLERANCE = 0.05;
    /** Regions looked at for one move, and moves begun in one look: a look must not hold up the loop. */
    private static final int MAX_LOOKED_AT = 256;

    private static final int MAX_BEGUN = 16;
    private static final int CANDIDATES = 16;

    private final ClusterView cluster;
    private final Operators operators;
    private final Moves moves;
    /** Where the last look at a Store's Regions ended. */
    private final TreeMap<Long, Long> cursors = new TreeMap<>();

    RegionBalance(ClusterView cluster, Operators operators, Moves moves) {
        this.cluster = cluster;
        this.operators = operators;
        this.moves = moves;
    }

    /** Starts moves, up to the limits of the Stores. */
    void look() {
        cursors.keySet().retainAll(cluster.byId().keySet());
        for (int begun = 0; begun < MAX_BEGUN && one(); begun++) {
            // The next one sees what this one will change.
        }
    }

    private boolean one() {
        List<StoreView> sources = new ArrayList<>();
        for (StoreView store : cluster.stores()) {
            if (cluster.connected(store) && cluster.belongs(store)) {
                sources.add(store);
            }
        }
        double sum = 0;
        for (StoreView store : sources) {
            sum += fill(store);
        }
        double threshold = sources.isEmpty() ? 0 : TOLERANCE * sum / sources.size();
        sources.sort(Comparator.comparing(cluster::full)
                .thenComparingDouble(this::fill)
                .reversed()
                .thenComparingLong(StoreView::id));
        List<StoreView> targets = new ArrayList<>(sources);
        targets.removeIf(store -> !cluster.takesPeers(store) || !moves.mayReceive(store, false));
        targets.sort(Comparator.comparingDouble(this::fill).thenComparingLong(StoreView::id));
        for (StoreView source : sources) {
            for (StoreView target : targets) {
                if (source == target || !worth(source, target, threshold)) {
                    break;
                }
                if (move(source, target)) {
                    return true;
                }
            }
        }
        return false;
    }

    private double fill(StoreView store) {
        return Weights.regions(cluster, operators.outlook(), store);
    }

    /** Whether the source has enough more that it has at least as much after a move. */
    private boolean worth(StoreView source, StoreView target, double threshold) {
        if (cluster.full(source)) {
            return true;
        }
        double left = (operators.outlook().regions(source.id()) - 1) / Weights.of(cluster, source);
        double right = (operators.outlook().regions(target.id()) + 1) / Weights.of(cluster, target);
        return left >= right && fill(source) - fill(target) >= threshold;
    }

    private boolean move(StoreView source, StoreView target) {
        boolean large =
                cluster.regions().sizeBytes(source.id()) >= cluster.regions().sizeBytes(target.id());
        RegionView best = null;
        int found = 0;
        SortedSet<Long> all = cluster.regions().regionsOn(source.id());
        SortedSet<Long> after = all.tailSet(cursors.getOrDefault(source.id(), 0L) + 1);
        List<Long> order = new ArrayList<>(MAX_LOOKED_AT);
        after.stream().limit(MAX_LOOKED_AT).forEach(order::add);
        all.stream()
                .limit(Math.min(MAX_LOOKED_AT - order.size(), all.size() - order.size()))
                .forEach(order::add);
        for (long regionId : order) {
            cursors.put(source.id(), regionId);
            RegionView region = cluster.regions().get(regionId);
            if (!movable(region, source, target)) {
                continue;
            }
            if (best == null || better(region, best, source, large)) {
                best = region;
            }
            if (++found >= CANDIDATES) {
                break;
            }
        }
        if (best == null) {
            return false;
        }
        List<Step> steps = moves.replace(best, best.peerOn(source.id()), target);
        if (steps == null) {
            return false;
        }
        operators.start(
                best,
                Kind.BALANCE_REGIONS,
                source.name() + " has " + operators.outlook().regions(source.id()) + ", " + target.name() + " "
                        + operators.outlook().regions(target.id()),
                steps);
        return true;
    }

    private boolean movable(RegionView region, StoreView source, StoreView target) {
        if (!operators.freeForBalance(region.id())
                || region.peerOn(target.id()) != null
                || !cluster.settled(region)
                || !moves.maySend(region, false)) {
            return false;
        }
        Peer leaving = region.peerOn(source.id());
        return Isolation.shared(cluster, region, target, leaving) <= Isolation.shared(cluster, region, source, leaving);
    }

    /** Rather not a leader, which would have to be moved first; then by size. */
    private static boolean better(RegionView a, RegionView b, StoreView source, boolean large) {
        boolean leadsA = a.leaderStoreId() == source.id();
        boolean leadsB = b.leaderStoreId() == source.id();
        if (leadsA != leadsB) {
            return leadsB;
        }
        long sizeA = a.report().getSizeBytes();
        long sizeB = b.report().getSizeBytes();
        return large ? sizeA > sizeB : sizeA < sizeB;
    }
}
