package org.flotilladb.region.client;

import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.region.client.RegionCache.Route;

/** Splits Regions at keys, with one command for the keys of one Region as far as a limit allows. Safe for many threads. */
final class Splits {
    /** Each replica makes all new Regions of a command in one round. */
    private static final int MAX_KEYS = 128;

    private final TransactionClient client;

    Splits(TransactionClient client) {
        this.client = client;
    }

    /**
     * Makes each key the first of a Region; nothing happens for those that are. Each command has an operation's time.
     *
     * @param keys ascending
     */
    CompletableFuture<Void> at(List<byte[]> keys) {
        return keys.isEmpty()
                ? CompletableFuture.completedFuture(null)
                : at(keys, client.router().deadlineNs());
    }

    private CompletableFuture<Void> at(List<byte[]> keys, long deadlineNs) {
        return client.cache().locate(keys.get(0)).thenCompose(route -> {
            if (Arrays.equals(route.start(), keys.get(0))) {
                return at(keys.subList(1, keys.size()));
            }
            int count = 1;
            while (count < keys.size() && count < MAX_KEYS && route.contains(keys.get(count))) {
                count++;
            }
            List<byte[]> later = keys.subList(count, keys.size());
            return split(route, keys.subList(0, count), deadlineNs)
                    .thenCompose(done -> done ? at(later) : client.regroup(deadlineNs, () -> at(keys, deadlineNs)));
        });
    }

    /** False when the Region is not what it was taken for. */
    private CompletableFuture<Boolean> split(Route route, List<byte[]> keys, long deadlineNs) {
        int peers = route.region().getPeersCount();
        return client.placement().allocateIds(keys.size() * (1 + peers)).thenCompose(first -> {
            SplitRequest.Builder split = SplitRequest.newBuilder();
            long id = first;
            for (byte[] key : keys) {
                split.addKeys(Transaction.wrap(key)).addNewRegionIds(id++);
                for (int i = 0; i < peers; i++) {
                    split.addNewPeerIds(id++);
                }
            }
            return client.router()
                    .call(route, RegionRequest.newBuilder().setSplit(split), deadlineNs)
                    .thenCompose(result -> taken(route, result));
        });
    }

    private CompletableFuture<Boolean> taken(Route route, Router.Result result) {
        if (result.failure() != null) {
            return CompletableFuture.failedFuture(result.failure());
        }
        if (result.regroup()) {
            return CompletableFuture.completedFuture(false);
        }
        for (Region region : result.response().getSplit().getRegionsList()) {
            client.cache().insert(Route.of(region, route.leaderStoreId()));
        }
        return CompletableFuture.completedFuture(true);
    }
}
