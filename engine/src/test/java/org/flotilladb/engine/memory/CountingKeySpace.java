package org.flotilladb.engine.memory;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.flotilladb.engine.keyspace.ClusterAdmin;
import org.flotilladb.engine.keyspace.KeyCursor;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;

/**
 * Counts what a key space of one Region, led by another process, would be asked over the network. For one session at a
 * time.
 */
public final class CountingKeySpace implements KeySpace {
    private final KeySpace counted;
    private final Map<String, Integer> counts = new TreeMap<>();

    public CountingKeySpace(KeySpace counted) {
        this.counted = counted;
    }

    private void count(String what) {
        counts.merge(what, 1, Integer::sum);
    }

    /** What was asked for since the last call, by kind. */
    public Map<String, Integer> take() {
        Map<String, Integer> taken = new TreeMap<>(counts);
        counts.clear();
        return taken;
    }

    @Override
    public KeyTransaction begin(TransactionMode mode) {
        return new Counting(counted.begin(mode), mode.isolation() == TransactionMode.Isolation.READ_COMMITTED);
    }

    @Override
    public long catalogEpoch(boolean fresh) {
        if (fresh) {
            count("timestamp");
        }
        return counted.catalogEpoch(fresh);
    }

    @Override
    public void raiseCatalogEpoch() {
        counted.raiseCatalogEpoch();
    }

    @Override
    public void split(byte[] key) {
        counted.split(key);
    }

    @Override
    public List<KeyRange> ranges(byte[] start, byte[] end) {
        return counted.ranges(start, end);
    }

    @Override
    public List<NodeCounter> status() {
        return counted.status();
    }

    @Override
    public ClusterAdmin clusterAdmin() {
        return counted.clusterAdmin();
    }

    @Override
    public void close() {
        counted.close();
    }

    private final class Counting implements KeyTransaction {
        private final KeyTransaction transaction;
        private final boolean readCommitted;
        private boolean hasTimestamp;

        Counting(KeyTransaction transaction, boolean readCommitted) {
            this.transaction = transaction;
            this.readCommitted = readCommitted;
        }

        private KeyTransaction timed() {
            if (!hasTimestamp) {
                count("timestamp");
                hasTimestamp = true;
            }
            return transaction;
        }

        @Override
        public void beginStatement() {
            hasTimestamp &= !readCommitted;
            transaction.beginStatement();
        }

        @Override
        public byte[] get(byte[] key) {
            if (!transaction.buffers(key)) {
                count("get");
            }
            return timed().get(key);
        }

        @Override
        public List<byte[]> getAll(List<byte[]> keys, long mark) {
            if (!keys.stream().allMatch(transaction::buffers)) {
                count("batch get");
            }
            return timed().getAll(keys, mark);
        }

        @Override
        public List<byte[]> getAllCommitted(List<byte[]> keys) {
            if (!keys.isEmpty()) {
                count("batch get");
            }
            return timed().getAllCommitted(keys);
        }

        @Override
        public boolean buffers(byte[] key) {
            return transaction.buffers(key);
        }

        @Override
        public KeyCursor scan(byte[] start, byte[] end, boolean reverse, int limitHint, long mark) {
            count("scan");
            return timed().scan(start, end, reverse, limitHint, mark);
        }

        @Override
        public void put(byte[] key, byte[] value) {
            timed().put(key, value);
        }

        @Override
        public void insert(byte[] key, byte[] value) {
            timed().insert(key, value);
        }

        @Override
        public void delete(byte[] key) {
            timed().delete(key);
        }

        @Override
        public void lockShared(byte[] key) {
            timed().lockShared(key);
        }

        @Override
        public void check(byte[] key) {
            timed().check(key);
        }

        @Override
        public byte[] lock(byte[] key, long waitMs) {
            count("timestamp");
            count("lock");
            return timed().lock(key, waitMs);
        }

        @Override
        public void start() {
            timed().start();
        }

        @Override
        public long mark() {
            return transaction.mark();
        }

        @Override
        public void rollbackTo(long mark) {
            transaction.rollbackTo(mark);
        }

        @Override
        public boolean hasWrites() {
            return transaction.hasWrites();
        }

        @Override
        public void commit() {
            if (transaction.hasWrites()) {
                count("prewrite");
            }
            transaction.commit();
        }

        @Override
        public void rollback() {
            transaction.rollback();
        }
    }
}
