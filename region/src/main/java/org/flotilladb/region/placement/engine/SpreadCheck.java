package org.flotilladb.region.placement.engine;

import java.util.List;
import org.flotilladb.proto.Peer;
import org.flotilladb.region.placement.engine.Operator.Kind;

/** Peers do not share a zone, or a host, when another Store would let them not to. */
final class SpreadCheck implements Check {
    private final ClusterView cluster;
    private final Operators operators;
    private final Moves moves;

    SpreadCheck(ClusterView cluster, Operators operators, Moves moves) {
        this.cluster = cluster;
        this.operators = operators;
        this.moves = moves;
    }

    @Override
    public Plan look(RegionView region) {
        if (!cluster.policy().balance() || !operators.freeForBalance(region.id())) {
            return null;
        }
        Peer moved = null;
        StoreView to = null;
        int most = 0;
        for (Peer peer : region.peers()) {
            StoreView from = cluster.store(peer.getStoreId());
            int shared = from == null ? 0 : Isolation.shared(cluster, region, from, peer);
            if (shared == 0 || !cluster.settled(region)) {
                continue;
            }
            StoreView target = moves.target(region, peer, false);
            int less = target == null ? 0 : shared - Isolation.shared(cluster, region, target, peer);
            // Of equal ones rather not the leader: it would have to be moved first.
            if (less > most || (less == most && less > 0 && moved.equals(region.leader()))) {
                most = less;
                moved = peer;
                to = target;
            }
        }
        if (moved == null) {
            return null;
        }
        List<Step> steps = moves.replace(region, moved, to);
        return steps == null
                ? null
                : new Plan(
                        Kind.SPREAD,
                        cluster.store(moved.getStoreId()).name() + " shares a zone or a host, " + to.name()
                                + " does less",
                        steps);
    }
}
