package org.flotilladb.raft.sim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.flotilladb.raft.RaftInvariantException;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Seeds of a group under faults. A build runs a share of what is to be run in all, from a first seed that each commit
 * draws anew. All of it: {@code -Dflotilla.seeds=1000 -Dflotilla.events=100000}; one seed again: {@code -Dflotilla.seed=N
 * -Dflotilla.seeds=1}.
 */
@DisplayName("A group under faults")
class SimulationTest {
    private static final long FIRST_SEED = firstSeed();
    private static final long SEEDS = Long.getLong("flotilla.seeds", 60);
    private static final long EVENTS = Long.getLong("flotilla.events", 20_000);
    /** What is to be run before a release: seeds times events. */
    private static final long ALL_EVENTS = 1_000L * 100_000;
    /** A seed in which too little happens shows nothing. */
    private static final int MIN_ELECTIONS = 5;

    private static final int BUG_SEEDS = 400;

    @Test
    void invariantsHold() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long beganNs = threads.getCurrentThreadCpuTime();
        long counted = 0;
        long replicaReads = 0;
        long rests = 0;
        long seed = FIRST_SEED;
        for (; counted < SEEDS && seed < FIRST_SEED + 10 * SEEDS; seed++) {
            Simulation simulation = run(seed, Bug.NONE, EVENTS);
            replicaReads += simulation.replicaReads;
            rests += simulation.leaderRests;
            if (simulation.elections() >= MIN_ELECTIONS) {
                counted++;
            }
        }
        long tried = seed - FIRST_SEED;
        System.out.printf(
                "Raft simulation: %d of %d seeds from %d counted, %d events each, %.1f %% of all; %d ms of processor time"
                        + " a seed; %d reads by replica leases, %d times at rest%n",
                counted,
                tried,
                FIRST_SEED,
                EVENTS,
                100.0 * counted * EVENTS / ALL_EVENTS,
                (threads.getCurrentThreadCpuTime() - beganNs) / 1_000_000 / tried,
                replicaReads,
                rests);
        assertEquals(SEEDS, counted, "seeds with at least " + MIN_ELECTIONS + " elections");
    }

    /** The given one, or one that the commit draws; 1 where there is no commit. */
    private static long firstSeed() {
        Long given = Long.getLong("flotilla.seed");
        if (given != null) {
            return given;
        }
        try {
            Process git = new ProcessBuilder("git", "rev-parse", "--short=8", "HEAD")
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            String commit = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
            return git.waitFor() == 0 ? Long.parseLong(commit, 16) : 1;
        } catch (IOException | InterruptedException e) {
            return 1;
        }
    }

    @Test
    void aSeedRunsTheSameWayEachTime() {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + 5; seed++) {
            assertEquals(
                    run(seed, Bug.NONE, 5_000).summary(),
                    run(seed, Bug.NONE, 5_000).summary());
        }
    }

    @Test
    void aSeedRunsTheSameWayInAnotherJvm() throws Exception {
        Process other = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        SimulationHash.class.getName(),
                        Long.toString(FIRST_SEED),
                        "10",
                        "5000")
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String there = new String(other.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
        assertEquals(0, other.waitFor());
        assertEquals(SimulationHash.of(FIRST_SEED, 10, 5000), there);
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aPlantedBugIsCaught(Bug bug) {
        for (long seed = 1; seed <= BUG_SEEDS; seed++) {
            try {
                new Simulation(seed, bug).run(20_000);
            } catch (Invariants.Violation | RaftInvariantException caught) {
                System.out.println(bug + " caught by seed " + seed + ": " + caught.getMessage());
                return;
            }
        }
        fail(bug + " (" + bug.sentence() + ") survived " + BUG_SEEDS + " seeds");
    }

    private static Simulation run(long seed, Bug bug, long events) {
        Simulation simulation = new Simulation(seed, bug);
        try {
            return simulation.run(events);
        } catch (RuntimeException e) {
            throw new AssertionError(
                    "seed " + seed + ": " + e.getMessage() + " after " + simulation.summary()
                            + "\n  again: mvn -pl raft -am test -Dtest=SimulationTest -Dflotilla.seed=" + seed
                            + " -Dflotilla.seeds=1 -Dflotilla.events=" + events,
                    e);
        }
    }
}
