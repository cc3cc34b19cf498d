package org.flotilladb.region.store.rocks;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.flotilladb.region.runtime.KvStore;
import org.rocksdb.BlockBasedTableConfig;
import org.rocksdb.BloomFilter;
import org.rocksdb.Cache;
import org.rocksdb.ColumnFamilyDescriptor;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.ColumnFamilyOptions;
import org.rocksdb.CompressionType;
import org.rocksdb.DBOptions;
import org.rocksdb.Env;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.LRUCache;
import org.rocksdb.Range;
import org.rocksdb.ReadOptions;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.RocksObject;
import org.rocksdb.SizeApproximationFlag;
import org.rocksdb.Slice;
import org.rocksdb.Snapshot;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Data on RocksDB, a column family for each family. Its own log is written and not synced: after a crash the Raft log
 * repeats what it lost, in order and over all families alike.
 */
public final class RocksKvStore implements KvStore {
    private static final Family[] FAMILIES = Family.values();

    static {
        RocksDB.loadLibrary();
    }

    private final String where;
    private final RocksDB db;
    private final ColumnFamilyHandle[] handles = new ColumnFamilyHandle[FAMILIES.length];
    private final WriteOptions unsynced = new WriteOptions();
    private final ReadOptions plain = new ReadOptions();
    private final InUse users;
    private final Collections collections;
    private final List<RocksObject> owned = new ArrayList<>();

    /** Opens or creates the database. */
    public RocksKvStore(Path directory, long cacheBytes) {
        this(directory, cacheBytes, null);
    }

    /** Over another environment, such as RocksDB's own in memory; null: the file system. */
    public RocksKvStore(Path directory, long cacheBytes, Env env) {
        where = directory.toString();
        users = new InUse("data", where);
        collections = new Collections(directory.resolveSibling(directory.getFileName() + ".incoming"), env);
        DBOptions options = own(new DBOptions())
                .setCreateIfMissing(true)
                .setCreateMissingColumnFamilies(true)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setKeepLogFileNum(3)
                .setMaxTotalWalSize(256L << 20)
                .setMaxBackgroundJobs(2)
                .setBytesPerSync(1 << 20)
                .setAvoidFlushDuringShutdown(true);
        if (env != null) {
            options.setEnv(env);
        }
        Cache cache = own(new LRUCache(cacheBytes));
        BloomFilter bloom = own(new BloomFilter(10, false));
        List<ColumnFamilyDescriptor> descriptors = new ArrayList<>();
        descriptors.add(new ColumnFamilyDescriptor(RocksDB.DEFAULT_COLUMN_FAMILY, own(new ColumnFamilyOptions())));
        for (Family family : FAMILIES) {
            BlockBasedTableConfig table = new BlockBasedTableConfig()
                    .setBlockCache(cache)
                    .setFilterPolicy(bloom)
                    .setBlockSize(16 << 10)
                    .setFormatVersion(5);
            ColumnFamilyOptions columns = own(new ColumnFamilyOptions())
                    .setTableFormatConfig(table)
                    .setWriteBufferSize(family == Family.META ? 4 << 20 : 64 << 20)
                    .setLevelCompactionDynamicLevelBytes(true)
                    .setCompressionType(CompressionType.LZ4_COMPRESSION);
            descriptors.add(
                    new ColumnFamilyDescriptor(("flotilla-" + family).getBytes(StandardCharsets.US_ASCII), columns));
        }
        List<ColumnFamilyHandle> opened = new ArrayList<>();
        try {
            db = RocksDB.open(options, where, descriptors, opened);
        } catch (RocksDBException e) {
            throw RocksErrors.of("open", where, e);
        }
        opened.get(0).close();
        for (int i = 0; i < FAMILIES.length; i++) {
            handles[i] = opened.get(i + 1);
        }
    }

    private <T extends RocksObject> T own(T object) {
        owned.add(object);
        return object;
    }

    @Override
    public byte[] get(Family family, byte[] key) {
        return get(family, key, plain);
    }

    private byte[] get(Family family, byte[] key, ReadOptions options) {
        int slot = users.enter();
        try {
            return db.get(handles[family.ordinal()], options, key);
        } catch (RocksDBException e) {
            throw RocksErrors.of("read", where, e);
        } finally {
            users.exit(slot);
        }
    }

    @Override
    public Pair first(Family family, byte[] key, byte[] upper) {
        return first(family, key, upper, null);
    }

    private Pair first(Family family, byte[] key, byte[] upper, Snapshot snapshot) {
        try (RocksCursor cursor = new RocksCursor(family, null, upper, snapshot)) {
            return cursor.seek(key) ? new Pair(cursor.key(), cursor.value()) : null;
        }
    }

    @Override
    public KvCursor cursor(Family family, byte[] lower, byte[] upper) {
        return new RocksCursor(family, lower, upper, null);
    }

    @Override
    public KvSnapshot snapshot() {
        return new RocksSnapshot();
    }

    @Override
    public KvBatch batch() {
        return new Batch();
    }

    @Override
    public void write(KvBatch batch) {
        int slot = users.enter();
        try (WriteBatch writes = ((Batch) batch).toWriteBatch()) {
            db.write(unsynced, writes);
        } catch (RocksDBException e) {
            throw RocksErrors.of("write", where, e);
        } finally {
            users.exit(slot);
        }
    }

    @Override
    public void sync() {
        int slot = users.enter();
        try {
            db.syncWal();
        } catch (RocksDBException e) {
            throw RocksErrors.of("sync", where, e);
        } finally {
            users.exit(slot);
        }
    }

    @Override
    public Collection collect(String name) {
        return collections.begin(name);
    }

    @Override
    public void ingest(String name) {
        int slot = users.enter();
        try {
            for (Family family : FAMILIES) {
                collections.ingest(db, handles[family.ordinal()], name, family);
            }
        } finally {
            users.exit(slot);
        }
    }

    @Override
    public void dropCollection(String name) {
        collections.drop(name);
    }

    @Override
    public List<String> collections() {
        return collections.names();
    }

    @Override
    public long approximateSizeBytes(byte[] start, byte[] end) {
        byte[] last = new byte[64];
        Arrays.fill(last, (byte) 0xff);
        long total = 0;
        int slot = users.enter();
        try (Slice from = new Slice(start == null ? new byte[0] : start);
                Slice to = new Slice(end == null || end.length == 0 ? last : end)) {
            List<Range> ranges = List.of(new Range(from, to));
            for (Family family : new Family[] {Family.WRITE, Family.DEFAULT}) {
                total += db.getApproximateSizes(
                                handles[family.ordinal()],
                                ranges,
                                SizeApproximationFlag.INCLUDE_FILES,
                                SizeApproximationFlag.INCLUDE_MEMTABLES)[0];
            }
        } finally {
            users.exit(slot);
        }
        return total;
    }

    @Override
    public void close() {
        if (!users.close()) {
            return;
        }
        for (ColumnFamilyHandle handle : handles) {
            handle.close();
        }
        db.close();
        unsynced.close();
        plain.close();
        for (int i = owned.size() - 1; i >= 0; i--) {
            owned.get(i).close();
        }
    }

    /** In use until it is closed. */
    private final class RocksSnapshot implements KvSnapshot {
        private final int slot;
        private final Snapshot snapshot;
        private final ReadOptions options;

        RocksSnapshot() {
            this.slot = users.enter();
            this.snapshot = db.getSnapshot();
            this.options = new ReadOptions().setSnapshot(snapshot);
        }

        @Override
        public byte[] get(Family family, byte[] key) {
            return RocksKvStore.this.get(family, key, options);
        }

        @Override
        public Pair first(Family family, byte[] key, byte[] upper) {
            return RocksKvStore.this.first(family, key, upper, snapshot);
        }

        @Override
        public KvCursor cursor(Family family, byte[] lower, byte[] upper) {
            return new RocksCursor(family, lower, upper, snapshot);
        }

        @Override
        public void close() {
            options.close();
            db.releaseSnapshot(snapshot);
            users.exit(slot);
        }
    }

    /** In use until it is closed. */
    private final class RocksCursor implements KvCursor {
        private final int slot = users.enter();
        private final ReadOptions options = new ReadOptions();
        private final Slice upperSlice;
        private final RocksIterator iterator;
        private final byte[] lower;
        private final byte[] upper;
        private byte[] key;

        RocksCursor(Family family, byte[] lower, byte[] upper, Snapshot snapshot) {
            this.lower = lower;
            this.upper = upper;
            if (snapshot != null) {
                options.setSnapshot(snapshot);
            }
            upperSlice = upper == null ? null : new Slice(upper);
            if (upperSlice != null) {
                options.setIterateUpperBound(upperSlice);
            }
            iterator = db.newIterator(handles[family.ordinal()], options);
        }

        private boolean valid() {
            if (!iterator.isValid()) {
                key = null;
                try {
                    iterator.status();
                } catch (RocksDBException e) {
                    throw RocksErrors.of("read", where, e);
                }
                return false;
            }
            key = iterator.key();
            return lower == null || Arrays.compareUnsigned(key, lower) >= 0;
        }

        @Override
        public boolean seek(byte[] target) {
            iterator.seek(lower != null && Arrays.compareUnsigned(target, lower) < 0 ? lower : target);
            return valid();
        }

        @Override
        public boolean seekBefore(byte[] target) {
            byte[] before =
                    target == null || (upper != null && Arrays.compareUnsigned(target, upper) > 0) ? upper : target;
            if (before == null || before == upper) {
                iterator.seekToLast();
                return valid();
            }
            iterator.seekForPrev(before);
            if (iterator.isValid() && Arrays.equals(iterator.key(), before)) {
                iterator.prev();
            }
            return valid();
        }

        @Override
        public boolean next() {
            iterator.next();
            return valid();
        }

        @Override
        public boolean previous() {
            iterator.prev();
            return valid();
        }

        @Override
        public byte[] key() {
            return key;
        }

        @Override
        public byte[] value() {
            return iterator.value();
        }

        @Override
        public void close() {
            iterator.close();
            options.close();
            if (upperSlice != null) {
                upperSlice.close();
            }
            users.exit(slot);
        }
    }

    /** Changes kept on the heap until they are written, so that a batch that is never written frees itself. */
    private final class Batch implements KvBatch {
        private record Change(Family family, byte[] key, byte[] value, byte[] end) {}

        private final List<Change> changes = new ArrayList<>();

        WriteBatch toWriteBatch() throws RocksDBException {
            WriteBatch batch = new WriteBatch();
            for (Change change : changes) {
                ColumnFamilyHandle handle = handles[change.family.ordinal()];
                if (change.end != null) {
                    batch.deleteRange(handle, change.key, change.end);
                } else if (change.value == null) {
                    batch.delete(handle, change.key);
                } else {
                    batch.put(handle, change.key, change.value);
                }
            }
            return batch;
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
