package org.flotilladb.driver.keyspace;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.flotilladb.engine.keyspace.ClusterAdmin;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;
import org.flotilladb.proto.Peer;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.client.TransactionClient.RegionPlace;

/** The key space of a cluster, or of a node in this process. Safe for many threads. */
public final class RegionKeySpace implements KeySpace {
    private final TransactionClient client;
    private final Supplier<List<NodeCounter>> status;
    private final Supplier<RuntimeException> failure;
    private final Runnable onClose;
    private final ClusterAdmin cluster;
    private final AtomicBoolean closed = new AtomicBoolean();

    /**
     * @param status asks the nodes about themselves
     * @param failure why the Stores of this process have stopped, or null
     * @param onClose closes what the client stands on; run once
     */
    public RegionKeySpace(
            TransactionClient client,
            Supplier<List<NodeCounter>> status,
            Supplier<RuntimeException> failure,
            Runnable onClose) {
        this.client = client;
        this.cluster = new RegionClusterAdmin(client.placement().steering());
        this.status = status;
        this.failure = failure;
        this.onClose = onClose;
    }

    /** The client below; for counters. */
    public TransactionClient client() {
        return client;
    }

    @Override
    public KeyTransaction begin(TransactionMode mode) {
        RuntimeException stopped = failure.get();
        if (stopped != null) {
            throw Waiting.convert(stopped);
        }
        return new RegionKeyTransaction(
                client.begin(mode.isolation() == TransactionMode.Isolation.READ_COMMITTED), mode.lockTimeoutMs());
    }

    @Override
    public long catalogEpoch(boolean fresh) {
        if (fresh && client.placement().tryTimestamp() < 0) {
            Waiting.await(client.placement().timestamp());
        }
        return client.placement().catalogEpoch();
    }

    @Override
    public void raiseCatalogEpoch() {
        Waiting.await(client.placement().raiseCatalogEpoch());
    }

    @Override
    public void split(byte[] key) {
        Waiting.await(client.split(key));
    }

    @Override
    public List<KeyRange> ranges(byte[] start, byte[] end) {
        List<KeyRange> ranges = new ArrayList<>();
        for (RegionPlace place : Waiting.await(client.regions(start, end == null ? new byte[0] : end))) {
            StringBuilder peers = new StringBuilder();
            for (Peer peer : place.region().getPeersList()) {
                peers.append(peers.isEmpty() ? "" : ",").append(Long.toHexString(peer.getStoreId()));
            }
            ranges.add(new KeyRange(
                    place.region().getId(),
                    place.region().getStart().toByteArray(),
                    place.region().getEnd().toByteArray(),
                    place.leaderStoreId(),
                    place.leaderAddress(),
                    peers.toString()));
        }
        return ranges;
    }

    @Override
    public List<NodeCounter> status() {
        return status.get();
    }

    @Override
    public ClusterAdmin clusterAdmin() {
        return cluster;
    }

    @Override
    public void close() {
        if (closed.compareAndSet(false, true)) {
            onClose.run();
        }
    }
}
