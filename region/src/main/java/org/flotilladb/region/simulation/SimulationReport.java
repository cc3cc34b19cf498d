package org.flotilladb.region.simulation;

import java.util.Map;

/**
 * What happened in one run that broke no invariant.
 *
 * @param hash of all events: the same seed gives the same in every process
 * @param faulty whether the seed drew faults at all
 * @param commits transactions acknowledged
 * @param unknown transactions whose client was told that the outcome is unknown, or died
 * @param elections leaders elected after the cluster had formed
 */
public record SimulationReport(
        long seed,
        long hash,
        long events,
        boolean faulty,
        double virtualSeconds,
        long commits,
        long onePhaseCommits,
        long twoPhaseCommits,
        long refused,
        long unknown,
        long snapshotsChecked,
        long replicasCompared,
        long regions,
        long elections,
        long crashes,
        Map<String, Long> faults) {

    private static final long MIN_COMMITS = 100;

    /** Whether enough happened for the seed to count as a test of faults. */
    public boolean counts() {
        return faulty && commits >= MIN_COMMITS && elections > 0 && crashes > 0;
    }

    @Override
    public String toString() {
        return String.format(
                "seed %d: hash %016x, %d events, %.1f s of virtual time, %d Regions, %d commits (%d in one phase, %d in"
                        + " two), %d refused, %d unknown, %d snapshots checked, %d replicas compared, %d elections, %d"
                        + " crashes, %s",
                seed,
                hash,
                events,
                virtualSeconds,
                regions,
                commits,
                onePhaseCommits,
                twoPhaseCommits,
                refused,
                unknown,
                snapshotsChecked,
                replicasCompared,
                elections,
                crashes,
                faulty ? "faults " + faults : "no faults");
    }
}
