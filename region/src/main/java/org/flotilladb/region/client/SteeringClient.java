package org.flotilladb.region.client;

import com.google.protobuf.ByteString;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.CancelOperatorRequest;
import org.flotilladb.proto.FindRegionRequest;
import org.flotilladb.proto.ListOperatorsRequest;
import org.flotilladb.proto.ListOperatorsResponse;
import org.flotilladb.proto.ListRegionsRequest;
import org.flotilladb.proto.ListRegionsResponse;
import org.flotilladb.proto.ListStoresRequest;
import org.flotilladb.proto.ListStoresResponse;
import org.flotilladb.proto.MoveLeaderRequest;
import org.flotilladb.proto.MovePeerRequest;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.PlacementSettings;
import org.flotilladb.proto.RegionRoute;
import org.flotilladb.proto.SetSettingsRequest;
import org.flotilladb.proto.SetStoreStateRequest;
import org.flotilladb.proto.SplitAtRequest;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.proto.StoreState;

/**
 * What people ask of the Placement Driver: to see the cluster, and to steer it. Every question may be asked twice without
 * harm, and is, until there is an answer. What cannot be done as things are fails with {@link
 * ClientException.Kind#REFUSED} and a sentence. Safe for many threads.
 */
public final class SteeringClient {
    private final PlacementClient placement;

    SteeringClient(PlacementClient placement) {
        this.placement = placement;
    }

    /** Whether a question is one of those here. */
    static boolean steers(PlacementRequest request) {
        return switch (request.getCommandCase()) {
            case SET_SETTINGS,
                    LIST_STORES,
                    LIST_REGIONS,
                    FIND_REGION,
                    LIST_OPERATORS,
                    SPLIT_AT,
                    MOVE_LEADER,
                    MOVE_PEER,
                    CANCEL_OPERATOR,
                    SET_STORE_STATE -> true;
            default -> false;
        };
    }

    /** All Stores that the cluster has ever had, as its leader has heard of them, and its settings. */
    public CompletableFuture<ListStoresResponse> stores() {
        return placement
                .ask(PlacementRequest.newBuilder()
                        .setListStores(ListStoresRequest.getDefaultInstance())
                        .build())
                .thenApply(PlacementResponse::getListStores);
    }

    /**
     * A page of Regions in key order, as their leaders have reported them.
     *
     * @param from the first page holds the Region of this key
     * @param limit up to 1000; 0 for that
     */
    public CompletableFuture<ListRegionsResponse> regions(byte[] from, int limit) {
        return placement
                .ask(PlacementRequest.newBuilder()
                        .setListRegions(ListRegionsRequest.newBuilder()
                                .setKey(ByteString.copyFrom(from))
                                .setLimit(limit))
                        .build())
                .thenApply(PlacementResponse::getListRegions);
    }

    /** A Region by its id, or null. */
    public CompletableFuture<RegionRoute> region(long regionId) {
        return placement
                .ask(PlacementRequest.newBuilder()
                        .setFindRegion(FindRegionRequest.newBuilder().setRegionId(regionId))
                        .build())
                .thenApply(answer -> answer.getFindRegion().hasRoute()
                        ? answer.getFindRegion().getRoute()
                        : null);
    }

    /** What is under way, and the last that ended. */
    public CompletableFuture<ListOperatorsResponse> operators() {
        return placement
                .ask(PlacementRequest.newBuilder()
                        .setListOperators(ListOperatorsRequest.getDefaultInstance())
                        .build())
                .thenApply(PlacementResponse::getListOperators);
    }

    /** The key becomes the first of a Region: the operator that does it, 0 when it is already. */
    public CompletableFuture<Long> splitAt(byte[] key) {
        return operator(PlacementRequest.newBuilder()
                .setSplitAt(SplitAtRequest.newBuilder().setKey(ByteString.copyFrom(key))));
    }

    /** Another peer leads: the operator that does it, 0 when it does already. */
    public CompletableFuture<Long> moveLeader(long regionId, long toStoreId) {
        return operator(PlacementRequest.newBuilder()
                .setMoveLeader(
                        MoveLeaderRequest.newBuilder().setRegionId(regionId).setToStoreId(toStoreId)));
    }

    /** A peer moves to another Store: the operator that does it, 0 when it is there already. */
    public CompletableFuture<Long> movePeer(long regionId, long fromStoreId, long toStoreId) {
        return operator(PlacementRequest.newBuilder()
                .setMovePeer(MovePeerRequest.newBuilder()
                        .setRegionId(regionId)
                        .setFromStoreId(fromStoreId)
                        .setToStoreId(toStoreId)));
    }

    private CompletableFuture<Long> operator(PlacementRequest.Builder request) {
        return placement
                .ask(request.build())
                .thenApply(answer -> answer.getSteer().getOperatorId());
    }

    /** Ends an operator; false when it does not run (any more). What it has done so far stays. */
    public CompletableFuture<Boolean> cancelOperator(long operatorId) {
        return placement
                .ask(PlacementRequest.newBuilder()
                        .setCancelOperator(CancelOperatorRequest.newBuilder().setOperatorId(operatorId))
                        .build())
                .thenApply(answer -> answer.getCancelOperator().getCancelled());
    }

    /** Says what is to become of a Store; durable when done. */
    public CompletableFuture<StoreRecord> setStoreState(long storeId, StoreState state) {
        return placement
                .ask(PlacementRequest.newBuilder()
                        .setSetStoreState(SetStoreStateRequest.newBuilder()
                                .setStoreId(storeId)
                                .setState(state))
                        .build())
                .thenApply(answer -> answer.getSetStoreState().getStore());
    }

    /** Changes those settings that are set; durable when done. All of them, as they are now. */
    public CompletableFuture<PlacementSettings> set(PlacementSettings settings) {
        return placement
                .ask(PlacementRequest.newBuilder()
                        .setSetSettings(SetSettingsRequest.newBuilder().setSettings(settings))
                        .build())
                .thenApply(answer -> answer.getSetSettings().getSettings());
    }
}
