package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.flotilladb.sqltests.processes.ClusterProcesses;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whether a connection is valid is the cluster's answer, inside a transaction too. */
@Timeout(120)
class ValidityTest {

    private static int count(Statement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM t")) {
            rows.next();
            return rows.getInt(1);
        }
    }

    @Test
    void withoutItsClusterAConnectionIsNotValidInATransactionAndOutsideOfOne(@TempDir Path folder) throws Exception {
        try (ClusterProcesses cluster = ClusterProcesses.start(folder, 1);
                Connection connection = DriverManager.getConnection(cluster.url("main"));
                Connection idle = DriverManager.getConnection(cluster.url("main"));
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
            connection.setAutoCommit(false);
            statement.execute("INSERT INTO t VALUES (1)");
            assertTrue(connection.isValid(0));
            assertTrue(idle.isValid(0));
            cluster.kill(0);
            assertFalse(connection.isValid(1));
            assertFalse(idle.isValid(1));
            cluster.start(0);
            cluster.awaitSql(60_000);
            assertTrue(idle.isValid(0));
            assertTrue(connection.isValid(0));
        }
    }

    @Test
    void askingDoesNotDisturbATransaction() throws SQLException {
        String url = "jdbc:flotilla:mem:validity";
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                Connection other = DriverManager.getConnection(url);
                Statement elsewhere = other.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
            connection.setAutoCommit(false);
            connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            statement.execute("INSERT INTO t VALUES (1)");
            elsewhere.execute("INSERT INTO t VALUES (2)");
            assertTrue(connection.isValid(5));
            assertEquals(1, count(statement), "it reads as before, what it wrote and nothing newer");
            assertEquals(1, count(elsewhere), "nothing was committed");
            connection.commit();
            assertEquals(2, count(elsewhere));
        }
    }
}
