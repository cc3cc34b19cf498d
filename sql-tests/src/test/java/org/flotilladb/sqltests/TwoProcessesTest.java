package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.flotilladb.sqltests.processes.ClusterProcesses;
import org.flotilladb.sqltests.processes.JavaProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** This process and a shell in another one, connected to one cluster all the while. */
class TwoProcessesTest {

    private static final long TIMEOUT_MS = 60_000;

    @Test
    void eachSeesTheOthersTablesAndRowsAtItsNextStatement(@TempDir Path folder) throws Exception {
        try (ClusterProcesses cluster = ClusterProcesses.start(folder, 3)) {
            String url = cluster.url("shared");
            try (Connection here = DriverManager.getConnection(url);
                    Statement statement = here.createStatement();
                    JavaProcess there =
                            JavaProcess.start(folder, "org.flotilladb.server.cli.Main", List.of("shell", url))) {
                there.send("SELECT 'connected' AS c;\n");
                there.awaitOutput("connected"::equals, TIMEOUT_MS);

                statement.execute("CREATE TABLE ours (id INT PRIMARY KEY, v VARCHAR(20))");
                statement.execute("INSERT INTO ours VALUES (1, 'from here')");
                there.send("SELECT v FROM ours;\n");
                there.awaitOutput("from here"::equals, TIMEOUT_MS);

                there.send("CREATE TABLE theirs (id INT PRIMARY KEY, v VARCHAR(20));\n"
                        + "INSERT INTO theirs VALUES (1, 'from there');\nSELECT 'created' AS c;\n");
                there.awaitOutput("created"::equals, TIMEOUT_MS);
                assertEquals("from there", value(statement, "SELECT v FROM theirs"));

                statement.execute("ALTER TABLE theirs ADD COLUMN w INT DEFAULT 42");
                there.send("UPDATE theirs SET v = 'w=' || w;\nSELECT v FROM theirs;\n");
                there.awaitOutput("w=42"::equals, TIMEOUT_MS);
                assertEquals("w=42", value(statement, "SELECT v FROM theirs"));

                there.send("DROP TABLE ours;\nSELECT 'dropped' AS c;\n");
                there.awaitOutput("dropped"::equals, TIMEOUT_MS);
                SQLException gone = org.junit.jupiter.api.Assertions.assertThrows(
                        SQLException.class, () -> statement.execute("SELECT * FROM ours"));
                assertEquals("42S02", gone.getSQLState());
                there.endInput();
                assertEquals(0, there.waitFor(TIMEOUT_MS));
            } catch (Exception | AssertionError e) {
                System.out.println("What the nodes printed:" + cluster.logs());
                throw e;
            }
        }
    }

    private static String value(Statement statement, String sql) throws SQLException {
        try (ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }
}
