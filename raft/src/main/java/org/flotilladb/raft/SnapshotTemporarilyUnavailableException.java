package org.flotilladb.raft;

/** A snapshot is being made; the library asks again later. */
public final class SnapshotTemporarilyUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public SnapshotTemporarilyUnavailableException() {
        super("snapshot is temporarily unavailable", null, false, false);
    }
}
