package org.flotilladb.engine;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.Optional;

/**
 * One user's session: the driver's connection holds exactly one. Not thread-safe except for {@link #cancel()} and
 * {@link #close()}. The H2 connection below it may be replaced at a transaction boundary, when another process changed
 * the catalog; so statements belong to the connection they were prepared on, and are prepared again when {@link
 * #execute} hands over another one.
 */
public interface SqlSession extends AutoCloseable {

    /**
     * Runs one statement: brings the catalog up to date, routes DDL to where it may run, sets what must be set around a
     * statement, runs a single optimistic statement again after a conflict that was certainly not committed, and turns
     * errors from below into {@link SQLException}s with the right SQLState.
     *
     * @param sql the statement's text, for routing and messages
     * @param work what to do on H2's connection; may be called more than once
     */
    <T> T execute(String sql, SqlWork<T> work) throws SQLException;

    /**
     * Runs many executions of one statement as one, with few requests: they read at the same timestamp, and outside of a
     * transaction they are committed as one. All of it succeeds, or nothing of it has happened and the caller runs one by
     * one, which then tells what fails and where. An error is thrown where that would lead nowhere: the transaction or the
     * connection is gone, the statement was cancelled, the outcome of its commit is not known.
     *
     * @param sql the statement's text
     * @param items runs all of them; may be called more than once
     * @return empty: they are to be run one by one
     */
    <T> Optional<T> executeTogether(String sql, SqlWork<T> items) throws SQLException;

    /** H2's connection as it is now, for calls that run no statement (metadata, warnings, LOB factories). */
    Connection connection() throws SQLException;

    void setAutoCommit(boolean autoCommit) throws SQLException;

    boolean getAutoCommit();

    /** Sets a level of {@link Connection}; the next transaction uses it. */
    void setTransactionIsolation(int level) throws SQLException;

    int getTransactionIsolation();

    void commit() throws SQLException;

    void rollback() throws SQLException;

    /**
     * Marks this point of the present transaction, which begins with it if there is none.
     *
     * @param name null for a savepoint without one
     */
    Savepoint setSavepoint(String name) throws SQLException;

    /** Cancels the running statement, from any thread. */
    void cancel();

    /** Rolls back what is open and ends the session; idempotent, from any thread. */
    @Override
    void close();

    /** Work on H2's connection. */
    @FunctionalInterface
    interface SqlWork<T> {
        T run(Connection h2) throws SQLException;
    }
}
