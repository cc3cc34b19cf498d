package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.flotilladb.proto.ChangePeersRequest;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfState;

/**
 * Who belongs to a Region, as its record says, and how that changes: functions of the record alone, in step with the
 * library's membership, which each replica computes beside it.
 */
final class Membership {
    private static final int MAX_CHANGES = 16;

    private Membership() {}

    // ---- what a record says -------------------------------------------------------------------------------------

    /** The library's view of a record. */
    static ConfState confState(Region region) {
        boolean joint = isJoint(region);
        TreeSet<Long> voters = new TreeSet<>();
        TreeSet<Long> outgoing = new TreeSet<>();
        TreeSet<Long> learners = new TreeSet<>();
        TreeSet<Long> learnersNext = new TreeSet<>();
        for (Peer peer : region.getPeersList()) {
            switch (peer.getRole()) {
                case LEARNER -> learners.add(peer.getId());
                case INCOMING_VOTER -> voters.add(peer.getId());
                case DEMOTING_VOTER -> {
                    outgoing.add(peer.getId());
                    learnersNext.add(peer.getId());
                }
                case LEAVING_VOTER -> outgoing.add(peer.getId());
                default -> {
                    voters.add(peer.getId());
                    if (joint) {
                        outgoing.add(peer.getId());
                    }
                }
            }
        }
        return new ConfState(
                List.copyOf(voters), List.copyOf(outgoing), List.copyOf(learners), List.copyOf(learnersNext), joint);
    }

    /** Whether two majorities decide just now. */
    static boolean isJoint(Region region) {
        return region.getPeersList().stream()
                .anyMatch(peer -> peer.getRole() == PeerRole.INCOMING_VOTER
                        || peer.getRole() == PeerRole.DEMOTING_VOTER
                        || peer.getRole() == PeerRole.LEAVING_VOTER);
    }

    /** Whether the membership has changed since the group began: then its log does not begin at the beginning. */
    static boolean isGrown(Region region) {
        return region.getEpoch().getConfVersion() > Math.max(1, region.getFirstConfVersion());
    }

    /** The peer of that id, or null. */
    static Peer peer(Region region, long peerId) {
        for (Peer peer : region.getPeersList()) {
            if (peer.getId() == peerId) {
                return peer;
            }
        }
        return null;
    }

    /** The peer on that Store, or null. */
    static Peer onStore(Region region, long storeId) {
        for (Peer peer : region.getPeersList()) {
            if (peer.getStoreId() == storeId) {
                return peer;
            }
        }
        return null;
    }

    // ---- changes ------------------------------------------------------------------------------------------------

    /** Why a change does not fit a Region, or null. */
    static String refusal(Region region, ChangePeersRequest request, long leaderPeerId) {
        if (request.getChangesCount() == 0 || request.getChangesCount() > MAX_CHANGES) {
            return "a change of membership names 1 to " + MAX_CHANGES + " peers";
        }
        TreeSet<Long> named = new TreeSet<>();
        TreeSet<Long> stores = new TreeSet<>();
        boolean voters = false;
        for (PeerChange change : request.getChangesList()) {
            long id = change.getPeer().getId();
            Peer present = peer(region, id);
            if (!named.add(id)) {
                return "peer " + id + " is named twice";
            }
            if (id == leaderPeerId && change.getKind() != PeerChangeKind.PROMOTE) {
                return "peer " + id + " leads Region " + region.getId() + ": hand leadership over first";
            }
            switch (change.getKind()) {
                case ADD_LEARNER -> {
                    long storeId = change.getPeer().getStoreId();
                    if (present != null && present.getRole() == PeerRole.LEARNER) {
                        return "peer " + id + " is a learner already";
                    }
                    if (present == null
                            && (id <= 0 || storeId == 0 || onStore(region, storeId) != null || !stores.add(storeId))) {
                        return "a new peer needs an id and a Store without a peer of Region " + region.getId();
                    }
                    voters |= present != null;
                }
                case PROMOTE -> {
                    if (present == null || present.getRole() != PeerRole.LEARNER) {
                        return "peer " + id + " is no learner of Region " + region.getId();
                    }
                    voters = true;
                }
                case REMOVE -> {
                    if (present == null) {
                        return "peer " + id + " does not belong to Region " + region.getId();
                    }
                    voters |= present.getRole() != PeerRole.LEARNER;
                }
                default -> {
                    return "this node does not know a kind of change: it runs an older version";
                }
            }
        }
        if (request.getChangesCount() > 1 && !voters) {
            return "changes of learners are made one at a time";
        }
        Region after = request.getChangesCount() > 1 ? left(after(region, request)) : after(region, request);
        return confState(after).voters().isEmpty() ? "no voter would be left" : null;
    }

    /** The same for the library. */
    static ConfChange confChange(Region region, ChangePeersRequest request) {
        List<ConfChange.Single> singles = new ArrayList<>();
        for (PeerChange change : request.getChangesList()) {
            ConfChange.Kind kind = switch (change.getKind()) {
                case ADD_LEARNER -> ConfChange.Kind.ADD_LEARNER;
                case PROMOTE -> ConfChange.Kind.ADD_VOTER;
                case REMOVE -> ConfChange.Kind.REMOVE;
                case UNRECOGNIZED -> throw new IllegalArgumentException("a change of an unknown kind");
            };
            singles.add(new ConfChange.Single(kind, change.getPeer().getId()));
        }
        return singles.size() == 1
                ? ConfChange.one(singles.get(0).kind(), singles.get(0).peer())
                : ConfChange.of(ConfChange.Transition.JOINT_IMPLICIT, singles);
    }

    /** The record after a change that fits; several changes make it joint. */
    static Region after(Region region, ChangePeersRequest request) {
        boolean joint = request.getChangesCount() > 1;
        List<Peer> peers = new ArrayList<>(region.getPeersList());
        for (PeerChange change : request.getChangesList()) {
            int at = indexOf(peers, change.getPeer().getId());
            switch (change.getKind()) {
                case ADD_LEARNER -> {
                    if (at < 0) {
                        peers.add(Peer.newBuilder()
                                .setId(change.getPeer().getId())
                                .setStoreId(change.getPeer().getStoreId())
                                .setRole(PeerRole.LEARNER)
                                .build());
                    } else {
                        become(peers, at, joint ? PeerRole.DEMOTING_VOTER : PeerRole.LEARNER);
                    }
                }
                case PROMOTE -> become(peers, at, joint ? PeerRole.INCOMING_VOTER : PeerRole.VOTER);
                default -> {
                    if (joint && peers.get(at).getRole() != PeerRole.LEARNER) {
                        become(peers, at, PeerRole.LEAVING_VOTER);
                    } else {
                        peers.remove(at);
                    }
                }
            }
        }
        return next(region, peers);
    }

    /** The record after a joint configuration has been left. */
    static Region left(Region region) {
        List<Peer> peers = new ArrayList<>();
        for (Peer peer : region.getPeersList()) {
            switch (peer.getRole()) {
                case INCOMING_VOTER ->
                    peers.add(peer.toBuilder().setRole(PeerRole.VOTER).build());
                case DEMOTING_VOTER ->
                    peers.add(peer.toBuilder().setRole(PeerRole.LEARNER).build());
                case LEAVING_VOTER -> {}
                default -> peers.add(peer);
            }
        }
        return next(region, peers);
    }

    private static int indexOf(List<Peer> peers, long peerId) {
        for (int i = 0; i < peers.size(); i++) {
            if (peers.get(i).getId() == peerId) {
                return i;
            }
        }
        return -1;
    }

    private static void become(List<Peer> peers, int at, PeerRole role) {
        peers.set(at, peers.get(at).toBuilder().setRole(role).build());
    }

    private static Region next(Region region, List<Peer> peers) {
        return region.toBuilder()
                .clearPeers()
                .addAllPeers(peers)
                .setEpoch(region.getEpoch().toBuilder()
                        .setConfVersion(region.getEpoch().getConfVersion() + 1))
                .build();
    }
}
