package org.flotilladb.region.placement.engine;

import java.util.TreeMap;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerRole;

/** The last look before a leader is asked: as far as is known now, does the Region stay alive? */
final class Safety {
    private Safety() {}

    /** Why the step must not be made now, or null. */
    static String refuses(ClusterView cluster, RegionView region, Step step) {
        if (cluster.fails("no-look-before-a-change")) {
            return null;
        }
        if (step instanceof Step.TransferLeader transfer) {
            StoreView store = cluster.store(transfer.storeId());
            return cluster.takesLeaders(store) ? null : "the Store that was to lead takes no leaders now";
        }
        return step instanceof Step.ChangePeers change ? refuses(cluster, region, change) : null;
    }

    private static String refuses(ClusterView cluster, RegionView region, Step.ChangePeers step) {
        if (!cluster.hasQuorum(region)) {
            return "too few voters are alive";
        }
        TreeMap<Long, Peer> voters = new TreeMap<>();
        region.voters().forEach(peer -> voters.put(peer.getId(), peer));
        int before = voters.size();
        for (PeerChange change : step.changes()) {
            Peer peer = region.peer(change.getPeer().getId());
            switch (change.getKind()) {
                case ADD_LEARNER -> {
                    StoreView store = cluster.store(change.getPeer().getStoreId());
                    if (store == null || !cluster.takesPeers(store)) {
                        return "the Store that was to get a peer takes none now";
                    }
                }
                case PROMOTE -> {
                    if (peer != null && peer.getRole() == PeerRole.LEARNER && !cluster.live(region, peer)) {
                        return "the peer that was to vote is not in step";
                    }
                    voters.put(change.getPeer().getId(), peer == null ? change.getPeer() : peer);
                }
                default -> voters.remove(change.getPeer().getId());
            }
        }
        if (voters.size() < before && voters.size() < cluster.policy().replicas()) {
            return "more voters are wanted now";
        }
        // One more than wanted is on the way from a single voter to another.
        if (voters.size() > before && voters.size() > cluster.policy().replicas() + 1) {
            return "fewer voters are wanted now";
        }
        int live = 0;
        for (Peer peer : voters.values()) {
            live += cluster.live(region, peer) ? 1 : 0;
        }
        return live >= ClusterView.quorum(voters.size())
                ? null
                : "of the " + voters.size() + " voters that would be left only " + live + " are known to be alive";
    }
}
