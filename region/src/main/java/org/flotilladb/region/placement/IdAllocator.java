package org.flotilladb.region.placement;

import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.flotilladb.proto.PlacementEntry;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.StoreChange;
import org.flotilladb.region.placement.engine.IdSource;

/** Ids from the replicated counter: each range is in the log before anybody gets a part of it. For the leader's loop. */
final class IdAllocator implements IdSource {
    /** Taken at once for the engine, which cannot wait. */
    private static final int POOL = 1024;

    private final PlacementState state;
    private final PlacementLog log;
    private long nextProposed;
    private long poolNext;
    private long poolEnd;
    private boolean poolProposed;

    IdAllocator(PlacementState state, PlacementLog log) {
        this.state = state;
        this.log = log;
    }

    /** A leadership begins or ends: what was only proposed may be somebody else's. */
    void restart() {
        nextProposed = 0;
        poolNext = 0;
        poolEnd = 0;
        poolProposed = false;
    }

    private long propose(int count, PlacementEntry.Builder entry, LongConsumer done, Consumer<PlacementError> failed) {
        long first = Math.max(state.nextId(), nextProposed);
        nextProposed = first + count;
        log.propose(entry.setNextId(first + count).build(), () -> done.accept(first), failed);
        return first;
    }

    /**
     * Gives the first of {@code count} ids that are in the log. Whoever is given ids later is given higher ones, the engine
     * too: on each Store the ids of a Region's peers grow.
     */
    void allocate(int count, LongConsumer done, Consumer<PlacementError> failed) {
        if (poolEnd - poolNext >= count) {
            poolNext += count;
            done.accept(poolNext - count);
            return;
        }
        poolEnd = poolNext;
        propose(count, PlacementEntry.newBuilder(), done, failed);
    }

    /** A new Store under a new id, in one entry with what else becomes so. */
    void addStore(
            StoreChange.Builder store,
            PlacementEntry.Builder others,
            LongConsumer done,
            Consumer<PlacementError> failed) {
        long id = Math.max(state.nextId(), nextProposed);
        while (state.stores().get(id) != null) {
            // The Stores of the start have random ids.
            id++;
        }
        nextProposed = id;
        propose(1, others.addStores(store.setId(id).setAdd(true)), done, failed);
    }

    @Override
    public long take(int count) {
        if (poolEnd - poolNext >= count) {
            poolNext += count;
            return poolNext - count;
        }
        if (!poolProposed) {
            poolProposed = true;
            int wanted = Math.max(POOL, 2 * count);
            propose(
                    wanted,
                    PlacementEntry.newBuilder(),
                    first -> {
                        poolProposed = false;
                        // Else others have been promised higher ones since.
                        if (nextProposed == first + wanted) {
                            poolNext = first;
                            poolEnd = nextProposed;
                        }
                    },
                    error -> poolProposed = false);
        }
        return 0;
    }
}
