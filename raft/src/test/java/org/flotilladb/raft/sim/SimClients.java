package org.flotilladb.raft.sim;

import java.nio.ByteBuffer;
import java.util.TreeMap;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.ProposalDroppedException;
import org.flotilladb.raft.Ready;

/** What clients do: writes through the leader they know, lease reads wherever one holds, read indexes anywhere. */
final class SimClients {
    private static final int MAX_UNDER_WAY = 1000;

    private final Simulation sim;
    /** Writes under way, by number: acknowledged when the peer that took them applies them. */
    private final TreeMap<Long, Long> writesAt = new TreeMap<>();
    /** Read index questions, by number: what had been shown when they were asked. */
    private final TreeMap<Long, Long> questions = new TreeMap<>();

    private long operations;

    SimClients(Simulation sim) {
        this.sim = sim;
    }

    /** An entry has been applied by a peer. */
    void applied(SimPeer peer, Entry entry) {
        if (entry.data().length < 8) {
            return;
        }
        long number = ByteBuffer.wrap(entry.data()).getLong();
        Long taker = writesAt.get(number);
        if (taker != null && taker == peer.id) {
            writesAt.remove(number);
            sim.invariants.wrote(entry.index());
            sim.writes++;
        }
    }

    /** A Ready tells the indexes of reads. */
    void proven(SimPeer peer, Ready ready) {
        for (Ready.ReadState read : ready.readStates()) {
            long number = ByteBuffer.wrap(read.context()).getLong();
            Long shown = questions.remove(number);
            if (shown != null) {
                peer.waiting.add(new SimPeer.SimRead("read index", read.index(), shown, false));
            }
        }
    }

    /** One operation, and the next one later. */
    void run() {
        // The narrowest windows must be able to catch up in the end.
        long pauseNs = sim.random.between(0, sim.calm ? 10 * sim.clientEveryNs : sim.clientEveryNs);
        sim.at(pauseNs + sim.clientsPauseNs(), this::run);
        SimPeer peer = sim.peers.get(sim.ids[(int) sim.random.below(sim.ids.length)]);
        if (!peer.up || sim.now < peer.pausedUntil) {
            return;
        }
        long number = ++operations;
        long kind = sim.random.below(10);
        if (kind < sim.writesInTen && !sim.quiet) {
            SimPeer leader = leaderFor(peer);
            try {
                byte[] data = new byte[8 + (int) sim.random.below(32)];
                ByteBuffer.wrap(data).putLong(number);
                leader.node.propose(data);
                writesAt.put(number, leader.id);
                sim.afterStep(leader);
            } catch (ProposalDroppedException e) {
                return;
            }
        } else if (kind < 9) {
            for (SimPeer each : sim.peers.values()) {
                if (each.up && sim.now >= each.pausedUntil) {
                    leaseRead(each);
                }
            }
        } else {
            readIndex(peer, number);
        }
    }

    /** The leader that a client knows through this peer; the peer itself when it knows none. */
    SimPeer leaderFor(SimPeer peer) {
        SimPeer leader = sim.peers.get(peer.node.leader());
        return leader != null && leader.up && sim.now >= leader.pausedUntil ? leader : peer;
    }

    private void leaseRead(SimPeer peer) {
        if (!sim.leases) {
            return;
        }
        if (!peer.node.isLeader()) {
            replicaRead(peer);
            return;
        }
        long shown = sim.invariants.shown();
        boolean ready = peer.node.committedInTerm() && peer.applied >= peer.node.termStartIndex();
        long until = peer.node.leaseUntilNs();
        if (sim.has(Bug.LEASE_KEPT_IN_TRANSFER)) {
            peer.leaseBeforeTransfer = Math.max(peer.leaseBeforeTransfer, until);
            until = Math.max(until, peer.leaseBeforeTransfer);
        }
        boolean lease = peer.clock() < until || sim.has(Bug.LEASE_NOT_CHECKED);
        if (sim.has(Bug.LEASE_READ_BEFORE_APPLY)) {
            if (lease) {
                sim.invariants.read("lease read", peer.id, peer.applied, shown);
                sim.reads++;
            }
            return;
        }
        if (ready && lease) {
            long index = peer.node.commitIndex();
            if (peer.applied >= index) {
                sim.invariants.read("lease read", peer.id, peer.applied, shown);
                sim.reads++;
            }
        }
    }

    private void replicaRead(SimPeer peer) {
        boolean kept = sim.has(Bug.REPLICA_LEASE_KEPT) && peer.node.replicaLeaseUntilNs() != Long.MIN_VALUE;
        if (peer.clock() < peer.node.replicaLeaseUntilNs() || kept) {
            long index = sim.has(Bug.REPLICA_READ_BEFORE_APPLY) ? 0 : peer.node.lastIndex();
            peer.waiting.add(new SimPeer.SimRead("replica lease read", index, sim.invariants.shown(), true));
            peer.finishReads();
        }
    }

    private void readIndex(SimPeer peer, long number) {
        if (sim.has(Bug.READ_INDEX_NOT_PROVEN)) {
            if (peer.node.isLeader() && peer.node.committedInTerm()) {
                peer.waiting.add(
                        new SimPeer.SimRead("read index", peer.node.commitIndex(), sim.invariants.shown(), false));
                peer.finishReads();
            }
            return;
        }
        questions.put(number, sim.invariants.shown());
        byte[] context = ByteBuffer.allocate(8).putLong(number).array();
        peer.node.readIndex(context, peer.clock());
        sim.afterStep(peer);
        if (questions.size() > 1000) {
            questions.pollFirstEntry();
        }
        if (writesAt.size() > 1000) {
            writesAt.pollFirstEntry();
        }
    }
}
