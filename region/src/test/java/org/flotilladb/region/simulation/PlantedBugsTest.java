package org.flotilladb.region.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The simulator can fail: with any one of these rules broken, its general invariants notice. A bug comes with the kinds
 * of faults that bring it out, where not every seed has them.
 */
class PlantedBugsTest {
    private static final Set<FaultKind> DRAWN = Set.of();
    private static final int MAX_SEEDS = 200;
    /** They show where peers are moved about. */
    private static final List<String> MOVING = List.of(
            "install-not-noted",
            "change-epoch-unchecked",
            "removed-data-left",
            "snapshot-checksum-unchecked",
            "overlap-unchecked",
            "old-rows-kept",
            "bare-peer-takes-the-log");

    static Stream<Arguments> bugs() {
        return Stream.of(
                arguments("SYNC_IGNORED", DRAWN),
                arguments("SYNC_LATE", DRAWN),
                arguments("VOTE_FORGOTTEN", Set.of(FaultKind.DUEL)),
                arguments("answered-when-proposed", DRAWN),
                arguments("lease-kept", Set.of(FaultKind.LEADER_CUT_OFF, FaultKind.CLIENT_CUT_OFF, FaultKind.PAUSE)),
                arguments(
                        "resting-lease-kept",
                        Set.of(FaultKind.LEADER_CUT_OFF, FaultKind.PARTITION, FaultKind.CLIENT_CUT_OFF)),
                arguments("suspension-unseen", Set.of(FaultKind.SUSPEND)),
                arguments("locks-unseen", DRAWN),
                arguments("latches-unseen", DRAWN),
                arguments("max-ts-not-raised", DRAWN),
                arguments("served-without-timestamp", Set.of(FaultKind.CRASH, FaultKind.LEADER_CUT_OFF)),
                arguments("rollback-record-missing", Set.of(FaultKind.CRASH, FaultKind.DELAY, FaultKind.LOSS)),
                arguments("epoch-unchecked-at-apply", DRAWN),
                arguments("push-not-written", DRAWN),
                arguments("missing-primary-is-rollback", DRAWN),
                arguments("unknown-as-failed", DRAWN),
                arguments(
                        "timestamp-bound-forgotten",
                        Set.of(FaultKind.WALL_CLOCK, FaultKind.PLACEMENT_CUT_OFF, FaultKind.CRASH)),
                arguments("check-dropped", DRAWN),
                arguments("conflict-unseen", DRAWN),
                arguments("install-not-noted", Set.of(FaultKind.SNAPSHOT_CRASH, FaultKind.CRASH)),
                arguments("compacted-before-durable", DRAWN),
                arguments("change-epoch-unchecked", DRAWN),
                arguments("removed-data-left", DRAWN),
                arguments("snapshot-checksum-unchecked", Set.of(FaultKind.SNAPSHOT_DAMAGE)),
                arguments("overlap-unchecked", Set.of(FaultKind.LEADER_CUT_OFF, FaultKind.PARTITION, FaultKind.PAUSE)),
                arguments("old-rows-kept", DRAWN),
                arguments("bare-peer-takes-the-log", DRAWN));
    }

    @ParameterizedTest
    @MethodSource("bugs")
    void is_caught(String bug, Set<FaultKind> faults) {
        for (int seed = 1; seed <= MAX_SEEDS; seed++) {
            SimulationSettings settings = SimulationSettings.of(seed);
            settings = faults.isEmpty() ? settings : settings.withFaults(faults);
            settings = MOVING.contains(bug) ? settings.withMoving(true) : settings;
            boolean lie = Character.isUpperCase(bug.charAt(0));
            try {
                Simulation.run(lie ? settings.withLie(SimLogStore.Lie.valueOf(bug)) : settings.withBug(bug));
            } catch (SimulationFailure e) {
                String what = e.getMessage().lines().findFirst().orElse("");
                System.out.println("Planted bug " + bug + ": caught after " + seed + " seeds: " + what);
                assertTrue(e.getCause() instanceof SimulationFailure, "not an invariant, but an accident: " + e);
                return;
            }
        }
        fail("planted bug " + bug + " was not caught in " + MAX_SEEDS + " seeds");
    }
}
