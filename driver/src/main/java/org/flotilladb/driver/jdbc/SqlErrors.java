package org.flotilladb.driver.jdbc;

import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransactionRollbackException;
import java.sql.SQLTransientConnectionException;
import java.sql.SQLTransientException;

/** Gives each error the class that JDBC has for its SQLState; what is right already stays as it is. */
final class SqlErrors {
    private SqlErrors() {}

    static SQLException surfaced(SQLException e) {
        String state = e.getSQLState();
        if (state == null) {
            return e;
        }
        return switch (state) {
            case "40001" ->
                e instanceof SQLTransactionRollbackException
                        ? e
                        : new SQLTransactionRollbackException(e.getMessage(), state, e.getErrorCode(), e);
            // Pools throw away a connection that has seen a SQLTimeoutException, and a lock is no fault of it.
            case "HYT00" ->
                e instanceof SQLTimeoutException || e.getClass() == SQLException.class
                        ? new SQLTransientException(e.getMessage(), state, e.getErrorCode(), e)
                        : e;
            case "08003", "08007" ->
                e instanceof SQLNonTransientConnectionException
                        ? e
                        : new SQLNonTransientConnectionException(e.getMessage(), state, e.getErrorCode(), e);
            case "08006" ->
                e instanceof SQLTransientConnectionException
                        ? e
                        : new SQLTransientConnectionException(e.getMessage(), state, e.getErrorCode(), e);
            default -> e;
        };
    }
}
