package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** Over real Regions: a row that nobody has looked for is not removed again as if it were the statement's own. */
public class UncheckedRowsTest {

    /** Called in the statement below. */
    public static int delete(Connection connection, int id) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.executeUpdate("DELETE FROM t WHERE id = " + id);
        }
    }

    @Test
    void aDuplicateThatAFunctionWouldRemoveIsADuplicate() throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:flotilla:mem:unchecked");
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
            statement.execute("INSERT INTO t VALUES (1, 10)");
            statement.execute("CREATE ALIAS del FOR '" + UncheckedRowsTest.class.getName() + ".delete'");
            SQLException e = assertThrows(
                    SQLException.class, () -> statement.execute("INSERT INTO t VALUES (1, 0), (2, del(1))"));
            assertEquals("23505", e.getSQLState());
        }
    }
}
