package org.flotilladb.region.placement.engine;

import java.util.Collection;
import java.util.TreeMap;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.StoreState;
import org.flotilladb.region.runtime.FailPoints;

/** What the engine knows, at one moment, and the questions that checks ask about it. */
final class ClusterView {
    /** Below this share of its capacity free, a Store loses peers; between the two it keeps what it has. */
    private static final double FULL = 0.10;
    /** Below this share of its capacity free, a Store takes no more peers. */
    private static final double NEARLY_FULL = 0.15;

    private final TreeMap<Long, StoreView> stores = new TreeMap<>();
    private final RegionTable regions;
    private final FailPoints failPoints;
    private Policy policy = Policy.DEFAULT;
    private long nowNs;

    ClusterView(RegionTable regions, FailPoints failPoints) {
        this.regions = regions;
        this.failPoints = failPoints;
    }

    /** Whether a test wants a rule to be broken here. */
    boolean fails(String rule) {
        return failPoints.hit(rule);
    }

    void at(long now) {
        nowNs = now;
    }

    long nowNs() {
        return nowNs;
    }

    void policy(Policy newer) {
        policy = newer;
    }

    Policy policy() {
        return policy;
    }

    RegionTable regions() {
        return regions;
    }

    TreeMap<Long, StoreView> byId() {
        return stores;
    }

    Collection<StoreView> stores() {
        return stores.values();
    }

    /** Or null. */
    StoreView store(long storeId) {
        return stores.get(storeId);
    }

    /** Heard of lately. */
    boolean connected(StoreView store) {
        return store != null && store.heard() && store.silentNs(nowNs) < policy.silentAfterNs();
    }

    /** Nobody waits for it any more: its peers are to be replaced. */
    boolean gone(long storeId) {
        StoreView store = stores.get(storeId);
        return store == null
                || store.state() == StoreState.STORE_GONE
                || store.state() == StoreState.STORE_REMOVED
                || store.silentNs(nowNs) >= policy.goneAfterNs();
    }

    /** May hold peers of Regions, now or when it is heard of again. */
    boolean belongs(StoreView store) {
        return !gone(store.id())
                && (store.state() == StoreState.STORE_UP || store.state() == StoreState.STORE_WITHOUT_LEADERS);
    }

    boolean full(StoreView store) {
        return hasLess(store, FULL);
    }

    private static boolean hasLess(StoreView store, double share) {
        long capacity = store.last().getCapacityBytes();
        return capacity > 0 && store.last().getAvailableBytes() < capacity * share;
    }

    boolean takesPeers(StoreView store) {
        boolean alive = connected(store) || fails("silent-store-takes-peers");
        return store.state() == StoreState.STORE_UP && alive && !hasLess(store, NEARLY_FULL);
    }

    boolean takesLeaders(StoreView store) {
        return store != null && store.state() == StoreState.STORE_UP && connected(store);
    }

    /** As far as is known the peer votes and has what the leader has. */
    boolean live(RegionView region, Peer peer) {
        return connected(stores.get(peer.getStoreId())) && region.inStep(peer);
    }

    /** Whether enough voters live for anything to be committed. */
    boolean hasQuorum(RegionView region) {
        int live = 0;
        int voters = 0;
        for (Peer peer : region.voters()) {
            voters++;
            live += live(region, peer) ? 1 : 0;
        }
        return live >= quorum(voters);
    }

    static int quorum(int voters) {
        return voters / 2 + 1;
    }

    /** How many voters a Region can have: as many as wanted, but one Store holds one. */
    int wantedVoters() {
        int able = 0;
        for (StoreView store : stores()) {
            able += belongs(store) ? 1 : 0;
        }
        return Math.max(1, Math.min(policy.replicas(), able));
    }

    /** Nothing is wrong with it: as many voters as wanted, all of them live, no learner, no change under way. */
    boolean settled(RegionView region) {
        if (region.leader() == null || region.joint() || region.peers().size() != wantedVoters()) {
            return false;
        }
        for (Peer peer : region.peers()) {
            StoreView store = stores.get(peer.getStoreId());
            if (!region.voters().contains(peer) || !live(region, peer) || !belongs(store)) {
                return false;
            }
        }
        return true;
    }
}
