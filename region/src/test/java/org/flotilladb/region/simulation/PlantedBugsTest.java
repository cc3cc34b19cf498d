package org.flotilladb.region.simulation;

import static org.junit.jupiter.api.Assertions.fail;

import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The simulator can fail: with any one of these rules broken, its general invariants notice. */
class PlantedBugsTest {

    static Stream<Arguments> bugs() {
        return Stream.of(
                Arguments.of("SYNC_IGNORED", 3),
                Arguments.of("SYNC_LATE", 3),
                Arguments.of("VOTE_FORGOTTEN", 100),
                Arguments.of("answered-when-proposed", 3),
                Arguments.of("lease-kept", 30),
                Arguments.of("locks-unseen", 10),
                Arguments.of("latches-unseen", 30),
                Arguments.of("max-ts-not-raised", 30),
                Arguments.of("served-without-timestamp", 100),
                Arguments.of("served-before-applied", 100),
                Arguments.of("rollback-record-missing", 100),
                Arguments.of("epoch-unchecked-at-apply", 30),
                Arguments.of("push-not-written", 30),
                Arguments.of("missing-primary-is-rollback", 30),
                Arguments.of("unknown-as-failed", 30),
                Arguments.of("timestamp-bound-forgotten", 100),
                Arguments.of("conflict-unseen", 10));
    }

    @ParameterizedTest
    @MethodSource("bugs")
    void is_caught(String bug, int maxSeeds) {
        for (int seed = 1; seed <= maxSeeds; seed++) {
            SimulationSettings settings = SimulationSettings.of(seed);
            boolean lie = Character.isUpperCase(bug.charAt(0));
            try {
                Simulation.run(lie ? settings.withLie(SimLogStore.Lie.valueOf(bug)) : settings.withBug(bug));
            } catch (SimulationFailure e) {
                System.out.println("Planted bug " + bug + ": caught after " + seed + " seeds: "
                        + e.getMessage().lines().findFirst().orElse(""));
                return;
            }
        }
        fail("planted bug " + bug + " was not caught in " + maxSeeds + " seeds");
    }
}
