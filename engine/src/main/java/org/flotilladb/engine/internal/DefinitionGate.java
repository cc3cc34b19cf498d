package org.flotilladb.engine.internal;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.h2.api.ErrorCode;
import org.h2.message.DbException;

/**
 * Keeps a mirror's statements and its definitions apart: sessions of one process share H2's objects, and a definition
 * leaves those half made in between. A statement passes for as long as it runs; a definition waits until none does. While
 * one waits, statements that would begin a transaction wait too, but those of an open transaction go on while others run:
 * what it has locked may be what others, and so the definition, wait for. A definition that needs a table of which open
 * transactions have written steps aside until those are over. Every wait has a bound. Safe for many threads.
 */
final class DefinitionGate {
    /** A definition copies a table at most: it ends long before that, or with the process. */
    private static final long MAX_WAIT_MS = 60_000;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private int running;
    private int waiting;
    private boolean defining;
    /** The definition that has the gate waits for transactions to end: their statements may pass. */
    private boolean aside;
    /** It waits for the statements that have passed meanwhile. */
    private boolean returning;

    /** One statement's way through the gate. Used by the session's thread. */
    final class Pass {
        private boolean defines;
        private boolean over;

        private Pass(boolean defines) {
            this.defines = defines;
        }

        /** Whether it is a definition, with no statement beside it. */
        boolean defines() {
            return defines;
        }

        /**
         * The statement turns out to be a definition, and is one from here on; others may have come first.
         *
         * @param timeoutMs how long to wait for the statements that run
         */
        void becomeDefinition(long timeoutMs) {
            lock.lock();
            try {
                statementLeft();
                try {
                    awaitAlone(timeoutMs);
                    defines = true;
                } finally {
                    if (!defines) {
                        running++;
                    }
                }
            } finally {
                lock.unlock();
            }
        }

        /** The definition has changed nothing so far, and lets open transactions go on to their end. */
        void stepAside() {
            lock.lock();
            try {
                aside = true;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        /** The definition that had stepped aside goes on alone. */
        void stepBack(long timeoutMs) {
            lock.lock();
            returning = true;
            try {
                long leftNs = TimeUnit.MILLISECONDS.toNanos(timeoutMs);
                while (running > 0) {
                    leftNs = await(leftNs);
                }
                aside = false;
            } finally {
                returning = false;
                changed.signalAll();
                lock.unlock();
            }
        }

        /** The statement is over; idempotent. */
        void leave() {
            lock.lock();
            try {
                if (over) {
                    return;
                }
                over = true;
                if (defines) {
                    defining = false;
                    aside = false;
                    changed.signalAll();
                } else {
                    statementLeft();
                }
            } finally {
                lock.unlock();
            }
        }
    }

    /** A statement begins. */
    Pass enter(boolean inTransaction) throws SQLException {
        lock.lock();
        try {
            long leftNs = TimeUnit.MILLISECONDS.toNanos(MAX_WAIT_MS);
            while (!mayEnter(inTransaction)) {
                leftNs = await(leftNs);
            }
            running++;
            return new Pass(false);
        } catch (DbException e) {
            throw e.getSQLException();
        } finally {
            lock.unlock();
        }
    }

    /** Where nothing runs, a definition that waits is about to begin, and needs nobody's end. */
    private boolean mayEnter(boolean inTransaction) {
        if (aside) {
            return inTransaction && (!returning || running > 0);
        }
        return !defining && (waiting == 0 || (inTransaction && running > 0));
    }

    /**
     * A definition begins.
     *
     * @param timeoutMs how long to wait for the statements that run
     */
    Pass define(long timeoutMs) throws SQLException {
        lock.lock();
        try {
            awaitAlone(timeoutMs);
            return new Pass(true);
        } catch (DbException e) {
            throw e.getSQLException();
        } finally {
            lock.unlock();
        }
    }

    private void awaitAlone(long timeoutMs) {
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
        }
    }

    private void statementLeft() {
        running--;
        changed.signalAll();
    }

    /** Statements and definitions that have passed and are not over. */
    int passed() {
        lock.lock();
        try {
            return running + (defining ? 1 : 0);
        } finally {
            lock.unlock();
        }
    }

    /** Whether a definition waits for open transactions to end. */
    boolean waitsForTransactions() {
        lock.lock();
        try {
            return aside;
        } finally {
            lock.unlock();
        }
    }

    private long await(long leftNs) {
        if (leftNs <= 0) {
            throw DbException.get(ErrorCode.LOCK_TIMEOUT_1, "the definitions of this database");
        }
        try {
            return changed.awaitNanos(leftNs);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw DbException.convert(new SQLException(
                    "The thread was interrupted while it waited for a change of the catalog: run the statement again.",
                    "57014",
                    ErrorCode.STATEMENT_WAS_CANCELED,
                    e));
        }
    }
}
