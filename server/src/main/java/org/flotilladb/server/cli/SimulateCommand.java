package org.flotilladb.server.cli;

import java.io.PrintWriter;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.flotilladb.region.simulation.FaultKind;
import org.flotilladb.region.simulation.Simulation;
import org.flotilladb.region.simulation.SimulationFailure;
import org.flotilladb.region.simulation.SimulationReport;
import org.flotilladb.region.simulation.SimulationSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code simulate}: the same seed does the same everywhere, so a failure of CI can be looked at here. */
@Command(
        name = "simulate",
        description = "Run Stores, Placement Driver and clients in a simulated world with faults; a seed says all.",
        footer = {
            "",
            "It ends with exit code 1 when an invariant was broken; each failure prints the command that",
            "runs that seed again."
        })
final class SimulateCommand implements Callable<Integer> {

    @Option(
            names = "--seed",
            defaultValue = "1",
            paramLabel = "N",
            description = "The first world (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--seeds",
            paramLabel = "N",
            description = "How many, each with the next seed; 1 without --minutes, else as many as there is time for.")
    private Long seeds;

    @Option(names = "--minutes", paramLabel = "M", description = "Begin no other world after so many minutes.")
    private Long minutes;

    @Option(names = "--trace", description = "Print every message and event of the worlds.")
    private boolean trace;

    @Option(names = "--bug", paramLabel = "NAME", description = "Plant a bug, to see that it is found.")
    private String bug;

    @Option(
            names = "--faults",
            split = ",",
            paramLabel = "KIND",
            description = "These faults instead of those that the seed draws.")
    private List<String> faults;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        check("--seeds", seeds);
        check("--minutes", minutes);
        long most = seeds != null ? seeds : minutes != null ? Long.MAX_VALUE : 1;
        long beganNs = System.nanoTime();
        long limitNs = minutes == null ? Long.MAX_VALUE : TimeUnit.MINUTES.toNanos(minutes);
        PrintWriter out = spec.commandLine().getOut();
        long run = 0;
        long counted = 0;
        long failed = 0;
        while (run < most && System.nanoTime() - beganNs < limitNs) {
            try {
                SimulationReport report = Simulation.run(settings(seed + run));
                counted += report.counts() ? 1 : 0;
                out.println(report);
            } catch (SimulationFailure e) {
                failed++;
                spec.commandLine().getErr().println(e.getMessage());
            }
            run++;
        }
        if (run > 1) {
            out.println(run + " worlds, " + counted + " with enough happening in them, " + failed + " broken.");
        }
        if (failed > 0) {
            throw new CliException(failed + " of " + run + " worlds broke an invariant");
        }
        return 0;
    }

    private static void check(String option, Long value) {
        if (value != null && value < 1) {
            throw new UsageException(option + " must be at least 1, it is " + value);
        }
    }

    private SimulationSettings settings(long each) {
        SimulationSettings settings = SimulationSettings.of(each);
        settings = bug == null ? settings : settings.withBug(bug);
        settings = faults == null ? settings : settings.withFaults(kinds());
        return trace ? settings.withTrace(System.out) : settings;
    }

    private TreeSet<FaultKind> kinds() {
        TreeSet<FaultKind> kinds = new TreeSet<>();
        for (String name : faults) {
            kinds.add(Arrays.stream(FaultKind.values())
                    .filter(kind -> kind.name().equalsIgnoreCase(name.strip()))
                    .findAny()
                    .orElseThrow(() -> new UsageException("there is no fault " + name + "; there are "
                            + String.join(
                                    ", ",
                                    Arrays.stream(FaultKind.values())
                                            .map(Enum::name)
                                            .toList()))));
        }
        return kinds;
    }
}
