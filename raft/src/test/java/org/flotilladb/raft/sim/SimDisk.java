package org.flotilladb.raft.sim;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.MemoryStorage;

/** A peer's disk: what it reads back while it runs, and what of it a crash leaves. */
final class SimDisk {
    /** What the running peer sees. */
    private MemoryStorage storage = new MemoryStorage();
    /** What a crash leaves for sure. */
    private HardState syncedState = HardState.EMPTY;

    private final List<Entry> synced = new ArrayList<>();
    /** Written since the last sync, in order. */
    private final List<Runnable> unsynced = new ArrayList<>();

    MemoryStorage storage() {
        return storage;
    }

    HardState syncedState() {
        return syncedState;
    }

    void write(HardState state, List<Entry> entries) {
        if (state != null) {
            storage.setHardState(state);
            unsynced.add(() -> syncedState = state);
        }
        if (!entries.isEmpty()) {
            storage.append(entries);
            unsynced.add(() -> appendSynced(entries));
        }
    }

    private void appendSynced(List<Entry> entries) {
        int keep = (int) (entries.get(0).index() - 1);
        synced.subList(keep, synced.size()).clear();
        synced.addAll(entries);
    }

    void sync() {
        unsynced.forEach(Runnable::run);
        unsynced.clear();
    }

    /** The power fails: a prefix of what was not synced survives. */
    void crash(SimRandom random) {
        long keep = random.below(unsynced.size() + 1L);
        unsynced.subList(0, (int) keep).forEach(Runnable::run);
        unsynced.clear();
        storage = new MemoryStorage();
        long last = synced.size();
        storage.append(synced);
        storage.setHardState(
                new HardState(syncedState.term(), syncedState.vote(), Math.min(syncedState.commit(), last)));
    }
}
