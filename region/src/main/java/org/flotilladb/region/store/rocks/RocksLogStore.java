package org.flotilladb.region.store.rocks;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.raft.HardState;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.StorageException;
import org.rocksdb.CompressionType;
import org.rocksdb.Env;
import org.rocksdb.InfoLogLevel;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;
import org.rocksdb.WALRecoveryMode;
import org.rocksdb.WriteBatch;
import org.rocksdb.WriteOptions;

/**
 * Raft logs on a RocksDB of their own: group (8 bytes), kind, index (8 bytes). Old files of its write-ahead log are used
 * again, because a synced write into allocated space costs a fraction of one that grows a file; so its recovery ends at
 * the first record that is not of the file's present use (point in time), and what that would hide shows in {@link
 * SyncedMark}.
 */
public final class RocksLogStore implements LogStore {
    private static final byte HARD_STATE = 'h';
    private static final byte TRUNCATED = 't';
    private static final byte ENTRY = 'e';
    private static final int ENTRY_HEADER_BYTES = 9;
    private static final long WRITE_BUFFER_BYTES = 64L << 20;

    static {
        RocksDB.loadLibrary();
    }

    private final String where;
    private final Options options;
    private final RocksDB db;
    private final WriteOptions synced = new WriteOptions().setSync(true);
    private final WriteOptions unsynced = new WriteOptions();
    private final AtomicLong syncs = new AtomicLong();
    private final SyncedMark mark;
    private final InUse users;

    /** The last index of each group written in this life; the loop's thread alone uses it. */
    private final TreeMap<Long, Long> lastIndexes = new TreeMap<>();

    /**
     * Opens or creates the logs.
     *
     * @throws StorageException REFUSED when they end before what was acknowledged from them
     */
    public RocksLogStore(Path directory) {
        this(directory, null);
    }

    /** Over another environment, such as RocksDB's own in memory; null: the file system. */
    public RocksLogStore(Path directory, Env env) {
        this(directory, env, WRITE_BUFFER_BYTES);
    }

    RocksLogStore(Path directory, Env env, long writeBufferBytes) {
        where = directory.toString();
        users = new InUse("log", where);
        options = new Options()
                .setCreateIfMissing(true)
                .setInfoLogLevel(InfoLogLevel.WARN_LEVEL)
                .setKeepLogFileNum(3)
                .setRecycleLogFileNum(4)
                .setWalRecoveryMode(WALRecoveryMode.PointInTimeRecovery)
                .setWriteBufferSize(writeBufferBytes)
                .setMaxTotalWalSize(2 * writeBufferBytes)
                .setMaxBackgroundJobs(2)
                .setAvoidFlushDuringShutdown(true)
                .setCompressionType(CompressionType.LZ4_COMPRESSION);
        if (env != null) {
            options.setEnv(env);
        }
        try {
            db = RocksDB.open(options, where);
        } catch (RocksDBException e) {
            throw RocksErrors.of("open", where, e);
        }
        try {
            mark = env == null ? SyncedMark.open(directory, db.getLatestSequenceNumber()) : null;
        } catch (StorageException e) {
            db.close();
            throw e;
        }
    }

    private static byte[] key(long groupId, byte kind) {
        return ByteBuffer.allocate(9).putLong(groupId).put(kind).array();
    }

    private static byte[] entryKey(long groupId, long index) {
        return ByteBuffer.allocate(17)
                .putLong(groupId)
                .put(ENTRY)
                .putLong(index)
                .array();
    }

    @Override
    public List<Long> groups() {
        List<Long> groups = new ArrayList<>();
        int slot = users.enter();
        try (RocksIterator iterator = db.newIterator()) {
            iterator.seekToFirst();
            while (iterator.isValid()) {
                long group = ByteBuffer.wrap(iterator.key()).getLong();
                groups.add(group);
                if (group == -1L) {
                    break;
                }
                iterator.seek(ByteBuffer.allocate(8).putLong(group + 1).array());
            }
            iterator.status();
        } catch (RocksDBException e) {
            throw RocksErrors.of("read", where, e);
        } finally {
            users.exit(slot);
        }
        return groups;
    }

    @Override
    public GroupState load(long groupId) {
        int slot = users.enter();
        try (RocksIterator iterator = db.newIterator()) {
            byte[] hard = db.get(key(groupId, HARD_STATE));
            byte[] cut = db.get(key(groupId, TRUNCATED));
            long truncatedIndex = cut == null ? 0 : ByteBuffer.wrap(cut).getLong(0);
            long truncatedTerm = cut == null ? 0 : ByteBuffer.wrap(cut).getLong(8);
            long last = truncatedIndex;
            iterator.seekForPrev(entryKey(groupId, -1L));
            boolean any = iterator.isValid() && isEntryOf(groupId, iterator.key());
            if (any) {
                last = Math.max(last, ByteBuffer.wrap(iterator.key()).getLong(9));
            }
            iterator.status();
            if (hard == null && cut == null && !any) {
                return null;
            }
            HardState state = new HardState(0, 0, 0);
            if (hard != null) {
                ByteBuffer buffer = ByteBuffer.wrap(hard);
                // The promise was added later.
                state = new HardState(
                        buffer.getLong(),
                        buffer.getLong(),
                        buffer.getLong(),
                        buffer.hasRemaining() ? buffer.getLong() : 0);
            }
            return new GroupState(state, truncatedIndex + 1, last, truncatedIndex, truncatedTerm);
        } catch (RocksDBException e) {
            throw RocksErrors.of("read", where, e);
        } finally {
            users.exit(slot);
        }
    }

    private static boolean isEntryOf(long groupId, byte[] key) {
        return key.length == 17 && ByteBuffer.wrap(key).getLong() == groupId && key[8] == ENTRY;
    }

    @Override
    public List<Entry> entries(long groupId, long low, long highExclusive, long maxSizeBytes) {
        List<Entry> result = new ArrayList<>();
        long size = 0;
        int slot = users.enter();
        try (RocksIterator iterator = db.newIterator()) {
            iterator.seek(entryKey(groupId, low));
            for (long index = low; index < highExclusive; index++, iterator.next()) {
                if (!iterator.isValid()
                        || !isEntryOf(groupId, iterator.key())
                        || ByteBuffer.wrap(iterator.key()).getLong(9) != index) {
                    iterator.status();
                    throw new StorageException(
                            StorageException.Kind.CORRUPT,
                            where + ": entry " + index + " of group " + groupId + " is missing");
                }
                byte[] value = iterator.value();
                size += value.length;
                if (!result.isEmpty() && size > maxSizeBytes) {
                    break;
                }
                ByteBuffer buffer = ByteBuffer.wrap(value);
                EntryType type = EntryType.fromCode(buffer.get());
                long term = buffer.getLong();
                byte[] data = new byte[value.length - ENTRY_HEADER_BYTES];
                buffer.get(data);
                result.add(new Entry(type, term, index, data));
            }
        } catch (RocksDBException e) {
            throw RocksErrors.of("read", where, e);
        } finally {
            users.exit(slot);
        }
        return result;
    }

    @Override
    public LogBatch batch() {
        return new Batch();
    }

    @Override
    public void write(LogBatch batch, boolean sync) {
        int slot = users.enter();
        try (WriteBatch writes = new WriteBatch()) {
            for (Change change : ((Batch) batch).changes) {
                change.addTo(writes);
            }
            db.write(sync ? synced : unsynced, writes);
            if (sync) {
                if (mark != null) {
                    mark.raise(db.getLatestSequenceNumber());
                }
                syncs.incrementAndGet();
            }
        } catch (RocksDBException e) {
            throw RocksErrors.of("write", where, e);
        } finally {
            users.exit(slot);
        }
    }

    @Override
    public long syncCount() {
        return syncs.get();
    }

    @Override
    public void close() {
        if (!users.close()) {
            return;
        }
        if (mark != null) {
            mark.close();
        }
        db.close();
        synced.close();
        unsynced.close();
        options.close();
    }

    private long lastIndex(long groupId) {
        Long last = lastIndexes.get(groupId);
        if (last != null) {
            return last;
        }
        GroupState state = load(groupId);
        return state == null ? 0 : state.lastIndex();
    }

    /** One change, added to RocksDB's batch when it is written. */
    private interface Change {
        void addTo(WriteBatch writes) throws RocksDBException;
    }

    private final class Batch implements LogBatch {
        private final List<Change> changes = new ArrayList<>();

        @Override
        public void append(long groupId, List<Entry> entries) {
            if (entries.isEmpty()) {
                return;
            }
            List<Entry> copy = List.copyOf(entries);
            changes.add(writes -> {
                for (Entry entry : copy) {
                    byte[] value = ByteBuffer.allocate(ENTRY_HEADER_BYTES + entry.data().length)
                            .put((byte) entry.type().code())
                            .putLong(entry.term())
                            .put(entry.data())
                            .array();
                    writes.put(entryKey(groupId, entry.index()), value);
                }
                long next = copy.get(copy.size() - 1).index() + 1;
                long last = lastIndex(groupId);
                if (last >= next) {
                    writes.deleteRange(entryKey(groupId, next), entryKey(groupId, last + 1));
                }
                lastIndexes.put(groupId, next - 1);
            });
        }

        @Override
        public void setHardState(long groupId, HardState hardState) {
            byte[] value = ByteBuffer.allocate(32)
                    .putLong(hardState.term())
                    .putLong(hardState.vote())
                    .putLong(hardState.commit())
                    .putLong(hardState.promiseNs())
                    .array();
            changes.add(writes -> writes.put(key(groupId, HARD_STATE), value));
        }

        @Override
        public void truncate(long groupId, long index, long term) {
            byte[] value = ByteBuffer.allocate(16).putLong(index).putLong(term).array();
            changes.add(writes -> {
                writes.put(key(groupId, TRUNCATED), value);
                writes.deleteRange(entryKey(groupId, 0), entryKey(groupId, index + 1));
            });
        }

        @Override
        public void beginAfter(long groupId, long index, long term) {
            byte[] value = ByteBuffer.allocate(16).putLong(index).putLong(term).array();
            changes.add(writes -> {
                writes.put(key(groupId, TRUNCATED), value);
                writes.deleteRange(entryKey(groupId, 0), entryKey(groupId, -1L));
                lastIndexes.put(groupId, index);
            });
        }

        @Override
        public void delete(long groupId) {
            changes.add(writes -> {
                writes.deleteRange(
                        ByteBuffer.allocate(8).putLong(groupId).array(),
                        ByteBuffer.allocate(8).putLong(groupId + 1).array());
                lastIndexes.remove(groupId);
            });
        }

        @Override
        public boolean isEmpty() {
            return changes.isEmpty();
        }
    }
}
