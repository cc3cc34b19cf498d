package org.flotilladb.server.cli;

import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.flotilladb.server.cli.bench.Benchmark;
import org.flotilladb.server.cli.bench.StartUp;
import org.flotilladb.server.cli.bench.Workload;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code bench}: figures for any URL and any driver. */
@Command(
        name = "bench",
        description = "Measure point reads, point updates, inserts and TPC-B over plain JDBC.",
        footer = {
            "",
            "It drops and creates tables whose names begin with bench_. For example:",
            "  flotilla bench jdbc:flotilla:mem:bench",
            "  flotilla bench 'jdbc:derby:/tmp/derby-bench;create=true' \\",
            "      --driver org.apache.derby.iapi.jdbc.AutoloadedDriver --classpath derby.jar:derbyshared.jar"
        })
final class BenchCommand implements Callable<Integer> {

    @Parameters(
            arity = "0..1",
            paramLabel = "URL",
            description = "The database; with --startup what a name is appended to (default: jdbc:flotilla:mem:).")
    private String url;

    @Option(
            names = {"--clients", "--threads"},
            split = ",",
            defaultValue = "1,16",
            paramLabel = "N",
            description = "Numbers of clients, each a thread with its own connection (default: ${DEFAULT-VALUE}).")
    private List<Integer> clients;

    @Option(
            names = {"--workload", "-w"},
            split = ",",
            defaultValue = "point-read,point-update,insert,tpcb",
            converter = WorkloadName.class,
            paramLabel = "NAME",
            description = "Which workloads (default: ${DEFAULT-VALUE}).")
    private List<Workload> workloads;

    @Option(
            names = "--rows",
            defaultValue = "100000",
            paramLabel = "N",
            description = "Rows of the main tables (default: ${DEFAULT-VALUE}).")
    private int rows;

    @Option(
            names = "--branches",
            defaultValue = "16",
            paramLabel = "N",
            description = "Branches of TPC-B, each with 10 tellers (default: ${DEFAULT-VALUE}).")
    private int branches;

    @Option(
            names = "--seconds",
            defaultValue = "5",
            paramLabel = "N",
            description = "How long each run measures (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--warmup",
            defaultValue = "2",
            paramLabel = "N",
            description = "Seconds before that (default: ${DEFAULT-VALUE}).")
    private double warmUpSeconds;

    @Option(
            names = "--seed",
            defaultValue = "1",
            paramLabel = "N",
            description = "What random keys are made from (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--pids",
            split = ",",
            paramLabel = "PID",
            description = "Other processes whose processor time counts, such as the nodes.")
    private List<Long> pids = new ArrayList<>();

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Option(names = "--startup", description = "Measure the start: fresh JVM to first answer, then further databases.")
    private boolean startUp;

    @Option(
            names = "--runs",
            defaultValue = "5",
            paramLabel = "N",
            description = "With --startup: how many fresh JVMs (default: ${DEFAULT-VALUE}).")
    private int runs;

    @Option(names = "--startup-child", hidden = true, description = "The measured JVM of --startup.")
    private boolean startUpChild;

    @Mixin
    private Connections connections;

    @Override
    public Integer call() throws SQLException, IOException, InterruptedException {
        if (startUpChild) {
            StartUp.child(url, connections::open, System.out);
            return 0;
        }
        if (startUp) {
            require(runs >= 1, "--runs wants at least 1");
            String prefix = url == null ? "jdbc:flotilla:mem:" : url;
            StartUp.measure(prefix, runs, json, Main.class, childArguments(prefix), System.out);
            return 0;
        }
        require(url != null, "bench wants the URL of a database, for example jdbc:flotilla:mem:bench");
        require(rows >= 1 && branches >= 1, "--rows and --branches want at least 1");
        require(seconds > 0 && warmUpSeconds >= 0, "--seconds wants more than 0, --warmup at least 0");
        require(clients.stream().allMatch(n -> n >= 1 && n <= 10_000), "--clients wants numbers from 1 to 10000");
        Benchmark.Options options = new Benchmark.Options(
                url, workloads, clients, rows, branches, warmUpSeconds, seconds, seed, pids, json);
        new Benchmark(options, () -> connections.open(url)).run(System.out, System.err);
        return 0;
    }

    private List<String> childArguments(String prefix) {
        List<String> arguments = new ArrayList<>(List.of("bench", prefix, "--startup-child"));
        connections.appendTo(arguments);
        return arguments;
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new CliException(otherwise);
        }
    }

    private static final class WorkloadName implements ITypeConverter<Workload> {
        @Override
        public Workload convert(String name) {
            for (Workload workload : Workload.values()) {
                if (workload.label().equals(name.toLowerCase(Locale.ROOT).replace('_', '-'))) {
                    return workload;
                }
            }
            throw new picocli.CommandLine.TypeConversionException(
                    "'" + name + "' is no workload; there are point-read, point-update, insert and tpcb");
        }
    }
}
