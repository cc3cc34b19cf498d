package org.flotilladb.engine.internal;

import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.Optional;
import org.flotilladb.engine.SqlSession.SqlWork;

/** Runs the items of a batch as one statement, and undoes all of them if one fails. Used by the session's thread. */
final class Together {
    private final FlotillaSession session;
    private boolean ownsTransaction;
    /** Whether any item may have been run, and how often the session had committed before. */
    private boolean begun;

    private long commits;

    Together(FlotillaSession session) {
        this.session = session;
    }

    /** Whether the transaction that runs holds the items alone. */
    boolean ownsTransaction() {
        return ownsTransaction;
    }

    <T> Optional<T> run(String sql, SqlWork<T> items) throws SQLException {
        begun = false;
        SqlWork<T> checked = h2 -> {
            begun = true;
            commits = session.state().commits();
            T result = items.run(h2);
            session.state().checks().settleBatch(session.h2Session());
            return result;
        };
        return session.getAutoCommit() ? asTransaction(sql, checked) : withinTransaction(sql, checked);
    }

    /**
     * What is to be told at once; anything else happens again when the items are run one by one, in its place. Not if some
     * of it has been committed, as a function may do that is called in a statement.
     */
    private boolean isFinal(SQLException e, boolean conflictsToo) {
        String state = String.valueOf(e.getSQLState());
        return state.startsWith("08")
                || state.equals("57014")
                || (conflictsToo && state.startsWith("40"))
                || (begun && session.state().commits() != commits);
    }

    private boolean isOpen() {
        return session.state().inTransaction() || session.h2Session().hasPendingTransaction();
    }

    private <T> Optional<T> asTransaction(String sql, SqlWork<T> items) throws SQLException {
        session.h2Session().setAutoCommit(false);
        ownsTransaction = true;
        try {
            T result = session.execute(sql, items);
            session.commit();
            return Optional.of(result);
        } catch (SQLException e) {
            if (isOpen()) {
                session.rollback();
            }
            if (isFinal(e, false)) {
                throw e;
            }
            return Optional.empty();
        } finally {
            ownsTransaction = false;
            session.h2Session().setAutoCommit(true);
        }
    }

    private <T> Optional<T> withinTransaction(String sql, SqlWork<T> items) throws SQLException {
        Savepoint[] before = new Savepoint[1];
        try {
            T result = session.execute(sql, h2 -> {
                // Anew if it is run again: then the transaction, which had only read, has begun again on a newer
                // catalog.
                before[0] = h2.setSavepoint();
                return items.run(h2);
            });
            release(before[0]);
            return Optional.of(result);
        } catch (SQLException e) {
            if (isFinal(e, true)) {
                throw e;
            }
            if (before[0] != null && isOpen()) {
                session.h2Connection().rollback(before[0]);
                release(before[0]);
            }
            return Optional.empty();
        }
    }

    private void release(Savepoint mark) {
        try {
            session.h2Connection().releaseSavepoint(mark);
        } catch (SQLException e) {
            // It went with the transaction in which it was set.
        }
    }
}
