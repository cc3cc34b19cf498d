package org.flotilladb.raft.sim;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.MemoryStorage;
import org.flotilladb.raft.Snapshot;

/** A peer's disk: what it reads back while it runs, and what of it a crash leaves. */
final class SimDisk {
    /** What the running peer sees. */
    private MemoryStorage storage = new MemoryStorage();

    /** What a crash leaves for sure: hard state, the log after {@code base}, and the application's saved state. */
    private HardState syncedState = HardState.EMPTY;

    private final List<Entry> synced = new ArrayList<>();
    private long base;
    private long baseTerm;
    private Saved saved;

    /** Written since the last sync, in order. */
    private final List<Runnable> unsynced = new ArrayList<>();

    /** The application's state after an entry. */
    record Saved(long applied, long appliedTerm, long state, ConfState members) {}

    /**
     * A new disk. The first members begin after a snapshot, as a group must whose members may change: whoever joins later
     * cannot learn the first membership from the log.
     */
    SimDisk(ConfState first) {
        if (!first.equals(ConfState.EMPTY)) {
            base = Invariants.FIRST_SNAPSHOT;
            baseTerm = 1;
        }
        saved = new Saved(base, baseTerm, 0, first);
        if (base > 0) {
            storage.applySnapshot(new Snapshot(base, baseTerm, first, SimPeer.bytes(0)));
        }
    }

    MemoryStorage storage() {
        return storage;
    }

    HardState syncedState() {
        return syncedState;
    }

    Saved saved() {
        return saved;
    }

    /** One batch: a crash leaves all of it or nothing. */
    void write(HardState state, List<Entry> entries, Snapshot snapshot) {
        if (state != null) {
            storage.setHardState(state);
        }
        if (snapshot != null) {
            storage.applySnapshot(snapshot);
        }
        storage.append(entries);
        unsynced.add(() -> {
            if (state != null) {
                syncedState = state;
            }
            if (snapshot != null) {
                saved = SimPeer.restored(snapshot);
                synced.clear();
                base = snapshot.index();
                baseTerm = snapshot.term();
            }
            if (!entries.isEmpty()) {
                appendSynced(entries);
            }
        });
    }

    private void appendSynced(List<Entry> entries) {
        int keep = (int) (entries.get(0).index() - 1 - base);
        synced.subList(keep, synced.size()).clear();
        synced.addAll(entries);
    }

    void sync() {
        unsynced.forEach(Runnable::run);
        unsynced.clear();
    }

    /** Saves the application's state; the log may then be cut, as far as that state covers it. */
    void save(Saved state, long compactTo) {
        sync();
        saved = state;
        storage.createSnapshot(state.applied, state.members, SimPeer.bytes(state.state));
        long to = Math.min(compactTo, state.applied);
        if (to > base) {
            baseTerm = storage.term(to);
            synced.subList(0, (int) (to - base)).clear();
            base = to;
            storage.compact(to);
        }
    }

    /** The power fails: a prefix of what was not synced survives. */
    void crash(SimRandom random) {
        long keep = random.below(unsynced.size() + 1L);
        unsynced.subList(0, (int) keep).forEach(Runnable::run);
        unsynced.clear();
        reopen(saved.members);
    }

    private void reopen(ConfState members) {
        storage = new MemoryStorage();
        storage.applySnapshot(new Snapshot(base, baseTerm, members, new byte[0]));
        storage.append(synced);
        long last = base + synced.size();
        if (saved.applied > last) {
            throw new IllegalStateException("saved state " + saved + " is beyond the log, which ends at " + last);
        }
        if (saved.applied > 0) {
            storage.createSnapshot(saved.applied, members, SimPeer.bytes(saved.state));
        }
        storage.setConfState(members);
        storage.setHardState(new HardState(
                syncedState.term(), syncedState.vote(), Math.min(syncedState.commit(), last), syncedState.promiseNs()));
    }
}
