package org.flotilladb.engine.internal;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.h2.api.ErrorCode;
import org.h2.message.DbException;

/**
 * Keeps a mirror's statements and its definitions apart: sessions of one process share H2's objects, and a definition
 * leaves those half made in between. A statement enters for as long as it runs; a definition waits until none does. While
 * one waits, statements that would begin a transaction wait too, but those of an open transaction go on: what it has
 * locked may be what others, and so the definition, wait for. Every wait has a bound. Safe for many threads.
 */
final class DefinitionGate {
    /** A definition copies a table at most: it ends long before that, or with the process. */
    private static final long MAX_WAIT_MS = 60_000;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private int running;
    private int waiting;
    private boolean defining;

    /** A statement begins; {@link #leave} ends it. */
    void enter(boolean inTransaction) throws SQLException {
        lock.lock();
        try {
            long leftNs = TimeUnit.MILLISECONDS.toNanos(MAX_WAIT_MS);
            while (defining || (waiting > 0 && !inTransaction)) {
                leftNs = await(leftNs);
            }
            running++;
        } finally {
            lock.unlock();
        }
    }

    void leave() {
        lock.lock();
        try {
            running--;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * A definition begins; {@link #defined} ends it.
     *
     * @param timeoutMs how long to wait for the statements that run
     */
    void define(long timeoutMs) throws SQLException {
        lock.lock();
        waiting++;
        try {
            long leftNs = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
            while (defining || running > 0) {
                leftNs = await(leftNs);
            }
            defining = true;
        } finally {
            waiting--;
            changed.signalAll();
            lock.unlock();
        }
    }

    void defined() {
        lock.lock();
        try {
            defining = false;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private long await(long leftNs) throws SQLException {
        if (leftNs <= 0) {
            throw DbException.get(ErrorCode.LOCK_TIMEOUT_1, "the definitions of this database")
                    .getSQLException();
        }
        try {
            return changed.awaitNanos(leftNs);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SQLException(
                    "The thread was interrupted while it waited for a change of the catalog: run the statement again.",
                    "57014",
                    ErrorCode.STATEMENT_WAS_CANCELED,
                    e);
        }
    }
}
