package org.flotilladb.driver.jdbc;

import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import org.h2.tools.SimpleResultSet;

/** The keys that a batch's statements have generated, gathered. Not thread-safe. */
final class SimpleKeys {
    private SimpleResultSet gathered;

    void add(Statement statement) throws SQLException {
        try (ResultSet keys = statement.getGeneratedKeys()) {
            ResultSetMetaData columns = keys.getMetaData();
            int count = columns.getColumnCount();
            while (keys.next()) {
                if (gathered == null) {
                    gathered = new SimpleResultSet();
                    for (int i = 1; i <= count; i++) {
                        gathered.addColumn(
                                columns.getColumnLabel(i),
                                columns.getColumnType(i),
                                columns.getPrecision(i),
                                columns.getScale(i));
                    }
                }
                Object[] row = new Object[count];
                for (int i = 1; i <= count; i++) {
                    row[i - 1] = keys.getObject(i);
                }
                gathered.addRow(row);
            }
        }
    }

    boolean isEmpty() {
        return gathered == null;
    }

    ResultSet toResultSet() {
        return gathered;
    }
}
