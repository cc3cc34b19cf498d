package org.flotilladb.engine.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.flotilladb.engine.keyspace.KeyCursor;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeySpaceException.Kind;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;
import org.flotilladb.engine.memory.MemoryCluster.Version;

/** A transaction of a {@link MemoryKeySpace}. It fails loudly when it is used after its end. */
final class MemoryTransaction implements KeyTransaction {

    /** A buffered write; a null value deletes. {@code readTime}: nothing newer may stand there at commit. */
    record Write(byte[] value, boolean mustNotExist, long readTime) {}

    private record Undo(byte[] key, Write before, boolean shared) {}

    private final MemoryKeySpace keySpace;
    private final TransactionMode mode;
    private NavigableMap<byte[], Write> writes;
    private Map<byte[], Long> shared;
    private List<byte[]> locked;
    /** Locks taken while running; those behind are the commit's own. */
    private int lockedEarly;

    private List<Undo> undo;
    private long time = -1;
    private boolean over;

    MemoryTransaction(MemoryKeySpace keySpace, TransactionMode mode) {
        this.keySpace = keySpace;
        this.mode = mode;
    }

    NavigableMap<byte[], Write> writes() {
        return writes;
    }

    Set<byte[]> sharedKeys() {
        return shared == null ? Set.of() : shared.keySet();
    }

    private void check() {
        if (over) {
            throw new KeySpaceException(Kind.INTERNAL, "the transaction is used after its end");
        }
    }

    @Override
    public void beginStatement() {
        check();
        if (mode.isolation() == TransactionMode.Isolation.READ_COMMITTED) {
            time = -1;
        }
    }

    @Override
    public void start() {
        time();
    }

    private long time() {
        check();
        if (time < 0) {
            time = keySpace.timestamp();
        }
        return time;
    }

    @Override
    public byte[] get(byte[] key) {
        long at = time();
        Write write = writes == null ? null : writes.get(key);
        if (write != null) {
            return write.value;
        }
        Version version = keySpace.cluster.read(key, at);
        return version == null ? null : version.value;
    }

    @Override
    public List<byte[]> getAll(List<byte[]> keys, long mark) {
        List<byte[]> result = new ArrayList<>(keys.size());
        for (byte[] key : keys) {
            KeyCursor one = scan(key, Arrays.copyOf(key, key.length + 1), false, 1, mark);
            result.add(one.next() ? one.value() : null);
        }
        return result;
    }

    /** What was buffered at a mark, or is by now. */
    private NavigableMap<byte[], Write> writes(long mark) {
        NavigableMap<byte[], Write> then = new TreeMap<>(Arrays::compareUnsigned);
        if (writes != null) {
            then.putAll(writes);
        }
        for (int i = (int) mark() - 1; mark >= 0 && i >= mark; i--) {
            Undo step = undo.get(i);
            if (step.key != null && !step.shared) {
                if (step.before == null) {
                    then.remove(step.key);
                } else {
                    then.put(step.key, step.before);
                }
            }
        }
        return then;
    }

    @Override
    public List<byte[]> getAllCommitted(List<byte[]> keys) {
        long at = time();
        List<byte[]> result = new ArrayList<>(keys.size());
        for (byte[] key : keys) {
            Version version = keySpace.cluster.read(key, at);
            result.add(version == null ? null : version.value);
        }
        return result;
    }

    @Override
    public boolean buffers(byte[] key) {
        return writes != null && writes.containsKey(key);
    }

    @Override
    public KeyCursor scan(byte[] start, byte[] end, boolean reverse, int limitHint, long mark) {
        long at = time();
        NavigableMap<byte[], Version> range = keySpace.cluster.data.tailMap(start, true);
        NavigableMap<byte[], Write> own = writes(mark).tailMap(start, true);
        if (end != null && end.length > 0) {
            range = range.headMap(end, false);
            own = own.headMap(end, false);
        }
        if (reverse) {
            range = range.descendingMap();
            own = own.descendingMap();
        }
        return new Merged(range, new ArrayList<>(own.entrySet()), at, reverse);
    }

    private final class Merged implements KeyCursor {
        private final Iterator<Map.Entry<byte[], Version>> stored;
        private final List<Map.Entry<byte[], Write>> own;
        private final long at;
        private final boolean reverse;
        private int ownAt;
        private Map.Entry<byte[], Version> waiting;
        private byte[] key;
        private byte[] value;

        Merged(NavigableMap<byte[], Version> range, List<Map.Entry<byte[], Write>> own, long at, boolean reverse) {
            this.stored = range.entrySet().iterator();
            this.own = own;
            this.at = at;
            this.reverse = reverse;
        }

        @Override
        public boolean next() {
            check();
            while (true) {
                if (waiting == null && stored.hasNext()) {
                    waiting = stored.next();
                }
                Map.Entry<byte[], Write> mine = ownAt < own.size() ? own.get(ownAt) : null;
                if (waiting == null && mine == null) {
                    return false;
                }
                int order = waiting == null
                        ? 1
                        : mine == null ? -1 : Arrays.compareUnsigned(waiting.getKey(), mine.getKey());
                if (waiting != null && mine != null && reverse) {
                    order = -order;
                }
                if (order < 0) {
                    Version version = MemoryCluster.at(waiting.getValue(), at);
                    key = waiting.getKey();
                    value = version == null ? null : version.value;
                    waiting = null;
                } else {
                    if (order == 0) {
                        waiting = null;
                    }
                    key = mine.getKey();
                    value = mine.getValue().value;
                    ownAt++;
                }
                if (value != null) {
                    return true;
                }
            }
        }

        @Override
        public byte[] key() {
            return key;
        }

        @Override
        public byte[] value() {
            return value;
        }
    }

    @Override
    public void put(byte[] key, byte[] value) {
        write(key, value, false);
    }

    @Override
    public void insert(byte[] key, byte[] value) {
        Write before = writes == null ? null : writes.get(key);
        if (before != null && before.value != null) {
            throw new KeySpaceException(Kind.INTERNAL, "insert of a key that the transaction itself has written");
        }
        // Over an own deletion it is a replacement, checked as that deletion would have been.
        write(key, value, before == null || before.mustNotExist);
    }

    @Override
    public void delete(byte[] key) {
        write(key, null, false);
    }

    private void write(byte[] key, byte[] value, boolean mustNotExist) {
        long at = time();
        if (writes == null) {
            writes = new TreeMap<>(Arrays::compareUnsigned);
        }
        Write before = writes.get(key);
        long readTime = before == null ? at : before.readTime;
        remember(new Undo(key, before, false));
        writes.put(key, new Write(value, mustNotExist || (before != null && before.mustNotExist), readTime));
    }

    private void remember(Undo step) {
        if (undo == null) {
            undo = new ArrayList<>();
        }
        undo.add(step);
    }

    @Override
    public void lockShared(byte[] key) {
        long at = time();
        if (shared == null) {
            shared = new TreeMap<>(Arrays::compareUnsigned);
        }
        if (shared.putIfAbsent(key, at) == null) {
            remember(new Undo(key, null, true));
        }
    }

    @Override
    public void check(byte[] key) {
        lockShared(key);
    }

    @Override
    public byte[] lock(byte[] key, long waitMs) {
        long at = time();
        if (keySpace.cluster.locks.lock(key, this, waitMs < 0 ? mode.lockTimeoutMs() : waitMs)) {
            if (locked == null) {
                locked = new ArrayList<>();
            }
            locked.add(key);
            // It stays when what came after it is undone, but counts.
            remember(new Undo(null, null, false));
        }
        Write write = writes == null ? null : writes.get(key);
        if (write != null) {
            return write.value;
        }
        Version newest = keySpace.cluster.data.get(key);
        if (newest != null && newest.time > at && mode.isolation() == TransactionMode.Isolation.SNAPSHOT) {
            throw new KeySpaceException(Kind.CONFLICT, "a locked row has changed since the transaction began");
        }
        return newest == null ? null : newest.value;
    }

    private boolean holds(byte[] key) {
        if (locked != null) {
            for (byte[] each : locked.subList(0, lockedEarly)) {
                if (Arrays.equals(each, key)) {
                    return true;
                }
            }
        }
        return false;
    }

    @Override
    public long mark() {
        return undo == null ? 0 : undo.size();
    }

    @Override
    public void rollbackTo(long mark) {
        check();
        while (undo.size() > mark) {
            Undo step = undo.remove(undo.size() - 1);
            if (step.key == null) {
                continue;
            }
            if (step.shared) {
                shared.remove(step.key);
            } else if (step.before == null) {
                writes.remove(step.key);
            } else {
                writes.put(step.key, step.before);
            }
        }
    }

    @Override
    public boolean hasWrites() {
        return (writes != null && !writes.isEmpty()) || locked != null;
    }

    /** Under the cluster's lock: nothing may be newer than what this transaction relied on. */
    void validate() {
        writes.forEach((key, write) -> {
            Long sharedTime = keySpace.cluster.sharedTimes.get(key);
            if (sharedTime != null && sharedTime > write.readTime) {
                throw new KeySpaceException(Kind.CONFLICT, "a key to be written was locked shared meanwhile");
            }
            Version newest = keySpace.cluster.data.get(key);
            if (newest == null) {
                return;
            }
            if (write.mustNotExist && newest.value != null) {
                throw new KeySpaceException(Kind.CONFLICT, "a key to be inserted exists by now");
            }
            boolean lockedBefore = mode.isolation() == TransactionMode.Isolation.READ_COMMITTED && holds(key);
            if (newest.time > write.readTime && !lockedBefore) {
                throw new KeySpaceException(Kind.CONFLICT, "a key was written by another transaction meanwhile");
            }
        });
        if (shared != null) {
            shared.forEach((key, readTime) -> {
                Version newest = keySpace.cluster.data.get(key);
                if (newest != null && newest.time > readTime) {
                    throw new KeySpaceException(Kind.CONFLICT, "a referenced key was written meanwhile");
                }
            });
        }
    }

    @Override
    public void commit() {
        check();
        try {
            if (writes != null && !writes.isEmpty()) {
                lockedEarly = locked == null ? 0 : locked.size();
                for (byte[] key : writes.keySet()) {
                    lock(key);
                }
                keySpace.cluster.commit(this);
            }
        } finally {
            end();
        }
    }

    @Override
    public void rollback() {
        if (!over) {
            end();
        }
    }

    private void end() {
        over = true;
        if (locked != null) {
            keySpace.cluster.locks.unlock(locked, this);
        }
        keySpace.ended();
    }
}
