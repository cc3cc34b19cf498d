package org.flotilladb.region.runtime;

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

    @Override
    void close();

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
