package org.flotilladb.region.store;

import java.util.function.Consumer;
import java.util.function.Supplier;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.MessageHandler.Responder;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.raft.RaftInvariantException;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.StorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Requests on their way into the loop: each is answered once, by its Region or with the reason why it is not. */
final class Requests {
    private static final Logger LOG = LoggerFactory.getLogger(Requests.class);

    private final Loop loop;
    private final int maxQueued;
    private final Clock clock;
    private final Regions regions;
    private final Consumer<RegionPeer> touch;
    private final Placement placement;
    private final TimestampLimit limit;
    private final Supplier<String> whyStopped;

    /** The Placement Driver's peer; in the loop. */
    interface Placement {
        void handle(PlacementRequest request, Consumer<PlacementResponse> answer);
    }

    /**
     * @param touch told, in the loop, that a peer has been given something to do
     * @param whyStopped null while the Store runs
     */
    Requests(
            Loop loop,
            int maxQueued,
            Clock clock,
            Regions regions,
            Consumer<RegionPeer> touch,
            Placement placement,
            TimestampLimit limit,
            Supplier<String> whyStopped) {
        this.loop = loop;
        this.maxQueued = maxQueued;
        this.clock = clock;
        this.regions = regions;
        this.touch = touch;
        this.placement = placement;
        this.limit = limit;
        this.whyStopped = whyStopped;
    }

    void onRequest(Envelope request, Responder responder) {
        switch (request.getBodyCase()) {
            case REGION_REQUEST ->
                region(
                        request.getRegionRequest(),
                        response -> responder.respond(Envelope.newBuilder()
                                .setRegionResponse(response)
                                .build()));
            case PLACEMENT_REQUEST ->
                place(
                        request.getPlacementRequest(),
                        response -> responder.respond(Envelope.newBuilder()
                                .setPlacementResponse(response)
                                .build()));
            default ->
                responder.respond(Envelope.newBuilder()
                        .setRegionResponse(RegionErrors.unknownRequest())
                        .build());
        }
    }

    void region(RegionRequest request, Consumer<RegionResponse> answer) {
        long regionId = request.getContext().getRegionId();
        String stopped = whyStopped.get();
        if (stopped != null) {
            answer.accept(RegionErrors.stopped(regionId, stopped));
            return;
        }
        if (request.hasSnapshotChunk()) {
            regions.outgoing().answer(request.getSnapshotChunk(), answer);
            return;
        }
        if (loop.queued() >= maxQueued) {
            answer.accept(RegionErrors.busy(tooMany()));
            return;
        }
        long arrivedNs = clock.nanoTime();
        loop.submit(() -> {
            String stoppedNow = whyStopped.get();
            if (stoppedNow != null) {
                answer.accept(RegionErrors.stopped(regionId, stoppedNow));
                return;
            }
            RegionPeer peer = regions.get(regionId);
            if (peer == null || !peer.initialised()) {
                answer.accept(RegionErrors.notFound(regionId));
                return;
            }
            if (!limit.allows(request)) {
                answer.accept(RegionErrors.notReady("a timestamp of the request is not known to have been handed out"));
                return;
            }
            if (peer.serving()) {
                peer.load().asked(request);
            }
            handle(peer, new RegionPeer.Command(request, answer, arrivedNs));
            touch.accept(peer);
        });
    }

    /** A request that nobody foresaw is its sender's affair, not the Store's. */
    private static void handle(RegionPeer peer, RegionPeer.Command command) {
        try {
            peer.handle(command);
        } catch (StorageException | RaftInvariantException e) {
            throw e;
        } catch (RuntimeException e) {
            LOG.error("A request to Region {} failed", peer.region().getId(), e);
            command.answer.accept(RegionErrors.busy("the request cannot be handled: " + e));
        }
    }

    void place(PlacementRequest request, Consumer<PlacementResponse> answer) {
        String stopped = whyStopped.get();
        if (stopped != null || loop.queued() >= maxQueued) {
            answer.accept(notReady(stopped != null ? stopped : tooMany()));
            return;
        }
        loop.submit(() -> {
            String stoppedNow = whyStopped.get();
            if (stoppedNow != null) {
                answer.accept(notReady(stoppedNow));
                return;
            }
            try {
                placement.handle(request, answer);
            } catch (StorageException | RaftInvariantException e) {
                throw e;
            } catch (RuntimeException e) {
                LOG.error("A request to the Placement Driver failed", e);
                answer.accept(notReady("the request cannot be handled: " + e));
            }
        });
    }

    private String tooMany() {
        return "the Store has " + loop.queued() + " requests waiting";
    }

    private static PlacementResponse notReady(String reason) {
        return PlacementResponse.newBuilder()
                .setError(PlacementError.newBuilder().setNotReady(true).setMessage(reason))
                .build();
    }
}
