package org.flotilladb.region.placement.engine;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.stream.Collectors;
import org.flotilladb.proto.ChangePeersRequest;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.proto.TransferLeaderRequest;

/** One thing that a Region's leader can be asked to do, and how it is seen that it is done. */
public sealed interface Step {

    /** How far a step is. */
    enum Progress {
        /** The Region is as the step wants it. */
        DONE,
        /** The leader is to be asked, once more if it was before. */
        ASK,
        /** It has begun and goes on by itself. */
        WAIT,
        /** The Region has changed otherwise: the operator makes no sense any more. */
        IMPOSSIBLE
    }

    Progress progress(RegionView region);

    /** The command, without its context. */
    RegionRequest.Builder command(RegionView region);

    /** Changes of membership: one is made at once, several are one joint change. */
    record ChangePeers(List<PeerChange> changes) implements Step {
        public ChangePeers {
            changes = List.copyOf(changes);
        }

        static ChangePeers add(long peerId, long storeId) {
            return new ChangePeers(List.of(change(PeerChangeKind.ADD_LEARNER, peerId, storeId)));
        }

        static ChangePeers promote(Peer peer) {
            return new ChangePeers(List.of(change(PeerChangeKind.PROMOTE, peer.getId(), peer.getStoreId())));
        }

        static ChangePeers remove(Peer peer) {
            return new ChangePeers(List.of(change(PeerChangeKind.REMOVE, peer.getId(), peer.getStoreId())));
        }

        /** One votes in the other's place. */
        static ChangePeers exchange(Peer promoted, Peer removed) {
            return new ChangePeers(List.of(
                    change(PeerChangeKind.PROMOTE, promoted.getId(), promoted.getStoreId()),
                    change(PeerChangeKind.REMOVE, removed.getId(), removed.getStoreId())));
        }

        private static PeerChange change(PeerChangeKind kind, long peerId, long storeId) {
            return PeerChange.newBuilder()
                    .setKind(kind)
                    .setPeer(Peer.newBuilder().setId(peerId).setStoreId(storeId))
                    .build();
        }

        /** The Store that is to receive data, or 0. */
        long addsTo() {
            for (PeerChange change : changes) {
                if (change.getKind() == PeerChangeKind.ADD_LEARNER) {
                    return change.getPeer().getStoreId();
                }
            }
            return 0;
        }

        @Override
        public Progress progress(RegionView region) {
            if (region.joint()) {
                return Progress.WAIT;
            }
            int made = 0;
            boolean behind = false;
            for (PeerChange change : changes) {
                Peer peer = region.peer(change.getPeer().getId());
                Peer there = region.peerOn(change.getPeer().getStoreId());
                switch (change.getKind()) {
                    case ADD_LEARNER -> {
                        if (peer == null && there != null) {
                            return Progress.IMPOSSIBLE;
                        }
                        made += peer != null ? 1 : 0;
                        behind |= peer != null && !region.inStep(peer);
                    }
                    case PROMOTE -> {
                        if (peer == null) {
                            return Progress.IMPOSSIBLE;
                        }
                        made += peer.getRole() == PeerRole.VOTER ? 1 : 0;
                        // A leader that is new to it does not know yet how far it is.
                        behind |= peer.getRole() == PeerRole.LEARNER && !region.inStep(peer);
                    }
                    case REMOVE -> {
                        if (peer != null && peer.equals(region.leader())) {
                            return Progress.IMPOSSIBLE;
                        }
                        made += peer == null ? 1 : 0;
                    }
                    case UNRECOGNIZED -> {
                        return Progress.IMPOSSIBLE;
                    }
                }
            }
            if (made > 0 && made < changes.size()) {
                return Progress.IMPOSSIBLE;
            }
            if (behind) {
                return Progress.WAIT;
            }
            return made == 0 ? Progress.ASK : Progress.DONE;
        }

        @Override
        public RegionRequest.Builder command(RegionView region) {
            return RegionRequest.newBuilder()
                    .setChangePeers(ChangePeersRequest.newBuilder().addAllChanges(changes));
        }

        @Override
        public String toString() {
            return changes.stream()
                    .map(change -> switch (change.getKind()) {
                                case ADD_LEARNER -> "add learner ";
                                case PROMOTE -> "promote ";
                                default -> "remove ";
                            }
                            + "peer " + change.getPeer().getId() + " on Store "
                            + Long.toHexString(change.getPeer().getStoreId()))
                    .collect(Collectors.joining(" and "));
        }
    }

    /** The peer on another Store leads. */
    record TransferLeader(long storeId) implements Step {
        @Override
        public Progress progress(RegionView region) {
            Peer target = region.peerOn(storeId);
            if (target == null || target.getRole() == PeerRole.LEARNER) {
                return Progress.IMPOSSIBLE;
            }
            if (region.leaderStoreId() == storeId) {
                return Progress.DONE;
            }
            if (region.joint()) {
                return Progress.WAIT;
            }
            return region.inStep(target) ? Progress.ASK : Progress.IMPOSSIBLE;
        }

        @Override
        public RegionRequest.Builder command(RegionView region) {
            return RegionRequest.newBuilder()
                    .setTransferLeader(TransferLeaderRequest.newBuilder()
                            .setPeerId(region.peerOn(storeId).getId()));
        }

        @Override
        public String toString() {
            return "transfer leader to Store " + Long.toHexString(storeId);
        }
    }

    /**
     * The keys become borders.
     *
     * @param confVersion of the membership that the ids are for
     */
    record Split(SplitRequest split, long confVersion) implements Step {
        @Override
        public Progress progress(RegionView region) {
            boolean inside = false;
            for (ByteString key : split.getKeysList()) {
                inside |= region.contains(key) && !region.region().getStart().equals(key);
            }
            if (!inside) {
                return Progress.DONE;
            }
            return region.region().getEpoch().getConfVersion() == confVersion ? Progress.ASK : Progress.IMPOSSIBLE;
        }

        @Override
        public RegionRequest.Builder command(RegionView region) {
            return RegionRequest.newBuilder().setSplit(split);
        }

        @Override
        public String toString() {
            return "split into " + (split.getKeysCount() + 1);
        }
    }
}
