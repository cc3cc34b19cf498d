package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;

/** The reference {@link Storage}: a list. Not thread-safe. */
public final class MemoryStorage implements Storage {
    private HardState hardState = HardState.EMPTY;
    private long truncatedIndex;
    private long truncatedTerm;
    private final List<Entry> log = new ArrayList<>();

    @Override
    public HardState initialState() {
        return hardState;
    }

    public void setHardState(HardState value) {
        hardState = value;
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

    @Override
    public List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
        if (low <= truncatedIndex) {
            throw new CompactedException(low, truncatedIndex + 1);
        }
        List<Entry> result = new ArrayList<>();
        long size = 0;
        for (long i = low; i < highExclusive; i++) {
            Entry entry = log.get((int) (i - truncatedIndex - 1));
            size += entry.data().length;
            if (!result.isEmpty() && size > maxSizeBytes) {
                break;
            }
            result.add(entry);
        }
        return result;
    }

    @Override
    public long term(long index) {
        if (index == truncatedIndex) {
            return truncatedTerm;
        }
        if (index < truncatedIndex) {
            throw new CompactedException(index, truncatedIndex + 1);
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
