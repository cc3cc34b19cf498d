package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;

/**
 * Which other Stores are alive: where all groups rest no message says so, and so each Store gives a sign of life of its own.
 * Time is counted in this Store's ticks: a process that stood still has not listened. Used by the loop alone.
 */
final class StoreWatch {
    /** Told what a change means for groups at rest. */
    interface Listener {
        /** The Store has fallen silent, or is in another life: it does not lead any more what it led. */
        void leadsNoMore(long storeId);

        /** The Store is heard again: its peers may lack something. */
        void back(long storeId);
    }

    private static final class Watched {
        private long life;
        private long heardAtTick;
        private boolean silent;

        Watched(long atTick) {
            heardAtTick = atTick;
        }
    }

    private final int silentAfterTicks;
    private final Listener listener;
    private final TreeMap<Long, Watched> stores = new TreeMap<>();
    private long ticks;

    StoreWatch(int silentAfterTicks, Listener listener) {
        this.silentAfterTicks = silentAfterTicks;
        this.listener = listener;
    }

    /**
     * Something came from a Store of this cluster.
     *
     * @param life a number that is another one each time the Store is opened
     */
    void heard(long storeId, long life) {
        Watched store = watched(storeId);
        boolean reborn = store.life != 0 && store.life != life;
        boolean wasSilent = store.silent;
        store.life = life;
        store.heardAtTick = ticks;
        store.silent = false;
        if (reborn) {
            listener.leadsNoMore(storeId);
        }
        if (reborn || wasSilent) {
            listener.back(storeId);
        }
    }

    /** Silence counts from when this Store has learned of the other. */
    private Watched watched(long storeId) {
        return stores.computeIfAbsent(storeId, id -> new Watched(ticks));
    }

    /** @param others all Stores of the cluster but this one */
    void tick(Collection<Long> others) {
        ticks++;
        others.forEach(this::watched);
        List<Long> lost = new ArrayList<>();
        stores.forEach((storeId, store) -> {
            if (!store.silent && ticks - store.heardAtTick > silentAfterTicks) {
                store.silent = true;
                lost.add(storeId);
            }
        });
        lost.forEach(listener::leadsNoMore);
    }

    /** Whether a Store of the cluster has not been heard lately. */
    boolean isSilent(long storeId) {
        Watched store = stores.get(storeId);
        return store != null && store.silent;
    }
}
