package org.flotilladb.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.flotilladb.region.store.SplitSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A table that grows becomes many Regions by itself, and nobody who works with it notices. */
@Timeout(240)
class SelfSplittingNodesTest {
    private static final SplitSettings SMALL = SplitSettings.DEFAULT.withMaxBytes(128 << 10);
    private static final int ROWS = 12_000;
    private static final int BATCH = 200;
    private static final int PARTS = 7;

    @TempDir
    private Path folder;

    private final List<ServerNode> nodes = new ArrayList<>();
    private Connection connection;

    @BeforeEach
    void open() throws Exception {
        List<String> addresses = ServerNodeTest.addresses(3);
        for (int i = 0; i < 3; i++) {
            nodes.add(ServerNode.start(folder.resolve("n" + i), addresses.get(i), addresses, SMALL, problem -> {}));
        }
        connection = DriverManager.getConnection("jdbc:flotilla://" + String.join(",", addresses) + "/d");
    }

    @AfterEach
    void close() throws SQLException {
        if (connection != null) {
            connection.close();
        }
        nodes.forEach(ServerNode::close);
    }

    private long number(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    /** Regions of the table by the Store that leads them. */
    private TreeMap<String, Integer> leaders() throws SQLException {
        TreeMap<String, Integer> leaders = new TreeMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM FLOTILLA_REGIONS('T')")) {
            while (rows.next()) {
                leaders.merge(rows.getString("LEADER"), 1, Integer::sum);
            }
        }
        return leaders;
    }

    private static boolean isSpread(TreeMap<String, Integer> leaders) {
        int most = leaders.values().stream().mapToInt(Integer::intValue).max().orElse(0);
        int least = leaders.values().stream().mapToInt(Integer::intValue).min().orElse(0);
        // Other Regions than those of the table are balanced with them.
        return leaders.size() == 3 && most - least <= 4;
    }

    @Test
    void a_table_that_is_loaded_splits_by_itself_and_stays_right() throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY, part INT, v VARCHAR(100))");
            statement.execute("CREATE INDEX by_part ON t (part)");
        }
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, ?, ?)")) {
            for (int first = 0; first < ROWS; first += BATCH) {
                for (int id = first; id < first + BATCH; id++) {
                    insert.setInt(1, id);
                    insert.setInt(2, id % PARTS);
                    insert.setString(3, "x".repeat(80));
                    insert.addBatch();
                }
                insert.executeBatch();
            }
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(120);
        TreeMap<String, Integer> leaders = leaders();
        while (!(leaders.values().stream().mapToInt(Integer::intValue).sum() >= 12 && isSpread(leaders))) {
            assertTrue(System.nanoTime() < deadline, "Regions by leader: " + leaders);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(200));
            leaders = leaders();
        }
        assertEquals(ROWS, number("SELECT COUNT(*) FROM t"));
        assertEquals((long) ROWS * (ROWS - 1) / 2, number("SELECT SUM(CAST(id AS BIGINT)) FROM t"));
        assertEquals((ROWS + PARTS - 1) / PARTS, number("SELECT COUNT(*) FROM t WHERE part = 0"), "by index");
        assertEquals(ROWS - 1, number("SELECT id FROM t ORDER BY id DESC FETCH FIRST ROW ONLY"));
        assertEquals(777, number("SELECT id FROM t WHERE id = 777"));
    }
}
