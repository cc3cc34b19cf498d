package org.flotilladb.engine.keyspace;

/** What went wrong below SQL, by kind; the message says what happened, where, and what to do. */
public final class KeySpaceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final Kind kind;

    public KeySpaceException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public KeySpaceException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }

    /** What callers tell apart, with the SQLState it surfaces as. */
    public enum Kind {
        /** A write conflict, a lost lock, a deadlock: certainly not committed, run it again. 40001. */
        CONFLICT,
        /** A lock was not free within the lock timeout. HYT00. */
        LOCK_TIMEOUT,
        /** The deadline was spent and certainly nothing was committed. 08006 or transient. */
        UNAVAILABLE,
        /** Whether the commit happened could not be found out. 08007. */
        UNKNOWN_OUTCOME,
        /** The transaction or one entry is larger than the limit. */
        TOO_LARGE,
        /** The catalog a statement was planned with is no longer current; plan again. */
        STALE_SCHEMA,
        /** Storage is full; reads go on. */
        FULL,
        /** The database or the connection to it is closed. */
        CLOSED,
        /** As things are, a command to the cluster cannot be carried out; the message says what to do. 55000. */
        REFUSED,
        /** A broken invariant; the text is for the developers. */
        INTERNAL
    }
}
