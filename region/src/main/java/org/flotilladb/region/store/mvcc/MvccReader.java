package org.flotilladb.region.store.mvcc;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.flotilladb.proto.LockInfo;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.LocalReads.Page;
import org.flotilladb.region.runtime.LocalReads.Read;
import org.flotilladb.region.runtime.StorageException;

/** Reads at a timestamp from one state of the store. Safe wherever that state is. */
public final class MvccReader {
    private static final long[] NO_BYPASS = new long[0];

    private MvccReader() {}

    /** The value at a timestamp, or the lock that stands in the way. */
    public static Read get(KvReader reader, byte[] key, long readTs) {
        return get(reader, key, readTs, NO_BYPASS);
    }

    /**
     * The value at a timestamp.
     *
     * @param bypass starts of transactions known to commit above {@code readTs}, whose locks are no obstacle; ascending
     */
    public static Read get(KvReader reader, byte[] key, long readTs, long[] bypass) {
        byte[] prefix = Keys.prefix(key);
        byte[] locked = reader.get(Family.LOCK, prefix);
        if (locked != null) {
            LockRecord lock = LockRecord.decode(locked);
            if (blocks(lock, readTs, bypass)) {
                return new Read(null, lock.info(key));
            }
        }
        byte[] from = Arrays.copyOf(prefix, prefix.length + Keys.SUFFIX_BYTES);
        Keys.putLong(from, prefix.length, ~readTs);
        byte[] end = Keys.prefixEnd(prefix);
        while (true) {
            Pair version = reader.first(Family.WRITE, from, end);
            if (version == null || WriteRecord.isDelete(version.value())) {
                return Read.ABSENT;
            }
            if (!WriteRecord.isLock(version.value())) {
                return new Read(valueOf(reader, key, version.value()), null);
            }
            long commitTs = Keys.commitTs(version.key());
            if (commitTs == 0) {
                return Read.ABSENT;
            }
            Keys.putLong(from, prefix.length, ~(commitTs - 1));
        }
    }

    private static boolean blocks(LockRecord lock, long readTs, long[] bypass) {
        return lock.startTs() <= readTs
                && lock.minCommitTs() <= readTs
                && lock.changesValue()
                && Arrays.binarySearch(bypass, lock.startTs()) < 0;
    }

    private static byte[] valueOf(KvReader reader, byte[] key, byte[] record) {
        if (!WriteRecord.isLarge(record)) {
            return WriteRecord.value(record);
        }
        byte[] value = reader.get(Family.DEFAULT, Keys.large(key, WriteRecord.startTs(record)));
        if (value == null) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT,
                    "the value of a version with start " + WriteRecord.startTs(record) + " is missing");
        }
        return value;
    }

    /**
     * A page of {@code [start, end)} at a timestamp; {@code end} null or empty means no bound.
     *
     * @param limit rows at most, above 0
     * @param maxBytes after which the page ends, above 0
     */
    public static Page scan(
            KvReader reader,
            byte[] start,
            byte[] end,
            boolean reverse,
            int limit,
            int maxBytes,
            long readTs,
            long[] bypass,
            boolean keysOnly) {
        byte[] lower = Keys.lowerBound(start);
        byte[] upper = Keys.upperBound(end);
        try (KvCursor locks = reader.cursor(Family.LOCK, lower, upper);
                KvCursor writes = reader.cursor(Family.WRITE, lower, upper)) {
            Scan scan = new Scan(reader, locks, writes, lower, readTs, bypass, reverse, keysOnly);
            return scan.run(limit, maxBytes);
        }
    }

    /** One page in the making. */
    private static final class Scan {
        private final KvReader reader;
        private final KvCursor locks;
        private final KvCursor writes;
        private final byte[] lower;
        private final long readTs;
        private final long[] bypass;
        private final boolean reverse;
        private final boolean keysOnly;
        /** Whether {@code writes} stands on a version. */
        private boolean more;

        Scan(
                KvReader reader,
                KvCursor locks,
                KvCursor writes,
                byte[] lower,
                long readTs,
                long[] bypass,
                boolean reverse,
                boolean keysOnly) {
            this.reader = reader;
            this.locks = locks;
            this.writes = writes;
            this.lower = lower;
            this.readTs = readTs;
            this.bypass = bypass;
            this.reverse = reverse;
            this.keysOnly = keysOnly;
        }

        Page run(int limit, int maxBytes) {
            List<Pair> rows = new ArrayList<>();
            byte[] lockPrefix = nextBlockingLock(reverse ? locks.seekBefore(null) : locks.seek(lower));
            more = reverse ? writes.seekBefore(null) : writes.seek(lower);
            long bytes = 0;
            while (more) {
                byte[] at = writes.key();
                int prefixLength = Keys.prefixLength(at);
                if (lockPrefix != null) {
                    int order = Arrays.compareUnsigned(lockPrefix, 0, lockPrefix.length, at, 0, prefixLength);
                    if (reverse ? order >= 0 : order <= 0) {
                        return ended(rows, lockPrefix);
                    }
                }
                byte[] record = visible(at, prefixLength);
                byte[] key = null;
                if (record != null) {
                    key = Keys.userKey(at);
                    byte[] value = keysOnly ? new byte[0] : valueOf(reader, key, record);
                    rows.add(new Pair(key, value));
                    bytes += key.length + value.length;
                }
                if (reverse) {
                    toPreviousKey(at, prefixLength);
                } else {
                    toNextKey(at, prefixLength);
                }
                if (more && record != null && (rows.size() >= limit || bytes >= maxBytes)) {
                    return new Page(rows, reverse ? key : nextForward(lockPrefix), null);
                }
            }
            return lockPrefix == null ? new Page(rows, null, null) : ended(rows, lockPrefix);
        }

        /** Where the next page begins: at the next version or, when that comes first, at a lock on a key without any. */
        private byte[] nextForward(byte[] lockPrefix) {
            byte[] version = writes.key();
            boolean lockFirst = lockPrefix != null && Arrays.compareUnsigned(lockPrefix, version) < 0;
            return Keys.userKey(lockFirst ? lockPrefix : version);
        }

        /** A page that a lock ends; only an empty one carries it. */
        private Page ended(List<Pair> rows, byte[] lockPrefix) {
            byte[] key = Keys.userKey(lockPrefix);
            if (rows.isEmpty()) {
                LockInfo info = LockRecord.decode(locks.value()).info(key);
                return new Page(rows, resumeAt(key), info);
            }
            return new Page(rows, resumeAt(key), null);
        }

        /** Where a scan that has come to this key, and not past it, goes on. */
        private byte[] resumeAt(byte[] key) {
            return reverse ? Arrays.copyOf(key, key.length + 1) : key;
        }

        private byte[] nextBlockingLock(boolean positioned) {
            boolean found = positioned;
            while (found) {
                byte[] key = locks.key();
                if (Keys.prefixLength(key) == key.length && blocks(LockRecord.decode(locks.value()), readTs, bypass)) {
                    return key;
                }
                found = reverse ? locks.previous() : locks.next();
            }
            return null;
        }

        /** The record of the key's newest PUT at or below the timestamp, or null. */
        private byte[] visible(byte[] at, int prefixLength) {
            if (reverse) {
                byte[] from = Arrays.copyOf(at, prefixLength + Keys.SUFFIX_BYTES);
                byte[] end = Keys.prefixEnd(Arrays.copyOf(at, prefixLength));
                long ts = readTs;
                while (true) {
                    Keys.putLong(from, prefixLength, ~ts);
                    Pair version = reader.first(Family.WRITE, from, end);
                    if (version == null || WriteRecord.isDelete(version.value())) {
                        return null;
                    }
                    if (!WriteRecord.isLock(version.value())) {
                        return version.value();
                    }
                    ts = Keys.commitTs(version.key()) - 1;
                }
            }
            int steps = 0;
            while (more && Keys.sameKey(at, prefixLength, writes.key())) {
                if (Keys.commitTs(writes.key()) <= readTs && !WriteRecord.isLock(writes.value())) {
                    return WriteRecord.isDelete(writes.value()) ? null : writes.value();
                }
                if (++steps == 4 && Keys.commitTs(writes.key()) > readTs) {
                    byte[] to = Arrays.copyOf(at, prefixLength + Keys.SUFFIX_BYTES);
                    Keys.putLong(to, prefixLength, ~readTs);
                    more = writes.seek(to);
                } else {
                    more = writes.next();
                }
            }
            return null;
        }

        private void toNextKey(byte[] at, int prefixLength) {
            for (int i = 0; more && i < 4; i++) {
                if (!Keys.sameKey(at, prefixLength, writes.key())) {
                    return;
                }
                more = writes.next();
            }
            if (more && Keys.sameKey(at, prefixLength, writes.key())) {
                more = writes.seek(Keys.prefixEnd(Arrays.copyOf(at, prefixLength)));
            }
        }

        private void toPreviousKey(byte[] at, int prefixLength) {
            for (int i = 0; more && i < 4; i++) {
                more = writes.previous();
                if (more && !Keys.sameKey(at, prefixLength, writes.key())) {
                    return;
                }
            }
            if (more) {
                more = writes.seekBefore(Arrays.copyOf(at, prefixLength));
            }
        }
    }
}
