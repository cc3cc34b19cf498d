package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;
import org.testcontainers.utility.MountableFile;

/**
 * What is shipped runs where there is nothing but Java: the jars of {@code ./flotilla classpath} in a bare image. Servers
 * listen on loopback only, so three nodes and their client share one container.
 */
@Tag("container")
@Timeout(300)
class ContainerTest {
    private static final String PEERS = "127.0.0.1:7411,127.0.0.1:7412,127.0.0.1:7413";
    private static final String URL = "jdbc:flotilla://" + PEERS + "/main";
    private static final String MAIN = "java -cp '/flotilla/*' -XX:TieredStopAtLevel=1 org.flotilladb.server.cli.Main ";
    private static final String NODES = "for i in 1 2 3; do " + MAIN
            + "server --data /data/n$i --listen 127.0.0.1:741$i --peers " + PEERS + " & echo $! >/n$i.pid; done; wait";

    /** The reason is printed: a test that is skipped without a word is believed to have run. */
    private static void assume(boolean there, String reason) {
        if (!there) {
            System.out.println("The container test is skipped: " + reason);
        }
        Assumptions.assumeTrue(there, reason);
    }

    private static ExecResult run(GenericContainer<?> container, String arguments) throws Exception {
        return container.execInContainer("sh", "-c", MAIN + arguments);
    }

    private static List<String> rows(GenericContainer<?> container, String sql) throws Exception {
        ExecResult result = run(container, "shell '" + URL + "' -c \"" + sql + "\"");
        assertEquals(0, result.getExitCode(), result + container.getLogs());
        return result.getStdout().lines().toList();
    }

    private static void assertSumsAgree(GenericContainer<?> container) throws Exception {
        List<String> rows = rows(
                container,
                "SELECT (SELECT COUNT(*) FROM bench_history) AS n, (SELECT SUM(amount) FROM bench_history) AS h,"
                        + " (SELECT SUM(balance) FROM bench_accounts) AS a, (SELECT SUM(balance) FROM bench_tellers) AS"
                        + " t, (SELECT SUM(balance) FROM bench_branches) AS b");
        String[] sums = rows.get(1).split("\t", -1);
        assertTrue(Long.parseLong(sums[0]) > 0, "no transaction was committed: " + rows);
        assertEquals(List.of(sums[1], sums[1], sums[1]), List.of(sums[2], sums[3], sums[4]), rows.toString());
        System.out.println("In the container " + sums[0] + " transactions of TPC-B, all sums are " + sums[1]);
    }

    @Test
    void threeNodesAndTheirClientRunOnABareJavaImage() throws Exception {
        String classPath = System.getProperty("flotilla.classpath", "");
        assume(!classPath.isEmpty(), "-Dflotilla.classpath=\"$(./flotilla classpath)\" names what is shipped");
        assume(DockerClientFactory.instance().isDockerAvailable(), "no Docker engine answers");
        String image = System.getProperty("flotilla.image", "eclipse-temurin:17-jre");
        try (GenericContainer<?> container = new GenericContainer<>(DockerImageName.parse(image))) {
            List<String> names = new ArrayList<>();
            for (String entry : classPath.split(File.pathSeparator, -1)) {
                // Two jars of one name must not hide one another.
                names.add(names.size() + "-" + Path.of(entry).getFileName());
                container.withCopyFileToContainer(
                        MountableFile.forHostPath(entry), "/flotilla/" + names.get(names.size() - 1));
            }
            container
                    // As the script does: Java takes arguments in the locale's encoding.
                    .withEnv("LC_ALL", "C.UTF-8")
                    .withNetworkMode("none")
                    .withCommand("sh", "-c", NODES)
                    .waitingFor(Wait.forLogMessage(".*listens on.*\\n", 3).withStartupTimeout(Duration.ofSeconds(120)));
            container.start();

            assertEquals(
                    List.of("ID\tV", "1\tŁódź 船", "2\tNULL"),
                    rows(
                            container,
                            "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20));"
                                    + " INSERT INTO t VALUES (1, 'Łódź 船'), (2, NULL); SELECT * FROM t ORDER BY id"));
            ExecResult bench = run(
                    container,
                    "bench '" + URL + "' -w tpcb --rows 1000 --branches 4 --clients 4 --warmup 0 --seconds 3");
            assertEquals(0, bench.getExitCode(), bench + container.getLogs());
            assertSumsAgree(container);

            assertEquals(
                    0,
                    container
                            .execInContainer("sh", "-c", "kill -9 $(cat /n1.pid)")
                            .getExitCode());
            assertSumsAgree(container);
            assertEquals(
                    List.of("N", "2"),
                    rows(
                            container,
                            "DELETE FROM t; INSERT INTO t VALUES (3, 'x'), (4, 'y');"
                                    + " SELECT COUNT(*) AS n FROM t"));
            ExecResult failing = run(container, "shell '" + URL + "' -c 'SELECT * FROM nowhere'");
            assertEquals(1, failing.getExitCode(), failing.toString());
            assertEquals("", failing.getStdout());
        }
    }
}
