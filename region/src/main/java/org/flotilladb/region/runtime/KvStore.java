package org.flotilladb.region.runtime;

import java.util.List;

/**
 * The data of a Store: ordered byte keys in a few families. One thread writes; any thread reads. What is written is
 * visible to snapshots taken afterwards and survives a crash of the process, but not a power cut until {@link #sync()}
 * has returned: the Raft log repeats it.
 */
public interface KvStore extends KvReader, AutoCloseable {

    /** Families, each a key space of its own. */
    enum Family {
        LOCK,
        WRITE,
        ROLLBACK,
        DEFAULT,
        /** Region records, applied indexes, the Placement Driver's state. */
        META
    }

    /** A consistent view of everything written before this call; close it soon. */
    KvSnapshot snapshot();

    /** A new, empty batch. */
    KvBatch batch();

    /** Applies a batch atomically over all families, without waiting for the disk. */
    void write(KvBatch batch);

    /** Returns when everything written before this call is on stable storage. */
    void sync();

    /** Rough size in bytes of {@code [start, end)} in the WRITE and DEFAULT families. */
    long approximateSizeBytes(byte[] start, byte[] end);

    /**
     * Begins to collect rows that come from elsewhere, beside the data; an earlier collection of that name is dropped. The
     * collection may be used by another thread than the one that writes, one at a time.
     *
     * @param name of letters, digits and hyphens
     */
    Collection collect(String name);

    /**
     * Puts the rows of a finished collection over what was written before. A crash may leave a part of them, and less than
     * all of what was written before: whoever needs more than that notes durably beforehand what is to be done, and does it
     * again. The collection stays until it is dropped.
     */
    void ingest(String name);

    /** Forgets a collection, finished or not, if there is one. */
    void dropCollection(String name);

    /** Collections that there are, finished or not, ascending; after a crash some that nobody needs any more. */
    List<String> collections();

    @Override
    void close();

    /** Rows on their way into the data. Close it, finished or not. */
    interface Collection extends AutoCloseable {
        /** Keys of one family ascend; families come in any order, each in one piece. */
        void put(Family family, byte[] key, byte[] value);

        /** Nothing more comes; when this returns, all of it is on stable storage. */
        void finish();

        @Override
        void close();
    }

    /** A view that does not change. */
    interface KvSnapshot extends KvReader, AutoCloseable {
        @Override
        void close();
    }

    /** Changes to be written together, in order. Not thread-safe. */
    interface KvBatch {
        void put(Family family, byte[] key, byte[] value);

        void delete(Family family, byte[] key);

        /** Deletes {@code [start, end)}. */
        void deleteRange(Family family, byte[] start, byte[] end);

        boolean isEmpty();
    }
}
