package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTimeoutException;
import java.sql.SQLTransactionRollbackException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.flotilladb.driver.jdbc.FlotillaConnection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What JDBC promises of a connection, where H2 is careless or where we stand between. */
@Timeout(120)
class ConnectionContractTest {
    private static final AtomicInteger OPENED = new AtomicInteger();
    private static final String FOR_EVER = "SELECT COUNT(*) FROM SYSTEM_RANGE(1, 10000000000) a WHERE MOD(a.x, 7) = 8";

    /** One for each test: a connection that broke off lets go of its database only a moment after it is closed. */
    private final String url = "jdbc:flotilla:mem:contract" + OPENED.incrementAndGet();

    private Connection connection;
    private Statement statement;

    @BeforeEach
    void open() throws SQLException {
        connection = DriverManager.getConnection(url);
        statement = connection.createStatement();
        statement.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))");
        statement.execute("INSERT INTO t VALUES (1, 'one'), (2, 'two')");
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
    }

    private static String value(Statement on, String sql) throws SQLException {
        try (ResultSet rows = on.executeQuery(sql)) {
            assertTrue(rows.next());
            return rows.getString(1);
        }
    }

    private static void assertClosed(org.junit.jupiter.api.function.Executable call) {
        SQLException e = assertThrows(SQLException.class, call);
        assertEquals(90007, e.getErrorCode(), e.toString());
    }

    @Test
    void aClosedConnectionThrowsAndNeverDoesMore() throws SQLException {
        PreparedStatement prepared = connection.prepareStatement("SELECT * FROM t");
        connection.close();
        connection.close();
        assertTrue(connection.isClosed());
        assertTrue(statement.isClosed());
        assertFalse(connection.isValid(1));
        assertEquals(
                "08003",
                assertThrows(SQLException.class, connection::createStatement).getSQLState());
        assertClosed(() -> connection.prepareStatement("SELECT 1"));
        assertClosed(connection::commit);
        assertClosed(connection::rollback);
        assertClosed(connection::getAutoCommit);
        assertClosed(() -> connection.setAutoCommit(false));
        assertClosed(connection::getMetaData);
        assertClosed(connection::setSavepoint);
        assertClosed(connection::getNetworkTimeout);
        assertClosed(() -> statement.execute("SELECT 1"));
        assertClosed(prepared::executeQuery);
        statement.close();
        prepared.close();
        connection.abort(Runnable::run);
    }

    @Test
    void aClosedStatementThrowsAndClosesItsResult() throws SQLException {
        ResultSet rows = statement.executeQuery("SELECT * FROM t");
        statement.close();
        statement.close();
        assertTrue(statement.isClosed());
        assertTrue(rows.isClosed());
        assertClosed(() -> statement.executeQuery("SELECT 1"));
        assertClosed(() -> statement.setQueryTimeout(1));
        assertClosed(statement::cancel);
        assertClosed(rows::next);
    }

    @Test
    void closingRollsBackWhatIsOpen() throws SQLException {
        try (Connection other = DriverManager.getConnection(url);
                Statement otherStatement = other.createStatement()) {
            other.setAutoCommit(false);
            otherStatement.execute("INSERT INTO t VALUES (3, 'three')");
        }
        assertEquals("2", value(statement, "SELECT COUNT(*) FROM t"));
    }

    @Test
    void isValidAsksAndTheNetworkTimeoutReadsBack() throws SQLException {
        assertTrue(connection.isValid(0));
        assertTrue(connection.isValid(5));
        assertEquals(
                "HY024",
                assertThrows(SQLException.class, () -> connection.isValid(-1)).getSQLState());
        assertEquals(0, connection.getNetworkTimeout());
        connection.setNetworkTimeout(Runnable::run, 4711);
        assertEquals(4711, connection.getNetworkTimeout());
        assertEquals("2", value(statement, "SELECT COUNT(*) FROM t"));
    }

    @Test
    void afterTheNetworkTimeoutTheStatementFailsAndTheConnectionIsClosed() throws SQLException {
        connection.setNetworkTimeout(Runnable::run, 200);
        SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery(FOR_EVER));
        assertEquals("08006", e.getSQLState());
        assertTrue(e.getMessage().contains("200 ms"), e.getMessage());
        assertTrue(connection.isClosed());
    }

    @Test
    void abortClosesAtOnceAndEndsWhatRuns() throws Exception {
        CompletableFuture<SQLException> failure = CompletableFuture.supplyAsync(
                () -> assertThrows(SQLException.class, () -> statement.executeQuery(FOR_EVER)), OwnThreads.INSTANCE);
        CompletableFuture<Runnable> end = new CompletableFuture<>();
        connection.abort(end::complete);
        assertTrue(connection.isClosed());
        end.get().run();
        String state = failure.get(60, TimeUnit.SECONDS).getSQLState();
        // It was running, or it came too late to run.
        assertTrue(state.equals("08006") || state.equals("08003"), state);
        assertThrows(SQLException.class, () -> connection.abort(null));
    }

    @Test
    void theQueryTimeoutBelongsToOneStatement() throws SQLException {
        statement.setQueryTimeout(1);
        assertEquals(1, statement.getQueryTimeout());
        try (Statement other = connection.createStatement()) {
            assertEquals(0, other.getQueryTimeout());
        }
        SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery(FOR_EVER));
        assertInstanceOf(SQLTimeoutException.class, e);
        assertEquals("57014", e.getSQLState());
        assertEquals("2", value(statement, "SELECT COUNT(*) FROM t"), "the connection goes on");
        assertThrows(SQLException.class, () -> statement.setQueryTimeout(-1));
    }

    @Test
    void theQueryTimeoutEndsTheWaitForALockToo() throws SQLException {
        try (Connection other = DriverManager.getConnection(url + ";LOCK_TIMEOUT=60000");
                Statement waiting = other.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("UPDATE t SET v = 'mine' WHERE id = 1");
            other.setAutoCommit(false);
            waiting.setQueryTimeout(1);
            SQLException e =
                    assertThrows(SQLException.class, () -> waiting.execute("UPDATE t SET v = 'x' WHERE id = 1"));
            assertEquals("57014", e.getSQLState(), e.toString());
            connection.rollback();
            waiting.setQueryTimeout(0);
            assertEquals(1, waiting.executeUpdate("UPDATE t SET v = 'theirs' WHERE id = 1"));
            other.commit();
        }
        assertEquals("theirs", value(statement, "SELECT v FROM t WHERE id = 1"));
    }

    @Test
    void cancelEndsTheStatementOfItsOwnOnly() throws Exception {
        statement.cancel();
        assertEquals("2", value(statement, "SELECT COUNT(*) FROM t"), "a cancellation of nothing changes nothing");
        try (Statement bystander = connection.createStatement()) {
            CompletableFuture<SQLException> failure = CompletableFuture.supplyAsync(
                    () -> assertThrows(SQLException.class, () -> statement.executeQuery(FOR_EVER)),
                    OwnThreads.INSTANCE);
            CountDownLatch stop = new CountDownLatch(1);
            CompletableFuture<Void> canceller = CompletableFuture.runAsync(
                    () -> {
                        try {
                            // Until it has begun there is nothing to cancel.
                            while (stop.getCount() > 0) {
                                bystander.cancel();
                                statement.cancel();
                            }
                        } catch (SQLException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    OwnThreads.INSTANCE);
            SQLException e = failure.get(60, TimeUnit.SECONDS);
            stop.countDown();
            canceller.get();
            assertInstanceOf(SQLTimeoutException.class, e);
            assertEquals("57014", e.getSQLState());
            for (int i = 0; i < 100; i++) {
                assertEquals("2", value(bystander, "SELECT COUNT(*) FROM t"));
            }
        }
    }

    @Test
    void manyThreadsMayShareAConnection() throws Exception {
        CompletableFuture<?>[] threads = new CompletableFuture<?>[8];
        for (int i = 0; i < threads.length; i++) {
            int thread = i;
            threads[i] = CompletableFuture.runAsync(
                    () -> {
                        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, 'x')")) {
                            for (int n = 0; n < 50; n++) {
                                insert.setInt(1, 1000 + thread * 50 + n);
                                insert.executeUpdate();
                            }
                        } catch (SQLException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    OwnThreads.INSTANCE);
        }
        CompletableFuture.allOf(threads).get();
        assertEquals("402", value(statement, "SELECT COUNT(*) FROM t"));
    }

    @Test
    void aLockThatIsNotFreeInTimeIsHyt00AndNoTimeoutException() throws SQLException {
        try (Connection other = DriverManager.getConnection(url + ";LOCK_TIMEOUT=50");
                Statement waiting = other.createStatement()) {
            connection.setAutoCommit(false);
            statement.execute("UPDATE t SET v = 'mine' WHERE id = 1");
            other.setAutoCommit(false);
            SQLException e =
                    assertThrows(SQLException.class, () -> waiting.execute("UPDATE t SET v = 'x' WHERE id = 1"));
            assertEquals("HYT00", e.getSQLState(), e.toString());
            assertEquals(50200, e.getErrorCode());
            assertFalse(e instanceof SQLTimeoutException, "HikariCP would throw the connection away");
            assertEquals("2", value(waiting, "SELECT COUNT(*) FROM t"), "the connection goes on");
            other.rollback();
            connection.rollback();
        }
    }

    @Test
    void aWriteConflictIs40001() throws SQLException {
        try (Connection other = DriverManager.getConnection(url);
                Statement late = other.createStatement()) {
            other.setAutoCommit(false);
            other.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            assertEquals("one", value(late, "SELECT v FROM t WHERE id = 1"));
            statement.execute("UPDATE t SET v = 'first' WHERE id = 1");
            SQLException e = assertThrows(SQLException.class, () -> {
                late.execute("UPDATE t SET v = 'second' WHERE id = 1");
                other.commit();
            });
            assertInstanceOf(SQLTransactionRollbackException.class, e);
            assertEquals("40001", e.getSQLState());
            other.rollback();
        }
        assertEquals("first", value(statement, "SELECT v FROM t WHERE id = 1"));
    }

    @Test
    void savepointsUndoWhatCameAfterThem() throws SQLException {
        connection.setAutoCommit(false);
        statement.execute("INSERT INTO t VALUES (3, 'three')");
        Savepoint first = connection.setSavepoint("first");
        assertEquals("first", first.getSavepointName());
        statement.execute("INSERT INTO t VALUES (4, 'four')");
        Savepoint second = connection.setSavepoint();
        assertTrue(second.getSavepointId() >= 0);
        statement.execute("DELETE FROM t");
        connection.rollback(second);
        assertEquals("4", value(statement, "SELECT COUNT(*) FROM t"));
        connection.rollback(first);
        assertEquals("3", value(statement, "SELECT COUNT(*) FROM t"));
        connection.releaseSavepoint(first);
        assertThrows(SQLException.class, () -> connection.rollback(first));
        connection.commit();
        assertEquals("3", value(statement, "SELECT COUNT(*) FROM t"));
    }

    @Test
    void readOnlyIsAHintThatReadsBack() throws SQLException {
        assertFalse(connection.isReadOnly());
        connection.setReadOnly(true);
        assertTrue(connection.isReadOnly());
        assertEquals("2", value(statement, "SELECT COUNT(*) FROM t"));
        connection.setReadOnly(false);
        assertEquals(1, statement.executeUpdate("DELETE FROM t WHERE id = 1"));
    }

    @Test
    void holdabilityAndTypesOfResultsAreAsAskedFor() throws SQLException {
        assertEquals(ResultSet.HOLD_CURSORS_OVER_COMMIT, connection.getHoldability());
        connection.setAutoCommit(false);
        try (Statement scrollable = connection.createStatement(
                        ResultSet.TYPE_SCROLL_INSENSITIVE,
                        ResultSet.CONCUR_UPDATABLE,
                        ResultSet.HOLD_CURSORS_OVER_COMMIT);
                ResultSet rows = scrollable.executeQuery("SELECT id, v FROM t ORDER BY id")) {
            assertEquals(ResultSet.TYPE_SCROLL_INSENSITIVE, rows.getType());
            assertTrue(rows.last());
            assertEquals(2, rows.getInt(1));
            connection.commit();
            assertTrue(rows.first());
            rows.updateString(2, "changed");
            rows.updateRow();
            connection.commit();
        }
        assertEquals("changed", value(statement, "SELECT v FROM t WHERE id = 1"));
    }

    @Test
    void itUnwrapsToItselfAndToH2() throws SQLException {
        assertSame(connection, connection.unwrap(FlotillaConnection.class));
        assertTrue(connection.isWrapperFor(FlotillaConnection.class));
        assertNotNull(connection.unwrap(org.h2.jdbc.JdbcConnection.class));
        assertTrue(connection.isWrapperFor(org.h2.jdbc.JdbcConnection.class));
        assertFalse(connection.isWrapperFor(String.class));
        assertThrows(SQLException.class, () -> connection.unwrap(String.class));
        assertSame(connection, statement.getConnection());
        assertSame(connection, connection.getMetaData().getConnection());
    }

    @Test
    void turningAutocommitOnCommits() throws SQLException {
        connection.setAutoCommit(false);
        statement.execute("INSERT INTO t VALUES (3, 'three')");
        connection.setAutoCommit(true);
        try (Connection other = DriverManager.getConnection(url);
                Statement otherStatement = other.createStatement()) {
            assertEquals("3", value(otherStatement, "SELECT COUNT(*) FROM t"));
        }
    }

    @Test
    void optionalCallsDegrade() throws SQLException {
        connection.setClientInfo("ApplicationName", "test");
        assertEquals("test", connection.getClientInfo("ApplicationName"));
        connection.setCatalog("ignored");
        connection.setHoldability(ResultSet.HOLD_CURSORS_OVER_COMMIT);
        connection.beginRequest();
        connection.endRequest();
        connection.clearWarnings();
        statement.setPoolable(true);
        statement.setFetchSize(100);
        statement.setFetchDirection(ResultSet.FETCH_FORWARD);
        statement.closeOnCompletion();
        assertNotNull(connection.getTypeMap());
        assertNotNull(connection.createBlob());
        assertNotNull(connection.createClob());
        assertEquals("SELECT 1", connection.nativeSQL("SELECT 1"));
    }
}
