package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.flotilladb.sqltests.load.Acknowledged;
import org.flotilladb.sqltests.load.TpcbLoad;
import org.flotilladb.sqltests.load.TpcbSchema;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The load on one process; {@link ClusterTpcbTest} has it on three. */
class TpcbLoadTest {

    private static final int TRANSACTIONS = 5000;
    private static final long SEED = Long.getLong("flotilla.seed", 20261124L);

    @Test
    void inMemoryNoAcknowledgedTransactionIsLostAndTheSumsAgree() throws Exception {
        run("jdbc:flotilla:mem:tpcb;NODES=3");
    }

    @Test
    void onDiskNoAcknowledgedTransactionIsLostAndTheSumsAgree(@TempDir Path folder) throws Exception {
        String url = "jdbc:flotilla:file:" + folder.resolve("tpcb");
        Acknowledged acknowledged = run(url);
        try (TpcbLoad again = new TpcbLoad(url, acknowledged, 1L << 40, SEED);
                Connection connection = again.connection()) {
            assertEquals(List.of(), TpcbSchema.findProblems(connection, acknowledged), "after opening it again");
        }
    }

    private static Acknowledged run(String url) throws SQLException, InterruptedException {
        Acknowledged acknowledged = new Acknowledged();
        try (TpcbLoad load = new TpcbLoad(url, acknowledged, 1, SEED);
                Connection connection = load.connection()) {
            TpcbSchema.create(connection);
            TpcbSchema.split(connection);
            assertTrue(NodeStatus.regions(connection, "ACCOUNTS") >= 3, "the accounts are not spread");
            long syncsBefore = NodeStatus.sum(connection, "syncs");
            long twoPhaseBefore = NodeStatus.sum(connection, "two_phase_commits");
            connection.commit();
            load.start();
            load.awaitAcknowledged(TRANSACTIONS, 300_000);
            load.stop();
            long twoPhase = NodeStatus.sum(connection, "two_phase_commits") - twoPhaseBefore;
            long syncs = NodeStatus.sum(connection, "syncs") - syncsBefore;
            System.out.printf(
                    "%s, seed %d: %d transactions acknowledged, %d unknown, %d run again, %d two-phase commits, %d syncs%n",
                    url, SEED, acknowledged.count(), acknowledged.unknownCount(), load.retries(), twoPhase, syncs);
            assertEquals(List.of(), TpcbSchema.findProblems(connection, acknowledged));
            assertTrue(twoPhase > 0, "no commit took two phases");
            if (url.contains(":file:")) {
                assertTrue(syncs > 0, "nothing was synced to disk");
            }
        }
        return acknowledged;
    }

    /** One client shares its syncs with nobody: a commit that returned before its own would show in the count. */
    @Test
    void onDiskNoCommitOfASingleClientReturnsWithoutASyncOfItsOwn(@TempDir Path folder) throws Exception {
        int commits = 300;
        try (Connection connection = DriverManager.getConnection("jdbc:flotilla:file:" + folder.resolve("syncs"));
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
            long before = NodeStatus.sum(connection, "syncs");
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?)")) {
                for (int i = 1; i <= commits; i++) {
                    insert.setInt(1, i);
                    insert.executeUpdate();
                    long syncs = NodeStatus.sum(connection, "syncs") - before;
                    assertTrue(syncs >= i, i + " commits have returned after " + syncs + " syncs");
                }
            }
            System.out.printf(
                    "file:, one client: %d commits, %d syncs%n", commits, NodeStatus.sum(connection, "syncs") - before);
        }
    }

    @Test
    void theCheckItselfNoticesEachKindOfDamage() throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        try (TpcbLoad load = new TpcbLoad("jdbc:h2:mem:tpcbcheck;LOCK_TIMEOUT=10000", acknowledged, 1, SEED);
                Connection connection = load.connection();
                Statement statement = connection.createStatement()) {
            TpcbSchema.create(connection);
            load.start();
            load.awaitAcknowledged(200, 60_000);
            load.stop();
            assertEquals(List.of(), TpcbSchema.findProblems(connection, acknowledged));

            statement.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 1");
            statement.execute("UPDATE accounts SET balance = balance - 1 WHERE id = 2");
            connection.commit();
            assertEquals(List.of("2 rows of accounts disagree with their history"), problems(connection, acknowledged));
            statement.execute("UPDATE accounts SET balance = balance - 1 WHERE id = 1");
            connection.commit();
            assertEquals(2, problems(connection, acknowledged).size());
            statement.execute("UPDATE accounts SET balance = balance + 1 WHERE id = 2");
            connection.commit();
            assertEquals(List.of(), problems(connection, acknowledged));

            acknowledged.add(-5, 7);
            assertEquals(
                    List.of("1 acknowledged transactions are missing, such as [-5]"),
                    problems(connection, acknowledged));
            statement.execute("INSERT INTO history VALUES (-5, 1, 1, 1, 0)");
            connection.commit();
            assertEquals(
                    List.of("1 transactions have another amount, such as [-5]"), problems(connection, acknowledged));
            statement.execute("UPDATE history SET id = -6 WHERE id = -5");
            connection.commit();
            assertTrue(problems(connection, acknowledged)
                    .contains("1 transactions are there that were reported as not committed, such as [-6]"));
        }
    }

    private static List<String> problems(Connection connection, Acknowledged acknowledged) throws SQLException {
        return TpcbSchema.findProblems(connection, acknowledged);
    }
}
