package org.flotilladb.region.client;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionError;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.Transport;
import org.flotilladb.region.client.RegionCache.Route;

/**
 * Brings a command to the leader of a Region: follows leaders, waits out elections, and sends again what got no answer;
 * every command may run twice without harm. Safe for many threads.
 */
final class Router {
    private static final int FORGET_AFTER_FAILURES = 3;

    private final ClientSettings settings;
    private final ClientEnvironment environment;
    private final RegionCache cache;
    private final AtomicLong retries = new AtomicLong();

    Router(ClientSettings settings, ClientEnvironment environment, RegionCache cache) {
        this.settings = settings;
        this.environment = environment;
        this.cache = cache;
    }

    /**
     * What came of a call.
     *
     * @param response null when the Region has changed: group the keys anew; or when it failed
     * @param maybeExecuted an earlier attempt may have been executed: a refusal in the response is not the outcome
     * @param failure why there is no response for good, or null
     */
    record Result(RegionResponse response, boolean maybeExecuted, ClientException failure) {
        boolean regroup() {
            return response == null && failure == null;
        }
    }

    /** How often a request has had to be sent again, to the same Region or to another that has its keys now. */
    long retries() {
        return retries.get();
    }

    long deadlineNs() {
        return environment.clock().nanoTime() + settings.operationTimeoutMs() * 1_000_000L;
    }

    /** Never completes exceptionally. */
    CompletableFuture<Result> call(Route route, RegionRequest.Builder request, long deadlineNs) {
        return call(route, request, deadlineNs, settings.requestTimeoutMs());
    }

    CompletableFuture<Result> call(Route route, RegionRequest.Builder request, long deadlineNs, long requestTimeoutMs) {
        Call call = new Call(route, request, deadlineNs, requestTimeoutMs);
        call.send();
        return call.result;
    }

    private final class Call implements Transport.ResponseHandler {
        private final CompletableFuture<Result> result = new CompletableFuture<>();
        private final RegionRequest.Builder request;
        private final long deadlineNs;
        private final long requestTimeoutMs;
        private final Route route;
        private long leaderStoreId;
        private int nextPeer;
        private int failures;
        private boolean maybeExecuted;
        private Backoff backoff;
        private String lastTrouble = "no answer";

        Call(Route route, RegionRequest.Builder request, long deadlineNs, long requestTimeoutMs) {
            this.route = route;
            this.request = request;
            this.deadlineNs = deadlineNs;
            this.requestTimeoutMs = requestTimeoutMs;
            this.leaderStoreId = route.leaderStoreId();
        }

        void send() {
            Region region = route.region();
            Peer target = null;
            for (int i = 0; i < region.getPeersCount(); i++) {
                if (region.getPeers(i).getStoreId() == leaderStoreId) {
                    target = region.getPeers(i);
                    // When this one does not help, the next one is asked.
                    nextPeer = i + 1;
                }
            }
            if (target == null) {
                target = region.getPeers(nextPeer++ % region.getPeersCount());
                leaderStoreId = target.getStoreId();
            }
            String address = cache.address(target.getStoreId());
            if (address == null) {
                cache.forget(route);
                anew();
                return;
            }
            Context.Builder context = request.getContextBuilder()
                    .setRegionId(region.getId())
                    .setEpoch(region.getEpoch())
                    .setPeerId(target.getId());
            request.setContext(context);
            environment
                    .transport()
                    .request(
                            address,
                            Envelope.newBuilder().setRegionRequest(request).build(),
                            requestTimeoutMs,
                            this);
        }

        @Override
        public void onResponse(Envelope envelope) {
            RegionResponse response = envelope.getRegionResponse();
            if (!response.hasError()) {
                if (leaderStoreId != route.leaderStoreId()) {
                    cache.leader(route, leaderStoreId, null);
                }
                result.complete(new Result(response, maybeExecuted, null));
                return;
            }
            RegionError error = response.getError();
            lastTrouble = error.getMessage();
            switch (error.getKindCase()) {
                case NOT_LEADER -> {
                    long leader = error.getNotLeader().getLeaderStoreId();
                    if (leader != 0 && !isMember(leader)) {
                        // Peers have moved since this Region was looked up.
                        cache.forget(route);
                        pauseThen(this::anew);
                    } else if (leader != 0 && leader != leaderStoreId) {
                        leaderStoreId = leader;
                        cache.leader(route, leader, error.getNotLeader().getLeaderAddress());
                        again(failures++ == 0);
                    } else {
                        leaderStoreId = 0;
                        againOrAnew();
                    }
                }
                case EPOCH_NOT_MATCH -> {
                    cache.forget(route);
                    for (Region region : error.getEpochNotMatch().getCurrentRegionsList()) {
                        cache.insert(Route.of(region, leaderStoreId));
                    }
                    anew();
                }
                case KEY_NOT_IN_REGION, PEER_MISMATCH -> {
                    cache.forget(route);
                    anew();
                }
                case REGION_NOT_FOUND -> {
                    leaderStoreId = 0;
                    againOrAnew();
                }
                case OUTCOME_UNKNOWN -> {
                    maybeExecuted = true;
                    leaderStoreId = 0;
                    again(false);
                }
                case UNKNOWN_REQUEST -> fail(ClientException.Kind.INTERNAL, error.getMessage());
                case DISK_FULL -> fail(ClientException.Kind.FULL, error.getMessage());
                case ENTRY_TOO_LARGE -> fail(ClientException.Kind.TOO_LARGE, error.getMessage());
                default -> again(false);
            }
        }

        @Override
        public void onFailure(Transport.Failure failure) {
            lastTrouble = failure.message();
            switch (failure.kind()) {
                case NOT_SENT -> {}
                case LOST, TIMED_OUT -> maybeExecuted = true;
                case REFUSED -> {
                    fail(ClientException.Kind.INTERNAL, failure.message());
                    return;
                }
                case CLOSED -> {
                    fail(ClientException.Kind.CLOSED, failure.message());
                    return;
                }
            }
            leaderStoreId = 0;
            againOrAnew();
        }

        private boolean isMember(long storeId) {
            return route.region().getPeersList().stream().anyMatch(peer -> peer.getStoreId() == storeId);
        }

        /** The next peer is asked; after some failures, where the Region is. */
        private void againOrAnew() {
            if (++failures > FORGET_AFTER_FAILURES) {
                cache.forget(route);
                pauseThen(this::anew);
            } else {
                again(false);
            }
        }

        private void again(boolean atOnce) {
            retries.incrementAndGet();
            if (atOnce) {
                send();
            } else {
                pauseThen(this::send);
            }
        }

        /** The Region has changed: the caller looks again who has its keys. */
        private void anew() {
            retries.incrementAndGet();
            result.complete(new Result(null, maybeExecuted, null));
        }

        private void pauseThen(Runnable next) {
            if (backoff == null) {
                backoff = new Backoff(environment.random());
            }
            long pauseNs = backoff.nextNs();
            if (environment.clock().nanoTime() + pauseNs > deadlineNs) {
                fail(
                        ClientException.Kind.UNAVAILABLE,
                        "Region " + route.region().getId() + " did not answer in time (" + lastTrouble + ")");
            } else {
                environment.scheduler().schedule(pauseNs, next);
            }
        }

        private void fail(ClientException.Kind kind, String message) {
            result.complete(new Result(null, maybeExecuted, new ClientException(kind, message)));
        }
    }
}
