package org.flotilladb.region.client;

/** Why an operation of a client has failed. */
public final class ClientException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** Kinds that callers tell apart. */
    public enum Kind {
        /** Certainly not committed because of another transaction; run it again. */
        CONFLICT,
        /** A lock was not free in time. */
        LOCK_TIMEOUT,
        /** Nobody could be reached in time, and certainly nothing was committed. */
        UNAVAILABLE,
        /** It could not be found out in time whether the transaction is committed. */
        UNKNOWN_OUTCOME,
        TOO_LARGE,
        /** The disk of a Store is full. */
        FULL,
        CLOSED,
        /** As things are, a command to the cluster cannot be carried out. */
        REFUSED,
        /** A peer refuses this process, or an invariant is broken. */
        INTERNAL
    }

    private final Kind kind;

    public ClientException(Kind kind, String message) {
        super(message, null, false, false);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
