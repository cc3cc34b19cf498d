package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.List;
import org.flotilladb.server.node.ServerNode;
import org.flotilladb.sqltests.processes.FreePorts;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Another client changes the catalog under a connection: what JDBC promises of that connection still holds. The other
 * client is in this process, and a stranger all the same: the address it uses is another, so nothing is shared.
 */
@Timeout(120)
class DefinitionsElsewhereTest {
    private ServerNode node;
    private Connection connection;
    private Statement statement;
    private Connection other;
    private Statement elsewhere;

    @BeforeEach
    void open(@TempDir Path folder) throws Exception {
        int port = FreePorts.find(1).get(0);
        node = ServerNode.start(folder.resolve("n1"), "127.0.0.1:" + port, List.of("127.0.0.1:" + port), problem -> {});
        connection = DriverManager.getConnection("jdbc:flotilla://127.0.0.1:" + port + "/d");
        statement = connection.createStatement();
        statement.execute("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20))");
        statement.execute("INSERT INTO t VALUES (1, 'one'), (2, 'two')");
        other = DriverManager.getConnection("jdbc:flotilla://localhost:" + port + "/d");
        elsewhere = other.createStatement();
    }

    @AfterEach
    void close() throws SQLException {
        other.close();
        connection.close();
        node.close();
    }

    private static String value(Statement on, String sql) throws SQLException {
        try (ResultSet rows = on.executeQuery(sql)) {
            assertTrue(rows.next());
            return rows.getString(1);
        }
    }

    @Test
    void aSavepointAtTheVeryBeginningIsStillThere() throws SQLException {
        connection.setAutoCommit(false);
        Savepoint beginning = connection.setSavepoint();
        elsewhere.execute("CREATE TABLE u (id INT PRIMARY KEY)");
        statement.execute("INSERT INTO t VALUES (3, 'three')");
        connection.rollback(beginning);
        connection.commit();
        assertEquals("2", value(statement, "SELECT COUNT(*) FROM t"));
    }

    @Test
    void aResultIsReadToItsEnd() throws SQLException {
        try (ResultSet rows = statement.executeQuery("SELECT id FROM t ORDER BY id");
                Statement update = connection.createStatement()) {
            assertTrue(rows.next());
            elsewhere.execute("CREATE TABLE u (id INT PRIMARY KEY)");
            update.executeUpdate("UPDATE t SET v = 'seen' WHERE id = 1");
            assertTrue(rows.next());
            assertEquals(2, rows.getInt(1));
            assertFalse(rows.next());
        }
    }

    /** The transaction goes on with another catalog; what those rows were read with is not committed any more. */
    @Test
    void rowsOfAnOldCatalogAreNotChangedThroughTheirResult() throws SQLException {
        try (Statement updatable = connection.createStatement(ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_UPDATABLE);
                ResultSet rows = updatable.executeQuery("SELECT id, v FROM t ORDER BY id")) {
            connection.setAutoCommit(false);
            assertTrue(rows.next());
            rows.updateString(2, "lost");
            connection.commit();
            elsewhere.execute("CREATE TABLE u (id INT PRIMARY KEY)");
            assertEquals("0", value(statement, "SELECT COUNT(*) FROM u"));
            SQLException e = assertThrows(SQLException.class, rows::updateRow);
            assertEquals("40001", e.getSQLState(), e.toString());
            assertInstanceOf(SQLTransactionRollbackException.class, e);
            connection.commit();
        }
        assertEquals("one", value(statement, "SELECT v FROM t WHERE id = 1"));
    }

    @Test
    void aPreparedStatementKeepsItsValues() throws SQLException {
        try (PreparedStatement update = connection.prepareStatement("UPDATE t SET v = ? WHERE id = ?")) {
            update.setString(1, "x");
            update.setInt(2, 1);
            elsewhere.execute("ALTER TABLE t ADD COLUMN w INT DEFAULT 5");
            assertEquals(1, update.executeUpdate());
            assertEquals("x", value(statement, "SELECT v FROM t WHERE id = 1"));
            assertEquals("5", value(statement, "SELECT w FROM t WHERE id = 1"));
        }
    }

    @Test
    void theConnectionKeepsItsSettings() throws SQLException {
        statement.execute("CREATE SCHEMA other");
        connection.setSchema("OTHER");
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        connection.setAutoCommit(false);
        elsewhere.execute("CREATE TABLE u (id INT PRIMARY KEY)");
        assertEquals("0", value(statement, "SELECT COUNT(*) FROM PUBLIC.u"));
        assertEquals("OTHER", connection.getSchema());
        assertEquals(Connection.TRANSACTION_REPEATABLE_READ, connection.getTransactionIsolation());
        assertFalse(connection.getAutoCommit());
    }

    @Test
    void metadataThatIsHeldShowsTheNewestCatalog() throws SQLException {
        DatabaseMetaData metadata = connection.getMetaData();
        elsewhere.execute("CREATE TABLE u (id INT PRIMARY KEY)");
        try (ResultSet tables = metadata.getTables(null, "PUBLIC", "U", null)) {
            assertTrue(tables.next());
        }
        elsewhere.execute("CREATE SCHEMA s");
        connection.setSchema("S");
        assertEquals("S", connection.getSchema());
    }

    @Test
    void aTableDroppedElsewhereIsGone() throws SQLException {
        elsewhere.execute("DROP TABLE t");
        SQLException e = assertThrows(SQLException.class, () -> statement.executeQuery("SELECT * FROM t"));
        // H2 has a state of its own for a database without any table.
        assertEquals("42S04", e.getSQLState(), e.toString());
    }
}
