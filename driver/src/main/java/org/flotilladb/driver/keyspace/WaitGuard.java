package org.flotilladb.driver.keyspace;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.api.ErrorCode;
import org.h2.message.DbException;

/**
 * Ends from outside what a thread waits for below SQL, where H2 does not look whether its statement was cancelled. Used
 * by one thread at a time; {@link #cancel} and {@link #breakOff} from any.
 */
public final class WaitGuard {
    private static final ThreadLocal<WaitGuard> CURRENT = new ThreadLocal<>();

    private CompletableFuture<?> waiting;
    private boolean outcome;
    private boolean cancelled;
    private String broken;

    static WaitGuard current() {
        return CURRENT.get();
    }

    /** From now on the waits of this thread can be ended here. */
    public void enter() {
        synchronized (this) {
            cancelled = false;
        }
        CURRENT.set(this);
    }

    /** The statement is over. */
    public void leave() {
        CURRENT.set(null);
    }

    /** The statement is cancelled: what it waits for is not waited for, except the outcome of a commit. */
    public synchronized void cancel() {
        cancelled = true;
        if (waiting != null && !outcome) {
            waiting.completeExceptionally(cancellation());
        }
    }

    /** The connection is over, for the reason given: nothing is waited for any more. */
    public synchronized void breakOff(String why) {
        broken = why;
        if (waiting != null) {
            waiting.completeExceptionally(breakage(outcome));
        }
    }

    private static DbException cancellation() {
        return DbException.get(ErrorCode.STATEMENT_WAS_CANCELED);
    }

    private KeySpaceException breakage(boolean ofCommit) {
        return ofCommit
                ? new KeySpaceException(
                        KeySpaceException.Kind.UNKNOWN_OUTCOME,
                        broken + " while it waited for a commit: whether it took place is not known; look for what it"
                                + " wrote.")
                : new KeySpaceException(KeySpaceException.Kind.UNAVAILABLE, broken + ": open another connection.");
    }

    <T> T await(CompletableFuture<T> answer, boolean ofCommit) throws ExecutionException, InterruptedException {
        // A copy: the answer itself may be shared with others.
        CompletableFuture<T> mine = answer.copy();
        synchronized (this) {
            if (broken != null) {
                throw breakage(ofCommit);
            }
            if (cancelled && !ofCommit) {
                throw cancellation();
            }
            waiting = mine;
            outcome = ofCommit;
        }
        try {
            return mine.get();
        } finally {
            synchronized (this) {
                waiting = null;
            }
        }
    }
}
