package org.flotilladb.region.runtime;

/** The disk failed, is full, or holds what it should not. The Store stops or refuses writes; nothing is retried. */
public final class StorageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What happened. */
    public enum Kind {
        /** A read, write or fsync failed: the Store must stop. */
        IO,
        /** No room: writes are refused, reads go on. */
        FULL,
        /** A checksum or an invariant of the format is broken. */
        CORRUPT,
        /** The directory cannot be opened: in use, of a newer format, of another Store. */
        REFUSED
    }

    private final Kind kind;

    public StorageException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public StorageException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
