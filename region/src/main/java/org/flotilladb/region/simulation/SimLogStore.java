package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.StorageException;

/**
 * A simulated log disk: a list of batches, synced or not. A crash keeps what was synced and a random prefix of the rest;
 * a batch is torn or whole, as its checksum would show. The disk outlives the process; {@link #crash} is called between
 * two lives.
 */
public final class SimLogStore implements LogStore {

    /** How a disk may break its word: planted bugs that the invariants must find. */
    public enum Lie {
        /** It says that it has synced, and has not. */
        SYNC_IGNORED,
        /** It syncs a batch only with the next one: what leaves after the fsync has left before it. */
        SYNC_LATE,
        /** It does not write whom a peer has voted for. */
        VOTE_FORGOTTEN
    }

    /** Told what goes on; all calls come from the process that writes. */
    public interface Observer {
        /** Entries were written, synced or not; {@code previousTerm} is the term of the entry before the first, or -1. */
        void appended(long groupId, List<Entry> entries, long previousTerm);

        /** Entries are on stable storage. */
        void durable(long groupId, List<Entry> entries);
    }

    private static final Observer NOBODY = new Observer() {
        @Override
        public void appended(long groupId, List<Entry> entries, long previousTerm) {}

        @Override
        public void durable(long groupId, List<Entry> entries) {}
    };

    private final FaultCounts faults;
    private TreeMap<Long, Log> durable = new TreeMap<>();
    private TreeMap<Long, Log> live = new TreeMap<>();
    private final List<Batch> unsynced = new ArrayList<>();
    private Observer observer = NOBODY;
    private Lie lie;
    private long syncs;
    private int crashAtWrite = -1;
    private SimNode crashing;
    private int failAtWrite = -1;

    public SimLogStore(FaultCounts faults) {
        this.faults = faults;
    }

    public void observer(Observer told) {
        observer = told;
    }

    /** Plants a bug; null: none. */
    public void lie(Lie planted) {
        lie = planted;
    }

    /** The power fails during the write after the next {@code writes}, before or after the data has reached the disk. */
    public void crashAtWrite(int writes, SimNode node) {
        crashAtWrite = writes;
        crashing = node;
    }

    /** The write after the next {@code writes} fails, and the Store must stop. */
    public void failAtWrite(int writes) {
        failAtWrite = writes;
    }

    /** The power fails: synced batches stay, of the others a random prefix. */
    public void crash(RandomSource random) {
        int kept = unsynced.isEmpty() ? 0 : random.nextInt(unsynced.size() + 1);
        if (kept < unsynced.size()) {
            faults.add("log batches lost");
        }
        for (int i = 0; i < kept; i++) {
            makeDurable(unsynced.get(i));
        }
        unsynced.clear();
        live = copy(durable);
        crashAtWrite = -1;
        crashing = null;
        failAtWrite = -1;
    }

    private void makeDurable(Batch batch) {
        batch.apply(durable, null);
        for (Appended appended : batch.appended) {
            observer.durable(appended.groupId, appended.entries);
        }
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
        return new GroupState(
                log.hardState, log.truncatedIndex + 1, log.lastIndex(), log.truncatedIndex, log.truncatedTerm);
    }

    @Override
    public List<Entry> entries(long groupId, long low, long highExclusive, long maxSizeBytes) {
        Log log = live.get(groupId);
        List<Entry> result = new ArrayList<>();
        long size = 0;
        for (long i = low; i < highExclusive; i++) {
            if (log == null || low <= log.truncatedIndex || i > log.lastIndex()) {
                throw new StorageException(
                        StorageException.Kind.CORRUPT,
                        "simulated disk: entry " + i + " of group " + groupId + " is missing");
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
    public void write(LogBatch batch, boolean sync) {
        if (crashing != null && crashing.dead()) {
            throw new SimCrash("log write");
        }
        if (failAtWrite >= 0 && failAtWrite-- == 0) {
            faults.add("log write failed");
            throw new StorageException(StorageException.Kind.IO, "simulated disk: the write failed");
        }
        boolean crash = crashAtWrite >= 0 && crashAtWrite-- == 0;
        Batch written = (Batch) batch;
        if (lie == Lie.VOTE_FORGOTTEN) {
            written.forgetVotes();
        }
        written.apply(live, observer);
        unsynced.add(written);
        if (crash) {
            faults.add("crash during a log write");
            throw crashing.die("log write");
        }
        if (sync) {
            syncs++;
            if (lie != Lie.SYNC_IGNORED) {
                int upTo = lie == Lie.SYNC_LATE ? unsynced.size() - 1 : unsynced.size();
                for (Batch each : unsynced.subList(0, upTo)) {
                    makeDurable(each);
                }
                unsynced.subList(0, upTo).clear();
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

        long lastIndex() {
            return truncatedIndex + entries.size();
        }

        long term(long index) {
            if (index == truncatedIndex) {
                return truncatedTerm;
            }
            return index < truncatedIndex || index > lastIndex()
                    ? -1
                    : entries.get((int) (index - truncatedIndex - 1)).term();
        }

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
        void apply(TreeMap<Long, Log> logs, Observer told);
    }

    private record Appended(long groupId, List<Entry> entries) {}

    private record HardStateChange(long groupId, HardState state) implements Change {
        @Override
        public void apply(TreeMap<Long, Log> logs, Observer told) {
            logs.computeIfAbsent(groupId, id -> new Log()).hardState = state;
        }
    }

    private static final class Batch implements LogBatch {
        private final List<Change> changes = new ArrayList<>();
        private final List<Appended> appended = new ArrayList<>();

        void apply(TreeMap<Long, Log> logs, Observer told) {
            for (Change change : changes) {
                change.apply(logs, told);
            }
        }

        void forgetVotes() {
            changes.replaceAll(change -> change instanceof HardStateChange hard
                    ? new HardStateChange(
                            hard.groupId,
                            new HardState(hard.state.term(), 0, hard.state.commit(), hard.state.promiseNs()))
                    : change);
        }

        @Override
        public void append(long groupId, List<Entry> entries) {
            List<Entry> copy = List.copyOf(entries);
            if (copy.isEmpty()) {
                return;
            }
            appended.add(new Appended(groupId, copy));
            changes.add((logs, told) -> {
                Log log = logs.computeIfAbsent(groupId, id -> new Log());
                long first = copy.get(0).index();
                int keep = (int) (first - log.truncatedIndex - 1);
                if (keep < 0 || keep > log.entries.size()) {
                    throw new IllegalStateException("group " + groupId + ": append at " + first + " after "
                            + log.lastIndex() + " leaves a gap");
                }
                if (told != null) {
                    told.appended(groupId, copy, log.term(first - 1));
                }
                log.entries.subList(keep, log.entries.size()).clear();
                log.entries.addAll(copy);
            });
        }

        @Override
        public void setHardState(long groupId, HardState hardState) {
            changes.add(new HardStateChange(groupId, hardState));
        }

        @Override
        public void truncate(long groupId, long index, long term) {
            changes.add((logs, told) -> {
                Log log = logs.computeIfAbsent(groupId, id -> new Log());
                if (index <= log.truncatedIndex) {
                    return;
                }
                int drop = (int) Math.min(log.entries.size(), index - log.truncatedIndex);
                log.entries.subList(0, drop).clear();
                log.truncatedIndex = index;
                log.truncatedTerm = term;
            });
        }

        @Override
        public void beginAfter(long groupId, long index, long term) {
            changes.add((logs, told) -> {
                Log log = logs.computeIfAbsent(groupId, id -> new Log());
                log.entries.clear();
                log.truncatedIndex = index;
                log.truncatedTerm = term;
            });
        }

        @Override
        public void delete(long groupId) {
            changes.add((logs, told) -> logs.remove(groupId));
        }

        @Override
        public boolean isEmpty() {
            return changes.isEmpty();
        }
    }
}
