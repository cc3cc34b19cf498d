package org.flotilladb.driver.jdbc;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.ConnectionEvent;
import javax.sql.ConnectionEventListener;
import javax.sql.PooledConnection;
import javax.sql.StatementEventListener;

/**
 * A connection for a pool of an application server: whoever uses it gets a handle, and closing that brings the connection
 * back. Safe for many threads.
 */
public final class FlotillaPooledConnection implements PooledConnection {
    private final Connection physical;
    private final ConnectionState initial;
    private final List<ConnectionEventListener> listeners = new CopyOnWriteArrayList<>();
    private Handle handle;

    /**
     * Every user gets the connection as it is now.
     *
     * @throws SQLException when it cannot be asked how it is; it is closed then
     */
    public FlotillaPooledConnection(Connection physical) throws SQLException {
        this.physical = physical;
        try {
            this.initial = ConnectionState.of(physical);
        } catch (SQLException e) {
            physical.close();
            throw e;
        }
    }

    /** The connection as it comes from {@code getConnection}; the handle before it is closed by that. */
    @Override
    public synchronized Connection getConnection() throws SQLException {
        if (physical.isClosed()) {
            throw new SQLException("The pooled connection is closed.", "08003", 90007);
        }
        if (handle != null) {
            handle.giveUp();
            if (physical.isClosed()) {
                throw new SQLException("The pooled connection is closed: it could not be reset.", "08003", 90007);
            }
        }
        handle = new Handle();
        return (Connection) Proxy.newProxyInstance(
                FlotillaPooledConnection.class.getClassLoader(),
                new Class<?>[] {Connection.class},
                Delegation.handler(physical, handle::call));
    }

    @Override
    public void close() throws SQLException {
        physical.close();
    }

    @Override
    public void addConnectionEventListener(ConnectionEventListener listener) {
        listeners.add(listener);
    }

    @Override
    public void removeConnectionEventListener(ConnectionEventListener listener) {
        listeners.remove(listener);
    }

    /** Statements are not pooled, so nobody is told of any. */
    @Override
    public void addStatementEventListener(StatementEventListener listener) {}

    @Override
    public void removeStatementEventListener(StatementEventListener listener) {}

    /** What one user of the connection holds. */
    private final class Handle {
        private boolean closed;

        Object call(Method method, Object[] arguments) throws SQLException {
            switch (method.getName()) {
                case "close" -> {
                    close();
                    return null;
                }
                case "abort" -> {
                    synchronized (this) {
                        closed = true;
                    }
                    return Delegation.invoke(physical, method, arguments);
                }
                case "isClosed" -> {
                    return isClosed() || physical.isClosed();
                }
                default -> {}
            }
            if (isClosed()) {
                throw new SQLException("The connection is closed.", "08003", 90007);
            }
            try {
                return Delegation.invoke(physical, method, arguments);
            } catch (SQLException e) {
                if (String.valueOf(e.getSQLState()).startsWith("08")) {
                    broken(e);
                }
                throw e;
            }
        }

        private synchronized boolean isClosed() {
            return closed;
        }

        private void close() throws SQLException {
            if (giveUp()) {
                listeners.forEach(each -> each.connectionClosed(new ConnectionEvent(FlotillaPooledConnection.this)));
            }
        }

        /** Leaves the connection as a new one is; false if that was done before, or cannot be done: then it is closed. */
        boolean giveUp() throws SQLException {
            synchronized (this) {
                if (closed) {
                    return false;
                }
                closed = true;
            }
            if (!physical.isClosed()) {
                try {
                    initial.restore(physical);
                } catch (SQLException e) {
                    physical.close();
                    broken(e);
                    return false;
                }
            }
            return true;
        }

        private void broken(SQLException e) {
            listeners.forEach(
                    each -> each.connectionErrorOccurred(new ConnectionEvent(FlotillaPooledConnection.this, e)));
        }
    }
}
