package org.flotilladb.region.client;

import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.AllocateIdsRequest;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.LocateRequest;
import org.flotilladb.proto.LocateResponse;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RaiseCatalogEpochRequest;
import org.flotilladb.proto.TimestampRequest;
import org.flotilladb.proto.TimestampResponse;
import org.flotilladb.proto.Transport;

/** Questions to the Placement Driver. Safe for many threads. */
public final class PlacementClient {
    private static final int MAX_SHARED = 10_000;

    private final ClientSettings settings;
    private final ClientEnvironment environment;
    private final SteeringClient steering = new SteeringClient(this);
    private volatile String leader;
    private volatile long catalogEpoch;
    private int nextAddress;

    /** Callers who began while a request was in flight: they share the next one. */
    private List<CompletableFuture<Long>> sharing = new ArrayList<>();

    private boolean inFlight;

    PlacementClient(ClientSettings settings, ClientEnvironment environment) {
        this.settings = settings;
        this.environment = environment;
    }

    /** What people ask of it. */
    public SteeringClient steering() {
        return steering;
    }

    /** The newest catalog epoch this process has heard of. */
    public long catalogEpoch() {
        return environment.local() == null
                ? catalogEpoch
                : Math.max(catalogEpoch, environment.local().catalogEpoch());
    }

    /** A timestamp on the caller's thread if that is possible, or -1. */
    public long tryTimestamp() {
        return environment.local() == null ? -1 : environment.local().tryTimestamp();
    }

    /** A timestamp of the caller's own, requested after this call began. */
    public CompletableFuture<Long> timestamp() {
        long direct = tryTimestamp();
        if (direct > 0) {
            return CompletableFuture.completedFuture(direct);
        }
        CompletableFuture<Long> mine = new CompletableFuture<>();
        synchronized (this) {
            if (sharing.size() >= MAX_SHARED) {
                mine.completeExceptionally(new ClientException(
                        ClientException.Kind.UNAVAILABLE, MAX_SHARED + " callers wait for a timestamp already"));
                return mine;
            }
            sharing.add(mine);
            if (inFlight) {
                return mine;
            }
            inFlight = true;
        }
        requestTimestamps();
        return mine;
    }

    private void requestTimestamps() {
        List<CompletableFuture<Long>> callers;
        synchronized (this) {
            if (sharing.isEmpty()) {
                inFlight = false;
                return;
            }
            callers = sharing;
            sharing = new ArrayList<>();
        }
        PlacementRequest request = PlacementRequest.newBuilder()
                .setTimestamp(TimestampRequest.newBuilder().setCount(callers.size()))
                .build();
        ask(request).whenComplete((response, failure) -> {
            // The next round first: completing callers may take a while.
            requestTimestamps();
            if (failure != null) {
                callers.forEach(caller -> caller.completeExceptionally(failure));
                return;
            }
            TimestampResponse timestamps = response.getTimestamp();
            noteEpoch(timestamps.getCatalogEpoch());
            for (int i = 0; i < callers.size(); i++) {
                callers.get(i).complete(timestamps.getFirst() + i);
            }
        });
    }

    private synchronized void noteEpoch(long epoch) {
        if (epoch > catalogEpoch) {
            catalogEpoch = epoch;
        }
    }

    /** The first of {@code count} ids that nobody else gets. */
    public CompletableFuture<Long> allocateIds(int count) {
        return ask(PlacementRequest.newBuilder()
                        .setAllocateIds(AllocateIdsRequest.newBuilder().setCount(count))
                        .build())
                .thenApply(response -> response.getAllocateIds().getFirst());
    }

    /** Raises the catalog epoch for everybody; durable when done. */
    public CompletableFuture<Long> raiseCatalogEpoch() {
        return ask(PlacementRequest.newBuilder()
                        .setRaiseCatalogEpoch(RaiseCatalogEpochRequest.getDefaultInstance())
                        .build())
                .thenApply(response -> {
                    long epoch = response.getRaiseCatalogEpoch().getCatalogEpoch();
                    noteEpoch(epoch);
                    return epoch;
                });
    }

    CompletableFuture<LocateResponse> locate(byte[] key, int limit) {
        return ask(PlacementRequest.newBuilder()
                        .setLocate(LocateRequest.newBuilder()
                                .setKey(UnsafeByteOperations.unsafeWrap(key))
                                .setLimit(limit))
                        .build())
                .thenApply(PlacementResponse::getLocate);
    }

    /** Asks until there is an answer or the time is up; every question may be asked twice without harm. */
    CompletableFuture<PlacementResponse> ask(PlacementRequest request) {
        Question question = new Question(request);
        question.send();
        return question.result;
    }

    private static String sentence(String words) {
        String text = words.isEmpty() ? words : Character.toUpperCase(words.charAt(0)) + words.substring(1);
        return text.endsWith(".") ? text : text + ".";
    }

    private synchronized String nextAddress() {
        nextAddress = (nextAddress + 1) % settings.addresses().size();
        return settings.addresses().get(nextAddress);
    }

    private final class Question implements Transport.ResponseHandler {
        private final PlacementRequest request;
        private final CompletableFuture<PlacementResponse> result = new CompletableFuture<>();
        private final Backoff backoff = new Backoff(environment.random());
        private final long deadlineNs;
        private final TreeMap<String, String> troubles = new TreeMap<>();
        private String asked = "";
        /** What the leader said last, when that was: not now. */
        private String notNow;

        Question(PlacementRequest request) {
            this.request = request;
            this.deadlineNs = environment.clock().nanoTime() + settings.operationTimeoutMs() * 1_000_000L;
        }

        void send() {
            String to = leader;
            if (to == null) {
                to = nextAddress();
            }
            asked = to;
            environment
                    .transport()
                    .request(
                            to,
                            Envelope.newBuilder().setPlacementRequest(request).build(),
                            settings.requestTimeoutMs(),
                            this);
        }

        @Override
        public void onResponse(Envelope envelope) {
            PlacementResponse response = envelope.getPlacementResponse();
            if (!response.hasError()) {
                result.complete(response);
                return;
            }
            PlacementError error = response.getError();
            troubles.put(asked, error.getMessage());
            notNow = error.getNotReady() ? error.getMessage() : null;
            if (error.getNotLeader()) {
                leader = error.getLeaderAddress().isEmpty() ? null : error.getLeaderAddress();
            } else if (!error.getNotReady()) {
                result.completeExceptionally(
                        error.getRefused()
                                ? new ClientException(ClientException.Kind.REFUSED, sentence(error.getMessage()))
                                : new ClientException(ClientException.Kind.INTERNAL, error.getMessage()));
                return;
            } else if (request.hasLocate()) {
                leader = null;
            }
            again();
        }

        @Override
        public void onFailure(Transport.Failure failure) {
            troubles.put(asked, failure.message());
            notNow = null;
            leader = null;
            if (failure.kind() == Transport.Failure.Kind.REFUSED) {
                result.completeExceptionally(new ClientException(ClientException.Kind.INTERNAL, failure.message()));
            } else if (failure.kind() == Transport.Failure.Kind.CLOSED) {
                result.completeExceptionally(new ClientException(ClientException.Kind.CLOSED, failure.message()));
            } else {
                again();
            }
        }

        private String tooLate() {
            double seconds = settings.operationTimeoutMs() / 1000.0;
            return notNow != null && SteeringClient.steers(request)
                    ? "The cluster could not do this within " + seconds + " s (" + notNow + "): try again."
                    : "The cluster at " + String.join(",", settings.addresses()) + " did not answer within " + seconds
                            + " s (" + why() + "): check that its nodes run and that the addresses are right.";
        }

        /** What each of those asked has said last. */
        private String why() {
            StringBuilder text = new StringBuilder();
            troubles.forEach((address, trouble) -> text.append(text.isEmpty() ? "" : "; ")
                    .append(trouble.contains(address) ? "" : address + ": ")
                    .append(trouble));
            return text.isEmpty() ? "no answer" : text.toString();
        }

        private void again() {
            long pauseNs = backoff.attempts() == 0 && leader != null ? 0 : backoff.nextNs();
            if (environment.clock().nanoTime() + pauseNs > deadlineNs) {
                result.completeExceptionally(new ClientException(ClientException.Kind.UNAVAILABLE, tooLate()));
                return;
            }
            if (pauseNs == 0) {
                backoff.nextNs();
                send();
            } else {
                environment.scheduler().schedule(pauseNs, this::send);
            }
        }
    }
}
