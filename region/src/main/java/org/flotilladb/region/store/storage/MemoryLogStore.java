package org.flotilladb.region.store.storage;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.StorageException;

/** Raft logs in memory, for databases without a disk. A sync is counted and costs nothing. */
public final class MemoryLogStore implements LogStore {
    private final TreeMap<Long, Log> logs = new TreeMap<>();
    private long syncs;

    @Override
    public synchronized List<Long> groups() {
        return List.copyOf(logs.keySet());
    }

    @Override
    public synchronized GroupState load(long groupId) {
        Log log = logs.get(groupId);
        return log == null
                ? null
                : new GroupState(
                        log.hardState, log.truncatedIndex + 1, log.lastIndex(), log.truncatedIndex, log.truncatedTerm);
    }

    @Override
    public synchronized List<Entry> entries(long groupId, long low, long highExclusive, long maxSizeBytes) {
        Log log = logs.get(groupId);
        List<Entry> result = new ArrayList<>();
        long size = 0;
        for (long i = low; i < highExclusive; i++) {
            if (log == null || i <= log.truncatedIndex || i > log.lastIndex()) {
                throw new StorageException(
                        StorageException.Kind.CORRUPT,
                        "log in memory: entry " + i + " of group " + groupId + " is missing");
            }
            Entry entry = log.entries.get((int) (i - log.truncatedIndex - 1));
            size += entry.data().length;
            if (!result.isEmpty() && size > maxSizeBytes) {
                break;
            }
            result.add(entry);
        }
        return result;
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

    private Log log(long groupId) {
        return logs.computeIfAbsent(groupId, id -> new Log());
    }

    private static final class Log {
        private HardState hardState = new HardState(0, 0, 0);
        private long truncatedIndex;
        private long truncatedTerm;
        private final List<Entry> entries = new ArrayList<>();

        long lastIndex() {
            return truncatedIndex + entries.size();
        }

        void append(List<Entry> added) {
            long keep = added.get(0).index() - truncatedIndex - 1;
            if (keep < 0 || keep > entries.size()) {
                throw new IllegalStateException(
                        "append at " + added.get(0).index() + " leaves a gap after " + lastIndex());
            }
            entries.subList((int) keep, entries.size()).clear();
            entries.addAll(added);
        }

        void beginAfter(long index, long term) {
            entries.clear();
            truncatedIndex = index;
            truncatedTerm = term;
        }

        void truncate(long index, long term) {
            if (index > truncatedIndex) {
                entries.subList(0, (int) Math.min(entries.size(), index - truncatedIndex))
                        .clear();
                truncatedIndex = index;
                truncatedTerm = term;
            }
        }
    }

    private final class Batch implements LogBatch {
        private final List<Runnable> changes = new ArrayList<>();

        @Override
        public void append(long groupId, List<Entry> entries) {
            if (!entries.isEmpty()) {
                changes.add(() -> log(groupId).append(entries));
            }
        }

        @Override
        public void setHardState(long groupId, HardState hardState) {
            changes.add(() -> log(groupId).hardState = hardState);
        }

        @Override
        public void truncate(long groupId, long index, long term) {
            changes.add(() -> log(groupId).truncate(index, term));
        }

        @Override
        public void beginAfter(long groupId, long index, long term) {
            changes.add(() -> log(groupId).beginAfter(index, term));
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
