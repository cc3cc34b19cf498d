package org.flotilladb.region.client;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListMap;
import org.flotilladb.proto.LocateResponse;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionRoute;
import org.flotilladb.proto.StoreInfo;
import org.flotilladb.region.runtime.Scheduler;

/**
 * Where Regions are, as far as this process has learnt; every request carries the epoch, so what is old here costs a
 * refusal and no more. Safe for many threads.
 */
public final class RegionCache {
    private static final int LOCATE_LIMIT = 64;

    /** After a split the Placement Driver may know less than this cache until the new leaders have reported. */
    private static final long STALE_PAUSE_NS = 10_000_000L;

    private static final int STALE_ATTEMPTS = 50;

    /** A Region and the Store that leads it, as last heard; leaderStoreId 0: not known. */
    public record Route(Region region, byte[] start, byte[] end, long leaderStoreId) {
        static Route of(Region region, long leaderStoreId) {
            return new Route(
                    region, region.getStart().toByteArray(), region.getEnd().toByteArray(), leaderStoreId);
        }

        boolean contains(byte[] key) {
            return Arrays.compareUnsigned(start, key) <= 0 && (end.length == 0 || Arrays.compareUnsigned(key, end) < 0);
        }
    }

    private final PlacementClient placement;
    private final Scheduler scheduler;
    private final ConcurrentSkipListMap<byte[], Route> byStart = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
    private final ConcurrentSkipListMap<Long, String> addresses = new ConcurrentSkipListMap<>();

    RegionCache(PlacementClient placement, Scheduler scheduler) {
        this.placement = placement;
        this.scheduler = scheduler;
    }

    /** The route of the key if it is known. */
    Route find(byte[] key) {
        Map.Entry<byte[], Route> entry = byStart.floorEntry(key);
        return entry != null && entry.getValue().contains(key) ? entry.getValue() : null;
    }

    /** The Region that ends at or after {@code end} and begins before it; null or empty: the last one. */
    Route findBefore(byte[] end) {
        if (end == null || end.length == 0) {
            Map.Entry<byte[], Route> last = byStart.lastEntry();
            return last != null && last.getValue().end.length == 0 ? last.getValue() : null;
        }
        Map.Entry<byte[], Route> entry = byStart.lowerEntry(end);
        if (entry == null) {
            return null;
        }
        byte[] regionEnd = entry.getValue().end;
        return regionEnd.length == 0 || Arrays.compareUnsigned(end, regionEnd) <= 0 ? entry.getValue() : null;
    }

    /** The route of the key, asked for if need be. */
    CompletableFuture<Route> locate(byte[] key) {
        Route known = find(key);
        if (known != null) {
            return CompletableFuture.completedFuture(known);
        }
        return ask(key, 1);
    }

    private CompletableFuture<Route> ask(byte[] key, int attempt) {
        return placement.locate(key, LOCATE_LIMIT).thenCompose(found -> {
            take(found);
            Route route = find(key);
            if (route != null) {
                return CompletableFuture.completedFuture(route);
            }
            if (attempt >= STALE_ATTEMPTS) {
                return CompletableFuture.completedFuture(Route.of(
                        found.getRoutes(0).getRegion(), found.getRoutes(0).getLeaderStoreId()));
            }
            CompletableFuture<Route> later = new CompletableFuture<>();
            scheduler.schedule(STALE_PAUSE_NS, () -> TransactionClient.forward(ask(key, attempt + 1), later));
            return later;
        });
    }

    private void take(LocateResponse found) {
        for (StoreInfo store : found.getStoresList()) {
            addresses.put(store.getId(), store.getAddress());
        }
        for (RegionRoute route : found.getRoutesList()) {
            insert(Route.of(route.getRegion(), route.getLeaderStoreId()));
        }
    }

    /** Takes a Region unless something newer is known of its range. */
    void insert(Route route) {
        synchronized (byStart) {
            List<byte[]> replaced = new ArrayList<>();
            Map.Entry<byte[], Route> entry = byStart.floorEntry(route.start);
            if (entry == null) {
                entry = byStart.firstEntry();
            }
            while (entry != null && (route.end.length == 0 || Arrays.compareUnsigned(entry.getKey(), route.end) < 0)) {
                Route other = entry.getValue();
                boolean overlaps = other.end.length == 0 || Arrays.compareUnsigned(other.end, route.start) > 0;
                if (overlaps) {
                    if (other.region.getEpoch().getRangeVersion()
                            > route.region.getEpoch().getRangeVersion()) {
                        return;
                    }
                    replaced.add(entry.getKey());
                }
                entry = byStart.higherEntry(entry.getKey());
            }
            // The new one first stands beside what it replaces: readers find one or the other.
            for (byte[] start : replaced) {
                if (!Arrays.equals(start, route.start)) {
                    byStart.remove(start);
                }
            }
            byStart.put(route.start, route);
        }
    }

    /** Somebody said who leads. */
    void leader(Route route, long storeId, String address) {
        if (address != null && !address.isEmpty()) {
            addresses.put(storeId, address);
        }
        synchronized (byStart) {
            Route known = byStart.get(route.start);
            if (known != null && known.region.getId() == route.region.getId()) {
                byStart.put(route.start, new Route(known.region, known.start, known.end, storeId));
            }
        }
    }

    /** What is known of this Region has proved wrong. */
    void forget(Route route) {
        synchronized (byStart) {
            Route known = byStart.get(route.start);
            if (known != null && known.region.getId() == route.region.getId()) {
                byStart.remove(route.start);
            }
        }
    }

    /** The address of a Store, or null. */
    String address(long storeId) {
        return addresses.get(storeId);
    }
}
