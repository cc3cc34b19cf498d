package org.flotilladb.region.simulation;

import java.io.PrintStream;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Runs the real Stores, Placement Driver and transaction clients in a simulated world made from a seed, in one thread:
 * the same seed does the same in every process. See {@link SimWorld} for what happens, {@link Invariants}, {@link
 * Snapshots} and {@link History} for what must hold.
 */
public final class Simulation {
    private Simulation() {}

    /**
     * Runs one seed.
     *
     * @throws SimulationFailure when an invariant is broken; its message names the seed and the command that repeats it
     */
    public static SimulationReport run(SimulationSettings settings) {
        SimWorld world = new SimWorld(settings);
        try {
            return world.run();
        } catch (RuntimeException | Error e) {
            throw new SimulationFailure(
                    "Seed " + settings.seed() + " after " + world.time().nowNs() / 1_000_000 + " ms of virtual time: "
                            + (e instanceof SimulationFailure ? e.getMessage() : e.toString())
                            + "\n  faults so far: " + world.faultCounts()
                            + "\n  run it again: " + command(settings),
                    e);
        }
    }

    /** What runs these settings again, as far as they can be said on a command line. */
    static String command(SimulationSettings settings) {
        StringBuilder command = new StringBuilder("./flotilla simulate --seed ").append(settings.seed());
        settings.bugs().forEach(bug -> command.append(" --bug ").append(bug));
        if (settings.faults() != null) {
            command.append(" --faults ")
                    .append(settings.faults().stream().map(Enum::name).collect(Collectors.joining(",")));
        }
        return command.toString();
    }

    /** Command line: {@code [--seed N] [--seeds COUNT] [--trace true] [--bug NAME] [--faults KIND,KIND]}; prints a report for each seed. */
    public static void main(String[] arguments) {
        System.exit(main(arguments, System.out));
    }

    private static int main(String[] arguments, PrintStream out) {
        long seed = 1;
        long seeds = 1;
        boolean trace = false;
        String bug = null;
        Set<FaultKind> faults = null;
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            switch (arguments[i]) {
                case "--seed" -> seed = Long.parseLong(arguments[i + 1]);
                case "--seeds" -> seeds = Long.parseLong(arguments[i + 1]);
                case "--bug" -> bug = arguments[i + 1];
                case "--faults" ->
                    faults = Arrays.stream(arguments[i + 1].split(","))
                            .map(FaultKind::valueOf)
                            .collect(Collectors.toCollection(TreeSet::new));
                case "--trace" -> trace = Boolean.parseBoolean(arguments[i + 1]);
                default -> {
                    out.println("Unknown argument " + arguments[i]
                            + ": there are --seed N, --seeds COUNT, --trace true, --bug NAME and --faults KIND,..");
                    return 2;
                }
            }
        }
        int failed = 0;
        for (long each = seed; each < seed + seeds; each++) {
            try {
                SimulationSettings settings = SimulationSettings.of(each);
                settings = bug == null ? settings : settings.withBug(bug);
                settings = faults == null ? settings : settings.withFaults(faults);
                out.println(run(trace ? settings.withTrace(out) : settings));
            } catch (SimulationFailure e) {
                failed++;
                out.println(e.getMessage());
            }
        }
        return failed == 0 ? 0 : 1;
    }
}
