package org.flotilladb.raft.confchange;

/** A change that does not lead from this membership to a valid one. The message says why. */
public final class ConfChangeException extends Exception {
    private static final long serialVersionUID = 1L;

    public ConfChangeException(String message) {
        super(message);
    }
}
