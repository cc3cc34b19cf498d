package org.flotilladb.engine.internal;

import java.sql.SQLException;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.api.ErrorCode;
import org.h2.message.DbException;

/** Errors from below SQL as users see them. */
final class Errors {
    private Errors() {}

    /** Marks a conflict after which a single statement may be run again. */
    static final class ConflictException extends SQLException {
        private static final long serialVersionUID = 1L;

        ConflictException(String message, Throwable cause) {
            super(message, "40001", ErrorCode.DEADLOCK_1, cause);
        }
    }

    /** The catalog has moved on: nothing was done; plan again. */
    static final class StaleCatalogException extends SQLException {
        private static final long serialVersionUID = 1L;

        StaleCatalogException(Throwable cause) {
            super(
                    "The catalog was changed by another session meanwhile (" + cause.getMessage()
                            + "): run the transaction again.",
                    "40001",
                    cause);
        }
    }

    static DbException convert(KeySpaceException e) {
        String message = e.getMessage();
        return switch (e.kind()) {
            case CONFLICT -> DbException.convert(new ConflictException(message, e));
            case LOCK_TIMEOUT -> DbException.convert(new SQLException(message, "HYT00", ErrorCode.LOCK_TIMEOUT_1, e));
            case UNAVAILABLE ->
                DbException.convert(new SQLException(message, "08006", ErrorCode.CONNECTION_BROKEN_1, e));
            case UNKNOWN_OUTCOME -> DbException.convert(new SQLException(message, "08007", 0, e));
            case TOO_LARGE -> DbException.convert(new SQLException(message, "54000", 0, e));
            case STALE_SCHEMA -> DbException.convert(new StaleCatalogException(e));
            case FULL -> DbException.convert(new SQLException(message, "53100", ErrorCode.GENERAL_ERROR_1, e));
            case CLOSED -> DbException.convert(new SQLException(message, "08003", ErrorCode.DATABASE_IS_CLOSED, e));
            case REFUSED -> DbException.convert(new SQLException(message, "55000", 0, e));
            case INTERNAL -> DbException.convert(new SQLException(message, "HY000", ErrorCode.GENERAL_ERROR_1, e));
        };
    }

    /** What somebody gave to a function makes no sense; the message says what would. */
    static SQLException invalid(String message) {
        return new SQLException(message, "22023", 0);
    }

    static boolean isStale(SQLException e) {
        if (find(e, StaleCatalogException.class) != null) {
            return true;
        }
        KeySpaceException below = find(e, KeySpaceException.class);
        return below != null && below.kind() == KeySpaceException.Kind.STALE_SCHEMA;
    }

    /** Whether it is over with the transaction that stood in the way. */
    static boolean passes(SQLException e) {
        return find(e, ConflictException.class) != null || isStale(e);
    }

    /** The first cause of this type, or null. */
    static <T extends Throwable> T find(Throwable failure, Class<T> type) {
        Throwable at = failure;
        for (int depth = 0; at != null && depth < 20; depth++) {
            if (type.isInstance(at)) {
                return type.cast(at);
            }
            at = at.getCause();
        }
        return null;
    }
}
