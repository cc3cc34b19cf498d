package org.flotilladb.server.cli.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchTest {

    private static final String URL = "jdbc:h2:mem:benchtest";

    private static Benchmark.Options options(List<Workload> workloads, boolean json) {
        List<Long> pids = List.of(ProcessHandle.current().pid());
        return new Benchmark.Options(URL, workloads, List.of(1, 3), 200, 2, 0.01, 0.05, 1, pids, json);
    }

    private static String run(Benchmark.Options options) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
        new Benchmark(options, () -> DriverManager.getConnection(URL))
                .run(print, new PrintStream(new ByteArrayOutputStream()));
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void eachWorkloadRunsWithEachNumberOfClients() throws Exception {
        String table = run(options(List.of(Workload.values()), false));
        assertEquals(2 + 2 * Workload.values().length, table.lines().count(), table);
        for (Workload workload : Workload.values()) {
            assertTrue(table.contains(workload.label()), table);
        }
    }

    @Test
    void tpcbMovesTheSameAmountThroughAllTables() throws Exception {
        try (Connection keeper = DriverManager.getConnection(URL);
                Statement statement = keeper.createStatement()) {
            String json = run(options(List.of(Workload.TPCB), true));
            assertTrue(json.contains("\"workload\":\"tpcb\",\"clients\":3,\"operations\":"), json);
            try (ResultSet sums = statement.executeQuery(
                    "SELECT (SELECT SUM(balance) FROM bench_accounts), (SELECT SUM(balance) FROM bench_tellers),"
                            + " (SELECT SUM(balance) FROM bench_branches), (SELECT SUM(amount) FROM bench_history)")) {
                sums.next();
                for (int i = 2; i <= 4; i++) {
                    assertEquals(sums.getLong(1), sums.getLong(i));
                }
            }
        }
    }

    @Test
    void aClientThatFailsEndsTheRunWithItsError() throws Exception {
        try (Connection keeper = DriverManager.getConnection(URL)) {
            Schema.load(keeper, java.util.EnumSet.of(Workload.POINT_READ), 10, 1);
            Workload.Size tooLarge = new Workload.Size(1000, 1, new java.util.concurrent.atomic.AtomicLong(10));
            LoadRunner runner = new LoadRunner(
                    () -> DriverManager.getConnection(URL), new ProcessorTime(List.of(), null), tooLarge, 0, 60, 1);
            SQLException failure = assertThrows(SQLException.class, () -> runner.run(Workload.POINT_READ, 3));
            assertTrue(failure.getMessage().contains("a row of bench_items is missing"), failure.toString());
        }
    }

    @Test
    void processorTimeIsReadBehindAnyProgramName() {
        assertEquals(
                1234 + 56,
                ProcessorTime.ticks("42 (a) (b c) S 1 42 42 0 -1 4194304 100 0 0 0 1234 56 7 8 20 0 30 0 999 1 2"));
    }
}
