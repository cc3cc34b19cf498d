package org.flotilladb.sqltests;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** What nodes count about themselves, read over JDBC. */
final class NodeStatus {

    private NodeStatus() {}

    /** How many Regions hold a table. */
    static int regions(Connection connection, String table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM FLOTILLA_REGIONS('" + table + "')")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    /** The sum over all nodes of the counter {@code name}. */
    static long sum(Connection connection, String name) throws SQLException {
        long sum = 0;
        boolean found = false;
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM FLOTILLA_STATUS()")) {
            while (rows.next()) {
                if (rows.getString("NAME").equalsIgnoreCase(name)) {
                    sum += rows.getLong("VALUE");
                    found = true;
                }
            }
        }
        if (!found) {
            throw new SQLException("no node counts " + name);
        }
        return sum;
    }
}
