package org.flotilladb.raft.sim;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Config;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.RaftState;
import org.flotilladb.raft.RawNode;
import org.flotilladb.raft.Snapshot;
import org.flotilladb.raft.SnapshotTemporarilyUnavailableException;
import org.flotilladb.raft.Storage;

/** One peer: the real {@link RawNode}, its disk, its state machine and its clock. */
final class SimPeer {
    final long id;
    private final Simulation sim;
    private final double rate;
    private final ConfState firstMembers;
    private long clockOrigin;
    final SimDisk disk;
    RawNode node;
    boolean up;
    /** Until then it does nothing; ticks that were due then come in a bunch. */
    long pausedUntil;

    boolean readyScheduled;
    /** Messages to its storage threads, each done in order. */
    final ArrayDeque<Message> appendWork = new ArrayDeque<>();

    final ArrayDeque<Message> applyWork = new ArrayDeque<>();
    /** Grows with each start, so that what was meant for an earlier life is known. */
    int life;

    long applied;
    private long appliedTerm;
    private long state;
    private ConfState members;
    long leaseBeforeTransfer = Long.MIN_VALUE;
    /** Reads that wait for their index to be applied. */
    final List<SimRead> waiting = new ArrayList<>();

    /** Served once the index is applied; one by a replica lease only if that still holds then. */
    record SimRead(String how, long index, long shownAtStart, boolean leased) {}

    SimPeer(Simulation sim, long id, double rate, ConfState first) {
        this.sim = sim;
        this.id = id;
        this.rate = rate;
        this.firstMembers = first;
        disk = new SimDisk(first);
    }

    static byte[] bytes(long state) {
        return ByteBuffer.allocate(8).putLong(state).array();
    }

    static SimDisk.Saved restored(Snapshot snapshot) {
        long state = ByteBuffer.wrap(snapshot.data()).getLong();
        return new SimDisk.Saved(snapshot.index(), snapshot.term(), state, snapshot.confState());
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
        takeOver(disk.saved());
        if (sim.has(Bug.MEMBERSHIP_NOT_STORED)) {
            members = firstMembers;
            disk.storage().setConfState(members);
        }
        waiting.clear();
        appendWork.clear();
        applyWork.clear();
        leaseBeforeTransfer = Long.MIN_VALUE;
        boolean promised = !first && !sim.has(Bug.PROMISE_FORGOTTEN_BY_RESTART);
        boolean again =
                sim.has(Bug.ENTRY_APPLIED_TWICE) && applied > disk.storage().firstIndex();
        Config.Builder builder = Config.builder(id, new BusyStorage())
                .electionTick(Simulation.ELECTION_TICKS)
                .heartbeatTick(Simulation.HEARTBEAT_TICKS)
                .preVote(sim.preVote)
                .asyncStorageWrites(sim.async)
                .restAfterTicks(sim.restAfterTicks)
                .confChangeValidation(!sim.has(Bug.MEMBERSHIP_CHANGES_OVERLAP))
                .eagerCommit(sim.eagerCommit)
                .batchedAppends(sim.batchedAppends)
                .maxUncommittedBytes(4000)
                .maxInflightMessages(sim.maxInflight)
                .maxSizePerMessageBytes(sim.maxMessageBytes)
                .maxCommittedPerReadyBytes(sim.maxCommittedBytes)
                .applied(again ? applied - 1 : applied)
                .seed(sim.random.next());
        if (sim.leases) {
            builder.leases(sim.promiseNs(), Simulation.RATE_ERROR, Simulation.MARGIN_NS)
                    .promiseAtStart(promised);
        }
        node = new RawNode(builder.build(), clock());
        node.wantReplicaLease(sim.replicaLeases);
        up = true;
        readyScheduled = false;
    }

    private void takeOver(SimDisk.Saved saved) {
        applied = saved.applied();
        appliedTerm = saved.appliedTerm();
        state = saved.state();
        members = saved.members();
    }

    /** Loses what was not synced. Applied state is saved now and then only. */
    void crash() {
        up = false;
        HardState before = disk.syncedState();
        disk.crash(sim.random);
        HardState after = disk.storage().hardState();
        if (sim.has(Bug.VOTE_NOT_STORED)) {
            disk.storage().setHardState(new HardState(after.term(), 0, after.commit(), after.promiseNs()));
        } else if (sim.has(Bug.TERM_NOT_STORED) && before.term() > 0) {
            disk.storage()
                    .setHardState(new HardState(Math.max(0, after.term() - 1), 0, after.commit(), after.promiseNs()));
        } else if (sim.has(Bug.PROMISE_NOT_STORED)) {
            disk.storage().setHardState(new HardState(after.term(), after.vote(), after.commit()));
        }
    }

    ConfState members() {
        return members;
    }

    // ---- the state machine -----------------------------------------------------------------------------------------

    /** Takes a snapshot in, at once or in the background; it is on the disk already. */
    void installSnapshot(Snapshot snapshot) {
        if (sim.installsSlowly()) {
            node.holdApplying(true, clock());
            int thisLife = life;
            sim.at(sim.installNs(), () -> {
                if (up && life == thisLife) {
                    applySnapshot(snapshot);
                    node.holdApplying(false, clock());
                    finishReads();
                    sim.afterStep(this);
                }
            });
        } else {
            applySnapshot(snapshot);
        }
    }

    void applySnapshot(Snapshot snapshot) {
        if (snapshot.index() < applied) {
            throw new Invariants.Violation("peer " + id + " has applied " + applied + " and is given " + snapshot);
        }
        takeOver(restored(snapshot));
        sim.invariants.state(id, applied, state);
        sim.invariants.members(id, applied, members);
        sim.event(5, id, applied, 0);
        sim.snapshots++;
    }

    void apply(List<Entry> entries) {
        for (Entry entry : entries) {
            if (entry.index() != applied + 1 && !sim.has(Bug.ENTRY_APPLIED_TWICE)) {
                throw new Invariants.Violation("peer " + id + " applies entry " + entry.index() + " after " + applied);
            }
            sim.invariants.committed(id, entry);
            if (entry.type() != EntryType.NORMAL) {
                members = node.applyConfChange(ConfChange.decode(entry));
                sim.changes++;
            }
            applied = entry.index();
            appliedTerm = entry.term();
            state = Invariants.next(state, entry);
            sim.invariants.state(id, applied, state);
            sim.invariants.members(id, applied, members);
            sim.event(3, id, entry.index(), entry.term());
            sim.clients.applied(this, entry);
        }
        if (!entries.isEmpty()
                && sim.random.chance(sim.saveChance)
                && applied <= disk.storage().lastIndex()) {
            long keep = sim.random.below(sim.keepEntries + 1);
            disk.save(new SimDisk.Saved(applied, appliedTerm, state, members), applied - keep);
        }
        finishReads();
    }

    void checkAppends(List<Entry> entries, Snapshot snapshot) {
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            long before = entry.index() - 1;
            long previousTerm = i > 0
                    ? entries.get(i - 1).term()
                    : snapshot != null && snapshot.index() == before
                            ? snapshot.term()
                            : disk.storage().term(before);
            sim.invariants.appended(id, entry, previousTerm);
        }
    }

    void finishReads() {
        waiting.removeIf(read -> {
            if (read.index() > applied) {
                return false;
            }
            boolean holds = !read.leased || clock() < node.replicaLeaseUntilNs() || sim.has(Bug.REPLICA_LEASE_KEPT);
            if (holds) {
                sim.invariants.read(read.how(), id, applied, read.shownAtStart());
                sim.reads++;
                sim.replicaReads += read.leased ? 1 : 0;
            }
            return true;
        });
    }

    /** The disk as the library sees it; a snapshot is not always at hand. */
    private final class BusyStorage implements Storage {
        @Override
        public RaftState initialState() {
            return disk.storage().initialState();
        }

        @Override
        public List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
            return disk.storage().entries(low, highExclusive, maxSizeBytes);
        }

        @Override
        public long term(long index) {
            return disk.storage().term(index);
        }

        @Override
        public long firstIndex() {
            return disk.storage().firstIndex();
        }

        @Override
        public long lastIndex() {
            return disk.storage().lastIndex();
        }

        @Override
        public Snapshot snapshot() {
            if (sim.random.chance(0.3)) {
                throw new SnapshotTemporarilyUnavailableException();
            }
            if (applied > disk.saved().applied() && applied <= disk.storage().lastIndex()) {
                disk.save(new SimDisk.Saved(applied, appliedTerm, state, members), 0);
            }
            return disk.storage().snapshot();
        }
    }
}
