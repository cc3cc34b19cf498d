package org.flotilladb.region.placement.engine;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRoute;

/**
 * All Regions as their leaders have reported them, by key, by id and by Store. For whoever looks for a Region these are
 * hints only: the epoch in each request decides. Not thread-safe.
 */
public final class RegionTable {
    /** Far more than a cluster can have; past it reports of new Regions are not kept. */
    static final int MAX_REGIONS = 1_000_000;

    private final TreeMap<byte[], RegionView> byStart = new TreeMap<>(Arrays::compareUnsigned);
    private final TreeMap<Long, RegionView> byId = new TreeMap<>();
    private final TreeMap<Long, Load> byStore = new TreeMap<>();
    /** Regions right behind which the next one begins, and Regions without a leader. */
    private int joined;

    private int leaderless;

    /** What one Store has. */
    private static final class Load {
        private final TreeSet<Long> regions = new TreeSet<>();
        private final TreeSet<Long> led = new TreeSet<>();
        private long sizeBytes;
        private long reads;
        private long writes;
    }

    /** Takes a report unless a newer one is known or it cannot be true; whether it was taken. */
    public boolean report(RegionHeartbeat report, long nowNs) {
        if (!RegionView.plausible(report)) {
            return false;
        }
        Region region = report.getRegion();
        List<RegionView> replaced = overlapping(region);
        RegionView same = byId.get(region.getId());
        if (same != null && !replaced.contains(same)) {
            replaced.add(same);
        }
        for (RegionView known : replaced) {
            if (newer(known, report)) {
                return false;
            }
        }
        if (replaced.isEmpty() && byId.size() >= MAX_REGIONS) {
            return false;
        }
        replaced.forEach(this::remove);
        add(new RegionView(report, nowNs));
        return true;
    }

    private static boolean newer(RegionView known, RegionHeartbeat report) {
        long knownVersion = known.region().getEpoch().getRangeVersion();
        long version = report.getRegion().getEpoch().getRangeVersion();
        if (knownVersion != version || known.id() != report.getRegion().getId()) {
            return knownVersion > version;
        }
        return known.report().getTerm() > report.getTerm()
                || known.region().getEpoch().getConfVersion()
                        > report.getRegion().getEpoch().getConfVersion();
    }

    private void add(RegionView view) {
        byte[] start = view.region().getStart().toByteArray();
        joined -= isJoined(byStart.lowerEntry(start), byStart.higherEntry(start));
        byStart.put(start, view);
        joined += isJoined(byStart.lowerEntry(start), view) + isJoined(view, byStart.higherEntry(start));
        leaderless += view.leaderStoreId() == 0 ? 1 : 0;
        byId.put(view.id(), view);
        for (Peer peer : view.peers()) {
            Load load = byStore.computeIfAbsent(peer.getStoreId(), id -> new Load());
            load.regions.add(view.id());
            load.sizeBytes += view.report().getSizeBytes();
        }
        if (view.leaderStoreId() != 0) {
            Load load = byStore.get(view.leaderStoreId());
            load.led.add(view.id());
            load.reads += view.report().getReadsPerSecond();
            load.writes += view.report().getWritesPerSecond();
        }
    }

    private void remove(RegionView view) {
        byte[] start = view.region().getStart().toByteArray();
        joined -= isJoined(byStart.lowerEntry(start), view) + isJoined(view, byStart.higherEntry(start));
        byStart.remove(start);
        joined += isJoined(byStart.lowerEntry(start), byStart.higherEntry(start));
        leaderless -= view.leaderStoreId() == 0 ? 1 : 0;
        byId.remove(view.id());
        if (view.leaderStoreId() != 0) {
            Load load = byStore.get(view.leaderStoreId());
            load.led.remove(view.id());
            load.reads -= view.report().getReadsPerSecond();
            load.writes -= view.report().getWritesPerSecond();
        }
        for (Peer peer : view.peers()) {
            Load load = byStore.get(peer.getStoreId());
            load.regions.remove(view.id());
            load.sizeBytes -= view.report().getSizeBytes();
            if (load.regions.isEmpty()) {
                byStore.remove(peer.getStoreId());
            }
        }
    }

    private static int isJoined(Map.Entry<byte[], RegionView> left, Map.Entry<byte[], RegionView> right) {
        return left == null || right == null ? 0 : isJoined(left.getValue(), right.getValue());
    }

    private static int isJoined(Map.Entry<byte[], RegionView> left, RegionView right) {
        return left == null ? 0 : isJoined(left.getValue(), right);
    }

    private static int isJoined(RegionView left, Map.Entry<byte[], RegionView> right) {
        return right == null ? 0 : isJoined(left, right.getValue());
    }

    /** 1 or 0. */
    private static int isJoined(RegionView left, RegionView right) {
        return left.region().getEnd().equals(right.region().getStart()) ? 1 : 0;
    }

    private List<RegionView> overlapping(Region region) {
        List<RegionView> result = new ArrayList<>();
        byte[] start = region.getStart().toByteArray();
        byte[] end = region.getEnd().toByteArray();
        Map.Entry<byte[], RegionView> entry = byStart.floorEntry(start);
        if (entry == null) {
            entry = byStart.ceilingEntry(start);
        }
        while (entry != null && (end.length == 0 || Arrays.compareUnsigned(entry.getKey(), end) < 0)) {
            ByteString itsEnd = entry.getValue().region().getEnd();
            if (itsEnd.isEmpty() || Arrays.compareUnsigned(itsEnd.toByteArray(), start) > 0) {
                result.add(entry.getValue());
            }
            entry = byStart.higherEntry(entry.getKey());
        }
        return result;
    }

    /** A Region by its id, or null. */
    public RegionView get(long regionId) {
        return byId.get(regionId);
    }

    /** The Region that holds the key, or null. */
    public RegionView find(byte[] key) {
        Map.Entry<byte[], RegionView> entry = byStart.floorEntry(key);
        return entry != null && entry.getValue().contains(ByteString.copyFrom(key)) ? entry.getValue() : null;
    }

    /** The Region that holds the key and those after it; empty when the key's own is not known. */
    public List<RegionRoute> locate(byte[] key, int limit) {
        List<RegionRoute> routes = new ArrayList<>();
        RegionView first = find(key);
        if (first == null) {
            return routes;
        }
        for (RegionView each :
                byStart.tailMap(first.region().getStart().toByteArray(), true).values()) {
            if (routes.size() >= limit) {
                break;
            }
            routes.add(route(each));
        }
        return routes;
    }

    /** Where a Region is. */
    public static RegionRoute route(RegionView view) {
        return RegionRoute.newBuilder()
                .setRegion(view.region())
                .setLeaderStoreId(view.leaderStoreId())
                .build();
    }

    /** All from the one that holds the key on, or begins after it, in key order. */
    public Collection<RegionView> from(byte[] key) {
        RegionView first = find(key);
        return byStart.tailMap(first == null ? key : first.region().getStart().toByteArray(), true)
                .values();
    }

    /** All by id, from one id on. */
    Collection<RegionView> fromId(long regionId) {
        return byId.tailMap(regionId, true).values();
    }

    public int size() {
        return byId.size();
    }

    /** Whether every key belongs to a Region that is known, with its leader. */
    boolean complete() {
        return leaderless == 0
                && !byStart.isEmpty()
                && joined == byStart.size() - 1
                && byStart.firstEntry().getValue().region().getStart().isEmpty()
                && byStart.lastEntry().getValue().region().getEnd().isEmpty();
    }

    // ---- by Store --------------------------------------------------------------------------------------------------

    /** Ids of Regions that have a peer there, ascending. */
    SortedSet<Long> regionsOn(long storeId) {
        Load load = byStore.get(storeId);
        return load == null ? Collections.emptySortedSet() : load.regions;
    }

    /** Ids of Regions that are led there, ascending. */
    SortedSet<Long> ledBy(long storeId) {
        Load load = byStore.get(storeId);
        return load == null ? Collections.emptySortedSet() : load.led;
    }

    public int regionCount(long storeId) {
        return regionsOn(storeId).size();
    }

    public int leaderCount(long storeId) {
        return ledBy(storeId).size();
    }

    public long sizeBytes(long storeId) {
        Load load = byStore.get(storeId);
        return load == null ? 0 : load.sizeBytes;
    }

    /** Reads per second of the Regions led there. */
    public long reads(long storeId) {
        Load load = byStore.get(storeId);
        return load == null ? 0 : load.reads;
    }

    /** Writes per second of the Regions led there. */
    public long writes(long storeId) {
        Load load = byStore.get(storeId);
        return load == null ? 0 : load.writes;
    }
}
