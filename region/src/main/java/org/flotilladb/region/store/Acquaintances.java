package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.proto.DownPeer;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.Region;

/** Which peers of a group have been heard of here, from where, and when. Those that the Region's record does not name may be
 * newer than it. */
final class Acquaintances {
    private static final int MAX_STRANGERS = 32;

    private final TreeMap<Long, Long> heardNs = new TreeMap<>();
    private final TreeMap<Long, Long> strangers = new TreeMap<>();

    private long anybodyNs;
    private long askedNs;
    /** Silence is expected from then on. */
    private long restsFromNs = Long.MAX_VALUE;

    Acquaintances(long nowNs) {
        anybodyNs = nowNs;
        askedNs = nowNs;
    }

    /** A message came from that peer, which is on that Store. */
    void heard(Region region, long peerId, long storeId, long nowNs) {
        anybodyNs = nowNs;
        if (Membership.peer(region, peerId) != null) {
            heardNs.put(peerId, nowNs);
        } else {
            strangers.put(peerId, storeId);
            if (strangers.size() > MAX_STRANGERS) {
                // Ids grow.
                strangers.pollFirstEntry();
            }
        }
    }

    /** This peer begins to lead: silence counts from here. */
    void begin(Region region, long nowNs) {
        for (Peer peer : region.getPeersList()) {
            heardNs.put(peer.getId(), nowNs);
        }
    }

    /** The membership has changed. */
    void changed(Region region, long nowNs) {
        heardNs.keySet().removeIf(id -> Membership.peer(region, id) == null);
        for (Peer peer : region.getPeersList()) {
            heardNs.putIfAbsent(peer.getId(), nowNs);
        }
    }

    /** Nobody speaks while the group rests: that is no silence. */
    void rests(long nowNs) {
        restsFromNs = nowNs;
    }

    /** The rest is over: silence goes on counting from where it stood. */
    void wakes(long nowNs) {
        long restedNs = nowNs - restsFromNs;
        heardNs.replaceAll((id, at) -> Math.min(nowNs, at + restedNs));
        anybodyNs = Math.min(nowNs, anybodyNs + restedNs);
        restsFromNs = Long.MAX_VALUE;
    }

    /** When anybody was heard last. */
    long anybodyNs() {
        return anybodyNs;
    }

    /** Whether a member that could be reached has not been heard since then. */
    boolean anySilentSince(RegionPeer peer, long sinceNs) {
        for (Peer each : peer.region().getPeersList()) {
            boolean other = each.getId() != peer.peerId() && !peer.outOfReach(each.getId());
            if (other && heardNs.getOrDefault(each.getId(), Long.MIN_VALUE) < sinceNs) {
                return true;
            }
        }
        return false;
    }

    /** Where a peer is; 0 when that is not known. */
    long storeOf(Region region, long peerId) {
        Peer member = Membership.peer(region, peerId);
        return member != null ? member.getStoreId() : strangers.getOrDefault(peerId, 0L);
    }

    /** How long nothing has been heard of a peer; 0 of one that is new here. */
    long silentNs(long peerId, long nowNs) {
        Long heard = heardNs.get(peerId);
        return heard == null ? 0 : Math.min(nowNs, restsFromNs) - heard;
    }

    /** Whether nobody has been heard for that long, and nobody was told so in that time. */
    boolean isForgotten(long nowNs, long longerThanNs) {
        boolean forgotten = Math.min(nowNs, restsFromNs) - anybodyNs > longerThanNs && nowNs - askedNs > longerThanNs;
        if (forgotten) {
            askedNs = nowNs;
        }
        return forgotten;
    }

    /** Peers of which nothing has been heard for longer than that, but this one. */
    List<DownPeer> down(Region region, long self, long nowNs, long longerThanNs) {
        List<DownPeer> down = new ArrayList<>();
        for (Peer peer : region.getPeersList()) {
            long silent = silentNs(peer.getId(), nowNs);
            if (peer.getId() != self && silent > longerThanNs) {
                down.add(DownPeer.newBuilder()
                        .setPeerId(peer.getId())
                        .setSilentMs(silent / 1_000_000L)
                        .build());
            }
        }
        return down;
    }
}
