package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import javax.sql.ConnectionEvent;
import javax.sql.ConnectionEventListener;
import javax.sql.ConnectionPoolDataSource;
import javax.sql.DataSource;
import javax.sql.PooledConnection;
import org.flotilladb.FlotillaDataSource;
import org.flotilladb.driver.jdbc.FlotillaConnection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Data sources and the pools that stand before them. */
@Timeout(120)
class PoolsTest {
    private static final String URL = "jdbc:flotilla:mem:pools";

    private static int one(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT 1")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    @Test
    void aDataSourceMakesConnections() throws SQLException {
        FlotillaDataSource source = new FlotillaDataSource();
        source.setUrl(URL);
        source.setUser("ada");
        source.setPassword("secret");
        source.setLoginTimeout(7);
        try (Connection connection = source.getConnection();
                Connection other = source.getConnection("ada", "secret")) {
            assertEquals(1, one(connection));
            assertEquals(1, one(other));
            assertEquals(
                    "28000",
                    assertThrows(SQLException.class, () -> source.getConnection("eve", "x"))
                            .getSQLState());
        }
        assertEquals(URL, source.getUrl());
        assertEquals("ada", source.getUser());
        assertEquals(7, source.getLoginTimeout());
        assertSame(source, source.unwrap(DataSource.class));
        assertTrue(source.isWrapperFor(ConnectionPoolDataSource.class));
        assertFalse(source.isWrapperFor(String.class));
        assertThrows(SQLException.class, () -> source.unwrap(String.class));
    }

    private static HikariConfig hikari() {
        HikariConfig config = new HikariConfig();
        config.setMaximumPoolSize(2);
        config.setConnectionTimeout(20_000);
        return config;
    }

    @Test
    void hikariWorksByUrlAndByDataSource() throws SQLException {
        HikariConfig byUrl = hikari();
        byUrl.setJdbcUrl(URL);
        HikariConfig bySource = hikari();
        bySource.setDataSourceClassName(FlotillaDataSource.class.getName());
        bySource.addDataSourceProperty("url", URL);
        for (HikariConfig config : List.of(byUrl, bySource)) {
            try (HikariDataSource pool = new HikariDataSource(config)) {
                for (int i = 0; i < 10; i++) {
                    try (Connection connection = pool.getConnection()) {
                        assertEquals(1, one(connection));
                    }
                }
                assertEquals(1, pool.getHikariPoolMXBean().getTotalConnections());
            }
        }
    }

    @Test
    void hikariKeepsAConnectionAfterALockTimeoutAndAConflictAndThrowsAwayABrokenOne() throws Exception {
        HikariConfig config = hikari();
        config.setJdbcUrl(URL + ";LOCK_TIMEOUT=50");
        config.setAutoCommit(false);
        try (HikariDataSource pool = new HikariDataSource(config)) {
            try (Connection connection = pool.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
                statement.execute("INSERT INTO t VALUES (1, 1)");
                connection.commit();
            }
            FlotillaConnection victim;
            try (Connection holder = pool.getConnection();
                    Statement holding = holder.createStatement();
                    Connection waiter = pool.getConnection();
                    Statement waiting = waiter.createStatement()) {
                victim = waiter.unwrap(FlotillaConnection.class);
                holding.execute("UPDATE t SET v = 2");
                SQLException e = assertThrows(SQLException.class, () -> waiting.execute("UPDATE t SET v = 3"));
                assertEquals("HYT00", e.getSQLState());
                waiter.rollback();
                assertFalse(waiter.isClosed());
                holder.rollback();
            }
            assertFalse(victim.isClosed(), "the pool has thrown it away");
            assertEquals(2, pool.getHikariPoolMXBean().getTotalConnections());
            try (Connection broken = pool.getConnection()) {
                broken.unwrap(FlotillaConnection.class).abort(Runnable::run);
                assertThrows(SQLException.class, () -> one(broken));
            }
            try (Connection next = pool.getConnection();
                    Connection another = pool.getConnection()) {
                assertEquals(1, one(next));
                assertEquals(1, one(another));
            }
        }
    }

    private static ConnectionEventListener listenerOf(List<String> events) {
        return new ConnectionEventListener() {
            @Override
            public void connectionClosed(ConnectionEvent event) {
                events.add("closed");
            }

            @Override
            public void connectionErrorOccurred(ConnectionEvent event) {
                events.add("error " + event.getSQLException().getSQLState());
            }
        };
    }

    @Test
    void aPooledConnectionComesBackAsGoodAsNew() throws SQLException {
        PooledConnection pooled = new FlotillaDataSource(URL, "", "").getPooledConnection();
        List<String> events = new ArrayList<>();
        pooled.addConnectionEventListener(listenerOf(events));
        Connection first = pooled.getConnection();
        try (Statement statement = first.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
            first.setAutoCommit(false);
            statement.execute("INSERT INTO t VALUES (1)");
        }
        first.close();
        first.close();
        assertEquals(List.of("closed"), events);
        assertTrue(first.isClosed());
        assertEquals(
                "08003",
                assertThrows(SQLException.class, first::createStatement).getSQLState());

        Connection second = pooled.getConnection();
        assertTrue(second.getAutoCommit());
        try (Statement statement = second.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM t")) {
            rows.next();
            assertEquals(0, rows.getInt(1), "what the first had not committed is undone");
        }
        second.setAutoCommit(false);
        Connection third = pooled.getConnection();
        assertTrue(second.isClosed(), "there is one handle at a time");
        assertEquals(1, one(third));
        third.abort(Runnable::run);
        pooled.close();
        assertThrows(SQLException.class, pooled::getConnection);
    }

    /** What can be set on a connection, as text. */
    private static List<String> state(Connection connection) throws SQLException {
        return List.of(
                "autocommit " + connection.getAutoCommit(),
                "isolation " + connection.getTransactionIsolation(),
                "schema " + connection.getSchema(),
                "catalog " + connection.getCatalog(),
                "read only " + connection.isReadOnly(),
                "network timeout " + connection.getNetworkTimeout(),
                "holdability " + connection.getHoldability(),
                "client info " + connection.getClientInfo(),
                "warnings " + connection.getWarnings());
    }

    private static void changeAll(Connection connection) throws SQLException {
        connection.setSchema("ELSEWHERE");
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setReadOnly(true);
        connection.setNetworkTimeout(Runnable::run, 12_345);
        connection.setHoldability(ResultSet.CLOSE_CURSORS_AT_COMMIT);
        connection.setClientInfo("ApplicationName", "first");
    }

    @Test
    void aPooledConnectionForgetsWhateverItsUserSet() throws SQLException {
        PooledConnection pooled = new FlotillaDataSource(URL + ";AUTOCOMMIT=FALSE", "", "").getPooledConnection();
        Connection first = pooled.getConnection();
        try (Statement statement = first.createStatement()) {
            statement.execute("CREATE SCHEMA elsewhere");
        }
        List<String> before = state(first);
        assertFalse(first.getAutoCommit(), "the URL says so");
        changeAll(first);
        List<String> changed = state(first);
        try (Statement statement = first.createStatement()) {
            // What runs when it comes back is undone, not committed by the changes that undo the rest.
            statement.execute("CREATE TABLE public.t (id INT PRIMARY KEY)");
            first.commit();
            statement.execute("INSERT INTO public.t VALUES (1)");
        }
        first.close();
        Connection second = pooled.getConnection();
        assertEquals(before, state(second));
        for (int i = 0; i < before.size(); i++) {
            boolean kept = before.get(i).startsWith("autocommit")
                    || before.get(i).startsWith("catalog")
                    || before.get(i).startsWith("warnings");
            assertEquals(kept, before.get(i).equals(changed.get(i)), before.get(i) + " and " + changed.get(i));
        }
        try (Statement statement = second.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM t")) {
            rows.next();
            assertEquals(0, rows.getInt(1));
        }
        // A handle that is taken away counts as given back.
        changeAll(second);
        assertEquals(before, state(pooled.getConnection()));
        pooled.close();
    }

    @Test
    void aPooledConnectionThatCannotBeMadeGoodAsNewIsReportedAndClosed() throws SQLException {
        PooledConnection pooled = new FlotillaDataSource(URL, "", "").getPooledConnection();
        Connection handle = pooled.getConnection();
        try (Statement statement = handle.createStatement()) {
            statement.execute("CREATE SCHEMA first");
            handle.setSchema("FIRST");
        }
        PooledConnection there = new FlotillaDataSource(URL + ";SCHEMA=FIRST", "", "").getPooledConnection();
        List<String> events = new ArrayList<>();
        there.addConnectionEventListener(listenerOf(events));
        Connection victim = there.getConnection();
        victim.setSchema("PUBLIC");
        handle.setSchema("PUBLIC");
        try (Statement statement = handle.createStatement()) {
            statement.execute("DROP SCHEMA first");
        }
        victim.close();
        assertEquals(List.of("error 90079"), events);
        assertThrows(SQLException.class, there::getConnection);
        pooled.close();
    }
}
