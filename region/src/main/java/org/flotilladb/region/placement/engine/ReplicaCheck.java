package org.flotilladb.region.placement.engine;

import java.util.List;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.StoreState;
import org.flotilladb.region.placement.engine.Operator.Kind;

/** As many voters as wanted, none on a Store that is gone or being emptied, no learner without use. */
final class ReplicaCheck implements Check {
    private final ClusterView cluster;
    private final Operators operators;
    private final Moves moves;

    ReplicaCheck(ClusterView cluster, Operators operators, Moves moves) {
        this.cluster = cluster;
        this.operators = operators;
        this.moves = moves;
    }

    @Override
    public Plan look(RegionView region) {
        if (region.leader() == null || region.joint() || !cluster.hasQuorum(region)) {
            return null;
        }
        Plan plan = gone(region);
        if (plan == null) {
            plan = tooFew(region);
        }
        if (plan == null) {
            plan = tooMany(region);
        }
        if (plan == null) {
            plan = drained(region);
        }
        return plan == null ? uselessLearner(region) : plan;
    }

    private Plan gone(RegionView region) {
        for (Peer peer : region.peers()) {
            if (cluster.gone(peer.getStoreId())) {
                Plan plan = leave(region, peer, Kind.REPLACE, "its peer on " + name(peer) + " is gone");
                if (plan != null) {
                    return plan;
                }
            }
        }
        return null;
    }

    private Plan drained(RegionView region) {
        for (Peer peer : region.peers()) {
            StoreView store = cluster.store(peer.getStoreId());
            if (store != null && store.state() == StoreState.STORE_DRAINING) {
                Plan plan = leave(region, peer, Kind.DRAIN, name(peer) + " is being emptied");
                if (plan != null) {
                    return plan;
                }
            }
        }
        return null;
    }

    /** A peer is to leave its Store for good. */
    private Plan leave(RegionView region, Peer peer, Kind kind, String reason) {
        if (peer.getRole() == PeerRole.LEARNER
                || region.voters().size() > cluster.policy().replicas()) {
            return plan(kind, reason, moves.remove(region, peer));
        }
        Peer spare = moves.spareLearner(region);
        if (spare != null) {
            return plan(kind, reason, moves.exchange(region, peer, spare));
        }
        StoreView target = moves.target(region, peer, true);
        return target == null ? null : plan(kind, reason, moves.replace(region, peer, target));
    }

    private Plan tooFew(RegionView region) {
        int voters = region.voters().size();
        if (voters >= cluster.wantedVoters()) {
            return null;
        }
        String reason = "it has " + voters + " of " + cluster.wantedVoters() + " voters";
        Peer spare = moves.spareLearner(region);
        if (spare != null) {
            return plan(Kind.ADD, reason, List.of(Step.ChangePeers.promote(spare)));
        }
        StoreView target = moves.target(region, null, true);
        return target == null ? null : plan(Kind.ADD, reason, moves.add(target));
    }

    private Plan tooMany(RegionView region) {
        int voters = region.voters().size();
        if (voters <= cluster.policy().replicas()) {
            return null;
        }
        Peer worst = null;
        for (Peer peer : region.voters()) {
            if (worst == null || leavesBefore(region, peer, worst)) {
                worst = peer;
            }
        }
        return plan(
                Kind.REMOVE,
                "it has " + voters + " voters where " + cluster.policy().replicas() + " are wanted",
                moves.remove(region, worst));
    }

    /** Dead before alive, then from a Store that is emptied, then the one that shares most, then from the fullest Store. */
    private boolean leavesBefore(RegionView region, Peer a, Peer b) {
        int order = Boolean.compare(cluster.live(region, a), cluster.live(region, b));
        StoreView storeA = cluster.store(a.getStoreId());
        StoreView storeB = cluster.store(b.getStoreId());
        if (order != 0 || storeA == null || storeB == null) {
            return order < 0;
        }
        order = Boolean.compare(cluster.belongs(storeA), cluster.belongs(storeB));
        if (order == 0) {
            order = Integer.compare(
                    Isolation.shared(cluster, region, storeB, b), Isolation.shared(cluster, region, storeA, a));
        }
        if (order == 0) {
            order = Boolean.compare(a.equals(region.leader()), b.equals(region.leader()));
        }
        if (order == 0) {
            order = Double.compare(
                    Weights.regions(cluster, operators.outlook(), storeB),
                    Weights.regions(cluster, operators.outlook(), storeA));
        }
        return order < 0;
    }

    private Plan uselessLearner(RegionView region) {
        if (region.learners().isEmpty() || cluster.fails("useless-learner-stays")) {
            return null;
        }
        Peer learner = region.learners().get(0);
        return plan(Kind.REMOVE, "nobody has use for its learner on " + name(learner), moves.remove(region, learner));
    }

    private String name(Peer peer) {
        StoreView store = cluster.store(peer.getStoreId());
        return store == null ? "Store " + Long.toHexString(peer.getStoreId()) : store.name();
    }

    private static Plan plan(Kind kind, String reason, List<Step> steps) {
        return steps == null ? null : new Plan(kind, reason, steps);
    }
}
