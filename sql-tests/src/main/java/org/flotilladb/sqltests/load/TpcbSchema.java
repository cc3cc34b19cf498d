package org.flotilladb.sqltests.load;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The tables of the load, how they are filled and split, and what must be true of them at any time. */
public final class TpcbSchema {

    public static final int BRANCHES = 16;
    public static final int TELLERS = 160;
    public static final int ACCOUNTS = 3000;

    private TpcbSchema() {}

    /** Creates and fills the tables. */
    public static void create(Connection connection) throws SQLException {
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            for (String table : new String[] {"branches", "tellers", "accounts"}) {
                statement.execute("CREATE TABLE " + table + " (id INT PRIMARY KEY, balance BIGINT NOT NULL)");
            }
            statement.execute("CREATE TABLE history (id BIGINT PRIMARY KEY, account_id INT NOT NULL,"
                    + " teller_id INT NOT NULL, branch_id INT NOT NULL, amount INT NOT NULL)");
        }
        fill(connection, "branches", BRANCHES);
        fill(connection, "tellers", TELLERS);
        fill(connection, "accounts", ACCOUNTS);
    }

    private static void fill(Connection connection, String table, int rows) throws SQLException {
        connection.setAutoCommit(false);
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO " + table + " VALUES (?, 0)")) {
            for (int id = 0; id < rows; id++) {
                insert.setInt(1, id);
                insert.addBatch();
                if ((id + 1) % 500 == 0 || id == rows - 1) {
                    insert.executeBatch();
                    connection.commit();
                }
            }
        }
        connection.setAutoCommit(true);
    }

    /** Splits the accounts into three Regions, so that most transactions commit in two phases. */
    public static void split(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (int part = 1; part <= 2; part++) {
                statement.execute("CALL FLOTILLA_SPLIT('ACCOUNTS', " + ACCOUNTS * part / 3 + ")");
            }
        }
    }

    /** Checks everything in one snapshot and returns what is wrong; nothing if all is well. */
    public static List<String> findProblems(Connection connection, Acknowledged acknowledged) throws SQLException {
        List<String> problems = new ArrayList<>();
        boolean autoCommit = connection.getAutoCommit();
        int isolation = connection.getTransactionIsolation();
        connection.setAutoCommit(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setAutoCommit(false);
        try {
            checkSums(connection, problems);
            checkHistory(connection, acknowledged, problems);
        } finally {
            connection.rollback();
            connection.setTransactionIsolation(isolation);
            connection.setAutoCommit(autoCommit);
        }
        return problems;
    }

    private static void checkSums(Connection connection, List<String> problems) throws SQLException {
        long history = number(connection, "SELECT COALESCE(SUM(amount), 0) FROM history");
        Map<String, String> columns = Map.of("accounts", "account_id", "tellers", "teller_id", "branches", "branch_id");
        for (Map.Entry<String, String> entry : columns.entrySet()) {
            String table = entry.getKey();
            String column = entry.getValue();
            long sum = number(connection, "SELECT SUM(balance) FROM " + table);
            if (sum != history) {
                problems.add("the sum over " + table + " is " + sum + ", that over history " + history);
            }
            long wrong = number(
                    connection,
                    "SELECT COUNT(*) FROM " + table + " t LEFT JOIN (SELECT " + column
                            + " AS id, SUM(amount) AS total FROM history GROUP BY " + column
                            + ") h ON h.id = t.id WHERE t.balance <> COALESCE(h.total, 0)");
            if (wrong != 0) {
                problems.add(wrong + " rows of " + table + " disagree with their history");
            }
        }
    }

    private static void checkHistory(Connection connection, Acknowledged acknowledged, List<String> problems)
            throws SQLException {
        Set<Long> missing = new HashSet<>(acknowledged.amounts().keySet());
        List<Long> wrongAmount = new ArrayList<>();
        List<Long> neverSent = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id, amount FROM history")) {
            for (Map<Long, Integer> amounts = acknowledged.amounts(); rows.next(); ) {
                long id = rows.getLong(1);
                missing.remove(id);
                Integer amount = amounts.get(id);
                if (amount == null && !acknowledged.isUnknown(id)) {
                    neverSent.add(id);
                } else if (amount != null && amount != rows.getInt(2)) {
                    wrongAmount.add(id);
                }
            }
        }
        addIfAny(problems, "acknowledged transactions are missing", missing);
        addIfAny(problems, "transactions have another amount", wrongAmount);
        addIfAny(problems, "transactions are there that were reported as not committed", neverSent);
    }

    private static void addIfAny(List<String> problems, String what, java.util.Collection<Long> ids) {
        if (!ids.isEmpty()) {
            problems.add(ids.size() + " " + what + ", such as "
                    + ids.stream().sorted().limit(10).toList());
        }
    }

    private static long number(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
