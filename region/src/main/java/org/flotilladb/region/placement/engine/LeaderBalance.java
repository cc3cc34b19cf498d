package org.flotilladb.region.placement.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.flotilladb.proto.Peer;
import org.flotilladb.region.placement.engine.Operator.Kind;

/**
 * Every Store leads about as many Regions. Where the Store that leads most shares no Region with the one that leads least,
 * leadership is passed along the shortest chain of Stores that do (an augmenting path, as in maximum flow), so the best
 * balance that the places of the peers allow is always reached.
 */
final class LeaderBalance {
    /** Differences below this share of the mean are left alone. */
    private static final double TOLERANCE = 0.05;

    private final ClusterView cluster;
    private final Operators operators;

    LeaderBalance(ClusterView cluster, Operators operators) {
        this.cluster = cluster;
        this.operators = operators;
    }

    /** Starts transfers, up to the limit. */
    void look() {
        List<StoreView> stores = new ArrayList<>();
        for (StoreView store : cluster.stores()) {
            if (cluster.takesLeaders(store)) {
                stores.add(store);
            }
        }
        if (stores.size() < 2 || !unequal(stores)) {
            return;
        }
        TreeMap<Long, TreeMap<Long, ArrayDeque<RegionView>>> shared = shared(stores);
        TreeSet<Long> used = new TreeSet<>();
        while (operators.count(Kind.BALANCE_LEADERS) < cluster.policy().leaderMoves()) {
            List<StoreView> chain = chain(stores, shared, used);
            if (chain == null) {
                return;
            }
            for (int i = 0; i + 1 < chain.size(); i++) {
                StoreView from = chain.get(i);
                StoreView to = chain.get(i + 1);
                RegionView region = first(shared.get(from.id()).get(to.id()), used);
                used.add(region.id());
                operators.start(
                        region,
                        Kind.BALANCE_LEADERS,
                        from.name() + " leads " + leaders(from) + ", " + to.name() + " " + leaders(to),
                        List.of(new Step.TransferLeader(to.id())));
            }
        }
    }

    private int leaders(StoreView store) {
        return operators.outlook().leaders(store.id());
    }

    private boolean unequal(List<StoreView> stores) {
        int most = 0;
        int least = Integer.MAX_VALUE;
        for (StoreView store : stores) {
            most = Math.max(most, leaders(store));
            least = Math.min(least, leaders(store));
        }
        return most - least >= threshold(stores);
    }

    private int threshold(List<StoreView> stores) {
        long sum = 0;
        for (StoreView store : stores) {
            sum += leaders(store);
        }
        return Math.max(cluster.fails("balance-without-end") ? 1 : 2, (int) Math.ceil(TOLERANCE * sum / stores.size()));
    }

    /** For each Store the Regions that it leads and that another could, the idle ones first. */
    private TreeMap<Long, TreeMap<Long, ArrayDeque<RegionView>>> shared(List<StoreView> stores) {
        TreeMap<Long, TreeMap<Long, ArrayDeque<RegionView>>> shared = new TreeMap<>();
        for (StoreView store : stores) {
            TreeMap<Long, ArrayDeque<RegionView>> with = new TreeMap<>();
            shared.put(store.id(), with);
            List<RegionView> movable = new ArrayList<>();
            for (long regionId : cluster.regions().ledBy(store.id())) {
                if (operators.freeForBalance(regionId)) {
                    movable.add(cluster.regions().get(regionId));
                }
            }
            movable.sort(Comparator.comparingLong(RegionView::load));
            for (RegionView region : movable) {
                for (Peer peer : region.joint() ? List.<Peer>of() : region.voters()) {
                    if (peer.getStoreId() != store.id()
                            && cluster.takesLeaders(cluster.store(peer.getStoreId()))
                            && cluster.live(region, peer)) {
                        with.computeIfAbsent(peer.getStoreId(), id -> new ArrayDeque<>())
                                .add(region);
                    }
                }
            }
        }
        return shared;
    }

    private static RegionView first(Deque<RegionView> regions, TreeSet<Long> used) {
        while (regions != null
                && !regions.isEmpty()
                && used.contains(regions.peek().id())) {
            regions.poll();
        }
        return regions == null ? null : regions.peek();
    }

    /** From a Store that leads too many to the one that leads least, over Stores that share Regions; null: there is none. */
    private List<StoreView> chain(
            List<StoreView> stores, TreeMap<Long, TreeMap<Long, ArrayDeque<RegionView>>> shared, TreeSet<Long> used) {
        List<StoreView> byLeaders = new ArrayList<>(stores);
        byLeaders.sort(Comparator.comparingInt(this::leaders).reversed().thenComparingLong(StoreView::id));
        int threshold = threshold(stores);
        int least = leaders(byLeaders.get(byLeaders.size() - 1));
        for (StoreView source : byLeaders) {
            if (leaders(source) - least < threshold) {
                return null;
            }
            TreeMap<Long, Long> before = new TreeMap<>();
            Deque<Long> next = new ArrayDeque<>(List.of(source.id()));
            before.put(source.id(), source.id());
            long best = source.id();
            while (!next.isEmpty()) {
                long at = next.poll();
                if (leaders(cluster.store(at)) < leaders(cluster.store(best))) {
                    best = at;
                }
                shared.get(at).forEach((to, regions) -> {
                    if (!before.containsKey(to) && first(regions, used) != null) {
                        before.put(to, at);
                        next.add(to);
                    }
                });
            }
            if (leaders(source) - leaders(cluster.store(best)) >= threshold) {
                ArrayDeque<StoreView> chain = new ArrayDeque<>();
                for (long at = best; at != source.id(); at = before.get(at)) {
                    chain.addFirst(cluster.store(at));
                }
                chain.addFirst(source);
                return List.copyOf(chain);
            }
        }
        return null;
    }
}
