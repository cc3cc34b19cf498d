package org.flotilladb.engine.keyspace;

import java.util.List;

/**
 * The engine's door to one ordered, transactional key space shared by every process of a cluster. Keys and values are
 * byte strings, keys compare as unsigned bytes. Implementations are safe for use by many threads; a
 * {@link KeyTransaction} belongs to one thread at a time. Every method may block and throws {@link KeySpaceException}.
 */
public interface KeySpace extends AutoCloseable {

    /** Starts a transaction. Cheap: a timestamp is taken on first use. */
    KeyTransaction begin(TransactionMode mode);

    /**
     * A hint that grows whenever somebody may have changed the catalog: the newest value this process can know without
     * asking, refreshed by every timestamp taken. A statement that sees a value other than the one its catalog was
     * loaded at reads the catalog's version from the key space before it is planned.
     *
     * @param fresh true asks the Placement Driver when no timestamp was taken by this thread's statement yet
     */
    long catalogEpoch(boolean fresh);

    /** Raises the catalog epoch for every process. DDL calls it before and after its commit. Durable on return. */
    void raiseCatalogEpoch();

    /** Splits the Region that holds {@code key} so that {@code key} begins a new one; nothing happens if it does. */
    void split(byte[] key);

    /** The Regions that overlap {@code [start, end)}, in key order; an empty end means the end of the key space. */
    List<KeyRange> ranges(byte[] start, byte[] end);

    /** What the nodes that can be reached say about themselves. */
    List<NodeCounter> status();

    /** Sees and steers the cluster that keeps this key space. */
    ClusterAdmin clusterAdmin();

    @Override
    void close();

    /** One Region as the router knows it; {@code leader} is the address of the Store that leads it, or empty. */
    record KeyRange(long regionId, byte[] start, byte[] end, long leaderStoreId, String leader, String peers) {}

    /** One thing that one node counts or says; {@code node} is its address. */
    record NodeCounter(String node, String name, String value) {}
}
