package org.flotilladb.region.client;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.Supplier;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.StoreInfo;
import org.flotilladb.region.client.RegionCache.Route;

/** One cluster as a client sees it: begins transactions, splits Regions. Safe for many threads. */
public final class TransactionClient {
    private final ClientSettings settings;
    private final ClientEnvironment environment;
    private final PlacementClient placement;
    private final RegionCache cache;
    private final Router router;
    private final LockResolver resolver;
    private final AtomicLong onePhaseCommits = new AtomicLong();
    private final AtomicLong twoPhaseCommits = new AtomicLong();

    public TransactionClient(ClientSettings settings, ClientEnvironment environment) {
        this.settings = settings;
        this.environment = environment;
        placement = new PlacementClient(settings, environment);
        cache = new RegionCache(placement, environment.scheduler());
        router = new Router(settings, environment, cache);
        resolver = new LockResolver(this);
    }

    /**
     * Begins a transaction; nothing is asked for yet.
     *
     * @param readCommitted whether each statement reads at a timestamp of its own
     */
    public Transaction begin(boolean readCommitted) {
        return new Transaction(this, readCommitted);
    }

    public PlacementClient placement() {
        return placement;
    }

    ClientSettings settings() {
        return settings;
    }

    ClientEnvironment environment() {
        return environment;
    }

    RegionCache cache() {
        return cache;
    }

    Router router() {
        return router;
    }

    LockResolver resolver() {
        return resolver;
    }

    void committed(boolean onePhase) {
        (onePhase ? onePhaseCommits : twoPhaseCommits).incrementAndGet();
    }

    /** Requests that were sent again, because a Region had split, moved or lost its leader. */
    public long retries() {
        return router.retries();
    }

    /** Transactions of this client committed by one entry. */
    public long onePhaseCommits() {
        return onePhaseCommits.get();
    }

    /** Transactions of this client committed in two phases. */
    public long twoPhaseCommits() {
        return twoPhaseCommits.get();
    }

    /** Runs something after a pause, without blocking. */
    <T> CompletableFuture<T> later(long pauseNs, Supplier<CompletableFuture<T>> next) {
        CompletableFuture<T> result = new CompletableFuture<>();
        environment.scheduler().schedule(pauseNs, () -> forward(next.get(), result));
        return result;
    }

    static <T> void forward(CompletableFuture<T> from, CompletableFuture<T> to) {
        from.whenComplete((value, failure) -> {
            if (failure != null) {
                to.completeExceptionally(failure);
            } else {
                to.complete(value);
            }
        });
    }

    /** A command on one key, wherever its Region is now; fails when the time is up. */
    CompletableFuture<RegionResponse> callKey(byte[] key, RegionRequest.Builder request, long deadlineNs) {
        return cache.locate(key)
                .thenCompose(route -> router.call(route, request, deadlineNs))
                .thenCompose(result -> {
                    if (result.failure() != null) {
                        return CompletableFuture.failedFuture(result.failure());
                    }
                    if (result.regroup()) {
                        return regroup(deadlineNs, () -> callKey(key, request, deadlineNs));
                    }
                    return CompletableFuture.completedFuture(result.response());
                });
    }

    /** Goes on after the Regions have changed, unless the time is up. */
    <T> CompletableFuture<T> regroup(long deadlineNs, Supplier<CompletableFuture<T>> next) {
        if (environment.clock().nanoTime() > deadlineNs) {
            return CompletableFuture.failedFuture(new ClientException(
                    ClientException.Kind.UNAVAILABLE, "the Regions of these keys could not be reached in time"));
        }
        return next.get();
    }

    /** Things grouped by the Region of their key, in key order. */
    <T> CompletableFuture<Map<Route, List<T>>> group(List<T> things, Function<T, byte[]> keyOf) {
        Map<Route, List<T>> groups = new TreeMap<>((a, b) -> Arrays.compareUnsigned(a.start(), b.start()));
        return groupFrom(things, 0, keyOf, groups);
    }

    private <T> CompletableFuture<Map<Route, List<T>>> groupFrom(
            List<T> things, int from, Function<T, byte[]> keyOf, Map<Route, List<T>> groups) {
        Route last = null;
        for (int i = from; i < things.size(); i++) {
            byte[] key = keyOf.apply(things.get(i));
            if (last == null || !last.contains(key)) {
                CompletableFuture<Route> located = cache.locate(key);
                if (!located.isDone() || located.isCompletedExceptionally()) {
                    int at = i;
                    return located.thenCompose(route -> {
                        groups.computeIfAbsent(route, r -> new ArrayList<>()).add(things.get(at));
                        return groupFrom(things, at + 1, keyOf, groups);
                    });
                }
                last = located.join();
            }
            groups.computeIfAbsent(last, r -> new ArrayList<>()).add(things.get(i));
        }
        return CompletableFuture.completedFuture(groups);
    }

    /** Makes the key the first of a Region; nothing happens if it is. */
    public CompletableFuture<Void> split(byte[] key) {
        return splitAll(List.of(key));
    }

    /**
     * Makes each of the keys the first of a Region, many with one command.
     *
     * @param keys ascending
     */
    public CompletableFuture<Void> splitAll(List<byte[]> keys) {
        return new Splits(this).at(keys);
    }

    /** A Region with where it is led; leader 0 when not known. */
    public record RegionPlace(Region region, long leaderStoreId, String leaderAddress) {}

    /** The Regions that overlap a range, as the Placement Driver knows them. */
    public CompletableFuture<List<RegionPlace>> regions(byte[] start, byte[] end) {
        return regionsFrom(start, end, new ArrayList<>());
    }

    private CompletableFuture<List<RegionPlace>> regionsFrom(byte[] start, byte[] end, List<RegionPlace> found) {
        return placement.locate(start, 1).thenCompose(answer -> {
            Route route = Route.of(
                    answer.getRoutes(0).getRegion(), answer.getRoutes(0).getLeaderStoreId());
            String address = "";
            for (StoreInfo store : answer.getStoresList()) {
                if (store.getId() == route.leaderStoreId()) {
                    address = store.getAddress();
                }
            }
            cache.insert(route);
            found.add(new RegionPlace(route.region(), route.leaderStoreId(), address));
            boolean done = route.end().length == 0 || (end.length > 0 && Arrays.compareUnsigned(route.end(), end) >= 0);
            return done ? CompletableFuture.completedFuture(found) : regionsFrom(route.end(), end, found);
        });
    }
}
