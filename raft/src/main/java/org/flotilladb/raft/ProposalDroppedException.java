package org.flotilladb.raft;

/** A proposal was not appended; it certainly has no effect. The message says why. */
public final class ProposalDroppedException extends Exception {
    private static final long serialVersionUID = 1L;

    public ProposalDroppedException(String message) {
        super(message, null, false, false);
    }
}
