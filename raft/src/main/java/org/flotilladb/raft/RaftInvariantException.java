package org.flotilladb.raft;

/** A safety rule is broken: the group must stop, loudly, rather than go on. */
public final class RaftInvariantException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public RaftInvariantException(String message) {
        super(message);
    }
}
