package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.sqltests.processes.ClusterProcesses;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * How long nobody can write after a kill: three processes with default settings, kill -9 of the one that leads a table's
 * Region, again and again, while a client writes to it. Printed, not asserted; asserted is that nothing is lost.
 */
@Tag("figures")
class FailoverFigures {

    private static final int KILLS = Integer.getInteger("flotilla.kills", 50);
    private static final long SEED = Long.getLong("flotilla.seed", 20261129L);
    private static final long PATIENCE_MS = 60_000;

    @Test
    void theFirstWriteAfterAKill(@TempDir Path folder) throws Exception {
        List<Long> gapsMs = new ArrayList<>();
        Random random = new Random(SEED);
        try (ClusterProcesses cluster = ClusterProcesses.start(folder, 3)) {
            try (Connection connection = DriverManager.getConnection(cluster.url("main"));
                    Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE counter (id INT PRIMARY KEY, n BIGINT NOT NULL)");
                statement.execute("INSERT INTO counter VALUES (1, 0)");
            }
            try (Writer writer = new Writer(cluster.url("main"))) {
                for (int kill = 0; kill < KILLS; kill++) {
                    writer.awaitAcknowledged(writer.acknowledged.get() + 50 + random.nextInt(200));
                    int leader = leader(cluster);
                    cluster.kill(leader);
                    long deadNs = System.nanoTime();
                    gapsMs.add((writer.firstBegunAfter(deadNs) - deadNs) / 1_000_000);
                    cluster.start(leader);
                    cluster.awaitSql(PATIENCE_MS);
                    awaitInStep(cluster, leader);
                }
                long acknowledged = writer.stop();
                long unknown = writer.unknown.get();
                long found = count(cluster);
                Collections.sort(gapsMs);
                System.out.printf(
                        "%s: %d kills of the leader, seed %d: first write acknowledged after (ms) p50 %d, p90 %d, p99 %d,"
                                + " max %d; %d writes acknowledged, %d unknown, %d refused and tried again; %d found%n",
                        Instant.now(),
                        KILLS,
                        SEED,
                        percentile(gapsMs, 50),
                        percentile(gapsMs, 90),
                        percentile(gapsMs, 99),
                        gapsMs.get(gapsMs.size() - 1),
                        acknowledged,
                        unknown,
                        writer.refused.get(),
                        found);
                assertEquals(true, acknowledged <= found && found <= acknowledged + unknown);
            } catch (Exception | AssertionError e) {
                System.out.println("What the nodes printed:" + cluster.logs());
                throw e;
            }
        }
    }

    private static int leader(ClusterProcesses cluster) throws SQLException {
        try (Connection connection = DriverManager.getConnection(cluster.url("main"))) {
            return cluster.leaderOf(connection, "COUNTER");
        }
    }

    /** Waits until the node that came back answers a client that knows it alone, so that the next kill leaves a majority. */
    private static void awaitInStep(ClusterProcesses cluster, int node) throws Exception {
        long deadlineNs = System.nanoTime() + PATIENCE_MS * 1_000_000;
        while (true) {
            try (Connection connection =
                            DriverManager.getConnection("jdbc:flotilla://" + cluster.address(node) + "/main");
                    Statement statement = connection.createStatement()) {
                statement.execute("SELECT 1");
                return;
            } catch (SQLException e) {
                if (System.nanoTime() > deadlineNs) {
                    throw e;
                }
            }
        }
    }

    private static long count(ClusterProcesses cluster) throws SQLException {
        try (Connection connection = DriverManager.getConnection(cluster.url("main"));
                Statement statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT n FROM counter WHERE id = 1")) {
            rows.next();
            return rows.getLong(1);
        }
    }

    private static long percentile(List<Long> sorted, int percent) {
        return sorted.get(Math.min(sorted.size() - 1, (sorted.size() * percent + 99) / 100 - 1));
    }

    /** Adds one to the counter, one statement after the other, on one connection as an application has it. */
    private static final class Writer implements AutoCloseable {
        final AtomicLong acknowledged = new AtomicLong();
        final AtomicLong unknown = new AtomicLong();
        final AtomicLong refused = new AtomicLong();
        private final AtomicBoolean stopping = new AtomicBoolean();
        private final String url;
        private final Thread thread;
        private long begunNs;
        private long endedNs;

        Writer(String url) {
            this.url = url;
            thread = new Thread(this::run, "writer");
            thread.start();
        }

        private void run() {
            try (Connection connection = DriverManager.getConnection(url);
                    PreparedStatement update =
                            connection.prepareStatement("UPDATE counter SET n = n + 1 WHERE id = 1")) {
                while (!stopping.get()) {
                    write(update);
                }
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        }

        private void write(PreparedStatement update) {
            long begin = System.nanoTime();
            try {
                update.executeUpdate();
                acknowledged.incrementAndGet();
                synchronized (this) {
                    begunNs = begin;
                    endedNs = System.nanoTime();
                    notifyAll();
                }
            } catch (SQLException e) {
                (e.getSQLState().equals("08007") ? unknown : refused).incrementAndGet();
            }
        }

        synchronized void awaitAcknowledged(long count) throws InterruptedException {
            while (acknowledged.get() < count) {
                wait(PATIENCE_MS);
            }
        }

        /** When the first write that was begun after that moment was acknowledged. */
        synchronized long firstBegunAfter(long ns) throws InterruptedException {
            while (begunNs - ns < 0) {
                wait(PATIENCE_MS);
            }
            return endedNs;
        }

        long stop() throws InterruptedException {
            stopping.set(true);
            thread.join(PATIENCE_MS);
            return acknowledged.get();
        }

        @Override
        public void close() throws InterruptedException {
            stop();
        }
    }
}
