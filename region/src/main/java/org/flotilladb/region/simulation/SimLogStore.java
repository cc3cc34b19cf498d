package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.RandomSource;

/**
 * A simulated log disk: a list of batches, synced or not. A crash keeps what was synced and a random prefix of the rest.
 * The disk outlives the process; {@link #crash} is called between two lives.
 */
public final class SimLogStore implements LogStore {
    private final FaultCounts faults;
    private TreeMap<Long, Log> durable = new TreeMap<>();
    private TreeMap<Long, Log> live = new TreeMap<>();
    private final List<Batch> unsynced = new ArrayList<>();
    private long syncs;
    private boolean ignoreSync;

    public SimLogStore(FaultCounts faults) {
        this.faults = faults;
    }

    /** A planted bug: the disk says that it has synced and has not. */
    public void ignoreSync(boolean ignore) {
        this.ignoreSync = ignore;
    }

    /** The power fails: synced batches stay, of the others a random prefix. */
    public void crash(RandomSource random) {
        int kept = unsynced.isEmpty() ? 0 : random.nextInt(unsynced.size() + 1);
        if (kept < unsynced.size()) {
            faults.add("log batches lost");
        }
        for (int i = 0; i < kept; i++) {
            unsynced.get(i).apply(durable);
        }
        unsynced.clear();
        live = copy(durable);
    }

    private static TreeMap<Long, Log> copy(TreeMap<Long, Log> logs) {
        TreeMap<Long, Log> result = new TreeMap<>();
        logs.forEach((id, log) -> result.put(id, log.copy()));
        return result;
    }

    @Override
    public List<Long> groups() {
        return List.copyOf(live.keySet());
    }

    @Override
    public GroupState load(long groupId) {
        Log log = live.get(groupId);
        if (log == null) {
            return null;
        }
        long last = log.truncatedIndex + log.entries.size();
        return new GroupState(log.hardState, log.truncatedIndex + 1, last, log.truncatedIndex, log.truncatedTerm);
    }

    @Override
    public List<Entry> entries(long groupId, long low, long highExclusive, long maxSizeBytes) {
        Log log = live.get(groupId);
        if (log == null || low <= log.truncatedIndex) {
            throw new IllegalStateException("group " + groupId + " has no entry " + low);
        }
        List<Entry> result = new ArrayList<>();
        long size = 0;
        for (long i = low; i < highExclusive; i++) {
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
    public void write(LogBatch batch, boolean sync) {
        Batch written = (Batch) batch;
        written.apply(live);
        unsynced.add(written);
        if (sync) {
            syncs++;
            if (!ignoreSync) {
                for (Batch each : unsynced) {
                    each.apply(durable);
                }
                unsynced.clear();
            }
        }
    }

    @Override
    public long syncCount() {
        return syncs;
    }

    @Override
    public void close() {}

    private static final class Log {
        HardState hardState = new HardState(0, 0, 0);
        long truncatedIndex;
        long truncatedTerm;
        List<Entry> entries = new ArrayList<>();

        Log copy() {
            Log copy = new Log();
            copy.hardState = hardState;
            copy.truncatedIndex = truncatedIndex;
            copy.truncatedTerm = truncatedTerm;
            copy.entries = new ArrayList<>(entries);
            return copy;
        }
    }

    /** One change of one log. */
    private interface Change {
        void apply(TreeMap<Long, Log> logs);
    }

    private static final class Batch implements LogBatch {
        private final List<Change> changes = new ArrayList<>();

        void apply(TreeMap<Long, Log> logs) {
            for (Change change : changes) {
                change.apply(logs);
            }
        }

        @Override
        public void append(long groupId, List<Entry> entries) {
            List<Entry> copy = List.copyOf(entries);
            if (copy.isEmpty()) {
                return;
            }
            changes.add(logs -> {
                Log log = logs.computeIfAbsent(groupId, id -> new Log());
                long first = copy.get(0).index();
                int keep = (int) (first - log.truncatedIndex - 1);
                if (keep < 0 || keep > log.entries.size()) {
                    throw new IllegalStateException("group " + groupId + ": append at " + first + " after "
                            + (log.truncatedIndex + log.entries.size()) + " leaves a gap");
                }
                log.entries.subList(keep, log.entries.size()).clear();
                log.entries.addAll(copy);
            });
        }

        @Override
        public void setHardState(long groupId, HardState hardState) {
            changes.add(logs -> logs.computeIfAbsent(groupId, id -> new Log()).hardState = hardState);
        }

        @Override
        public void truncate(long groupId, long index, long term) {
            changes.add(logs -> {
                Log log = logs.computeIfAbsent(groupId, id -> new Log());
                int drop = (int) Math.min(log.entries.size(), Math.max(0, index - log.truncatedIndex));
                log.entries.subList(0, drop).clear();
                log.truncatedIndex = index;
                log.truncatedTerm = term;
            });
        }

        @Override
        public void delete(long groupId) {
            changes.add(logs -> logs.remove(groupId));
        }

        @Override
        public boolean isEmpty() {
            return changes.isEmpty();
        }
    }
}
