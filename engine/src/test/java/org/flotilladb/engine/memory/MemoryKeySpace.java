package org.flotilladb.engine.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.flotilladb.engine.keyspace.ClusterAdmin;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;

/** One process's door to a {@link MemoryCluster}; learns of the catalog's epoch with its timestamps only. */
public final class MemoryKeySpace implements KeySpace {
    private static final byte[] NOTHING = {};

    final MemoryCluster cluster;
    private final AtomicInteger open = new AtomicInteger();
    private volatile long knownEpoch;
    private volatile boolean closed;

    MemoryKeySpace(MemoryCluster cluster) {
        this.cluster = cluster;
        this.knownEpoch = cluster.catalogEpoch.get();
    }

    /** A cluster of one process. */
    public static MemoryKeySpace alone() {
        return new MemoryCluster().process();
    }

    public MemoryCluster cluster() {
        return cluster;
    }

    /** Transactions begun and not ended. */
    public int openTransactions() {
        return open.get();
    }

    /** Locks held by transactions of any process. */
    public int locksHeld() {
        return cluster.locks.held();
    }

    @Override
    public KeyTransaction begin(TransactionMode mode) {
        if (closed) {
            throw new KeySpaceException(KeySpaceException.Kind.CLOSED, "the key space is closed");
        }
        open.incrementAndGet();
        return new MemoryTransaction(this, mode);
    }

    void ended() {
        open.decrementAndGet();
    }

    /** Takes a timestamp, and hears of the epoch with it. */
    long timestamp() {
        long time = cluster.now();
        knownEpoch = cluster.catalogEpoch.get();
        return time;
    }

    @Override
    public long catalogEpoch(boolean fresh) {
        if (fresh) {
            knownEpoch = cluster.catalogEpoch.get();
        }
        return knownEpoch;
    }

    @Override
    public void raiseCatalogEpoch() {
        cluster.catalogEpoch.incrementAndGet();
    }

    @Override
    public void split(byte[] key) {
        cluster.split(key);
    }

    @Override
    public List<KeyRange> ranges(byte[] start, byte[] end) {
        List<KeyRange> result = new ArrayList<>();
        byte[] from = NOTHING;
        long id = 1;
        List<byte[]> bounds = new ArrayList<>(cluster.splits());
        bounds.add(NOTHING);
        for (byte[] to : bounds) {
            boolean endsBefore = to.length > 0 && Arrays.compareUnsigned(to, start) <= 0;
            boolean beginsBehind = end.length > 0 && Arrays.compareUnsigned(from, end) >= 0;
            if (!endsBefore && !beginsBehind) {
                result.add(new KeyRange(id, from, to, 1, "memory:1", "1"));
            }
            from = to;
            id++;
        }
        return result;
    }

    @Override
    public List<NodeCounter> status() {
        return List.of(new NodeCounter("memory:1", "commits", Long.toString(cluster.commits())));
    }

    @Override
    public ClusterAdmin clusterAdmin() {
        return new MemoryClusterAdmin(this);
    }

    @Override
    public void close() {
        closed = true;
    }
}
