package org.flotilladb.raft;

/** Entries asked for are gone: the log begins later. */
public final class CompactedException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public CompactedException(long index, long firstIndex) {
        super("entry " + index + " was compacted; the log begins at " + firstIndex);
    }
}
