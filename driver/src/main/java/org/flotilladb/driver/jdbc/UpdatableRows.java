package org.flotilladb.driver.jdbc;

import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * A result whose rows may be changed. What it changes are statements on H2's connection, so they take their turn, their
 * limits and their errors from ours; the rest goes to H2's result. Only results that were asked for as updatable are
 * wrapped: reading stays as fast as it is.
 */
final class UpdatableRows {
    private UpdatableRows() {}

    /** The result itself where H2's statement makes read-only ones. */
    static ResultSet wrap(ResultSet rows, Statement of, FlotillaStatement statement) throws SQLException {
        if (rows == null || of.getResultSetConcurrency() != ResultSet.CONCUR_UPDATABLE) {
            return rows;
        }
        Connection madeOn = of.getConnection();
        return (ResultSet) Proxy.newProxyInstance(
                UpdatableRows.class.getClassLoader(),
                new Class<?>[] {ResultSet.class},
                Delegation.handler(rows, (method, arguments) -> {
                    String name = method.getName();
                    if (name.equals("getStatement")) {
                        statement.checkOpen();
                        return statement;
                    }
                    if (!changes(name)) {
                        return Delegation.invoke(rows, method, arguments);
                    }
                    return statement.onConnection(h2 -> {
                        // On a connection that was left behind nobody would commit it.
                        if (h2 != madeOn) {
                            throw new SQLException(
                                    "The catalog was changed since these rows were read: read them again, then change"
                                            + " them.",
                                    "40001");
                        }
                        return Delegation.invoke(rows, method, arguments);
                    });
                }));
    }

    /** Whether H2 runs statements for it. */
    private static boolean changes(String method) {
        return switch (method) {
            case "updateRow", "insertRow", "deleteRow", "refreshRow", "moveToInsertRow", "getConcurrency" -> true;
            default -> method.startsWith("update");
        };
    }
}
