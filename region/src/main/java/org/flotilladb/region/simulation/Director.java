package org.flotilladb.region.simulation;

import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.flotilladb.proto.AllocateIdsRequest;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.PlacementSettings;
import org.flotilladb.proto.SetSettingsRequest;
import org.flotilladb.proto.Transport;
import org.flotilladb.region.placement.PlacementGroup;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.store.PeerView;

/**
 * Speaks to the Placement Driver where it decides: makes it as impatient as a short life asks for, and has it give the ids
 * of peers to {@link Movers}, since on each Store the ids of a Region's peers must grow, whoever makes them.
 */
final class Director {
    private static final long MS = 1_000_000L;

    private final SimWorld world;
    private final SimNode node;
    private final Transport transport;
    private final PlacementSettings wanted;
    private boolean settled;

    Director(SimWorld world, RandomSource random) {
        this.world = world;
        this.node = world.newProcess("director", random.fork("life"));
        this.transport = world.network().transport("director", node);
        this.wanted = PlacementSettings.newBuilder()
                .setSilentAfterMs(500 + random.nextInt(1500))
                .setGoneAfterMs(2500 + random.nextInt(4000))
                .setBalance(random.nextInt(4) > 0)
                .build();
    }

    /** Asks for the settings until it has them. */
    void start() {
        PlacementRequest.Builder request = PlacementRequest.newBuilder()
                .setSetSettings(SetSettingsRequest.newBuilder().setSettings(wanted));
        ask(request, answer -> settled |= answer.hasSetSettings());
        node.schedule(500 * MS, () -> {
            if (!settled) {
                start();
            }
        });
    }

    /** An id above all that were given before, or never. */
    void freshId(LongConsumer taken) {
        ask(
                PlacementRequest.newBuilder()
                        .setAllocateIds(AllocateIdsRequest.newBuilder().setCount(1)),
                answer -> {
                    if (answer.hasAllocateIds()) {
                        taken.accept(answer.getAllocateIds().getFirst());
                    }
                });
    }

    private void ask(PlacementRequest.Builder request, Consumer<PlacementResponse> answer) {
        SimServer leader = leader();
        if (leader == null) {
            return;
        }
        transport.request(
                leader.address(),
                Envelope.newBuilder().setPlacementRequest(request).build(),
                500,
                new Transport.ResponseHandler() {
                    @Override
                    public void onResponse(Envelope response) {
                        answer.accept(response.getPlacementResponse());
                    }

                    @Override
                    public void onFailure(Transport.Failure failure) {
                        // It may have been done all the same.
                    }
                });
    }

    private SimServer leader() {
        for (SimServer server : world.servers()) {
            if (server.up()) {
                for (PeerView peer : server.peers()) {
                    if (peer.groupId() == PlacementGroup.GROUP_ID && peer.leads()) {
                        return server;
                    }
                }
            }
        }
        return null;
    }
}
