package org.flotilladb.driver.jdbc;

import java.lang.reflect.Proxy;
import java.sql.Array;
import java.sql.Blob;
import java.sql.CallableStatement;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.NClob;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLClientInfoException;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLWarning;
import java.sql.SQLXML;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Struct;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.message.DbException;

/**
 * A connection: one session of the SQL layer. Safe for many threads, which take turns; cancelling, aborting and the
 * network timeout do not wait for theirs.
 */
public final class FlotillaConnection implements Connection {
    private final SqlSession session;
    private final Running running;
    private final String url;
    private final Runnable question;
    private final Runnable onClose;
    private final AtomicBoolean closed = new AtomicBoolean();
    private final Properties clientInfo = new Properties();
    private volatile int networkTimeoutMs;
    private volatile boolean readOnly;
    private volatile int holdability = ResultSet.HOLD_CURSORS_OVER_COMMIT;

    /**
     * @param question asks the cluster something, and throws when nobody answers
     * @param onClose run once when the connection is closed
     */
    public FlotillaConnection(SqlSession session, String url, Runnable question, Runnable onClose) {
        this.session = session;
        this.running = new Running(session);
        this.url = url;
        this.question = question;
        this.onClose = onClose;
    }

    SqlSession session() throws SQLException {
        if (closed.get()) {
            throw new SQLNonTransientConnectionException("The connection is closed.", "08003", 90007);
        }
        return session;
    }

    private Connection h2() throws SQLException {
        return session().connection();
    }

    /**
     * Runs a statement through the session.
     *
     * @param by whom {@link #cancel} will name
     * @param timeoutSeconds after which it is cancelled; 0: never
     */
    <T> T execute(Object by, String sql, int timeoutSeconds, SqlSession.SqlWork<T> work) throws SQLException {
        SqlSession open = session();
        return running.run(by, timeoutSeconds, networkTimeoutMs, this::networkTimedOut, () -> open.execute(sql, work));
    }

    /** As {@link #execute}, for many executions at once; empty: they are to be run one by one. */
    <T> Optional<T> executeTogether(Object by, String sql, int timeoutSeconds, SqlSession.SqlWork<T> items)
            throws SQLException {
        SqlSession open = session();
        return running.run(
                by, timeoutSeconds, networkTimeoutMs, this::networkTimedOut, () -> open.executeTogether(sql, items));
    }

    /** Runs something that is no statement of the user's, in its turn and within the network timeout. */
    private <T> T inTurn(Running.Work<T> work) throws SQLException {
        session();
        return running.run(null, 0, networkTimeoutMs, this::networkTimedOut, work);
    }

    /** As {@link #execute}, for work that JDBC has methods for; on the newest catalog. */
    private <T> T onNewest(SqlSession.SqlWork<T> work) throws SQLException {
        return execute(null, null, 0, work);
    }

    void cancel(Object by) throws SQLException {
        session();
        running.cancel(by);
    }

    private void networkTimedOut() {
        breakOff("The connection was given up after its network timeout of " + networkTimeoutMs + " ms");
    }

    private void breakOff(String why) {
        if (closed.compareAndSet(false, true)) {
            running.breakOff(why);
            // Its turn may be long in coming.
            Thread closer = new Thread(this::end, "flotilla-abort");
            closer.setDaemon(true);
            closer.start();
        }
    }

    private void end() {
        try {
            running.close();
        } finally {
            onClose.run();
        }
    }

    /** The URL this connection was opened with, without settings. */
    public String url() {
        return url;
    }

    @Override
    public Statement createStatement() throws SQLException {
        return new FlotillaStatement(this, Connection::createStatement);
    }

    @Override
    public Statement createStatement(int type, int concurrency) throws SQLException {
        return new FlotillaStatement(this, h2 -> h2.createStatement(type, concurrency));
    }

    @Override
    public Statement createStatement(int type, int concurrency, int holdability) throws SQLException {
        return new FlotillaStatement(this, h2 -> h2.createStatement(type, concurrency, holdability));
    }

    @Override
    public PreparedStatement prepareStatement(String sql) throws SQLException {
        return new FlotillaPreparedStatement(this, sql, h2 -> h2.prepareStatement(sql));
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int type, int concurrency) throws SQLException {
        return new FlotillaPreparedStatement(this, sql, h2 -> h2.prepareStatement(sql, type, concurrency));
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int type, int concurrency, int holdability)
            throws SQLException {
        return new FlotillaPreparedStatement(this, sql, h2 -> h2.prepareStatement(sql, type, concurrency, holdability));
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int autoGeneratedKeys) throws SQLException {
        return new FlotillaPreparedStatement(this, sql, h2 -> h2.prepareStatement(sql, autoGeneratedKeys));
    }

    @Override
    public PreparedStatement prepareStatement(String sql, int[] columnIndexes) throws SQLException {
        return new FlotillaPreparedStatement(this, sql, h2 -> h2.prepareStatement(sql, columnIndexes));
    }

    @Override
    public PreparedStatement prepareStatement(String sql, String[] columnNames) throws SQLException {
        return new FlotillaPreparedStatement(this, sql, h2 -> h2.prepareStatement(sql, columnNames));
    }

    @Override
    public CallableStatement prepareCall(String sql) throws SQLException {
        return call(sql, ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY);
    }

    @Override
    public CallableStatement prepareCall(String sql, int type, int concurrency) throws SQLException {
        return call(sql, type, concurrency);
    }

    @Override
    public CallableStatement prepareCall(String sql, int type, int concurrency, int holdability) throws SQLException {
        return call(sql, type, concurrency);
    }

    /** Calls are rare: a proxy that sends what executes through the session and the rest to H2's own statement. */
    private CallableStatement call(String sql, int type, int concurrency) throws SQLException {
        Refusals.check(sql);
        CallableStatement h2 = execute(null, sql, 0, c -> c.prepareCall(sql, type, concurrency));
        return (CallableStatement) Proxy.newProxyInstance(
                FlotillaConnection.class.getClassLoader(),
                new Class<?>[] {CallableStatement.class},
                Delegation.handler(h2, (method, arguments) -> switch (method.getName()) {
                    case "getConnection" -> this;
                    case "cancel" -> {
                        cancel(h2);
                        yield null;
                    }
                    default ->
                        method.getName().startsWith("execute")
                                ? execute(h2, sql, 0, c -> Delegation.invoke(h2, method, arguments))
                                : Delegation.invoke(h2, method, arguments);
                }));
    }

    /** What it asks of the database it asks of the newest catalog, however long it has been held. */
    @Override
    public DatabaseMetaData getMetaData() throws SQLException {
        DatabaseMetaData first = h2().getMetaData();
        return (DatabaseMetaData) Proxy.newProxyInstance(
                FlotillaConnection.class.getClassLoader(),
                new Class<?>[] {DatabaseMetaData.class},
                Delegation.handler(first, (method, arguments) -> switch (method.getName()) {
                    case "getConnection" -> this;
                    case "getURL" -> url;
                    case "isReadOnly" -> readOnly;
                    case "getDriverName" -> "Flotilla JDBC Driver";
                    case "getDriverVersion" -> Versions.VERSION;
                    case "getDriverMajorVersion" -> Versions.MAJOR;
                    case "getDriverMinorVersion" -> Versions.MINOR;
                    case "getDatabaseProductVersion" ->
                        "Flotilla " + Versions.VERSION + ", SQL of H2 " + first.getDatabaseProductVersion();
                    case "isWrapperFor", "unwrap" -> Delegation.invoke(first, method, arguments);
                    default -> onNewest(h2 -> Delegation.invoke(h2.getMetaData(), method, arguments));
                }));
    }

    @Override
    public void setAutoCommit(boolean autoCommit) throws SQLException {
        inTurn(() -> {
            session.setAutoCommit(autoCommit);
            return null;
        });
    }

    @Override
    public boolean getAutoCommit() throws SQLException {
        return session().getAutoCommit();
    }

    @Override
    public void commit() throws SQLException {
        inTurn(() -> {
            session.commit();
            return null;
        });
    }

    @Override
    public void rollback() throws SQLException {
        inTurn(() -> {
            session.rollback();
            return null;
        });
    }

    @Override
    public void setTransactionIsolation(int level) throws SQLException {
        inTurn(() -> {
            session.setTransactionIsolation(level);
            return null;
        });
    }

    @Override
    public int getTransactionIsolation() throws SQLException {
        return session().getTransactionIsolation();
    }

    @Override
    public Savepoint setSavepoint() throws SQLException {
        return inTurn(() -> session.setSavepoint(null));
    }

    @Override
    public Savepoint setSavepoint(String name) throws SQLException {
        return inTurn(() -> session.setSavepoint(name));
    }

    @Override
    public void close() throws SQLException {
        if (closed.compareAndSet(false, true)) {
            end();
        }
    }

    @Override
    public boolean isClosed() throws SQLException {
        return closed.get();
    }

    /** Asks the cluster, not only this process; a transaction that is open is not touched. */
    @Override
    public boolean isValid(int timeoutSeconds) throws SQLException {
        if (timeoutSeconds < 0) {
            throw new SQLException("The timeout must not be negative, it is " + timeoutSeconds + ".", "HY024", 90008);
        }
        if (closed.get()) {
            return false;
        }
        try {
            return running.run(null, timeoutSeconds, networkTimeoutMs, this::networkTimedOut, () -> {
                question.run();
                return session.connection().isValid(timeoutSeconds);
            });
        } catch (SQLException | KeySpaceException | DbException e) {
            return false;
        }
    }

    @Override
    public void abort(Executor executor) throws SQLException {
        if (executor == null) {
            throw new SQLException("abort wants an executor, it got null.", "HY009", 90008);
        }
        if (closed.compareAndSet(false, true)) {
            running.breakOff("The connection was aborted");
            executor.execute(this::end);
        }
    }

    /** The executor is not needed. After the timeout the connection is closed, and what ran on it fails with 08006. */
    @Override
    public void setNetworkTimeout(Executor executor, int milliseconds) throws SQLException {
        session();
        if (milliseconds < 0) {
            throw new SQLException(
                    "The network timeout must not be negative, it is " + milliseconds + ".", "HY024", 90008);
        }
        networkTimeoutMs = milliseconds;
    }

    @Override
    public int getNetworkTimeout() throws SQLException {
        session();
        return networkTimeoutMs;
    }

    @Override
    public <T> T unwrap(Class<T> type) throws SQLException {
        if (type.isInstance(this)) {
            return type.cast(this);
        }
        return h2().unwrap(type);
    }

    @Override
    public boolean isWrapperFor(Class<?> type) throws SQLException {
        return type.isInstance(this) || h2().isWrapperFor(type);
    }

    @Override
    public String nativeSQL(String a) throws SQLException {
        return h2().nativeSQL(a);
    }

    @Override
    public void setReadOnly(boolean a) throws SQLException {
        session();
        readOnly = a;
    }

    @Override
    public boolean isReadOnly() throws SQLException {
        session();
        return readOnly;
    }

    @Override
    public void setCatalog(String a) throws SQLException {
        h2().setCatalog(a);
    }

    @Override
    public String getCatalog() throws SQLException {
        return h2().getCatalog();
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
    public Map<String, Class<?>> getTypeMap() throws SQLException {
        return h2().getTypeMap();
    }

    @Override
    public void setTypeMap(Map<String, Class<?>> map) throws SQLException {
        h2().setTypeMap(map);
    }

    @Override
    public void setHoldability(int a) throws SQLException {
        h2().setHoldability(a);
        holdability = a;
    }

    @Override
    public int getHoldability() throws SQLException {
        session();
        return holdability;
    }

    @Override
    public void rollback(Savepoint a) throws SQLException {
        inTurn(() -> {
            h2().rollback(a);
            return null;
        });
    }

    @Override
    public void releaseSavepoint(Savepoint a) throws SQLException {
        inTurn(() -> {
            h2().releaseSavepoint(a);
            return null;
        });
    }

    @Override
    public Clob createClob() throws SQLException {
        return h2().createClob();
    }

    @Override
    public Blob createBlob() throws SQLException {
        return h2().createBlob();
    }

    @Override
    public NClob createNClob() throws SQLException {
        return h2().createNClob();
    }

    @Override
    public SQLXML createSQLXML() throws SQLException {
        return h2().createSQLXML();
    }

    /** Any name is kept and read back; nobody else looks at it yet. */
    @Override
    public void setClientInfo(String name, String value) throws SQLClientInfoException {
        checkForClientInfo();
        synchronized (clientInfo) {
            if (value == null) {
                clientInfo.remove(name);
            } else {
                clientInfo.setProperty(name, value);
            }
        }
    }

    @Override
    public void setClientInfo(Properties properties) throws SQLClientInfoException {
        checkForClientInfo();
        synchronized (clientInfo) {
            clientInfo.clear();
            clientInfo.putAll(properties);
        }
    }

    private void checkForClientInfo() throws SQLClientInfoException {
        if (closed.get()) {
            throw new SQLClientInfoException("The connection is closed.", "08003", 90007, Map.of());
        }
    }

    @Override
    public String getClientInfo(String name) throws SQLException {
        session();
        synchronized (clientInfo) {
            return clientInfo.getProperty(name);
        }
    }

    @Override
    public Properties getClientInfo() throws SQLException {
        session();
        synchronized (clientInfo) {
            Properties copy = new Properties();
            copy.putAll(clientInfo);
            return copy;
        }
    }

    @Override
    public Array createArrayOf(String a, Object[] b) throws SQLException {
        return h2().createArrayOf(a, b);
    }

    @Override
    public Struct createStruct(String a, Object[] b) throws SQLException {
        return h2().createStruct(a, b);
    }

    @Override
    public void setSchema(String a) throws SQLException {
        onNewest(h2 -> {
            h2.setSchema(a);
            return null;
        });
    }

    @Override
    public String getSchema() throws SQLException {
        return inTurn(() -> h2().getSchema());
    }
}
