package org.flotilladb.engine.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.memory.MemoryCluster;
import org.flotilladb.engine.memory.MemoryKeySpace;

/** Processes over one key space in memory, and short ways to run SQL on them. At its end nothing may have leaked. */
final class SqlFixture implements AutoCloseable {
    static final String USER = "SA";
    /** Tests that mean to wait in vain set a shorter time; the others may run on a busy machine. */
    private static final String PATIENT_MS = "60000";

    final MemoryCluster cluster = new MemoryCluster();
    private final List<MemoryKeySpace> keySpaces = new ArrayList<>();
    private final List<SqlDatabase> databases = new ArrayList<>();
    private final List<SqlSession> sessions = new ArrayList<>();

    /** Opens the database in one more process. */
    SqlDatabase process(String... settings) throws SQLException {
        MemoryKeySpace keySpace = cluster.process();
        keySpaces.add(keySpace);
        SqlDatabase database = SqlDatabase.open(keySpace, "main", map(settings));
        databases.add(database);
        return database;
    }

    static Map<String, String> map(String... settings) {
        Map<String, String> result = new java.util.TreeMap<>();
        for (String setting : settings) {
            int at = setting.indexOf('=');
            result.put(setting.substring(0, at), setting.substring(at + 1));
        }
        return result;
    }

    SqlSession session(SqlDatabase database, String... settings) throws SQLException {
        Map<String, String> all = map(settings);
        all.putIfAbsent("LOCK_TIMEOUT", PATIENT_MS);
        SqlSession session = database.connect(USER, "secret".toCharArray(), all);
        synchronized (sessions) {
            sessions.add(session);
        }
        return session;
    }

    /** A session of a new process. */
    SqlSession session(String... settings) throws SQLException {
        return session(process(settings));
    }

    /** Runs statements; the last one's update count, -1 for a query. */
    static int run(SqlSession session, String... statements) throws SQLException {
        int[] count = new int[1];
        for (String sql : statements) {
            session.execute(sql, h2 -> {
                try (Statement statement = h2.createStatement()) {
                    statement.execute(sql);
                    count[0] = statement.getUpdateCount();
                }
                return null;
            });
        }
        return count[0];
    }

    /** Rows as text: columns separated by commas, rows by semicolons. */
    static String query(SqlSession session, String sql) throws SQLException {
        return session.execute(sql, h2 -> {
            try (Statement statement = h2.createStatement();
                    ResultSet rows = statement.executeQuery(sql)) {
                StringBuilder text = new StringBuilder();
                int columns = rows.getMetaData().getColumnCount();
                while (rows.next()) {
                    text.append(text.length() == 0 ? "" : ";");
                    for (int i = 1; i <= columns; i++) {
                        text.append(i == 1 ? "" : ",").append(rows.getString(i));
                    }
                }
                return text.toString();
            }
        });
    }

    /** Runs a statement that must fail; its SQLState. */
    static SQLException fails(SqlSession session, String sql) {
        try {
            run(session, sql);
        } catch (SQLException e) {
            return e;
        }
        throw new AssertionError("no error: " + sql);
    }

    static void check(SqlSession session, String sql, String expected) throws SQLException {
        assertEquals(expected, query(session, sql), sql);
    }

    @Override
    public void close() {
        sessions.forEach(SqlSession::close);
        databases.forEach(SqlDatabase::close);
        for (MemoryKeySpace keySpace : keySpaces) {
            assertEquals(0, keySpace.openTransactions(), "transactions left open");
        }
        if (!keySpaces.isEmpty()) {
            assertEquals(0, keySpaces.get(0).locksHeld(), "locks left");
        }
    }
}
