package org.flotilladb.region.store;

import java.util.concurrent.atomic.AtomicLong;

/** What a Store has done since it was opened. Any thread. */
public final class StoreCounters {
    private final AtomicLong onePhaseCommits = new AtomicLong();
    private final AtomicLong twoPhaseCommits = new AtomicLong();
    private final AtomicLong rounds = new AtomicLong();
    private final AtomicLong snapshots = new AtomicLong();
    private final AtomicLong splits = new AtomicLong();
    private final AtomicLong rested = new AtomicLong();
    private final AtomicLong woken = new AtomicLong();

    void onePhaseCommit() {
        onePhaseCommits.incrementAndGet();
    }

    void twoPhaseCommit() {
        twoPhaseCommits.incrementAndGet();
    }

    void installed() {
        snapshots.incrementAndGet();
    }

    void splitByItself() {
        splits.incrementAndGet();
    }

    void rested() {
        rested.incrementAndGet();
    }

    void woken() {
        woken.incrementAndGet();
    }

    void round() {
        rounds.incrementAndGet();
    }

    /** Transactions committed by one entry here. */
    public long onePhaseCommits() {
        return onePhaseCommits.get();
    }

    /** Transactions whose primary was committed here in a second step. */
    public long twoPhaseCommits() {
        return twoPhaseCommits.get();
    }

    /** Snapshots that peers here have taken in. */
    public long snapshotsInstalled() {
        return snapshots.get();
    }

    /** Regions led here that were split because they were too large or too busy. */
    public long splitsByThemselves() {
        return splits.get();
    }

    /** How often a peer here has come to rest. */
    public long peersRested() {
        return rested.get();
    }

    /** How often a peer that rested here was woken. */
    public long peersWoken() {
        return woken.get();
    }

    /** Rounds of the loop that wrote something. */
    public long rounds() {
        return rounds.get();
    }
}
