package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;

/**
 * A peer's log: what storage holds, then a tail that is not stored yet. Indexes: applied is at most applying (handed out
 * to be applied), applying at most committed, committed at most the last index.
 */
final class RaftLog {
    static final long NO_LIMIT = Long.MAX_VALUE;

    private final Storage storage;
    private final UnstableLog unstable;
    private long committed;
    private long applying;
    private long applied;
    /** Bytes handed out to be applied and not yet reported applied. */
    private long applyingBytes;

    private final long maxApplyingBytes;
    private boolean applyingPaused;
    private boolean heldBySnapshot;
    /** The user still takes in a snapshot that counts as applied. */
    private boolean heldByUser;

    /** @param maxApplyingBytes of committed entries handed out at a time */
    RaftLog(Storage storage, long committed, long applied, long maxApplyingBytes) {
        this.storage = storage;
        this.unstable = new UnstableLog(storage.lastIndex() + 1);
        this.committed = committed;
        this.applying = applied;
        this.applied = applied;
        this.maxApplyingBytes = maxApplyingBytes;
        long last = storage.lastIndex();
        if (committed > last || applied > committed || applied < storage.firstIndex() - 1) {
            throw new RaftInvariantException("log of entries " + storage.firstIndex() + " to " + last + ", committed "
                    + committed + ", applied " + applied);
        }
    }

    // ---- positions -----------------------------------------------------------------------------------------------

    long committed() {
        return committed;
    }

    long applied() {
        return applied;
    }

    long firstIndex() {
        return unstable.snapshot() != null ? unstable.snapshot().index() + 1 : storage.firstIndex();
    }

    long lastIndex() {
        long last = unstable.lastIndex();
        return last >= 0 ? last : storage.lastIndex();
    }

    long lastTerm() {
        return term(lastIndex());
    }

    /** The last entry that storage holds. */
    long stableIndex() {
        return unstable.snapshot() != null ? 0 : unstable.offset() - 1;
    }

    /** The term of an entry, or -1 when this log does not have it (any more). */
    long term(long index) {
        long term = unstable.term(index);
        if (term >= 0) {
            return term;
        }
        if (index < firstIndex() - 1 || index > lastIndex()) {
            return -1;
        }
        return storage.term(index);
    }

    boolean matches(long index, long term) {
        return index >= 0 && term(index) == term;
    }

    // ---- entries -------------------------------------------------------------------------------------------------

    /**
     * Entries from {@code low} on, at least one if there is one.
     *
     * @throws CompactedException if the first is gone
     */
    List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
        if (low >= highExclusive) {
            return List.of();
        }
        if (low < firstIndex()) {
            throw new CompactedException(low, firstIndex());
        }
        if (low >= unstable.offset()) {
            return unstable.entries(low, highExclusive, maxSizeBytes);
        }
        long stored = Math.min(highExclusive, unstable.offset());
        List<Entry> first = storage.entries(low, stored, maxSizeBytes);
        long size = Entry.sizeBytes(first);
        if (first.size() > 1 && size > maxSizeBytes) {
            // A storage that counts otherwise.
            return fitting(first, maxSizeBytes);
        }
        if (low + first.size() == highExclusive || low + first.size() < stored) {
            return first;
        }
        if (size + unstable.get(unstable.offset()).sizeBytes() > maxSizeBytes) {
            return first;
        }
        List<Entry> more = unstable.entries(unstable.offset(), highExclusive, maxSizeBytes - size);
        List<Entry> both = new ArrayList<>(first.size() + more.size());
        both.addAll(first);
        both.addAll(more);
        return both;
    }

    /** The first ones, at least one, that stay within a size. */
    static List<Entry> fitting(List<Entry> entries, long maxSizeBytes) {
        long size = 0;
        for (int i = 0; i < entries.size(); i++) {
            size += entries.get(i).sizeBytes();
            if (i > 0 && size > maxSizeBytes) {
                return entries.subList(0, i);
            }
        }
        return entries;
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
        unstable.append(entries);
    }

    /** The position of the first of the entries that this log lacks or has with another term; -1 when it has all. */
    int firstConflict(List<Entry> entries) {
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            if (!matches(entry.index(), entry.term())) {
                return i;
            }
        }
        return -1;
    }

    /** The largest index at or below {@code index} whose term is at most {@code term} (or is not known any more). */
    long lastAtOrBelowTerm(long index, long term) {
        long at = index;
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

    Snapshot snapshot() {
        return unstable.snapshot() != null ? unstable.snapshot() : storage.snapshot();
    }

    /** Begins anew after a snapshot that a leader has sent. */
    void restore(Snapshot snapshot) {
        committed = snapshot.index();
        unstable.restore(snapshot);
    }

    void commitTo(long index) {
        if (index > committed) {
            if (index > lastIndex()) {
                throw new RaftInvariantException("commit " + index + " is beyond the last index " + lastIndex()
                        + ": this log has lost entries that it had acknowledged");
            }
            committed = index;
        }
    }

    // ---- handing out ---------------------------------------------------------------------------------------------

    UnstableLog unstable() {
        return unstable;
    }

    boolean hasPendingSnapshot() {
        return unstable.snapshot() != null;
    }

    private long applicable(boolean evenUnstable) {
        return evenUnstable ? committed : Math.min(committed, unstable.offset() - 1);
    }

    /** @param evenUnstable whether entries may be applied that are being stored by the same Ready */
    boolean hasNextCommitted(boolean evenUnstable) {
        return !applyingPaused
                && !heldBySnapshot
                && !heldByUser
                && !hasPendingSnapshot()
                && applying < applicable(evenUnstable);
    }

    List<Entry> nextCommitted(boolean evenUnstable) {
        return hasNextCommitted(evenUnstable)
                ? entries(applying + 1, applicable(evenUnstable) + 1, maxApplyingBytes - applyingBytes)
                : List.of();
    }

    /** Whether entries were handed out that are not reported applied yet. */
    boolean isApplying() {
        return applying > applied;
    }

    /** While on, no further entries are handed out to be applied. */
    void pauseApplying(boolean on) {
        heldBySnapshot = on;
    }

    /** The same, for the user's own reasons. */
    void holdApplying(boolean on) {
        heldByUser = on;
    }

    boolean isApplyingHeld() {
        return heldByUser;
    }

    /** These were handed out to be applied. */
    void acceptApplying(List<Entry> entries, boolean evenUnstable) {
        applying = entries.get(entries.size() - 1).index();
        applyingBytes += Entry.sizeBytes(entries);
        applyingPaused = applyingBytes >= maxApplyingBytes || applying < applicable(evenUnstable);
    }

    void appliedTo(long index, long sizeBytes) {
        if (index < applied || index > committed) {
            throw new RaftInvariantException("applied " + index + " is outside [" + applied + ", " + committed + "]");
        }
        applied = index;
        applying = Math.max(applying, index);
        applyingBytes = Math.max(0, applyingBytes - sizeBytes);
        applyingPaused = applyingBytes >= maxApplyingBytes;
    }

    /** Whether a committed entry that is not applied yet changes the membership. */
    boolean hasUnappliedConfChange() {
        long at = applied + 1;
        while (at <= committed) {
            List<Entry> some = entries(Math.max(at, firstIndex()), committed + 1, 1 << 20);
            for (Entry entry : some) {
                if (entry.type() != EntryType.NORMAL) {
                    return true;
                }
            }
            at = some.get(some.size() - 1).index() + 1;
        }
        return false;
    }
}
