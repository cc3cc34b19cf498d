package org.flotilladb.server.cli.bench;

import java.io.PrintStream;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Loads the tables, runs each workload with each number of clients, prints a table or JSON. */
public final class Benchmark {
    /** The counter of FLOTILLA_STATUS() with a node's processor time. */
    private static final String CPU_COUNTER = "process_cpu_ms";

    /** What the command line asks for. */
    public record Options(
            String url,
            List<Workload> workloads,
            List<Integer> clients,
            int rows,
            int branches,
            double warmUpSeconds,
            double seconds,
            long seed,
            List<Long> pids,
            boolean json) {}

    private final Options options;
    private final ConnectionSource source;

    public Benchmark(Options options, ConnectionSource source) {
        this.options = options;
        this.source = source;
    }

    public void run(PrintStream out, PrintStream progress) throws SQLException, InterruptedException {
        // Open all the while, so that a database in memory stays.
        try (Connection keeper = source.open()) {
            ProcessorTime processorTime = new ProcessorTime(options.pids(), nodesReport(keeper));
            DatabaseMetaData meta = keeper.getMetaData();
            String product = meta.getDriverName() + " " + meta.getDriverVersion();
            long startNs = System.nanoTime();
            Schema.load(keeper, EnumSet.copyOf(options.workloads()), options.rows(), options.branches());
            progress.println(String.format(
                    Locale.ROOT,
                    "%s: %d rows a table loaded in %.1f s",
                    product,
                    options.rows(),
                    (System.nanoTime() - startNs) / 1e9));
            if (!options.json()) {
                out.println(machine() + ", " + product + ", " + options.url() + ", " + options.rows() + " rows, "
                        + options.seconds() + " s a run");
                out.println(BenchResult.HEADER);
            }
            List<String> jsonResults = new ArrayList<>();
            AtomicLong nextId = new AtomicLong(options.rows());
            Workload.Size size = new Workload.Size(options.rows(), options.branches(), nextId);
            LoadRunner runner = new LoadRunner(
                    source, processorTime, size, options.warmUpSeconds(), options.seconds(), options.seed());
            for (Workload workload : options.workloads()) {
                for (int clients : options.clients()) {
                    BenchResult result = runner.run(workload, clients);
                    if (options.json()) {
                        jsonResults.add(result.json(processorTime.hasOthers()));
                    } else {
                        out.println(result.row(processorTime.hasOthers()));
                    }
                }
            }
            if (options.json()) {
                out.println("{\"url\":" + quote(options.url()) + ",\"driver\":" + quote(product) + ",\"machine\":"
                        + quote(machine()) + ",\"rows\":" + options.rows() + ",\"seed\":" + options.seed()
                        + ",\"results\":[\n  " + String.join(",\n  ", jsonResults) + "\n]}");
            }
        }
    }

    /** What the nodes of a cluster of ours say, unless their processes are named by {@code --pids}. */
    private ProcessorTime.Report nodesReport(Connection connection) {
        if (!options.url().startsWith("jdbc:flotilla://") || !options.pids().isEmpty()) {
            return null;
        }
        return () -> {
            long usedNs = 0;
            boolean reported = false;
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SELECT * FROM FLOTILLA_STATUS()")) {
                while (rows.next()) {
                    if (rows.getString("NAME").equals(CPU_COUNTER)) {
                        reported = true;
                        usedNs += TimeUnit.MILLISECONDS.toNanos(rows.getLong("VALUE"));
                    }
                }
            }
            if (!reported) {
                throw new SQLException("the nodes do not report " + CPU_COUNTER + ": name their processes by --pids");
            }
            return usedNs;
        };
    }

    private static String machine() {
        return OffsetDateTime.now().truncatedTo(ChronoUnit.SECONDS) + ", "
                + Runtime.getRuntime().availableProcessors() + " processors, " + System.getProperty("os.name") + " "
                + System.getProperty("os.arch") + ", Java " + Runtime.version();
    }

    static String quote(String text) {
        StringBuilder json = new StringBuilder("\"");
        text.chars().forEach(c -> {
            if (c == '"' || c == '\\') {
                json.append('\\').append((char) c);
            } else if (c < ' ') {
                json.append(String.format(Locale.ROOT, "\\u%04x", c));
            } else {
                json.append((char) c);
            }
        });
        return json.append('"').toString();
    }
}
