package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;

/** The reference {@link Storage}: a list. Not thread-safe. */
public final class MemoryStorage implements Storage {
    private HardState hardState = HardState.EMPTY;
    private ConfState confState = ConfState.EMPTY;
    private Snapshot snapshot = new Snapshot(0, 0, ConfState.EMPTY, null);
    private long truncatedIndex;
    private long truncatedTerm;
    private final List<Entry> log = new ArrayList<>();

    @Override
    public RaftState initialState() {
        return new RaftState(hardState, confState);
    }

    public HardState hardState() {
        return hardState;
    }

    public void setHardState(HardState value) {
        hardState = value;
    }

    /** States the membership to start from. */
    public void setConfState(ConfState value) {
        confState = value;
    }

    /** Appends; entries at or above the first one's index that are already there are replaced. */
    public void append(List<Entry> entries) {
        if (entries.isEmpty()) {
            return;
        }
        long first = entries.get(0).index();
        long keep = first - truncatedIndex - 1;
        if (keep < 0 || keep > log.size()) {
            throw new RaftInvariantException("append at " + first + " leaves a gap after " + lastIndex());
        }
        log.subList((int) keep, log.size()).clear();
        log.addAll(entries);
    }

    /** Drops entries up to and including {@code index}. */
    public void compact(long index) {
        if (index <= truncatedIndex) {
            return;
        }
        truncatedTerm = term(index);
        log.subList(0, (int) (index - truncatedIndex)).clear();
        truncatedIndex = index;
    }

    /** Replaces everything by a snapshot; an older one than what is here changes nothing. */
    public void applySnapshot(Snapshot newer) {
        if (newer.index() <= snapshot.index() && newer.index() <= truncatedIndex) {
            return;
        }
        snapshot = newer;
        confState = newer.confState();
        log.clear();
        truncatedIndex = newer.index();
        truncatedTerm = newer.term();
    }

    /** Notes the application's state after an applied entry; the log stays until {@link #compact}. */
    public void createSnapshot(long index, ConfState membership, byte[] data) {
        snapshot = new Snapshot(index, term(index), membership, data);
        confState = membership;
    }

    @Override
    public Snapshot snapshot() {
        return snapshot;
    }

    @Override
    public List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
        if (low <= truncatedIndex) {
            throw new CompactedException(low, truncatedIndex + 1);
        }
        if (highExclusive > lastIndex() + 1) {
            throw new UnavailableException(highExclusive - 1, lastIndex());
        }
        int from = (int) (low - truncatedIndex - 1);
        int to = (int) (highExclusive - truncatedIndex - 1);
        return List.copyOf(RaftLog.fitting(log.subList(from, to), maxSizeBytes));
    }

    @Override
    public long term(long index) {
        if (index == truncatedIndex) {
            return truncatedTerm;
        }
        if (index < truncatedIndex) {
            throw new CompactedException(index, truncatedIndex + 1);
        }
        if (index > lastIndex()) {
            throw new UnavailableException(index, lastIndex());
        }
        return log.get((int) (index - truncatedIndex - 1)).term();
    }

    @Override
    public long firstIndex() {
        return truncatedIndex + 1;
    }

    @Override
    public long lastIndex() {
        return truncatedIndex + log.size();
    }
}
