package org.flotilladb.region.placement.engine;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.proto.DownPeer;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionHeartbeat;

/** A Region as its leader has last reported it. Does not change. */
public final class RegionView {
    /** More peers than any Region has: as many replicas as allowed, and as many that come in their place. */
    static final int MAX_PEERS = 2 * Policy.MAX_REPLICAS;

    static final int MAX_SPLIT_KEYS = 64;

    private final RegionHeartbeat report;
    private final long heardNs;

    RegionView(RegionHeartbeat report, long heardNs) {
        this.report = report;
        this.heardNs = heardNs;
    }

    /** Whether a report can be one of a Store of this project; what cannot is not kept. */
    static boolean plausible(RegionHeartbeat report) {
        Region region = report.getRegion();
        if (region.getId() == 0
                || region.getPeersCount() == 0
                || region.getPeersCount() > MAX_PEERS
                || report.getPendingPeersCount() > MAX_PEERS
                || report.getDownPeersCount() > MAX_PEERS
                || report.getSplitKeysCount() > MAX_SPLIT_KEYS) {
            return false;
        }
        boolean leaderBelongs = report.getLeaderStoreId() == 0;
        for (Peer peer : region.getPeersList()) {
            leaderBelongs |= peer.getStoreId() == report.getLeaderStoreId();
        }
        ByteString before = region.getStart();
        for (ByteString key : report.getSplitKeysList()) {
            if (compare(before, key) >= 0 || (!region.getEnd().isEmpty() && compare(key, region.getEnd()) >= 0)) {
                return false;
            }
            before = key;
        }
        return leaderBelongs;
    }

    static int compare(ByteString a, ByteString b) {
        return ByteString.unsignedLexicographicalComparator().compare(a, b);
    }

    public RegionHeartbeat report() {
        return report;
    }

    public Region region() {
        return report.getRegion();
    }

    public long id() {
        return region().getId();
    }

    public List<Peer> peers() {
        return region().getPeersList();
    }

    long heardNs() {
        return heardNs;
    }

    /** 0 when no leader has reported yet. */
    public long leaderStoreId() {
        return report.getLeaderStoreId();
    }

    /** The peer on a Store, or null. */
    Peer peerOn(long storeId) {
        for (Peer peer : peers()) {
            if (peer.getStoreId() == storeId) {
                return peer;
            }
        }
        return null;
    }

    /** A peer by its id, or null. */
    Peer peer(long peerId) {
        for (Peer peer : peers()) {
            if (peer.getId() == peerId) {
                return peer;
            }
        }
        return null;
    }

    /** The leading peer, or null. */
    Peer leader() {
        return leaderStoreId() == 0 ? null : peerOn(leaderStoreId());
    }

    /** Whether a change of several peers is not over yet. */
    boolean joint() {
        for (Peer peer : peers()) {
            if (peer.getRole() != PeerRole.VOTER && peer.getRole() != PeerRole.LEARNER) {
                return true;
            }
        }
        return false;
    }

    /** Outside of a joint configuration: who votes. */
    List<Peer> voters() {
        return with(PeerRole.VOTER);
    }

    List<Peer> learners() {
        return with(PeerRole.LEARNER);
    }

    private List<Peer> with(PeerRole role) {
        List<Peer> found = new ArrayList<>(peers().size());
        for (Peer peer : peers()) {
            if (peer.getRole() == role) {
                found.add(peer);
            }
        }
        return found;
    }

    /** Whether the leader hears of the peer and sends it entries, not a snapshot. */
    boolean inStep(Peer peer) {
        for (long pending : report.getPendingPeersList()) {
            if (pending == peer.getId()) {
                return false;
            }
        }
        for (DownPeer down : report.getDownPeersList()) {
            if (down.getPeerId() == peer.getId()) {
                return false;
            }
        }
        return true;
    }

    /** Reads and writes per second. */
    long load() {
        return report.getReadsPerSecond() + report.getWritesPerSecond();
    }

    boolean contains(ByteString key) {
        return compare(region().getStart(), key) <= 0
                && (region().getEnd().isEmpty() || compare(key, region().getEnd()) < 0);
    }

    @Override
    public String toString() {
        return "Region " + id();
    }
}
