package org.flotilladb.region.simulation;

import java.io.PrintStream;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.store.storage.MemoryKvStore;

/**
 * How a run is made; everything else comes from its seed.
 *
 * @param seed of everything that is drawn
 * @param workMs how long clients work, in virtual time
 * @param faults the kinds that may happen; null: drawn from the seed, none at all for a quarter of them
 * @param bugs fail points that are on: planted bugs
 * @param lie how the log disks break their word, or null
 * @param trace where every message is printed, or null
 * @param memory makes an empty store that simulated data disks stand on
 * @param moving whether peers are moved about among more Stores than they need; null: drawn from the seed
 * @param directed whether the Stores do what the Placement Driver decides, and Regions split by themselves; null: drawn from
 *     the seed
 */
public record SimulationSettings(
        long seed,
        long workMs,
        Set<FaultKind> faults,
        Set<String> bugs,
        SimLogStore.Lie lie,
        PrintStream trace,
        Supplier<KvStore> memory,
        Boolean moving,
        Boolean directed) {

    private static final long WORK_MS = 12_000;

    /** The usual run of a seed. */
    public static SimulationSettings of(long seed) {
        return new SimulationSettings(seed, WORK_MS, null, new TreeSet<>(), null, null, MemoryKvStore::new, null, null);
    }

    /** The same with one planted bug. */
    public SimulationSettings withBug(String name) {
        TreeSet<String> more = new TreeSet<>(bugs);
        more.add(name);
        return new SimulationSettings(seed, workMs, faults, more, lie, trace, memory, moving, directed);
    }

    /** The same on disks that break their word. */
    public SimulationSettings withLie(SimLogStore.Lie told) {
        return new SimulationSettings(seed, workMs, faults, bugs, told, trace, memory, moving, directed);
    }

    /** The same with these faults and no others. */
    public SimulationSettings withFaults(Set<FaultKind> kinds) {
        return new SimulationSettings(seed, workMs, new TreeSet<>(kinds), bugs, lie, trace, memory, moving, directed);
    }

    /** The same with more or less work. */
    public SimulationSettings withWorkMs(long virtualMs) {
        return new SimulationSettings(seed, virtualMs, faults, bugs, lie, trace, memory, moving, directed);
    }

    /** The same with every message printed. */
    public SimulationSettings withTrace(PrintStream printed) {
        return new SimulationSettings(seed, workMs, faults, bugs, lie, printed, memory, moving, directed);
    }

    /** The same over another store. */
    public SimulationSettings withMemory(Supplier<KvStore> maker) {
        return new SimulationSettings(seed, workMs, faults, bugs, lie, trace, maker, moving, directed);
    }

    /** The same with peers that are moved about, or not. */
    public SimulationSettings withMoving(boolean moved) {
        return new SimulationSettings(seed, workMs, faults, bugs, lie, trace, memory, moved, directed);
    }

    /** The same with Stores that do what the Placement Driver decides, or do not. */
    public SimulationSettings withDirected(boolean obedient) {
        return new SimulationSettings(seed, workMs, faults, bugs, lie, trace, memory, moving, obedient);
    }

    FailPoints failPoints() {
        return bugs.isEmpty() ? FailPoints.OFF : bugs::contains;
    }
}
