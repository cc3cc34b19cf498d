package org.flotilladb.driver.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.flotilladb.engine.SqlSession;

/** A statement: whatever executes goes through the session, which may hand over another connection of H2. */
class FlotillaStatement implements Statement {
    /** Makes H2's statement on a connection. */
    @FunctionalInterface
    interface Maker {
        Statement make(Connection h2) throws SQLException;
    }

    /** Something to do with H2's statement. */
    @FunctionalInterface
    interface Work<T> {
        T run(Statement statement) throws SQLException;
    }

    final FlotillaConnection connection;
    private final Maker maker;
    private final List<String> batch = new ArrayList<>();
    private Statement delegate;
    private Connection madeOn;
    private int queryTimeoutSeconds;
    private long maxRows;
    private int fetchSize;
    private boolean escapeProcessing = true;
    private boolean closed;

    FlotillaStatement(FlotillaConnection connection, Maker maker) throws SQLException {
        this.connection = connection;
        this.maker = maker;
        connection.session();
    }

    final void checkOpen() throws SQLException {
        connection.session();
        if (closed) {
            throw new SQLException("The statement is closed.", "HY010", 90007);
        }
    }

    /** H2's statement as it is now. */
    final Statement h2() throws SQLException {
        checkOpen();
        return delegate == null ? on(connection.session().connection()) : delegate;
    }

    /** H2's statement on this connection, made anew if it was made on another. */
    Statement on(Connection h2) throws SQLException {
        if (madeOn != h2 || delegate == null) {
            checkOpen();
            Statement made = maker.make(h2);
            if (maxRows != 0) {
                made.setLargeMaxRows(maxRows);
            }
            if (fetchSize != 0) {
                made.setFetchSize(fetchSize);
            }
            if (!escapeProcessing) {
                made.setEscapeProcessing(false);
            }
            if (delegate != null) {
                delegate.close();
            }
            delegate = made;
            madeOn = h2;
        }
        return delegate;
    }

    final <T> T run(String sql, Work<T> work) throws SQLException {
        Refusals.check(sql);
        return runChecked(sql, work);
    }

    /** As {@link #run}, for a text that has been looked at. */
    final <T> T runChecked(String sql, Work<T> work) throws SQLException {
        return connection.execute(this, sql, queryTimeoutSeconds, h2 -> work.run(on(h2)));
    }

    /** Many executions of a text that has been looked at, at once; empty: they are to be run one by one. */
    final <T> Optional<T> runTogether(String sql, Work<T> items) throws SQLException {
        return connection.executeTogether(this, sql, queryTimeoutSeconds, h2 -> items.run(on(h2)));
    }

    /** Runs what a result of this statement does, as its own. */
    final <T> T onConnection(SqlSession.SqlWork<T> work) throws SQLException {
        checkOpen();
        return connection.execute(this, null, queryTimeoutSeconds, work);
    }

    @Override
    public Connection getConnection() throws SQLException {
        return connection;
    }

    @Override
    public void close() throws SQLException {
        closed = true;
        Statement closing = delegate;
        delegate = null;
        if (closing != null) {
            closing.close();
        }
    }

    @Override
    public boolean isClosed() throws SQLException {
        return closed || connection.isClosed() || (delegate != null && delegate.isClosed());
    }

    @Override
    public void cancel() throws SQLException {
        checkOpen();
        connection.cancel(this);
    }

    @Override
    public void setQueryTimeout(int seconds) throws SQLException {
        checkOpen();
        if (seconds < 0) {
            throw new SQLException("The query timeout must not be negative, it is " + seconds + ".", "HY024", 90008);
        }
        queryTimeoutSeconds = seconds;
    }

    @Override
    public void setMaxRows(int rows) throws SQLException {
        h2().setMaxRows(rows);
        maxRows = rows;
    }

    @Override
    public void setLargeMaxRows(long rows) throws SQLException {
        h2().setLargeMaxRows(rows);
        maxRows = rows;
    }

    @Override
    public void setFetchSize(int rows) throws SQLException {
        h2().setFetchSize(rows);
        fetchSize = rows;
    }

    @Override
    public void setEscapeProcessing(boolean enable) throws SQLException {
        h2().setEscapeProcessing(enable);
        escapeProcessing = enable;
    }

    @Override
    public void addBatch(String sql) throws SQLException {
        h2();
        if (sql == null) {
            throw new SQLException("The SQL of a batch must not be null.", "90008", 90008);
        }
        batch.add(sql);
    }

    @Override
    public void clearBatch() throws SQLException {
        h2();
        batch.clear();
    }

    @Override
    public int[] executeBatch() throws SQLException {
        long[] counts = executeLargeBatch();
        int[] result = new int[counts.length];
        for (int i = 0; i < counts.length; i++) {
            result[i] = (int) counts[i];
        }
        return result;
    }

    /** Each statement by itself, so that one which is run again after a conflict takes none of the others with it. */
    @Override
    public long[] executeLargeBatch() throws SQLException {
        h2();
        List<String> statements = List.copyOf(batch);
        batch.clear();
        Batch results = new Batch(statements.size());
        for (String sql : statements) {
            results.run(() -> run(sql, h2 -> {
                if (h2.execute(sql)) {
                    throw new SQLException("A query is not allowed in a batch.", "90002", 90002);
                }
                return h2.getLargeUpdateCount();
            }));
        }
        return results.counts();
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        return type.isInstance(this) ? type.cast(this) : h2().unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(this) || h2().isWrapperFor(type);
    }

    @Override
    public ResultSet executeQuery(String sql) throws SQLException {
        return run(sql, h2 -> UpdatableRows.wrap(h2.executeQuery(sql), h2, this));
    }

    @Override
    public int executeUpdate(String sql) throws SQLException {
        return run(sql, h2 -> h2.executeUpdate(sql));
    }

    @Override
    public boolean execute(String sql) throws SQLException {
        return run(sql, h2 -> h2.execute(sql));
    }

    @Override
    public int executeUpdate(String sql, int b) throws SQLException {
        return run(sql, h2 -> h2.executeUpdate(sql, b));
    }

    @Override
    public int executeUpdate(String sql, int[] b) throws SQLException {
        return run(sql, h2 -> h2.executeUpdate(sql, b));
    }

    @Override
    public int executeUpdate(String sql, String[] b) throws SQLException {
        return run(sql, h2 -> h2.executeUpdate(sql, b));
    }

    @Override
    public boolean execute(String sql, int b) throws SQLException {
        return run(sql, h2 -> h2.execute(sql, b));
    }

    @Override
    public boolean execute(String sql, int[] b) throws SQLException {
        return run(sql, h2 -> h2.execute(sql, b));
    }

    @Override
    public boolean execute(String sql, String[] b) throws SQLException {
        return run(sql, h2 -> h2.execute(sql, b));
    }

    @Override
    public long executeLargeUpdate(String sql) throws SQLException {
        return run(sql, h2 -> h2.executeLargeUpdate(sql));
    }

    @Override
    public long executeLargeUpdate(String sql, int b) throws SQLException {
        return run(sql, h2 -> h2.executeLargeUpdate(sql, b));
    }

    @Override
    public long executeLargeUpdate(String sql, int[] b) throws SQLException {
        return run(sql, h2 -> h2.executeLargeUpdate(sql, b));
    }

    @Override
    public long executeLargeUpdate(String sql, String[] b) throws SQLException {
        return run(sql, h2 -> h2.executeLargeUpdate(sql, b));
    }

    @Override
    public int getMaxFieldSize() throws SQLException {
        return h2().getMaxFieldSize();
    }

    @Override
    public void setMaxFieldSize(int a) throws SQLException {
        h2().setMaxFieldSize(a);
    }

    @Override
    public int getMaxRows() throws SQLException {
        return h2().getMaxRows();
    }

    @Override
    public int getQueryTimeout() throws SQLException {
        checkOpen();
        return queryTimeoutSeconds;
    }

    @Override
    public SQLWarning getWarnings() throws SQLException {
        return h2().getWarnings();
    }

    @Override
    public void clearWarnings() throws SQLException {
        h2().clearWarnings();
    }

    @Override
    public void setCursorName(String a) throws SQLException {
        h2().setCursorName(a);
    }

    @Override
    public ResultSet getResultSet() throws SQLException {
        Statement now = h2();
        return UpdatableRows.wrap(now.getResultSet(), now, this);
    }

    @Override
    public int getUpdateCount() throws SQLException {
        return h2().getUpdateCount();
    }

    @Override
    public boolean getMoreResults() throws SQLException {
        return h2().getMoreResults();
    }

    @Override
    public void setFetchDirection(int a) throws SQLException {
        h2().setFetchDirection(a);
    }

    @Override
    public int getFetchDirection() throws SQLException {
        return h2().getFetchDirection();
    }

    @Override
    public int getFetchSize() throws SQLException {
        return h2().getFetchSize();
    }

    @Override
    public int getResultSetConcurrency() throws SQLException {
        return h2().getResultSetConcurrency();
    }

    @Override
    public int getResultSetType() throws SQLException {
        return h2().getResultSetType();
    }

    @Override
    public boolean getMoreResults(int a) throws SQLException {
        return h2().getMoreResults(a);
    }

    @Override
    public ResultSet getGeneratedKeys() throws SQLException {
        return h2().getGeneratedKeys();
    }

    @Override
    public int getResultSetHoldability() throws SQLException {
        return h2().getResultSetHoldability();
    }

    @Override
    public void setPoolable(boolean a) throws SQLException {
        h2().setPoolable(a);
    }

    @Override
    public boolean isPoolable() throws SQLException {
        return h2().isPoolable();
    }

    @Override
    public void closeOnCompletion() throws SQLException {
        h2().closeOnCompletion();
    }

    @Override
    public boolean isCloseOnCompletion() throws SQLException {
        return h2().isCloseOnCompletion();
    }

    @Override
    public long getLargeUpdateCount() throws SQLException {
        return h2().getLargeUpdateCount();
    }

    @Override
    public long getLargeMaxRows() throws SQLException {
        return h2().getLargeMaxRows();
    }

    @Override
    public String enquoteLiteral(String a) throws SQLException {
        return h2().enquoteLiteral(a);
    }

    @Override
    public String enquoteIdentifier(String a, boolean b) throws SQLException {
        return h2().enquoteIdentifier(a, b);
    }

    @Override
    public boolean isSimpleIdentifier(String a) throws SQLException {
        return h2().isSimpleIdentifier(a);
    }
}
