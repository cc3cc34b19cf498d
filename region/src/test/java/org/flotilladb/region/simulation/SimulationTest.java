package org.flotilladb.region.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.region.store.rocks.RocksKvStore;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.rocksdb.Env;
import org.rocksdb.RocksMemEnv;

/** The real Stores, Placement Driver and clients in simulated worlds. */
class SimulationTest {
    /** Seeds that must count in a build; {@code -Dflotilla.seeds=N} runs more, from {@code -Dflotilla.seed} on. */
    private static final int COUNTED_SEEDS = 50;

    @Test
    void fifty_seeds_with_faults_break_no_invariant() {
        long first = Long.getLong("flotilla.firstSeed", 1);
        long wanted = Long.getLong("flotilla.seeds", COUNTED_SEEDS);
        long minutes = Long.getLong("flotilla.minutes", 0);
        long deadlineNs = System.nanoTime() + minutes * 60_000_000_000L;
        TreeMap<String, Long> faults = new TreeMap<>();
        long counted = 0;
        long run = 0;
        long commits = 0;
        long elections = 0;
        for (long seed = first; minutes > 0 ? System.nanoTime() < deadlineNs : counted < wanted; seed++) {
            SimulationReport report = Simulation.run(SimulationSettings.of(seed));
            run++;
            counted += report.counts() ? 1 : 0;
            commits += report.commits();
            elections += report.elections();
            report.faults().forEach((kind, count) -> faults.merge(kind, count, Long::sum));
            assertTrue(run <= 3 * wanted || minutes > 0, "too few of the seeds count: " + counted + " of " + run);
        }
        System.out.println("Simulated " + run + " seeds from " + first + ", " + counted + " of them count: " + commits
                + " commits, " + elections + " elections, faults " + faults);
        assertTrue(faults.getOrDefault("Region split by itself", 0L) > 0, "no Region has split by itself");
    }

    @Test
    void one_seed_that_is_asked_for() {
        Long seed = Long.getLong("flotilla.seed");
        Assumptions.assumeTrue(seed != null, "no -Dflotilla.seed=N");
        System.out.println(Simulation.run(SimulationSettings.of(seed)));
    }

    @Test
    void a_seed_does_the_same_on_rocksdb_as_on_the_store_in_memory() {
        SimulationSettings settings = SimulationSettings.of(7).withWorkMs(3000);
        List<RocksKvStore> opened = new ArrayList<>();
        try (Env memory = new RocksMemEnv(Env.getDefault())) {
            String onRocks = Simulation.run(settings.withMemory(() -> {
                        RocksKvStore store = new RocksKvStore(Path.of("/simulated-" + opened.size()), 1 << 20, memory);
                        opened.add(store);
                        return store;
                    }))
                    .toString();
            assertEquals(Simulation.run(settings).toString(), onRocks);
            opened.forEach(RocksKvStore::close);
        }
    }

    @Test
    void the_same_seed_does_the_same_in_another_process() throws IOException, InterruptedException {
        long seed = Long.getLong("flotilla.seed", 2);
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        Simulation.class.getName(),
                        "--seed",
                        String.valueOf(seed))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        String here = Simulation.run(SimulationSettings.of(seed)).toString();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(other.getInputStream(), StandardCharsets.UTF_8))) {
            assertEquals(here, lines.readLine());
        }
        assertEquals(0, other.waitFor());
    }
}
