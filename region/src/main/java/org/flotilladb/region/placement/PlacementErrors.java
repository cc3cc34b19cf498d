package org.flotilladb.region.placement;

import java.util.function.Consumer;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementResponse;

/** Refusals of the Placement Driver. */
final class PlacementErrors {
    private PlacementErrors() {}

    static PlacementError notReady(String reason) {
        return PlacementError.newBuilder().setNotReady(true).setMessage(reason).build();
    }

    /** It cannot be done as things are. */
    static PlacementError refused(String reason) {
        return PlacementError.newBuilder().setRefused(true).setMessage(reason).build();
    }

    static void refuse(Consumer<PlacementResponse> answer, PlacementError error) {
        answer.accept(PlacementResponse.newBuilder().setError(error).build());
    }
}
