package org.flotilladb.region.placement.engine;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.proto.Peer;

/** Where a peer may go, and the steps that bring it there. */
final class Moves {
    private final ClusterView cluster;
    private final Operators operators;
    private final IdSource ids;

    Moves(ClusterView cluster, Operators operators, IdSource ids) {
        this.cluster = cluster;
        this.operators = operators;
        this.ids = ids;
    }

    /**
     * The best Store for one more peer of a Region, or null when there is none or it has enough to do just now.
     *
     * @param leaving the peer in whose place it comes, or null
     */
    StoreView target(RegionView region, Peer leaving, boolean urgent) {
        if (!maySend(region, urgent)) {
            return null;
        }
        int bestShared = Integer.MAX_VALUE;
        StoreView best = null;
        for (StoreView store : cluster.stores()) {
            if (!cluster.takesPeers(store) || region.peerOn(store.id()) != null) {
                continue;
            }
            int shared = Isolation.shared(cluster, region, store, leaving);
            if (shared < bestShared) {
                bestShared = shared;
                best = null;
            }
            if (shared == bestShared && mayReceive(store, urgent) && (best == null || emptier(store, best))) {
                best = store;
            }
        }
        return best;
    }

    private boolean emptier(StoreView a, StoreView b) {
        return Weights.regions(cluster, operators.outlook(), a) < Weights.regions(cluster, operators.outlook(), b);
    }

    boolean mayReceive(StoreView store, boolean urgent) {
        return operators.outlook().receiving(store.id()) < limit(urgent);
    }

    boolean maySend(RegionView region, boolean urgent) {
        return operators.outlook().sending(region.leaderStoreId()) < limit(urgent);
    }

    /** Repairs may always go beside what is done for balance. */
    private int limit(boolean urgent) {
        return cluster.policy().movesPerStore() * (urgent ? 2 : 1);
    }

    /** A learner in step that nobody has use for, on a Store where it may stay, or null. */
    Peer spareLearner(RegionView region) {
        for (Peer learner : region.learners()) {
            if (cluster.live(region, learner) && cluster.takesPeers(cluster.store(learner.getStoreId()))) {
                return learner;
            }
        }
        return null;
    }

    /** The voter that should lead in place of one on {@code except}: of the Store that leads least; or null. */
    Peer nextLeader(RegionView region, long except) {
        Peer best = null;
        for (Peer peer : region.voters()) {
            if (peer.getStoreId() == except
                    || !cluster.takesLeaders(cluster.store(peer.getStoreId()))
                    || !cluster.live(region, peer)) {
                continue;
            }
            if (best == null
                    || operators.outlook().leaders(peer.getStoreId())
                            < operators.outlook().leaders(best.getStoreId())) {
                best = peer;
            }
        }
        return best;
    }

    /** A new voter; null when there are no ids just now. */
    List<Step> add(StoreView to) {
        long id = ids.take(1);
        if (id == 0) {
            return null;
        }
        Peer added = Peer.newBuilder().setId(id).setStoreId(to.id()).build();
        return List.of(Step.ChangePeers.add(id, to.id()), Step.ChangePeers.promote(added));
    }

    /** A peer on another Store in place of one; null when there are no ids just now. */
    List<Step> replace(RegionView region, Peer old, StoreView to) {
        long id = ids.take(1);
        if (id == 0) {
            return null;
        }
        List<Step> steps = new ArrayList<>();
        if (cluster.fails("old-peer-removed-first")) {
            return List.of(
                    Step.ChangePeers.remove(old),
                    Step.ChangePeers.add(id, to.id()),
                    Step.ChangePeers.promote(
                            Peer.newBuilder().setId(id).setStoreId(to.id()).build()));
        }
        steps.add(Step.ChangePeers.add(id, to.id()));
        steps.addAll(exchange(
                region, old, Peer.newBuilder().setId(id).setStoreId(to.id()).build()));
        return steps;
    }

    /** A learner that is there votes in place of an old voter, which is removed. A leader is never removed itself. */
    List<Step> exchange(RegionView region, Peer old, Peer learner) {
        if (!old.equals(region.leader())) {
            return List.of(Step.ChangePeers.exchange(learner, old));
        }
        Peer next = nextLeader(region, old.getStoreId());
        if (next != null) {
            return List.of(new Step.TransferLeader(next.getStoreId()), Step.ChangePeers.exchange(learner, old));
        }
        return List.of(
                Step.ChangePeers.promote(learner),
                new Step.TransferLeader(learner.getStoreId()),
                Step.ChangePeers.remove(old));
    }

    /** The peer goes and none comes; null when it leads and nobody else can. */
    List<Step> remove(RegionView region, Peer peer) {
        if (!peer.equals(region.leader())) {
            return List.of(Step.ChangePeers.remove(peer));
        }
        Peer next = nextLeader(region, peer.getStoreId());
        return next == null ? null : List.of(new Step.TransferLeader(next.getStoreId()), Step.ChangePeers.remove(peer));
    }
}
