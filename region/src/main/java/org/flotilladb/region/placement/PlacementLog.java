package org.flotilladb.region.placement;

import java.util.function.Consumer;
import org.flotilladb.proto.PlacementEntry;
import org.flotilladb.proto.PlacementError;

/** Where changes of the agreed state are proposed. */
@FunctionalInterface
interface PlacementLog {
    /**
     * Proposes an entry; one of the two runs in the loop, {@code failed} perhaps within this call.
     *
     * @param done the entry is applied here and visible
     * @param failed it may be applied all the same
     */
    void propose(PlacementEntry entry, Runnable done, Consumer<PlacementError> failed);
}
