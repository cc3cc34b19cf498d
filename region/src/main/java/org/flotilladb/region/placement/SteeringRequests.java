package org.flotilladb.region.placement;

import java.util.function.Consumer;
import org.flotilladb.proto.CancelOperatorResponse;
import org.flotilladb.proto.ListRegionsRequest;
import org.flotilladb.proto.ListRegionsResponse;
import org.flotilladb.proto.ListStoresResponse;
import org.flotilladb.proto.PlacementEntry;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.PlacementSettings;
import org.flotilladb.proto.SetSettingsResponse;
import org.flotilladb.proto.SetStoreStateRequest;
import org.flotilladb.proto.SetStoreStateResponse;
import org.flotilladb.proto.SteerResponse;
import org.flotilladb.proto.StoreChange;
import org.flotilladb.region.placement.engine.PlacementEngine;
import org.flotilladb.region.placement.engine.Policy;
import org.flotilladb.region.placement.engine.RegionView;
import org.flotilladb.region.placement.engine.Steering;
import org.flotilladb.region.runtime.Clock;

/** What people ask of the Placement Driver's leader: to see what there is, and to steer it. For the loop. */
final class SteeringRequests {
    private static final int MAX_LISTED = 1000;
    /** Regions looked at for one page: with a filter a page may be empty and still have a next one. */
    private static final int MAX_LOOKED_AT = 20_000;

    private final PlacementState state;
    private final PlacementEngine engine;
    private final PlacementLeader leader;
    private final PlacementLog log;
    private final Clock clock;

    SteeringRequests(PlacementState state, PlacementLeader leader, PlacementLog log, Clock clock) {
        this.state = state;
        this.leader = leader;
        this.engine = leader.engine();
        this.log = log;
        this.clock = clock;
    }

    void handle(PlacementRequest request, Consumer<PlacementResponse> answer, Consumer<PlacementError> failed) {
        Steering steering = engine.steering(clock.nanoTime());
        switch (request.getCommandCase()) {
            case LIST_STORES ->
                answer.accept(PlacementResponse.newBuilder()
                        .setListStores(ListStoresResponse.newBuilder()
                                .addAllStores(engine.storeStatus(clock.nanoTime()))
                                .setSettings(Policy.of(state.settings()).toSettings())
                                .setClusterId(state.init().getClusterId()))
                        .build());
            case LIST_REGIONS -> answer.accept(listRegions(request.getListRegions()));
            case LIST_OPERATORS ->
                answer.accept(PlacementResponse.newBuilder()
                        .setListOperators(engine.operatorStatus(clock.nanoTime()))
                        .build());
            case SPLIT_AT -> answer(steering.split(request.getSplitAt().getKey()), answer, failed);
            case MOVE_LEADER ->
                answer(
                        steering.moveLeader(
                                request.getMoveLeader().getRegionId(),
                                request.getMoveLeader().getToStoreId()),
                        answer,
                        failed);
            case MOVE_PEER ->
                answer(
                        steering.movePeer(
                                request.getMovePeer().getRegionId(),
                                request.getMovePeer().getFromStoreId(),
                                request.getMovePeer().getToStoreId()),
                        answer,
                        failed);
            case CANCEL_OPERATOR ->
                answer.accept(PlacementResponse.newBuilder()
                        .setCancelOperator(CancelOperatorResponse.newBuilder()
                                .setCancelled(steering.cancel(
                                        request.getCancelOperator().getOperatorId())))
                        .build());
            case SET_SETTINGS -> set(request.getSetSettings().getSettings(), answer, failed);
            case SET_STORE_STATE -> set(steering, request.getSetStoreState(), answer, failed);
            default -> throw new IllegalStateException("not for steering: " + request.getCommandCase());
        }
    }

    private static void answer(
            Steering.Outcome outcome, Consumer<PlacementResponse> answer, Consumer<PlacementError> failed) {
        if (outcome.refused() == null) {
            answer.accept(PlacementResponse.newBuilder()
                    .setSteer(SteerResponse.newBuilder().setOperatorId(outcome.operatorId()))
                    .build());
        } else if (outcome.retry()) {
            failed.accept(PlacementErrors.notReady(outcome.refused()));
        } else {
            failed.accept(PlacementErrors.refused(outcome.refused()));
        }
    }

    private PlacementResponse listRegions(ListRegionsRequest request) {
        int limit = request.getLimit() <= 0 ? MAX_LISTED : Math.min(request.getLimit(), MAX_LISTED);
        ListRegionsResponse.Builder page = ListRegionsResponse.newBuilder();
        int lookedAt = 0;
        for (RegionView region : leader.regions().from(request.getKey().toByteArray())) {
            if (page.getRegionsCount() >= limit || lookedAt++ >= MAX_LOOKED_AT) {
                page.setMore(true).setNext(region.region().getStart());
                break;
            }
            boolean wanted = request.getStoreId() == 0
                    || region.peers().stream().anyMatch(peer -> peer.getStoreId() == request.getStoreId());
            if (wanted) {
                page.addRegions(region.report());
            }
        }
        return PlacementResponse.newBuilder().setListRegions(page).build();
    }

    private void set(PlacementSettings wanted, Consumer<PlacementResponse> answer, Consumer<PlacementError> failed) {
        String wrong = Policy.refuses(wanted);
        if (wrong != null) {
            failed.accept(PlacementErrors.refused(wrong));
            return;
        }
        log.propose(
                PlacementEntry.newBuilder().setSettings(wanted).build(),
                () -> answer.accept(PlacementResponse.newBuilder()
                        .setSetSettings(SetSettingsResponse.newBuilder()
                                .setSettings(Policy.of(state.settings()).toSettings()))
                        .build()),
                failed);
    }

    private void set(
            Steering steering,
            SetStoreStateRequest request,
            Consumer<PlacementResponse> answer,
            Consumer<PlacementError> failed) {
        String wrong = steering.refuses(request.getStoreId(), request.getState());
        if (wrong != null) {
            failed.accept(PlacementErrors.refused(wrong));
            return;
        }
        log.propose(
                PlacementEntry.newBuilder()
                        .addStores(StoreChange.newBuilder()
                                .setId(request.getStoreId())
                                .setState(request.getState()))
                        .build(),
                () -> answer.accept(PlacementResponse.newBuilder()
                        .setSetStoreState(SetStoreStateResponse.newBuilder()
                                .setStore(state.stores().get(request.getStoreId())))
                        .build()),
                failed);
    }
}
