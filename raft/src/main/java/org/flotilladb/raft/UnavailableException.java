package org.flotilladb.raft;

/** Entries that a storage does not have yet were asked for. */
public final class UnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public UnavailableException(long index, long lastIndex) {
        super("entry " + index + " is missing: the log ends at " + lastIndex);
    }
}
