package org.flotilladb.region.runtime;

import java.util.List;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;

/**
 * The Raft logs of all groups of a Store. Written by the Store's loop alone, one batch and one fsync for all groups of a
 * round; read from any thread. A failed write or fsync throws {@link StorageException}, after which the Store stops.
 */
public interface LogStore extends AutoCloseable {

    /** Groups that have anything here, ascending. */
    List<Long> groups();

    /** The group's durable state, or null when it has none. */
    GroupState load(long groupId);

    /** Entries of {@code [low, highExclusive)}, at least one, until {@code maxSizeBytes} is passed. */
    List<Entry> entries(long groupId, long low, long highExclusive, long maxSizeBytes);

    LogBatch batch();

    /**
     * Writes the batch.
     *
     * @param sync true returns only when this and all earlier batches are on stable storage
     */
    void write(LogBatch batch, boolean sync);

    /** How often {@link #write} has waited for the disk. */
    long syncCount();

    @Override
    void close();

    /**
     * What a group has.
     *
     * @param hardState never null
     * @param firstIndex of the first entry kept; lastIndex + 1 when there is none
     * @param truncatedIndex the entry before the first; its term is kept for matching
     */
    record GroupState(HardState hardState, long firstIndex, long lastIndex, long truncatedIndex, long truncatedTerm) {}

    /** Changes to be written together. Not thread-safe. */
    interface LogBatch {
        /** Appends; entries at or above the first one's index that are already there are replaced. */
        void append(long groupId, List<Entry> entries);

        void setHardState(long groupId, HardState hardState);

        /** Drops entries up to and including {@code index}, or begins an empty log after it. */
        void truncate(long groupId, long index, long term);

        /** Drops all entries: the log is empty and begins after {@code index}, which stands in a snapshot. */
        void beginAfter(long groupId, long index, long term);

        /** Forgets the group. */
        void delete(long groupId);

        boolean isEmpty();
    }
}
