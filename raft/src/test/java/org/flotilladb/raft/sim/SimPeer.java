package org.flotilladb.raft.sim;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.Config;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.RawNode;
import org.flotilladb.raft.Ready;

/** One peer: the real {@link RawNode}, its disk, its state machine and its clock. */
final class SimPeer {
    final long id;
    private final Simulation sim;
    private final double rate;
    private long clockOrigin;
    final SimDisk disk = new SimDisk();
    RawNode node;
    boolean up;
    /** Until then it does nothing; ticks that were due then come in a bunch. */
    long pausedUntil;

    boolean readyScheduled;
    /** Grows with each start, so that what was meant for an earlier life is known. */
    int life;

    long applied;
    long state;
    private long savedApplied;
    private long savedState;
    long leaseBeforeTransfer = Long.MIN_VALUE;
    /** Reads at this peer whose index is not known yet, by number; and those that wait for it to be applied. */
    final List<SimRead> waiting = new ArrayList<>();

    record SimRead(String how, long index, long shownAtStart) {}

    SimPeer(Simulation sim, long id, double rate) {
        this.sim = sim;
        this.id = id;
        this.rate = rate;
    }

    /** The monotonic clock. */
    long clock() {
        return clockOrigin + (long) (sim.now * rate);
    }

    /** How long a span of this peer's clock is in the simulation's time. */
    long simSpan(long ownNs) {
        return (long) (ownNs / rate);
    }

    void start(boolean first) {
        life++;
        clockOrigin = sim.random.between(0, 1_000_000_000_000L);
        applied = savedApplied;
        state = savedState;
        waiting.clear();
        leaseBeforeTransfer = Long.MIN_VALUE;
        disk.storage().setConfState(sim.membership);
        boolean promised = !first && !sim.has(Bug.PROMISE_FORGOTTEN_BY_RESTART);
        boolean again = sim.has(Bug.ENTRY_APPLIED_TWICE) && applied > 0;
        Config.Builder builder = Config.builder(id, disk.storage())
                .electionTick(Simulation.ELECTION_TICKS)
                .heartbeatTick(Simulation.HEARTBEAT_TICKS)
                .preVote(sim.preVote)
                .eagerCommit(sim.eagerCommit)
                .maxInflightMessages(sim.maxInflight)
                .maxSizePerMessageBytes(sim.maxMessageBytes)
                .applied(again ? applied - 1 : applied)
                .seed(sim.random.next());
        if (sim.leases) {
            builder.leases(Simulation.PROMISE_NS, Simulation.RATE_ERROR, Simulation.MARGIN_NS)
                    .promiseAtStart(promised);
        }
        node = new RawNode(builder.build(), clock());
        up = true;
        readyScheduled = false;
    }

    /** Loses what was not synced. Applied state is saved now and then only. */
    void crash() {
        up = false;
        HardState before = disk.syncedState();
        disk.crash(sim.random);
        HardState after = disk.storage().hardState();
        if (sim.has(Bug.VOTE_NOT_STORED)) {
            disk.storage().setHardState(new HardState(after.term(), 0, after.commit()));
        } else if (sim.has(Bug.TERM_NOT_STORED) && before.term() > 0) {
            disk.storage().setHardState(new HardState(Math.max(0, after.term() - 1), 0, after.commit()));
        }
        if (savedApplied > disk.storage().lastIndex()) {
            savedApplied = 0;
            savedState = 0;
        }
    }

    void apply(List<Entry> entries) {
        for (Entry entry : entries) {
            if (entry.index() != applied + 1 && !sim.has(Bug.ENTRY_APPLIED_TWICE)) {
                throw new Invariants.Violation("peer " + id + " applies entry " + entry.index() + " after " + applied);
            }
            sim.invariants.committed(id, entry);
            applied = entry.index();
            state = Invariants.next(state, entry);
            sim.invariants.state(id, applied, state);
            sim.event(3, id, entry.index(), entry.term());
            sim.appliedEntry(this, entry);
        }
        if (!entries.isEmpty()
                && sim.random.chance(0.1)
                && applied <= disk.storage().lastIndex()) {
            disk.sync();
            savedApplied = applied;
            savedState = state;
        }
    }

    void checkAppends(Ready ready) {
        for (int i = 0; i < ready.entries().size(); i++) {
            Entry entry = ready.entries().get(i);
            long previousTerm = i > 0
                    ? ready.entries().get(i - 1).term()
                    : entry.index() == 1 ? 0 : disk.storage().term(entry.index() - 1);
            sim.invariants.appended(id, entry, previousTerm);
        }
    }

    void finishReads() {
        waiting.removeIf(read -> {
            if (read.index() > applied) {
                return false;
            }
            sim.invariants.read(read.how(), id, applied, read.shownAtStart());
            sim.reads++;
            return true;
        });
    }
}
