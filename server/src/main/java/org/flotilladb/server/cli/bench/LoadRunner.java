package org.flotilladb.server.cli.bench;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;

/** Runs one workload with a number of clients, closed loop: warms up, then measures for a fixed time. */
public final class LoadRunner {

    private static final int RETRIES = 1000;
    private static final long LONGEST_NS = 600_000_000_000L;

    private final ConnectionSource source;
    private final ProcessorTime processorTime;
    private final Workload.Size size;
    private final long warmUpNs;
    private final long measureNs;
    private final long seed;

    LoadRunner(
            ConnectionSource source,
            ProcessorTime processorTime,
            Workload.Size size,
            double warmUpSeconds,
            double seconds,
            long seed) {
        this.source = source;
        this.processorTime = processorTime;
        this.size = size;
        this.warmUpNs = (long) (warmUpSeconds * 1e9);
        this.measureNs = (long) (seconds * 1e9);
        this.seed = seed;
    }

    BenchResult run(Workload workload, int clients) throws SQLException, InterruptedException {
        List<Connection> connections = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            for (int i = 0; i < clients; i++) {
                connections.add(source.open());
            }
            phase(threads, workload, connections, warmUpNs);
            Phase measured = phase(threads, workload, connections, measureNs);
            return measured.result(workload, clients);
        } finally {
            threads.shutdownNow();
            for (Connection connection : connections) {
                connection.close();
            }
        }
    }

    private Phase phase(ExecutorService threads, Workload workload, List<Connection> connections, long durationNs)
            throws SQLException, InterruptedException {
        Phase phase = new Phase(processorTime.sample());
        CyclicBarrier start = new CyclicBarrier(connections.size(), phase::begin);
        List<Callable<Histogram>> loops = new ArrayList<>();
        long salt = seed;
        for (Connection connection : connections) {
            salt += 7919;
            Workload.Client client = workload.client(connection, size, new SplittableRandom(salt));
            loops.add(() -> {
                start.await();
                return phase.loop(client, connection, durationNs);
            });
        }
        for (Future<Histogram> done : threads.invokeAll(loops)) {
            try {
                phase.latencies.add(done.get());
            } catch (ExecutionException e) {
                throw e.getCause() instanceof SQLException sql ? sql : new SQLException(e.getCause());
            }
        }
        phase.end();
        return phase;
    }

    /** What the clients of one phase share. */
    private final class Phase {
        private final Histogram latencies = new Histogram(LONGEST_NS, 3);
        private final AtomicLong retries = new AtomicLong();
        private volatile long startNs;
        private volatile boolean failed;
        private long elapsedNs;
        private final ProcessorTime.Sample before;
        private ProcessorTime.Sample used;

        Phase(ProcessorTime.Sample before) {
            this.before = before;
        }

        /** The last thing before the clients begin. */
        void begin() {
            startNs = System.nanoTime();
        }

        void end() throws SQLException {
            elapsedNs = System.nanoTime() - startNs;
            used = processorTime.sample().minus(before);
        }

        Histogram loop(Workload.Client client, Connection connection, long durationNs) throws SQLException {
            Histogram mine = new Histogram(LONGEST_NS, 3);
            long endNs = startNs + durationNs;
            long beganNs = System.nanoTime();
            while (beganNs < endNs && !failed) {
                runOnce(client, connection);
                long nowNs = System.nanoTime();
                mine.recordValue(Math.min(nowNs - beganNs, LONGEST_NS));
                beganNs = nowNs;
            }
            return mine;
        }

        /** An operation with the retries it needed counts once, with all its time. */
        private void runOnce(Workload.Client client, Connection connection) throws SQLException {
            for (int attempt = 1; ; attempt++) {
                try {
                    client.run();
                    return;
                } catch (SQLException e) {
                    boolean again = isConflict(e) && attempt < RETRIES;
                    if (!connection.getAutoCommit()) {
                        connection.rollback();
                    }
                    if (!again) {
                        failed = true;
                        throw e;
                    }
                    retries.incrementAndGet();
                }
            }
        }

        BenchResult result(Workload workload, int clients) {
            return new BenchResult(workload, clients, elapsedNs, latencies, retries.get(), used);
        }
    }

    /** Class 40 and lock timeouts: nothing was committed, run it again. */
    private static boolean isConflict(SQLException e) {
        String state = e.getSQLState();
        return state != null && (state.startsWith("40") || state.equals("HYT00"));
    }
}
