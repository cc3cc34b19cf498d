package org.flotilladb.region.placement;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRoute;

/** Who leads which Region, as its leaders have reported; hints only, the epoch in each request decides. Not thread-safe. */
final class RouteTable {
    private record Route(Region region, long leaderStoreId, long term) {}

    private final TreeMap<byte[], Route> byStart = new TreeMap<>(Arrays::compareUnsigned);

    /** Takes a report unless a newer one is known. */
    void report(RegionHeartbeat report) {
        Region region = report.getRegion();
        List<byte[]> replaced = new ArrayList<>();
        for (Map.Entry<byte[], Route> entry : overlapping(region)) {
            Route known = entry.getValue();
            boolean same = known.region.getId() == region.getId();
            long knownVersion = known.region.getEpoch().getRangeVersion();
            long version = region.getEpoch().getRangeVersion();
            if (knownVersion > version || (same && knownVersion == version && known.term > report.getTerm())) {
                return;
            }
            replaced.add(entry.getKey());
        }
        replaced.forEach(byStart::remove);
        byStart.put(region.getStart().toByteArray(), new Route(region, report.getLeaderStoreId(), report.getTerm()));
    }

    private List<Map.Entry<byte[], Route>> overlapping(Region region) {
        List<Map.Entry<byte[], Route>> result = new ArrayList<>();
        byte[] start = region.getStart().toByteArray();
        Map.Entry<byte[], Route> entry = byStart.floorEntry(start);
        if (entry == null) {
            entry = byStart.ceilingEntry(start);
        }
        while (entry != null) {
            if (!region.getEnd().isEmpty()
                    && Arrays.compareUnsigned(entry.getKey(), region.getEnd().toByteArray()) >= 0) {
                break;
            }
            ByteString end = entry.getValue().region.getEnd();
            if (end.isEmpty() || Arrays.compareUnsigned(end.toByteArray(), start) > 0) {
                result.add(entry);
            }
            entry = byStart.higherEntry(entry.getKey());
        }
        return result;
    }

    /** The Region that holds the key and those after it; empty when the key's own is not known. */
    List<RegionRoute> locate(byte[] key, int limit) {
        List<RegionRoute> routes = new ArrayList<>();
        Map.Entry<byte[], Route> entry = byStart.floorEntry(key);
        if (entry == null) {
            return routes;
        }
        ByteString end = entry.getValue().region.getEnd();
        if (!end.isEmpty() && Arrays.compareUnsigned(end.toByteArray(), key) <= 0) {
            return routes;
        }
        while (entry != null && routes.size() < limit) {
            routes.add(RegionRoute.newBuilder()
                    .setRegion(entry.getValue().region)
                    .setLeaderStoreId(entry.getValue().leaderStoreId)
                    .build());
            entry = byStart.higherEntry(entry.getKey());
        }
        return routes;
    }
}
