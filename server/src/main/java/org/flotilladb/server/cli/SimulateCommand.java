package org.flotilladb.server.cli;

import java.util.concurrent.Callable;
import org.flotilladb.region.simulation.Simulation;
import org.flotilladb.region.simulation.SimulationFailure;
import org.flotilladb.region.simulation.SimulationSettings;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code simulate}: the same seed does the same everywhere, so a failure of CI can be looked at here. */
@Command(
        name = "simulate",
        description = "Run Stores, Placement Driver and clients in a simulated world with faults; a seed says all.")
final class SimulateCommand implements Callable<Integer> {

    @Option(
            names = "--seed",
            defaultValue = "1",
            paramLabel = "N",
            description = "The first world (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--seeds",
            defaultValue = "1",
            paramLabel = "N",
            description = "How many, each with the next seed (default: ${DEFAULT-VALUE}).")
    private long seeds;

    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() {
        if (seeds < 1) {
            throw new UsageException("--seeds must be at least 1, it is " + seeds);
        }
        long failed = 0;
        for (long each = seed; each < seed + seeds; each++) {
            try {
                spec.commandLine().getOut().println(Simulation.run(SimulationSettings.of(each)));
            } catch (SimulationFailure e) {
                failed++;
                spec.commandLine().getErr().println(e.getMessage());
            }
        }
        if (failed > 0) {
            throw new CliException(failed + " of " + seeds + " worlds broke an invariant");
        }
        return 0;
    }
}
