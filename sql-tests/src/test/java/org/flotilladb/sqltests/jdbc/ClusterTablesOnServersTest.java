package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import org.flotilladb.server.node.ServerNode;
import org.flotilladb.sqltests.processes.FreePorts;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cluster of three servers seen and steered from SQL, and the same on databases in this process. */
@Timeout(180)
class ClusterTablesOnServersTest {
    @TempDir
    private Path folder;

    private final List<ServerNode> nodes = new ArrayList<>();
    private List<String> addresses;
    private Connection connection;

    @BeforeEach
    void start() throws Exception {
        addresses = FreePorts.find(3).stream()
                .sorted()
                .map(port -> "127.0.0.1:" + port)
                .toList();
        for (String address : addresses) {
            nodes.add(ServerNode.start(folder.resolve("n" + nodes.size()), address, addresses, problem -> {}));
        }
        connection = DriverManager.getConnection("jdbc:flotilla://" + String.join(",", addresses) + "/d");
        execute("CREATE TABLE accounts (id INT PRIMARY KEY, balance INT)");
        awaitValue("SELECT COUNT(*) FROM FLOTILLA.STORES WHERE ALIVE AND REGIONS > 0", "3");
    }

    @AfterEach
    void stop() throws SQLException {
        if (connection != null) {
            connection.close();
        }
        nodes.forEach(ServerNode::close);
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private String value(String sql, Object... parameters) throws SQLException {
        return value(connection, sql, parameters);
    }

    private static String value(Connection connection, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next() ? rows.getString(1) : "none";
            }
        }
    }

    /** What is under way comes to be so; the test's time limit ends a wait in vain. */
    private void awaitValue(String sql, String expected) throws SQLException {
        while (!expected.equals(value(sql))) {
            LockSupport.parkNanos(20_000_000);
        }
    }

    @Test
    void storesAreShownWithTheAddressesOfTheServers() throws SQLException {
        List<String> shown = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM FLOTILLA.STORES ORDER BY ADDRESS")) {
            while (rows.next()) {
                shown.add(rows.getString("ADDRESS"));
                assertEquals("UP", rows.getString("STATE"));
                assertTrue(rows.getString("STORE_ID").matches("[0-9a-f]{1,16}"), rows.getString("STORE_ID"));
            }
        }
        assertEquals(addresses, shown);
        // The same number as everywhere else.
        assertEquals(
                "3",
                value("SELECT COUNT(*) FROM FLOTILLA.STORES S JOIN FLOTILLA_STATUS() N ON N.NAME = 'store_id' AND"
                        + " N.\"VALUE\" = S.STORE_ID AND N.NODE = S.ADDRESS"));
    }

    @Test
    void aTableIsSplitByItsKeysAndItsRegionsAreLedWhereOneWants() throws SQLException {
        execute("INSERT INTO accounts SELECT X, 0 FROM SYSTEM_RANGE(1, 300)");
        execute("CALL FLOTILLA_SPLIT('ACCOUNTS', 100, 200)");
        awaitValue(
                "SELECT COUNT(*) FROM FLOTILLA.REGIONS WHERE KEY_RANGE LIKE '%ACCOUNTS row%' AND LEADER IS NOT NULL",
                "3");
        String region =
                value("SELECT REGION_ID FROM FLOTILLA.REGIONS WHERE KEY_RANGE = 'PUBLIC.ACCOUNTS row 100 .. row 200'");
        assertEquals("PUBLIC.ACCOUNTS", value("SELECT TABLE_NAME FROM FLOTILLA.REGIONS WHERE REGION_ID = ?", region));
        String leader = value("SELECT LEADER_STORE FROM FLOTILLA.REGIONS WHERE REGION_ID = ?", region);
        String other = value("SELECT STORE_ID FROM FLOTILLA.STORES WHERE STORE_ID <> ? ORDER BY 1", leader);
        // Else the balance of leaders may take it back before it is looked at.
        execute("CALL FLOTILLA_SET_PLACEMENT('balance', 'false')");
        String operator = value("CALL FLOTILLA_TRANSFER_LEADER(?, ?)", region, other);
        assertNotEquals("null", String.valueOf(operator));
        awaitValue("SELECT LEADER_STORE FROM FLOTILLA.REGIONS WHERE REGION_ID = " + region, other);
        awaitValue("SELECT STATE FROM FLOTILLA.OPERATORS WHERE OPERATOR_ID = " + operator, "DONE");
        assertEquals("300", value("SELECT COUNT(*) FROM accounts"));
    }

    @Test
    void aDrainThatCannotEndIsRefusedWithWhatToDo() throws SQLException {
        String store = value("SELECT STORE_ID FROM FLOTILLA.STORES LIMIT 1");
        SQLException refused = assertThrows(SQLException.class, () -> execute("CALL FLOTILLA_DRAIN('" + store + "')"));
        assertEquals("55000", refused.getSQLState());
        assertTrue(
                refused.getMessage().startsWith("Store " + store + " at ")
                        && refused.getMessage().contains("add a Store, or lower the number of replicas"),
                refused.getMessage());
        assertEquals("UP", value("SELECT STATE FROM FLOTILLA.STORES WHERE STORE_ID = ?", store));
    }

    @Test
    void databasesInThisProcessHaveTheSameTables() throws SQLException {
        for (String url : List.of(
                "jdbc:flotilla:mem:steered",
                "jdbc:flotilla:mem:steered3;NODES=3",
                "jdbc:flotilla:file:" + folder + "/f")) {
            try (Connection embedded = DriverManager.getConnection(url)) {
                String stores = value(embedded, "SELECT COUNT(*) FROM FLOTILLA.STORES");
                assertEquals(url.contains("NODES=3") ? "3" : "1", stores, url);
                assertEquals(
                        "3",
                        value(
                                embedded,
                                "SELECT SETTING_VALUE FROM FLOTILLA.PLACEMENT WHERE SETTING_NAME = 'replicas'"));
                assertEquals("0", value(embedded, "SELECT COUNT(*) FROM FLOTILLA.OPERATORS WHERE KIND = 'asked for'"));
                value(embedded, "CALL FLOTILLA_SPLIT_REGION(1, '7a')");
                while (!"2".equals(value(embedded, "SELECT COUNT(*) FROM FLOTILLA.REGIONS WHERE LEADER IS NOT NULL"))) {
                    LockSupport.parkNanos(20_000_000);
                }
                assertFalse(
                        value(embedded, "SELECT LEADER FROM FLOTILLA.REGIONS").isEmpty());
            }
        }
    }
}
