package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
import org.flotilladb.sqltests.load.Acknowledged;
import org.flotilladb.sqltests.load.TpcbLoad;
import org.flotilladb.sqltests.load.TpcbSchema;
import org.flotilladb.sqltests.processes.ClusterProcesses;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three processes, eight connections, kill -9 of a follower and of the leader while commits flow. */
class ClusterTpcbTest {

    private static final int ALL = 5000;
    private static final int MORE = 500;
    private static final long TIMEOUT_MS = 240_000;
    private static final long SEED = Long.getLong("flotilla.seed", 20261124L);

    @Test
    void noAcknowledgedTransactionIsLostWhenAFollowerAndThenTheLeaderAreKilled(@TempDir Path folder) throws Exception {
        Acknowledged acknowledged = new Acknowledged();
        try (ClusterProcesses cluster = ClusterProcesses.start(folder, 3)) {
            String url = cluster.url("bank");
            try (TpcbLoad load = new TpcbLoad(url, acknowledged, 1, SEED)) {
                try (Connection connection = load.connection()) {
                    TpcbSchema.create(connection);
                    TpcbSchema.split(connection);
                    assertTrue(NodeStatus.regions(connection, "ACCOUNTS") >= 3, "the accounts are not spread");
                }
                load.start();
                load.awaitAcknowledged(MORE, TIMEOUT_MS);

                int follower = (leader(cluster, load) + 1) % 3;
                String afterFollower = killAndRestart(cluster, load, follower);
                String afterLeader = killAndRestart(cluster, load, leader(cluster, load));

                load.awaitAcknowledged(Math.max(ALL, acknowledged.count() + MORE), TIMEOUT_MS);
                load.stop();
                try (Connection connection = load.connection()) {
                    // Of the processes that run now: those that were killed have begun to count anew.
                    long twoPhase = NodeStatus.sum(connection, "two_phase_commits");
                    System.out.printf(
                            "three processes, seed %d: %d transactions acknowledged, %d unknown, %d run again,"
                                    + " %d two-phase commits; follower %s; leader %s%n",
                            SEED,
                            acknowledged.count(),
                            acknowledged.unknownCount(),
                            load.retries(),
                            twoPhase,
                            afterFollower,
                            afterLeader);
                    assertTrue(acknowledged.count() >= ALL);
                    assertEquals(List.of(), TpcbSchema.findProblems(connection, acknowledged));
                    assertTrue(twoPhase > 0, "no commit took two phases");
                }
            } catch (Exception | AssertionError e) {
                System.out.println("What the nodes printed:" + cluster.logs());
                throw e;
            }
            for (int i = 0; i < 3; i++) {
                assertEquals(0, cluster.stop(i), "exit code after SIGTERM of node " + i);
            }
        }
    }

    private static int leader(ClusterProcesses cluster, TpcbLoad load) throws Exception {
        try (Connection connection = load.connection()) {
            return cluster.leaderOf(connection, "BRANCHES");
        }
    }

    private static String killAndRestart(ClusterProcesses cluster, TpcbLoad load, int node) throws Exception {
        int before = load.acknowledged().count();
        cluster.kill(node);
        load.awaitAcknowledged(load.acknowledged().count() + MORE, TIMEOUT_MS);
        int without = load.acknowledged().count();
        cluster.start(node);
        load.awaitAcknowledged(load.acknowledged().count() + MORE, TIMEOUT_MS);
        return "killed after " + before + ", started again after " + without;
    }
}
