package org.flotilladb.raft;

import java.util.List;

/**
 * What a peer has durably stored, as the library reads it back. Written by the user of the library when handling a
 * {@link Ready}. Called from the thread that drives the {@link RawNode}.
 */
public interface Storage {

    /** The state to start from. */
    HardState initialState();

    /**
     * Entries of {@code [low, highExclusive)}: at least one, then as long as their data stays within
     * {@code maxSizeBytes}.
     *
     * @throws CompactedException if {@code low} is below {@link #firstIndex()}
     */
    List<Entry> entries(long low, long highExclusive, long maxSizeBytes);

    /**
     * The term of an entry; also of the one before the first.
     *
     * @throws CompactedException if it is below that
     */
    long term(long index);

    /** The first entry kept; last + 1 when there is none. */
    long firstIndex();

    /** The last entry. */
    long lastIndex();
}
