package org.flotilladb.server.node;

/** A node cannot be started; the message is one sentence for the user. */
public final class NodeStartException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public NodeStartException(String message) {
        super(message);
    }
}
