package org.flotilladb.raft;

import java.util.List;

/**
 * What a peer has stored, as the library reads it back. Written by the user of the library when handling a
 * {@link Ready}; whatever a Ready asked to store must be visible here once that Ready is advanced past (or its storage
 * message answered). Called from the thread that drives the {@link RawNode}.
 */
public interface Storage {

    /** The state to start from: called once, when the peer starts. */
    RaftState initialState();

    /**
     * Entries of {@code [low, highExclusive)}: at least one, then as long as their {@link Entry#sizeBytes} stay within
     * {@code maxSizeBytes}. The list is passed on, and must not change afterwards.
     *
     * @throws CompactedException if {@code low} is below {@link #firstIndex()}
     * @throws UnavailableException if {@code highExclusive} is above {@link #lastIndex()} + 1
     */
    List<Entry> entries(long low, long highExclusive, long maxSizeBytes);

    /**
     * The term of an entry; also of the one before the first. That before a log which begins at entry 1 is 0; or -1, once
     * the group's membership is not the one any more that all peers with an empty log know: then who lacks entry 1 is sent a
     * snapshot, as if that were compacted.
     *
     * @throws CompactedException if it is below that
     * @throws UnavailableException if it is above {@link #lastIndex()}
     */
    long term(long index);

    /** The first entry kept; last + 1 when there is none. */
    long firstIndex();

    /** The last entry; the snapshot's when no entry is kept. */
    long lastIndex();

    /**
     * A snapshot, at or above {@link #firstIndex()} - 1, for a follower whose entries are compacted here. It should be
     * as new as can be had: one that was made before the follower joined is of no use to it, and is asked for again.
     *
     * @throws SnapshotTemporarilyUnavailableException while it is being made; the library asks again later
     */
    Snapshot snapshot();
}
