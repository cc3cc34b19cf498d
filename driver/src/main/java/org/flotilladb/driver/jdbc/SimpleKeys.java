package org.flotilladb.driver.jdbc;

import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.h2.tools.SimpleResultSet;

/** The keys that a batch's statements have generated, gathered. Not thread-safe. */
final class SimpleKeys {
    private record Column(String label, int type, int precision, int scale) {}

    private final List<Column> columns = new ArrayList<>();
    private final List<Object[]> rows = new ArrayList<>();

    void add(Statement statement) throws SQLException {
        try (ResultSet keys = statement.getGeneratedKeys()) {
            while (keys.next()) {
                if (columns.isEmpty()) {
                    describe(keys.getMetaData());
                }
                Object[] row = new Object[columns.size()];
                for (int i = 1; i <= row.length; i++) {
                    row[i - 1] = keys.getObject(i);
                }
                rows.add(row);
            }
        }
    }

    private void describe(ResultSetMetaData of) throws SQLException {
        for (int i = 1; i <= of.getColumnCount(); i++) {
            columns.add(new Column(of.getColumnLabel(i), of.getColumnType(i), of.getPrecision(i), of.getScale(i)));
        }
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    int size() {
        return rows.size();
    }

    /** Forgets the keys of statements that were undone. */
    void truncate(int size) {
        rows.subList(size, rows.size()).clear();
    }

    ResultSet toResultSet() {
        SimpleResultSet result = new SimpleResultSet();
        columns.forEach(column -> result.addColumn(column.label, column.type, column.precision, column.scale));
        rows.forEach(result::addRow);
        return result;
    }
}
