package org.flotilladb.region.simulation;

import com.google.protobuf.ByteString;
import java.util.Arrays;
import java.util.Collection;
import java.util.TreeMap;
import java.util.TreeSet;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;

/**
 * What the records of all nodes say about Regions: records of one epoch are equal everywhere, a peer that was removed does
 * not come back, and the newest records cover the key space once.
 */
final class RegionRecords {
    private final TreeMap<Long, Region> newest = new TreeMap<>();
    private final TreeMap<Long, TreeMap<Long, Region>> byConfVersion = new TreeMap<>();
    private final TreeMap<Long, TreeSet<Long>> goneAt = new TreeMap<>();

    /** A node has applied this. */
    void seen(Region region) {
        Region known = newest.get(region.getId());
        if (known == region) {
            return;
        }
        TreeMap<Long, Region> versions = byConfVersion.computeIfAbsent(region.getId(), id -> new TreeMap<>());
        Region same = versions.putIfAbsent(region.getEpoch().getConfVersion(), region);
        if (same == null) {
            checkThatNobodyComesBack(region, versions);
        } else if (!same.getPeersList().equals(region.getPeersList())) {
            throw new SimulationFailure("Region " + region.getId() + " has two memberships of one conf_version: " + same
                    + " and " + region);
        }
        if (known == null || isNewer(region.getEpoch(), known.getEpoch())) {
            newest.put(region.getId(), region);
        }
    }

    private static boolean isNewer(RegionEpoch one, RegionEpoch other) {
        return one.getRangeVersion() > other.getRangeVersion()
                || (one.getRangeVersion() == other.getRangeVersion() && one.getConfVersion() > other.getConfVersion());
    }

    private void checkThatNobodyComesBack(Region region, TreeMap<Long, Region> versions) {
        Region before = versions.get(region.getEpoch().getConfVersion() - 1);
        if (before == null) {
            return;
        }
        TreeSet<Long> gone = goneAt.computeIfAbsent(region.getId(), id -> new TreeSet<>());
        TreeSet<Long> now = new TreeSet<>();
        for (Peer peer : region.getPeersList()) {
            now.add(peer.getId());
            if (gone.contains(peer.getId())) {
                throw new SimulationFailure(
                        "peer " + peer.getId() + " was removed from Region " + region.getId() + " and is back");
            }
        }
        for (Peer peer : before.getPeersList()) {
            if (!now.contains(peer.getId())) {
                gone.add(peer.getId());
            }
        }
    }

    /** Whether that peer was a member of the Region and is none any more, as far as is known. */
    boolean isGone(long regionId, long peerId) {
        return goneAt.getOrDefault(regionId, new TreeSet<>()).contains(peerId);
    }

    Collection<Region> newest() {
        return newest.values();
    }

    Region newest(long regionId) {
        return newest.get(regionId);
    }

    /** No gap, no overlap. */
    void check() {
        TreeMap<byte[], Region> byStart = new TreeMap<>(Arrays::compareUnsigned);
        for (Region region : newest.values()) {
            Region twin = byStart.put(region.getStart().toByteArray(), region);
            if (twin != null) {
                throw new SimulationFailure(
                        "Regions " + twin.getId() + " and " + region.getId() + " begin at the same key");
            }
        }
        ByteString reached = ByteString.EMPTY;
        for (Region region : byStart.values()) {
            if (reached == null || !reached.equals(region.getStart())) {
                throw new SimulationFailure(
                        "there is a gap or an overlap in the key space before Region " + region.getId());
            }
            reached = region.getEnd().isEmpty() ? null : region.getEnd();
        }
        if (!byStart.isEmpty() && reached != null) {
            throw new SimulationFailure("the last Region ends before the key space does");
        }
    }
}
