package org.flotilladb.server.cli.demo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

class SampleDataTest {

    @Test
    void theSameSeedGivesTheSameRowsAndAnotherSeedOthers() throws SQLException {
        assertEquals(script(1), script(1));
        assertFalse(script(1).equals(script(2)));
    }

    @Test
    void anInterruptedLoadIsDoneAgain() throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:")) {
            new SampleData(1, 20).load(connection);
            assertTrue(SampleData.isLoaded(connection));
            try (Statement statement = connection.createStatement()) {
                statement.execute("DROP TABLE sample_data");
                statement.execute("DELETE FROM order_lines");
            }
            assertFalse(SampleData.isLoaded(connection));
            new SampleData(1, 20).load(connection);
            try (Statement statement = connection.createStatement();
                    ResultSet rows =
                            statement.executeQuery("SELECT COUNT(*), COUNT(DISTINCT order_id) FROM order_lines")) {
                rows.next();
                assertEquals(60, rows.getInt(2));
                assertTrue(rows.getInt(1) > 60);
            }
        }
    }

    private static String script(long seed) throws SQLException {
        StringBuilder script = new StringBuilder();
        try (Connection connection = DriverManager.getConnection("jdbc:h2:mem:")) {
            new SampleData(seed, 20).load(connection);
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SCRIPT NOPASSWORDS NOSETTINGS")) {
                while (rows.next()) {
                    String line = rows.getString(1);
                    script.append(line.startsWith("CREATE USER") ? "" : line);
                }
            }
        }
        return script.toString();
    }
}
