package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
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
import java.sql.SQLTransientException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Changes through a result are statements like any other: same errors, same limits, same transaction. */
@Timeout(120)
class UpdatableResultsTest {
    private static final String URL = "jdbc:flotilla:mem:updatable";

    private Connection connection;
    private Statement statement;

    @BeforeEach
    void open() throws SQLException {
        connection = DriverManager.getConnection(URL + ";LOCK_TIMEOUT=50");
        statement = connection.createStatement(ResultSet.TYPE_SCROLL_INSENSITIVE, ResultSet.CONCUR_UPDATABLE);
        statement.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))");
        statement.execute("INSERT INTO t VALUES (1, 'one'), (2, 'two'), (3, 'three')");
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
    }

    private static String all(Connection on) throws SQLException {
        try (Statement asking = on.createStatement();
                ResultSet rows =
                        asking.executeQuery("SELECT LISTAGG(id || v, ' ') WITHIN GROUP (ORDER BY id) FROM t")) {
            rows.next();
            return rows.getString(1);
        }
    }

    @Test
    void rowsAreUpdatedInsertedAndDeleted() throws SQLException {
        try (ResultSet rows = statement.executeQuery("SELECT id, v FROM t ORDER BY id")) {
            assertEquals(ResultSet.CONCUR_UPDATABLE, rows.getConcurrency());
            assertSame(statement, rows.getStatement());
            assertTrue(rows.next());
            rows.updateString("V", "changed");
            rows.updateRow();
            assertTrue(rows.next());
            rows.deleteRow();
            rows.moveToInsertRow();
            rows.updateInt(1, 4);
            rows.updateString(2, "four");
            rows.insertRow();
            rows.moveToCurrentRow();
        }
        assertEquals("1changed 3three 4four", all(connection));
        try (PreparedStatement prepared = connection.prepareStatement(
                "SELECT id, v FROM t WHERE id = ?", ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_UPDATABLE)) {
            prepared.setInt(1, 3);
            assertTrue(prepared.execute());
            ResultSet rows = prepared.getResultSet();
            assertTrue(rows.next());
            rows.deleteRow();
        }
        assertEquals("1changed 4four", all(connection));
    }

    @Test
    void aLockThatIsNotFreeInTimeIsHyt00AndNoTimeoutException() throws SQLException {
        try (Connection holder = DriverManager.getConnection(URL);
                Statement holding = holder.createStatement()) {
            holder.setAutoCommit(false);
            holding.execute("UPDATE t SET v = 'theirs' WHERE id = 1");
            connection.setAutoCommit(false);
            try (ResultSet rows = statement.executeQuery("SELECT id, v FROM t ORDER BY id")) {
                rows.next();
                rows.updateString(2, "mine");
                SQLException e = assertThrows(SQLException.class, rows::updateRow);
                assertEquals("HYT00", e.getSQLState(), e.toString());
                assertInstanceOf(SQLTransientException.class, e);
                assertTrue(!(e instanceof SQLTimeoutException), "HikariCP would throw the connection away");
            }
            holder.rollback();
        }
    }

    @Test
    void aConflictIs40001() throws SQLException {
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        try (Connection other = DriverManager.getConnection(URL);
                Statement faster = other.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id, v FROM t ORDER BY id")) {
            rows.next();
            faster.execute("UPDATE t SET v = 'theirs' WHERE id = 1");
            rows.updateString(2, "mine");
            SQLException e = assertThrows(SQLException.class, () -> {
                rows.updateRow();
                connection.commit();
            });
            assertInstanceOf(SQLTransactionRollbackException.class, e, e.toString());
            assertEquals("40001", e.getSQLState());
        }
    }

    @Test
    void afterTheConnectionWasBrokenOffItsStateSaysSo() throws SQLException {
        ResultSet rows = statement.executeQuery("SELECT id, v FROM t ORDER BY id");
        rows.next();
        rows.updateString(2, "mine");
        connection.abort(Runnable::run);
        assertEquals("08003", assertThrows(SQLException.class, rows::updateRow).getSQLState());
        connection = DriverManager.getConnection(URL);
    }
}
