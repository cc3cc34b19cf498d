package org.flotilladb.raft.sim;

/** Prints what happened in some seeds; run in a JVM of its own to see that it is the same there. */
public final class SimulationHash {
    private SimulationHash() {}

    public static void main(String[] args) {
        System.out.println(of(Long.parseLong(args[0]), Integer.parseInt(args[1]), Long.parseLong(args[2])));
    }

    static String of(long firstSeed, int seeds, long events) {
        StringBuilder text = new StringBuilder();
        for (long seed = firstSeed; seed < firstSeed + seeds; seed++) {
            text.append(Long.toHexString(
                            new Simulation(seed, Bug.NONE).run(events).hash()))
                    .append(' ');
        }
        return text.toString().strip();
    }
}
