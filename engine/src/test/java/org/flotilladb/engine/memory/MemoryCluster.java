package org.flotilladb.engine.memory;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.flotilladb.engine.keyspace.KeySpaceException;

/**
 * What all processes share: versions of keys, the clock, locks, the splits. Commits are applied one at a time; reads take no
 * lock. Safe for many threads.
 */
public final class MemoryCluster {
    /** Versions kept of one key; a snapshot older than these is refused. */
    private static final int KEPT_VERSIONS = 2048;

    /** One version of a key; the newest comes first. Immutable but for its tail, which is cut when it grows too long. */
    static final class Version {
        final long time;
        final byte[] value;
        final int length;
        volatile Version older;

        Version(long time, byte[] value, Version older) {
            this.time = time;
            this.value = value;
            this.older = older;
            this.length = older == null ? 1 : older.length + 1;
        }
    }

    final ConcurrentSkipListMap<byte[], Version> data = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
    /** When a transaction last committed that had locked the key shared. */
    final ConcurrentSkipListMap<byte[], Long> sharedTimes = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);

    final MemoryLocks locks = new MemoryLocks();
    final AtomicLong catalogEpoch = new AtomicLong(1);
    private final TreeSet<byte[]> splits = new TreeSet<>(Arrays::compareUnsigned);
    private volatile long now = 1;
    private final AtomicReference<CommitFault> fault = new AtomicReference<>();
    private final AtomicLong commits = new AtomicLong();
    /** What somebody has asked of the cluster, in words. */
    final List<String> commands = new CopyOnWriteArrayList<>();
    /** Questions about the cluster, of any kind. */
    final AtomicLong questions = new AtomicLong();

    private final AtomicLong writes = new AtomicLong();

    /** Called once, at the next commit that writes something; may throw, and say whether the commit takes place first. */
    public interface CommitFault {
        /** Whether the fault comes after the commit has taken place. */
        boolean afterwards();

        void fail();
    }

    /** A process's door to this cluster. */
    public MemoryKeySpace process() {
        return new MemoryKeySpace(this);
    }

    /** The next commit that writes fails with this, without effect. */
    public void failNextCommit(KeySpaceException.Kind kind) {
        plan(false, kind);
    }

    /** The next commit that writes takes place, and then fails with this. */
    public void failAfterNextCommit(KeySpaceException.Kind kind) {
        plan(true, kind);
    }

    private void plan(boolean afterwards, KeySpaceException.Kind kind) {
        fault.set(new CommitFault() {
            @Override
            public boolean afterwards() {
                return afterwards;
            }

            @Override
            public void fail() {
                throw new KeySpaceException(kind, "planned by the test: " + kind);
            }
        });
    }

    /** What somebody has asked of the cluster so far. */
    public List<String> commands() {
        return commands;
    }

    /** How often somebody has looked at the cluster so far. */
    public long questions() {
        return questions.get();
    }

    /** Commits that wrote something, so far. */
    public long commits() {
        return commits.get();
    }

    /** Keys written by commits, so far. */
    public long writes() {
        return writes.get();
    }

    /** Transactions that wait for a lock now. */
    public int waiting() {
        return locks.waiting();
    }

    /** The keys that hold a value now. */
    public long liveKeys() {
        return data.values().stream().filter(v -> v.value != null).count();
    }

    /** The keys whose value contains these bytes now. */
    public long liveKeysHolding(byte[] part) {
        String text = new String(part, StandardCharsets.ISO_8859_1);
        return data.values().stream()
                .filter(v -> v.value != null && new String(v.value, StandardCharsets.ISO_8859_1).contains(text))
                .count();
    }

    /** The keys that begin so and hold a value now. */
    public long liveKeysWithPrefix(byte[] prefix) {
        return data.tailMap(prefix).entrySet().stream()
                .takeWhile(e -> begins(e.getKey(), prefix))
                .filter(e -> e.getValue().value != null)
                .count();
    }

    /** Whether any key that begins so was ever written. */
    public boolean everHadPrefix(byte[] prefix) {
        byte[] key = data.ceilingKey(prefix);
        return key != null && begins(key, prefix);
    }

    private static boolean begins(byte[] key, byte[] prefix) {
        return key.length >= prefix.length && Arrays.equals(key, 0, prefix.length, prefix, 0, prefix.length);
    }

    long now() {
        return now;
    }

    Version read(byte[] key, long time) {
        return at(data.get(key), time);
    }

    static Version at(Version version, long time) {
        Version found = version;
        while (found != null && found.time > time) {
            Version older = found.older;
            if (older == null && found.length > 1) {
                throw new KeySpaceException(
                        KeySpaceException.Kind.INTERNAL,
                        "snapshot " + time + " is too old: versions of its key begin at " + found.time);
            }
            found = older;
        }
        return found;
    }

    /** Checks and applies a transaction's writes; the caller holds the locks of all keys written. */
    void commit(MemoryTransaction transaction) {
        CommitFault planned = fault.getAndSet(null);
        if (planned != null && !planned.afterwards()) {
            planned.fail();
        }
        synchronized (this) {
            transaction.validate();
            long time = now + 1;
            transaction
                    .writes()
                    .forEach((key, write) -> data.compute(key, (k, newest) -> {
                        Version version = new Version(time, write.value(), newest);
                        if (version.length % KEPT_VERSIONS == 0) {
                            Version last = version;
                            for (int i = 0; i < KEPT_VERSIONS / 2; i++) {
                                last = last.older;
                            }
                            last.older = null;
                        }
                        return version;
                    }));
            transaction.sharedKeys().forEach(key -> sharedTimes.put(key, time));
            now = time;
        }
        commits.incrementAndGet();
        writes.addAndGet(transaction.writes().size());
        if (planned != null) {
            planned.fail();
        }
    }

    public synchronized void split(byte[] key) {
        splits.add(key);
    }

    synchronized List<byte[]> splits() {
        return List.copyOf(splits);
    }
}
