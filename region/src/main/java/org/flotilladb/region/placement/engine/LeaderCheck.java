package org.flotilladb.region.placement.engine;

import java.util.List;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.StoreState;
import org.flotilladb.region.placement.engine.Operator.Kind;

/** No Region is led on a Store that is to lead none. */
final class LeaderCheck implements Check {
    private final ClusterView cluster;
    private final Moves moves;

    LeaderCheck(ClusterView cluster, Moves moves) {
        this.cluster = cluster;
        this.moves = moves;
    }

    @Override
    public Plan look(RegionView region) {
        StoreView store = cluster.store(region.leaderStoreId());
        if (store == null || store.state() == StoreState.STORE_UP || region.joint()) {
            return null;
        }
        Peer next = moves.nextLeader(region, store.id());
        return next == null
                ? null
                : new Plan(
                        Kind.EVICT,
                        store.name() + " is to lead nothing",
                        List.of(new Step.TransferLeader(next.getStoreId())));
    }
}
