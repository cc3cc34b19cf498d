package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.StorageException;

/**
 * A simulated data disk over any in-memory store: batches since the last sync are remembered, and a crash keeps a random
 * prefix of them. The disk outlives the process.
 */
public final class SimKvStore implements KvStore {
    private final Supplier<KvStore> memory;
    private final FaultCounts faults;
    private final List<Batch> unsynced = new ArrayList<>();
    private final TreeMap<String, Batch> collections = new TreeMap<>();
    private KvStore durable;
    private KvStore live;
    private int crashAtWrite = -1;
    private SimNode crashing;
    private int crashAtIngest = -1;

    /** @param memory makes an empty in-memory store */
    public SimKvStore(Supplier<KvStore> memory, FaultCounts faults) {
        this.memory = memory;
        this.faults = faults;
        this.durable = memory.get();
        this.live = memory.get();
    }

    /** The power fails during the write after the next {@code writes}. */
    public void crashAtWrite(int writes, SimNode node) {
        crashAtWrite = writes;
        crashing = node;
    }

    /** The power fails when the next collection is taken in: before it (0), after it (1), or at one of the writes around. */
    public void crashAtIngest(int step, SimNode node) {
        crashAtIngest = step;
        crashing = node;
    }

    /**
     * The power fails: synced batches stay, of the others a random prefix, and rows that were taken in as files, which do
     * not go through the log. Of collections that are not finished some files are left.
     */
    public void crash(RandomSource random) {
        int kept = unsynced.isEmpty() ? 0 : random.nextInt(unsynced.size() + 1);
        if (kept < unsynced.size()) {
            faults.add("data batches lost");
        }
        for (int i = 0; i < unsynced.size(); i++) {
            if (i < kept || unsynced.get(i).finished) {
                unsynced.get(i).replay(durable);
            }
        }
        unsynced.clear();
        collections.values().forEach(rows -> {
            if (!rows.finished) {
                rows.changes
                        .subList(random.nextInt(rows.changes.size() + 1), rows.changes.size())
                        .clear();
            }
        });
        crashAtWrite = -1;
        crashAtIngest = -1;
        crashing = null;

        live = memory.get();
        for (Family family : Family.values()) {
            KvBatch copy = live.batch();
            try (KvCursor cursor = durable.cursor(family, new byte[0], null)) {
                for (boolean more = cursor.seek(new byte[0]); more; more = cursor.next()) {
                    copy.put(family, cursor.key(), cursor.value());
                }
            }
            live.write(copy);
        }
    }

    @Override
    public byte[] get(Family family, byte[] key) {
        return live.get(family, key);
    }

    @Override
    public KvCursor cursor(Family family, byte[] lower, byte[] upper) {
        return live.cursor(family, lower, upper);
    }

    @Override
    public Pair first(Family family, byte[] key, byte[] upper) {
        return live.first(family, key, upper);
    }

    @Override
    public KvSnapshot snapshot() {
        return live.snapshot();
    }

    @Override
    public KvBatch batch() {
        return new Batch();
    }

    @Override
    public Collection collect(String name) {
        Batch rows = new Batch();
        collections.put(name, rows);
        return new Collection() {
            @Override
            public void put(Family family, byte[] key, byte[] value) {
                rows.put(family, key, value);
            }

            @Override
            public void finish() {
                rows.finished = true;
                maybeCrash("finish of a collection");
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void ingest(String name) {
        Batch rows = collections.get(name);
        if (rows == null) {
            throw new StorageException(StorageException.Kind.CORRUPT, "there is no collection " + name);
        }
        if (crashAtIngest == 0) {
            faults.add("crash while a snapshot is taken in");
            throw crashing.die("snapshot");
        }
        faults.add("snapshot taken in");
        write(rows);
        if (crashAtIngest == 1) {
            faults.add("crash while a snapshot is taken in");
            throw crashing.die("snapshot");
        }
        if (crashAtIngest > 1) {
            crashAtWrite = crashAtIngest - 2;
            crashAtIngest = -1;
        }
    }

    @Override
    public void dropCollection(String name) {
        collections.remove(name);
    }

    @Override
    public List<String> collections() {
        return List.copyOf(collections.keySet());
    }

    private void maybeCrash(String where) {
        if (crashAtWrite >= 0 && crashAtWrite-- == 0) {
            faults.add("crash during a data write");
            throw crashing.die(where);
        }
    }

    @Override
    public void write(KvBatch batch) {
        if (crashing != null && crashing.dead()) {
            throw new SimCrash("data write");
        }
        Batch written = (Batch) batch;
        written.replay(live);
        unsynced.add(written);
        maybeCrash("data write");
    }

    @Override
    public void sync() {
        for (Batch batch : unsynced) {
            batch.replay(durable);
        }
        unsynced.clear();
    }

    @Override
    public long approximateSizeBytes(byte[] start, byte[] end) {
        // Counted: stores estimate differently, and what is decided by it must be the same on all of them.
        long bytes = 0;
        for (Family family : new Family[] {Family.WRITE, Family.DEFAULT}) {
            try (KvCursor cursor = live.cursor(family, start, end)) {
                for (boolean more = cursor.seek(start); more; more = cursor.next()) {
                    bytes += cursor.key().length + cursor.value().length;
                }
            }
        }
        return bytes;
    }

    @Override
    public void close() {}

    private static final class Batch implements KvBatch {
        private record Change(Family family, byte[] key, byte[] value, byte[] end) {}

        private final List<Change> changes = new ArrayList<>();
        /** Of a collection: its files are on the disk. */
        private boolean finished;

        void replay(KvStore store) {
            KvBatch batch = store.batch();
            for (Change change : changes) {
                if (change.end != null) {
                    batch.deleteRange(change.family, change.key, change.end);
                } else if (change.value == null) {
                    batch.delete(change.family, change.key);
                } else {
                    batch.put(change.family, change.key, change.value);
                }
            }
            store.write(batch);
        }

        @Override
        public void put(Family family, byte[] key, byte[] value) {
            changes.add(new Change(family, key, value, null));
        }

        @Override
        public void delete(Family family, byte[] key) {
            changes.add(new Change(family, key, null, null));
        }

        @Override
        public void deleteRange(Family family, byte[] start, byte[] end) {
            changes.add(new Change(family, start, null, end));
        }

        @Override
        public boolean isEmpty() {
            return changes.isEmpty();
        }
    }
}
