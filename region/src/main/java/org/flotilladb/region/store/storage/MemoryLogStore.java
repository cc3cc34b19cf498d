package org.flotilladb.region.store.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListMap;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.MemoryStorage;
import org.flotilladb.region.runtime.LogStore;

/** Raft logs in memory, for databases without a disk. A sync is counted and costs nothing. */
public final class MemoryLogStore implements LogStore {
    private final ConcurrentSkipListMap<Long, MemoryStorage> logs = new ConcurrentSkipListMap<>();
    private long syncs;

    @Override
    public List<Long> groups() {
        return List.copyOf(logs.keySet());
    }

    @Override
    public synchronized GroupState load(long groupId) {
        MemoryStorage log = logs.get(groupId);
        if (log == null) {
            return null;
        }
        long before = log.firstIndex() - 1;
        return new GroupState(log.hardState(), log.firstIndex(), log.lastIndex(), before, log.term(before));
    }

    @Override
    public synchronized List<Entry> entries(long groupId, long low, long highExclusive, long maxSizeBytes) {
        return logs.get(groupId).entries(low, highExclusive, maxSizeBytes);
    }

    @Override
    public LogBatch batch() {
        return new Batch();
    }

    @Override
    public synchronized void write(LogBatch batch, boolean sync) {
        for (Runnable change : ((Batch) batch).changes) {
            change.run();
        }
        if (sync) {
            syncs++;
        }
    }

    @Override
    public synchronized long syncCount() {
        return syncs;
    }

    @Override
    public void close() {}

    private MemoryStorage log(long groupId) {
        return logs.computeIfAbsent(groupId, id -> new MemoryStorage());
    }

    private final class Batch implements LogBatch {
        private final List<Runnable> changes = new ArrayList<>();

        @Override
        public void append(long groupId, List<Entry> entries) {
            changes.add(() -> log(groupId).append(entries));
        }

        @Override
        public void setHardState(long groupId, HardState hardState) {
            changes.add(() -> log(groupId).setHardState(hardState));
        }

        @Override
        public void truncate(long groupId, long index, long term) {
            changes.add(() -> log(groupId).compact(index));
        }

        @Override
        public void delete(long groupId) {
            changes.add(() -> logs.remove(groupId));
        }

        @Override
        public boolean isEmpty() {
            return changes.isEmpty();
        }
    }
}
