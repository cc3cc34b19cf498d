package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;

/**
 * The end of a log that storage does not hold yet: possibly a snapshot, then entries. What was handed out to be stored is
 * in progress; it stays here until it is reported stable.
 */
final class UnstableLog {
    private final List<Entry> entries = new ArrayList<>();
    /** The index of the first entry. */
    private long offset;
    /** Entries below were handed out. */
    private long offsetInProgress;

    private Snapshot snapshot;
    private boolean snapshotInProgress;

    UnstableLog(long offset) {
        this.offset = offset;
        this.offsetInProgress = offset;
    }

    long offset() {
        return offset;
    }

    /** The last index, or -1 when storage knows it. */
    long lastIndex() {
        if (!entries.isEmpty()) {
            return offset + entries.size() - 1;
        }
        return snapshot != null ? snapshot.index() : -1;
    }

    /** The term of an entry here or of the snapshot; -1 when it is not here. */
    long term(long index) {
        if (index < offset) {
            return snapshot != null && snapshot.index() == index ? snapshot.term() : -1;
        }
        return index < offset + entries.size() ? get(index).term() : -1;
    }

    Entry get(long index) {
        return entries.get((int) (index - offset));
    }

    /** A copy of entries from {@code low} on, at least one, as many as stay within a size. */
    List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
        List<Entry> all = entries.subList((int) (low - offset), (int) (highExclusive - offset));
        return List.copyOf(RaftLog.fitting(all, maxSizeBytes));
    }

    Snapshot snapshot() {
        return snapshot;
    }

    // ---- handing out ---------------------------------------------------------------------------------------------

    boolean hasNextEntries() {
        return offsetInProgress < offset + entries.size();
    }

    List<Entry> nextEntries() {
        return hasNextEntries()
                ? List.copyOf(entries.subList((int) (offsetInProgress - offset), entries.size()))
                : List.of();
    }

    boolean hasEntries() {
        return !entries.isEmpty();
    }

    Snapshot nextSnapshot() {
        return snapshotInProgress ? null : snapshot;
    }

    /** Everything here has been handed out. */
    void accept() {
        offsetInProgress = offset + entries.size();
        snapshotInProgress |= snapshot != null;
    }

    /**
     * Storage holds the entries up to this one. An entry of another term at that index is not what was stored: the log
     * was overwritten meanwhile.
     */
    void stableTo(long index, long term) {
        if (index < offset || term(index) != term) {
            return;
        }
        entries.subList(0, (int) (index + 1 - offset)).clear();
        offset = index + 1;
        offsetInProgress = Math.max(offsetInProgress, offset);
    }

    void snapshotStable(long index) {
        if (snapshot != null && snapshot.index() == index) {
            snapshot = null;
            snapshotInProgress = false;
        }
    }

    // ---- change --------------------------------------------------------------------------------------------------

    /** Begins anew after a snapshot. */
    void restore(Snapshot newSnapshot) {
        offset = newSnapshot.index() + 1;
        offsetInProgress = offset;
        entries.clear();
        snapshot = newSnapshot;
        snapshotInProgress = false;
    }

    /** Appends, at the end or over what is there from the first one's index on. */
    void append(List<Entry> more) {
        long first = more.get(0).index();
        if (first <= offset) {
            entries.clear();
            offset = first;
            offsetInProgress = first;
        } else {
            entries.subList((int) (first - offset), entries.size()).clear();
            offsetInProgress = Math.min(offsetInProgress, first);
        }
        entries.addAll(more);
    }
}
