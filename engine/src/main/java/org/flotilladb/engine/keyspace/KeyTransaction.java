package org.flotilladb.engine.keyspace;

import java.util.List;

/**
 * A transaction on the key space: reads at a timestamp, merged with its own buffered writes. Not thread-safe. Byte
 * arrays given and returned must not be changed afterwards by either side.
 */
public interface KeyTransaction {

    /** Begins a statement: under READ_COMMITTED reads from here on see everything committed before this call. */
    void beginStatement();

    /** The value of a key, or null. */
    byte[] get(byte[] key);

    /** The values of many keys in their order, null where there is none; one round trip for each Region touched. */
    default List<byte[]> getAll(List<byte[]> keys) {
        return getAll(keys, -1);
    }

    /** As {@link #getAll}, but as committed: what this transaction has buffered does not show. */
    List<byte[]> getAllCommitted(List<byte[]> keys);

    /** Whether this transaction has written the key itself, so that {@link #get} asks nobody. */
    boolean buffers(byte[] key);

    /**
     * A cursor over {@code [start, end)} in ascending or, if {@code reverse}, descending key order, merged with the
     * buffer as it is at the time of this call; later writes of this transaction need not show. Pages are fetched
     * behind the cursor and grow; {@code limitHint} (0: none) is the number of rows the caller probably wants.
     */
    default KeyCursor scan(byte[] start, byte[] end, boolean reverse, int limitHint) {
        return scan(start, end, reverse, limitHint, -1);
    }

    /** As {@link #getAll(List)}, merged with what was buffered at a {@link #mark()} that is not undone; negative: now. */
    List<byte[]> getAll(List<byte[]> keys, long mark);

    /** As {@link #scan(byte[], byte[], boolean, int)}, merged with what was buffered at a mark; negative: now. */
    KeyCursor scan(byte[] start, byte[] end, boolean reverse, int limitHint, long mark);

    /** Buffers a write whatever stands there. */
    void put(byte[] key, byte[] value);

    /**
     * Buffers a write of a key that must not exist when the transaction commits: if it does, the commit fails with a
     * CONFLICT. In this transaction itself it must be absent.
     */
    void insert(byte[] key, byte[] value);

    /** Buffers a deletion. */
    void delete(byte[] key);

    /**
     * Promises that this key's PUT or DELETE by anybody between this statement's read timestamp and the commit makes
     * this commit fail; two such locks do not disturb each other. Foreign keys use it on the parent's reference key.
     */
    void lockShared(byte[] key);

    /**
     * As {@link #lockShared}, for keys whose writers need not learn of this commit once it is done: nothing is left of it.
     * A transaction with checks alone has nothing to commit.
     */
    void check(byte[] key);

    /**
     * Locks a key exclusively before it is written or for FOR UPDATE, waiting at most the transaction's lock timeout,
     * and returns its newest value (merged with the buffer), or null. Under READ_COMMITTED that value may be newer than
     * the statement's; under SNAPSHOT a newer version is a CONFLICT. Whether to lock is
     * for the caller to decide: a single optimistic statement need not lock, its commit finds conflicts.
     */
    default byte[] lock(byte[] key) {
        return lock(key, -1);
    }

    /** As {@link #lock(byte[])}, waiting at most {@code waitMs}; negative: the transaction's own lock timeout. */
    byte[] lock(byte[] key, long waitMs);

    /** Takes this statement's read timestamp now, so that what comes with it (the catalog epoch) is as new. */
    void start();

    /** The present length of the undo list. */
    long mark();

    /** Undoes all buffered writes since {@link #mark()} returned this value. */
    void rollbackTo(long mark);

    /** True if anything is buffered or locked. */
    boolean hasWrites();

    /**
     * Commits. Returns normally when committed (durably on a majority); throws CONFLICT when certainly not committed,
     * UNKNOWN_OUTCOME when that could not be found out in time. The transaction is over in every case.
     */
    void commit();

    /** Ends the transaction without effect. Never throws for reasons of the network. */
    void rollback();
}
