package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;

/**
 * A peer's log: what storage holds, then a tail that is not stored yet. Indexes: applied is at most committed, committed
 * at most the last index; all entries up to {@code stableTo} are in storage.
 */
final class RaftLog {
    private static final long NO_LIMIT = Long.MAX_VALUE;

    private final Storage storage;
    private final List<Entry> tail = new ArrayList<>();
    /** Index of the first entry of the tail. */
    private long tailFirst;

    private long committed;
    private long applied;

    RaftLog(Storage storage, long committed, long applied) {
        this.storage = storage;
        this.tailFirst = storage.lastIndex() + 1;
        this.committed = committed;
        this.applied = applied;
        long last = storage.lastIndex();
        if (committed > last || applied > committed) {
            throw new RaftInvariantException(
                    "log ends at " + last + ", committed " + committed + ", applied " + applied);
        }
    }

    long committed() {
        return committed;
    }

    long applied() {
        return applied;
    }

    long firstIndex() {
        return storage.firstIndex();
    }

    long lastIndex() {
        return tailFirst + tail.size() - 1;
    }

    long lastTerm() {
        return term(lastIndex());
    }

    /** The term of an entry, or -1 when this log does not have it (any more). */
    long term(long index) {
        if (index >= tailFirst) {
            long at = index - tailFirst;
            return at < tail.size() ? tail.get((int) at).term() : -1;
        }
        return index < storage.firstIndex() - 1 ? -1 : storage.term(index);
    }

    List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
        if (low >= highExclusive) {
            return List.of();
        }
        if (low >= tailFirst) {
            return limited(low, highExclusive, maxSizeBytes);
        }
        List<Entry> stored = storage.entries(low, Math.min(highExclusive, tailFirst), maxSizeBytes);
        if (highExclusive <= tailFirst || low + stored.size() < tailFirst) {
            return stored;
        }
        long size = 0;
        for (Entry entry : stored) {
            size += entry.data().length;
        }
        if (size >= maxSizeBytes) {
            return stored;
        }
        List<Entry> result = new ArrayList<>(stored);
        for (Entry entry : limited(tailFirst, highExclusive, NO_LIMIT)) {
            size += entry.data().length;
            if (size > maxSizeBytes) {
                break;
            }
            result.add(entry);
        }
        return result;
    }

    private List<Entry> limited(long low, long highExclusive, long maxSizeBytes) {
        int from = (int) (low - tailFirst);
        int to = (int) (highExclusive - tailFirst);
        long size = tail.get(from).data().length;
        int end = from + 1;
        while (end < to) {
            size += tail.get(end).data().length;
            if (size > maxSizeBytes) {
                break;
            }
            end++;
        }
        return List.copyOf(tail.subList(from, end));
    }

    /** Appends at the end or over entries that conflict; never over committed ones. */
    void append(List<Entry> entries) {
        if (entries.isEmpty()) {
            return;
        }
        long first = entries.get(0).index();
        if (first <= committed) {
            throw new RaftInvariantException(
                    "append at " + first + " would replace committed entries up to " + committed);
        }
        if (first > lastIndex() + 1) {
            throw new RaftInvariantException("append at " + first + " leaves a gap after " + lastIndex());
        }
        if (first < tailFirst) {
            tail.clear();
            tailFirst = first;
        } else {
            tail.subList((int) (first - tailFirst), tail.size()).clear();
        }
        tail.addAll(entries);
    }

    /** The first of the entries that this log lacks or has with another term; -1 when it has them all. */
    int firstConflict(List<Entry> entries) {
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            if (term(entry.index()) != entry.term()) {
                return i;
            }
        }
        return -1;
    }

    /** The largest index at or below {@code index} whose term is at most {@code term} (0 when there is none known). */
    long lastAtOrBelowTerm(long index, long term) {
        long at = Math.min(index, lastIndex());
        while (at > 0) {
            long own = term(at);
            if (own < 0 || own <= term) {
                break;
            }
            at--;
        }
        return at;
    }

    boolean isUpToDate(long otherLastIndex, long otherLastTerm) {
        long ownTerm = lastTerm();
        return otherLastTerm > ownTerm || (otherLastTerm == ownTerm && otherLastIndex >= lastIndex());
    }

    void commitTo(long index) {
        if (index > committed) {
            if (index > lastIndex()) {
                throw new RaftInvariantException("commit " + index + " is beyond the last index " + lastIndex());
            }
            committed = index;
        }
    }

    List<Entry> unstable() {
        return List.copyOf(tail);
    }

    boolean hasUnstable() {
        return !tail.isEmpty();
    }

    /** The entries up to this one are in storage now, as they were handed out: same index and term. */
    void stableTo(long index, long term) {
        if (index >= tailFirst && term(index) == term) {
            tail.subList(0, (int) (index - tailFirst) + 1).clear();
            tailFirst = index + 1;
        }
    }

    /** The last entry that storage holds. */
    long stableIndex() {
        return tailFirst - 1;
    }

    List<Entry> nextCommitted(long maxSizeBytes) {
        return entries(applied + 1, committed + 1, maxSizeBytes);
    }

    void appliedTo(long index) {
        if (index < applied || index > committed) {
            throw new RaftInvariantException("applied " + index + " is outside [" + applied + ", " + committed + "]");
        }
        applied = index;
    }
}
