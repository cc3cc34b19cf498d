package org.flotilladb.region.group;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongFunction;
import org.flotilladb.raft.CompactedException;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.RaftState;
import org.flotilladb.raft.Snapshot;
import org.flotilladb.raft.SnapshotTemporarilyUnavailableException;
import org.flotilladb.raft.Storage;
import org.flotilladb.region.runtime.LogStore;

/**
 * One group's view of the Store's log, with the newest entries kept in memory, where applying and sending find them.
 * Used by the loop alone.
 */
final class GroupStorage implements Storage {
    private static final int MAX_CACHED_ENTRIES = 2048;
    private static final long MAX_CACHED_BYTES = 8L << 20;

    private final long groupId;
    private final LogStore logs;
    private final HardState initial;
    private final ConfState members;
    private final LongFunction<Snapshot> snapshots;
    private final List<Entry> cache = new ArrayList<>();
    private long cachedBytes;
    private long firstIndex;
    private long lastIndex;
    private long truncatedIndex;
    private long truncatedTerm;
    private boolean grown;

    /** @param snapshots one of that entry or a later one; or null, and one is soon made */
    GroupStorage(long groupId, ConfState members, LogStore logs, LongFunction<Snapshot> snapshots) {
        this.groupId = groupId;
        this.members = members;
        this.snapshots = snapshots;
        this.logs = logs;
        LogStore.GroupState state = logs.load(groupId);
        if (state == null) {
            initial = new HardState(0, 0, 0);
            firstIndex = 1;
        } else {
            initial = state.hardState();
            firstIndex = state.firstIndex();
            lastIndex = state.lastIndex();
            truncatedIndex = state.truncatedIndex();
            truncatedTerm = state.truncatedTerm();
        }
    }

    /** Whether this group has never stored anything. */
    boolean fresh() {
        return initial.term() == 0 && lastIndex == 0;
    }

    @Override
    public RaftState initialState() {
        return new RaftState(initial, members);
    }

    @Override
    public Snapshot snapshot() {
        Snapshot made = snapshots.apply(firstIndex - 1);
        if (made == null) {
            throw new SnapshotTemporarilyUnavailableException();
        }
        return made;
    }

    /**
     * The membership is not the one any more that the group began with: who has none of its log must not be sent the
     * beginning, for it does not say who the members were.
     */
    void grown() {
        grown = true;
    }

    /** Notes entries that the log now holds. */
    void appended(List<Entry> entries) {
        if (entries.isEmpty()) {
            return;
        }
        long first = entries.get(0).index();
        int keep = cache.isEmpty() ? 0 : (int) Math.max(0, first - cache.get(0).index());
        if (keep < cache.size()) {
            for (Entry gone : cache.subList(keep, cache.size())) {
                cachedBytes -= gone.data().length;
            }
            cache.subList(keep, cache.size()).clear();
        }
        if (!cache.isEmpty() && cache.get(cache.size() - 1).index() + 1 != first) {
            cache.clear();
            cachedBytes = 0;
        }
        cache.addAll(entries);
        for (Entry entry : entries) {
            cachedBytes += entry.data().length;
        }
        lastIndex = entries.get(entries.size() - 1).index();
        if (cache.size() > MAX_CACHED_ENTRIES || cachedBytes > MAX_CACHED_BYTES) {
            shrink();
        }
    }

    private void shrink() {
        int drop = 0;
        while (drop < cache.size() - 1
                && (cache.size() - drop > MAX_CACHED_ENTRIES / 2 || cachedBytes > MAX_CACHED_BYTES / 2)) {
            cachedBytes -= cache.get(drop).data().length;
            drop++;
        }
        cache.subList(0, drop).clear();
    }

    @Override
    public List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
        if (low < firstIndex) {
            throw new CompactedException(low, firstIndex);
        }
        if (!cache.isEmpty() && low >= cache.get(0).index()) {
            int from = (int) (low - cache.get(0).index());
            int to = (int) (highExclusive - cache.get(0).index());
            long size = 0;
            int end = from;
            while (end < to) {
                size += cache.get(end).data().length;
                if (end > from && size > maxSizeBytes) {
                    break;
                }
                end++;
            }
            return List.copyOf(cache.subList(from, end));
        }
        return logs.entries(groupId, low, highExclusive, maxSizeBytes);
    }

    @Override
    public long term(long index) {
        if (index == truncatedIndex) {
            return index == 0 && grown ? -1 : truncatedTerm;
        }
        if (index < firstIndex) {
            throw new CompactedException(index, firstIndex);
        }
        if (!cache.isEmpty() && index >= cache.get(0).index()) {
            return cache.get((int) (index - cache.get(0).index())).term();
        }
        return logs.entries(groupId, index, index + 1, Long.MAX_VALUE).get(0).term();
    }

    @Override
    public long firstIndex() {
        return firstIndex;
    }

    @Override
    public long lastIndex() {
        return lastIndex;
    }

    /** The log is empty now and begins after a snapshot. */
    void installed(Snapshot snapshot) {
        cache.clear();
        cachedBytes = 0;
        truncatedIndex = snapshot.index();
        truncatedTerm = snapshot.term();
        firstIndex = snapshot.index() + 1;
        lastIndex = snapshot.index();
    }

    /** Adds the truncation up to and including {@code index} to a batch. */
    void truncate(long index, LogStore.LogBatch batch) {
        long term = term(index);
        batch.truncate(groupId, index, term);
        truncatedIndex = index;
        truncatedTerm = term;
        firstIndex = index + 1;
        int drop = 0;
        while (drop < cache.size() && cache.get(drop).index() <= index) {
            cachedBytes -= cache.get(drop).data().length;
            drop++;
        }
        cache.subList(0, drop).clear();
    }
}
