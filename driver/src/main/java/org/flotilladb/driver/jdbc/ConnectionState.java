package org.flotilladb.driver.jdbc;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import java.util.Properties;

/** What a user may have set on a connection through JDBC, and how it was before. */
record ConnectionState(
        boolean autoCommit,
        int isolation,
        String schema,
        String catalog,
        boolean readOnly,
        int networkTimeoutMs,
        int holdability,
        Properties clientInfo) {

    static ConnectionState of(Connection connection) throws SQLException {
        return new ConnectionState(
                connection.getAutoCommit(),
                connection.getTransactionIsolation(),
                connection.getSchema(),
                connection.getCatalog(),
                connection.isReadOnly(),
                connection.getNetworkTimeout(),
                connection.getHoldability(),
                connection.getClientInfo());
    }

    /** Rolls back what is open, then sets what has changed. */
    void restore(Connection connection) throws SQLException {
        if (!connection.getAutoCommit()) {
            connection.rollback();
        }
        // The user's own limit is not for what comes now; and outside of a transaction nothing of it can be committed.
        connection.setNetworkTimeout(Runnable::run, networkTimeoutMs);
        connection.setAutoCommit(true);
        if (connection.getTransactionIsolation() != isolation) {
            connection.setTransactionIsolation(isolation);
        }
        if (!Objects.equals(connection.getSchema(), schema)) {
            connection.setSchema(schema);
        }
        if (!Objects.equals(connection.getCatalog(), catalog)) {
            connection.setCatalog(catalog);
        }
        if (connection.getHoldability() != holdability) {
            connection.setHoldability(holdability);
        }
        connection.setReadOnly(readOnly);
        connection.setClientInfo(clientInfo);
        connection.clearWarnings();
        connection.setAutoCommit(autoCommit);
    }
}
