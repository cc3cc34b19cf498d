package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.flotilladb.sqltests.load.Acknowledged;
import org.flotilladb.sqltests.load.TpcbProcess;
import org.flotilladb.sqltests.load.TpcbSchema;
import org.flotilladb.sqltests.processes.JavaProcess;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process with a {@code file:} database is killed with -9 in mid-load, again and again. */
class FileKillTest {

    private static final long SEED = Long.getLong("flotilla.seed", 20261124L);

    @Test
    void everyAcknowledgedTransactionIsThereAfterThreeKills(@TempDir Path folder) throws Exception {
        killAgainAndAgain(folder, 3);
    }

    @Test
    @Tag("slow")
    void everyAcknowledgedTransactionIsThereAfterTwentyKills(@TempDir Path folder) throws Exception {
        killAgainAndAgain(folder, 20);
    }

    private static void killAgainAndAgain(Path folder, int kills) throws Exception {
        String url = "jdbc:flotilla:file:" + folder.resolve("bank");
        SplittableRandom random = new SplittableRandom(SEED);
        Acknowledged acknowledged = new Acknowledged();
        for (int kill = 1; kill <= kills; kill++) {
            int more = random.nextInt(50, 400);
            runAndKill(folder, url, kill, more, acknowledged);
            assertEquals(
                    List.of(), problems(url, acknowledged), "after kill " + kill + " of " + kills + ", seed " + SEED);
        }
        System.out.printf(
                "file:, seed %d: %d kills, %d transactions acknowledged, none missing, %d in flight at a kill%n",
                SEED, kills, acknowledged.count(), acknowledged.unknownCount());
        assertTrue(acknowledged.count() >= 50L * kills);
    }

    /** What was tried and not acknowledged when the process died counts as unknown. */
    private static void runAndKill(Path folder, String url, int round, int more, Acknowledged acknowledged)
            throws Exception {
        Set<Long> tried = ConcurrentHashMap.newKeySet();
        CountDownLatch enough = new CountDownLatch(more);
        List<String> arguments = List.of(
                url,
                Long.toString(round * 1_000_000_000L),
                Long.toString(SEED + round),
                round == 1 ? "create" : "go on");
        try (JavaProcess process =
                JavaProcess.start(folder, List.of("-Xmx512m"), TpcbProcess.class.getName(), arguments, line -> {
                    String[] words = line.split(" ");
                    if (words[0].equals("try")) {
                        tried.add(Long.parseLong(words[1]));
                    } else if (words[0].equals("ack")) {
                        acknowledged.add(Long.parseLong(words[1]), Integer.parseInt(words[2]));
                        tried.remove(Long.parseLong(words[1]));
                        enough.countDown();
                    }
                })) {
            boolean reached = enough.await(120, TimeUnit.SECONDS);
            assertTrue(reached, "the load came to a stand before its kill" + process);
            process.kill();
        }
        tried.forEach(acknowledged::addUnknown);
    }

    private static List<String> problems(String url, Acknowledged acknowledged) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url)) {
            return TpcbSchema.findProblems(connection, acknowledged);
        }
    }
}
