package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.flotilladb.proto.ChangePeersRequest;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEntry;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.proto.TransferLeaderRequest;
import org.flotilladb.proto.TransferLeaderResponse;
import org.flotilladb.region.group.LeaseClock.Lease;
import org.flotilladb.region.store.RegionPeer.Command;

/**
 * What a leader does about commands that change its Region's epoch, one at a time: splits and changes of membership; and
 * about the transfer of leadership. Used by the loop alone.
 */
final class EpochChanges {
    /** Entries that a learner may lack when it becomes a voter. */
    static final long MAX_PROMOTION_LAG = 1000;

    private final RegionPeer peer;
    private final StoreContext store;
    /** Where a split is proposed and not applied yet; 0: nowhere. */
    private long splitAtIndex;
    /** Where a change of membership is. */
    private long changeAtIndex;

    private Lease frozenLease = Lease.NONE;

    EpochChanges(RegionPeer peer, StoreContext store) {
        this.peer = peer;
        this.store = store;
    }

    /** Leadership is over, or a snapshot has taken the place of what was here. */
    void reset() {
        splitAtIndex = 0;
        changeAtIndex = 0;
    }

    /** The part of a lease that may be used. */
    Lease usable(Lease lease) {
        return splitAtIndex > 0 ? lease.min(frozenLease) : lease;
    }

    /** Why the Region's epoch cannot be changed now: it is being changed already; or null. */
    private String changing() {
        long regionId = peer.region().getId();
        if (splitAtIndex > 0) {
            return "Region " + regionId + " is being split";
        }
        if (changeAtIndex > 0 || Membership.isJoint(peer.region())) {
            return "the membership of Region " + regionId + " is being changed";
        }
        return null;
    }

    private boolean propose(Command command, RegionEntry.Builder entry) {
        return peer.propose(command, entry, null);
    }

    // ---- splits ----------------------------------------------------------------------------------------------------

    /** Splits at the keys of the request; one entry in the log. */
    void proposeSplit(Command command, SplitRequest split) {
        String changing = changing();
        if (changing != null) {
            command.answer.accept(RegionErrors.busy(changing));
            return;
        }
        Region region = peer.region();
        byte[] before = region.getStart().toByteArray();
        for (ByteString key : split.getKeysList()) {
            byte[] at = key.toByteArray();
            if (Arrays.compareUnsigned(before, at) >= 0 || !peer.contains(at)) {
                command.answer.accept(RegionErrors.keyNotInRegion(at, region));
                return;
            }
            before = at;
        }
        int peers = region.getPeersCount();
        if (split.getKeysCount() == 0
                || split.getNewRegionIdsCount() != split.getKeysCount()
                || split.getNewPeerIdsCount() != split.getKeysCount() * peers
                || !areNewIds(split)) {
            command.answer.accept(RegionErrors.busy("a split needs an id for each new Region and each new peer"));
            return;
        }
        Lease lease = peer.group().lease();
        if (propose(command, RegionEntry.newBuilder().setSplit(split))) {
            // From here until the split is applied the lease is not renewed: the new groups' promises stand for it.
            splitAtIndex = peer.group().node().lastIndex();
            frozenLease = lease;
            peer.publish();
        }
    }

    /** Whether they may become ids: above 0, each once, none of this Store's Regions. */
    private boolean areNewIds(SplitRequest split) {
        TreeSet<Long> ids = new TreeSet<>();
        for (long id : split.getNewRegionIdsList()) {
            if (id <= 0 || !ids.add(id) || store.hasRegion(id)) {
                return false;
            }
        }
        for (long id : split.getNewPeerIdsList()) {
            if (id <= 0 || !ids.add(id)) {
                return false;
            }
        }
        return true;
    }

    /** The entry of a split is applied. */
    void splitApplied(long index) {
        if (index >= splitAtIndex) {
            splitAtIndex = 0;
        }
    }

    /** The Regions that a split makes of one, from left to right; the first keeps its id. */
    static List<Region> parts(Region old, SplitRequest split) {
        RegionEpoch epoch = old.getEpoch().toBuilder()
                .setRangeVersion(old.getEpoch().getRangeVersion() + split.getKeysCount())
                .build();
        List<Region> parts = new ArrayList<>();
        parts.add(old.toBuilder().setEpoch(epoch).setEnd(split.getKeys(0)).build());
        int peers = old.getPeersCount();
        for (int i = 0; i < split.getKeysCount(); i++) {
            Region.Builder right = Region.newBuilder()
                    .setId(split.getNewRegionIds(i))
                    .setEpoch(epoch)
                    .setStart(split.getKeys(i))
                    .setEnd(i + 1 < split.getKeysCount() ? split.getKeys(i + 1) : old.getEnd());
            for (int p = 0; p < peers; p++) {
                right.addPeers(old.getPeers(p).toBuilder().setId(split.getNewPeerIds(i * peers + p)));
            }
            parts.add(right.setFirstConfVersion(epoch.getConfVersion()).build());
        }
        return parts;
    }

    // ---- members and leaders ---------------------------------------------------------------------------------------

    /** Changes the membership; one entry in the log, and a second one where it goes through a joint configuration. */
    void proposeChange(Command command, ChangePeersRequest request) {
        String changing = changing();
        if (changing != null) {
            command.answer.accept(RegionErrors.busy(changing));
            return;
        }
        String refusal = Membership.refusal(peer.region(), request, peer.peerId());
        if (refusal != null) {
            command.answer.accept(RegionErrors.changeRefused(refusal));
            return;
        }
        String behind = behind(request);
        if (behind != null) {
            command.answer.accept(RegionErrors.busy(behind));
            return;
        }
        if (peer.propose(
                command,
                RegionEntry.newBuilder().setChangePeers(request),
                Membership.confChange(peer.region(), request))) {
            changeAtIndex = peer.group().node().lastIndex();
        }
    }

    /** Who is to become a voter and lacks too much of the log, or is on a Store that is not known; or null. */
    private String behind(ChangePeersRequest request) {
        Region region = peer.region();
        for (PeerChange change : request.getChangesList()) {
            long id = change.getPeer().getId();
            if (change.getKind() == PeerChangeKind.PROMOTE && !peer.group().isInStep(id, MAX_PROMOTION_LAG)) {
                return "peer " + id + " of Region " + region.getId() + " has not caught up yet";
            }
            if (change.getKind() == PeerChangeKind.ADD_LEARNER
                    && Membership.peer(region, id) == null
                    && store.addressOf(change.getPeer().getStoreId()) == null) {
                return "Store " + change.getPeer().getStoreId() + " is not known here yet";
            }
        }
        return null;
    }

    /** A change of membership is applied, at that index. */
    void membersChanged(long index) {
        if (index >= changeAtIndex) {
            changeAtIndex = 0;
        }
    }

    /** The library has put an entry without effect in the place of the change that was proposed. */
    void changeDropped() {
        changeAtIndex = 0;
    }

    /** Begins to hand leadership over. */
    void transferLeader(Command command, TransferLeaderRequest request) {
        Region region = peer.region();
        Peer target = Membership.peer(region, request.getPeerId());
        boolean voter =
                target != null && (target.getRole() == PeerRole.VOTER || target.getRole() == PeerRole.INCOMING_VOTER);
        if (!voter) {
            command.answer.accept(RegionErrors.changeRefused(
                    "peer " + request.getPeerId() + " is no voter of Region " + region.getId()));
            return;
        }
        if (target.getId() != peer.peerId() && !peer.group().isInStep(target.getId(), MAX_PROMOTION_LAG)) {
            // A transfer that fails costs an election.
            command.answer.accept(RegionErrors.busy(
                    "peer " + request.getPeerId() + " of Region " + region.getId() + " has not caught up yet"));
            return;
        }
        peer.group().node().transferLeader(request.getPeerId(), store.leases().nowNs());
        peer.publish();
        command.answer.accept(RegionResponse.newBuilder()
                .setTransferLeader(TransferLeaderResponse.getDefaultInstance())
                .build());
    }
}
