package org.flotilladb.server.cli.bench;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;

/** The benchmark's tables, in standard SQL that Derby takes too. */
final class Schema {

    static final int TELLERS_PER_BRANCH = 10;

    private static final int BATCH = 500;
    private static final String FILLER = "the quick brown fox jumps over the lazy dog and comes back at dusk ";

    private Schema() {}

    /** Drops what an earlier run left and loads {@code rows} rows; only the tables of these workloads. */
    static void load(Connection connection, Set<Workload> workloads, int rows, int branches) throws SQLException {
        for (String table : new String[] {"items", "accounts", "tellers", "branches", "history"}) {
            dropIfThere(connection, "bench_" + table);
        }
        boolean items = workloads.stream().anyMatch(w -> w != Workload.TPCB);
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            if (items) {
                statement.execute("CREATE TABLE bench_items (id INT NOT NULL PRIMARY KEY, grp INT NOT NULL,"
                        + " val INT NOT NULL, txt VARCHAR(100) NOT NULL)");
                statement.execute("CREATE INDEX bench_items_grp ON bench_items (grp)");
            }
            if (workloads.contains(Workload.TPCB)) {
                for (String table : new String[] {"branches", "tellers", "accounts"}) {
                    statement.execute("CREATE TABLE bench_" + table + " (id INT NOT NULL PRIMARY KEY,"
                            + " branch_id INT NOT NULL, balance BIGINT NOT NULL, filler VARCHAR(100) NOT NULL)");
                }
                statement.execute("CREATE TABLE bench_history (id BIGINT NOT NULL PRIMARY KEY, account_id INT NOT NULL,"
                        + " teller_id INT NOT NULL, branch_id INT NOT NULL, amount INT NOT NULL,"
                        + " filler VARCHAR(22) NOT NULL)");
            }
        }
        if (items) {
            fill(connection, "items", rows, Math.max(1, rows / 10));
        }
        if (workloads.contains(Workload.TPCB)) {
            fill(connection, "branches", branches, branches);
            fill(connection, "tellers", branches * TELLERS_PER_BRANCH, branches);
            fill(connection, "accounts", rows, branches);
        }
    }

    private static void fill(Connection connection, String table, int rows, int groups) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement insert =
                connection.prepareStatement("INSERT INTO bench_" + table + " VALUES (?, ?, ?, ?)")) {
            for (int id = 0; id < rows; id++) {
                insert.setInt(1, id);
                insert.setInt(2, id % groups);
                insert.setInt(3, 0);
                insert.setString(4, text(id));
                insert.addBatch();
                if ((id + 1) % BATCH == 0 || id == rows - 1) {
                    insert.executeBatch();
                    connection.commit();
                }
            }
        }
        connection.setAutoCommit(true);
    }

    /** About 80 characters that differ from row to row. */
    static String text(long id) {
        return Long.toString(id * 0x9E3779B97F4A7C15L, 36) + FILLER;
    }

    /** Not every product knows {@code IF EXISTS}. */
    private static void dropIfThere(Connection connection, String table) throws SQLException {
        boolean there = false;
        try (ResultSet tables =
                connection.getMetaData().getTables(null, null, "%", new String[] {"TABLE", "BASE TABLE"})) {
            while (tables.next()) {
                there |= table.equalsIgnoreCase(tables.getString("TABLE_NAME"));
            }
        }
        if (there) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("DROP TABLE " + table);
            }
        }
    }
}
