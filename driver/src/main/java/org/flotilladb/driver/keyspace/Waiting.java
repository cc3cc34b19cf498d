package org.flotilladb.driver.keyspace;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.region.client.ClientException;
import org.flotilladb.region.runtime.StorageException;
import org.h2.message.DbException;

/** Waits for answers and turns the client's errors into those of the port. */
final class Waiting {
    private Waiting() {}

    /** Waits for an answer without which nothing has happened; a cancelled statement stops waiting. */
    static <T> T await(CompletableFuture<T> answer) {
        return await(answer, false);
    }

    /** Waits for the outcome of a commit; only the end of the connection stops it, and then nobody knows. */
    static <T> T awaitOutcome(CompletableFuture<T> answer) {
        return await(answer, true);
    }

    private static <T> T await(CompletableFuture<T> answer, boolean outcome) {
        try {
            WaitGuard guard = answer.isDone() ? null : WaitGuard.current();
            return guard == null ? answer.get() : guard.await(answer, outcome);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof DbException cancelled) {
                throw cancelled;
            }
            throw convert(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw outcome
                    ? new KeySpaceException(
                            KeySpaceException.Kind.UNKNOWN_OUTCOME,
                            "The thread was interrupted while it waited for a commit: whether it took place is not"
                                    + " known.",
                            e)
                    : new KeySpaceException(
                            KeySpaceException.Kind.UNAVAILABLE,
                            "The thread was interrupted while it waited for the database: run the transaction again.",
                            e);
        }
    }

    static KeySpaceException convert(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof KeySpaceException known) {
            return known;
        }
        if (cause instanceof ClientException client) {
            KeySpaceException.Kind kind = switch (client.kind()) {
                case CONFLICT -> KeySpaceException.Kind.CONFLICT;
                case LOCK_TIMEOUT -> KeySpaceException.Kind.LOCK_TIMEOUT;
                case UNAVAILABLE -> KeySpaceException.Kind.UNAVAILABLE;
                case UNKNOWN_OUTCOME -> KeySpaceException.Kind.UNKNOWN_OUTCOME;
                case TOO_LARGE -> KeySpaceException.Kind.TOO_LARGE;
                case FULL -> KeySpaceException.Kind.FULL;
                case CLOSED -> KeySpaceException.Kind.CLOSED;
                case REFUSED -> KeySpaceException.Kind.REFUSED;
                case INTERNAL -> KeySpaceException.Kind.INTERNAL;
            };
            return new KeySpaceException(kind, client.getMessage(), client);
        }
        if (cause instanceof StorageException storage) {
            return new KeySpaceException(
                    storage.kind() == StorageException.Kind.FULL
                            ? KeySpaceException.Kind.FULL
                            : KeySpaceException.Kind.INTERNAL,
                    storage.getMessage(),
                    storage);
        }
        return new KeySpaceException(KeySpaceException.Kind.INTERNAL, String.valueOf(cause), cause);
    }
}
