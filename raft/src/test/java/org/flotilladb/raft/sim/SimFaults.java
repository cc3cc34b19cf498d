package org.flotilladb.raft.sim;

import java.util.List;
import java.util.TreeMap;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.ProposalDroppedException;

/** What goes wrong, and what operators do: crashes, pauses, cut links, elections, transfers, changes of membership. */
final class SimFaults {
    private final Simulation sim;
    /** Links that are cut, as from * 100 + to, and until when. */
    private final TreeMap<Long, Long> cut = new TreeMap<>();

    SimFaults(Simulation sim) {
        this.sim = sim;
    }

    boolean isCut(long from, long to) {
        return sim.now < cut.getOrDefault(from * 100 + to, 0L);
    }

    void heal() {
        cut.clear();
    }

    /** One fault, and the next one later. */
    void run() {
        if (sim.calm) {
            return;
        }
        sim.at(sim.random.between(0, 2 * sim.faultEveryNs), this::run);
        SimPeer peer = sim.peers.get(sim.ids[(int) sim.random.below(sim.ids.length)]);
        switch ((int) sim.random.below(10)) {
            case 0 -> {
                if (sim.crashes && peer.up) {
                    sim.crash(peer);
                }
            }
            case 1 -> {
                if (sim.pauses && peer.up) {
                    peer.pausedUntil = sim.now + sim.random.between(0, 4000 * Simulation.MS);
                }
            }
            case 2, 3 -> {
                if (sim.cuts) {
                    cutSome(peer);
                }
            }
            case 4 -> {
                campaign(peer);
                if (sim.replicaLeases && peer.up && sim.random.chance(0.5)) {
                    peer.node.giveBackReplicaLease(peer.clock());
                    sim.afterStep(peer);
                }
            }
            case 5 -> {
                if (sim.crashes && !sim.calm && sim.random.chance(0.6)) {
                    rackFails(peer);
                }
            }
            case 6 -> {
                if (sim.random.chance(0.3)) {
                    cut.clear();
                }
            }
            case 7, 8 -> {
                if (sim.changesMembers) {
                    changeMembers();
                }
            }
            default -> {
                if (sim.transfers && peer.up) {
                    SimPeer leader = sim.clients.leaderFor(peer);
                    leader.node.transferLeader(peer.id, leader.clock());
                    sim.afterStep(leader);
                    if (sim.cuts && !sim.calm && sim.random.chance(0.4)) {
                        sim.at(sim.random.between(0, 10 * Simulation.MS), () -> isolate(leader));
                    }
                }
            }
        }
    }

    void isolate(SimPeer victim) {
        long until = sim.now + sim.random.between(100 * Simulation.MS, 3000 * Simulation.MS);
        for (long other : sim.ids) {
            cut.put(other * 100 + victim.id, until);
            cut.put(victim.id * 100 + other, until);
        }
    }

    /** Somebody who leads is asked to change the membership: one peer, or several at once. */
    private void changeMembers() {
        for (SimPeer leader : sim.peers.values()) {
            if (leader.up && sim.now >= leader.pausedUntil && leader.node.isLeader()) {
                try {
                    for (int i = sim.has(Bug.MEMBERSHIP_CHANGES_OVERLAP) ? 3 : 1; i > 0; i--) {
                        leader.node.proposeConfChange(nextChange(leader));
                    }
                } catch (ProposalDroppedException e) {
                    return;
                }
                sim.afterStep(leader);
            }
        }
    }

    private ConfChange nextChange(SimPeer leader) {
        ConfState members = leader.node.status().confState();
        if (!members.votersOutgoing().isEmpty()) {
            return ConfChange.leaveJoint();
        }
        TreeMap<Long, ConfChange.Single> changes = new TreeMap<>();
        long count = sim.random.chance(0.6) ? 1 : sim.random.between(1, 3);
        TreeMap<Long, Boolean> voters = new TreeMap<>();
        members.voters().forEach(id -> voters.put(id, true));
        for (long i = 0; i < count; i++) {
            long id = sim.ids[(int) sim.random.below(sim.ids.length)];
            ConfChange.Kind kind = ConfChange.Kind.values()[(int) sim.random.below(4)];
            boolean leaves = kind == ConfChange.Kind.REMOVE || kind == ConfChange.Kind.ADD_LEARNER;
            if (changes.containsKey(id) || (leaves && voters.size() == 1)) {
                continue;
            }
            if (leaves) {
                voters.remove(id);
            } else if (kind == ConfChange.Kind.ADD_VOTER) {
                voters.put(id, true);
            }
            changes.put(id, new ConfChange.Single(kind, id));
        }
        if (changes.isEmpty()) {
            changes.put(1L, new ConfChange.Single(ConfChange.Kind.UPDATE, 1));
        }
        ConfChange.Transition[] transitions = ConfChange.Transition.values();
        return ConfChange.of(transitions[(int) sim.random.below(3)], List.copyOf(changes.values()));
    }

    /** An operator asks for an election. */
    private void campaign(SimPeer peer) {
        if (peer.up && sim.now >= peer.pausedUntil) {
            peer.node.campaign(peer.clock());
            sim.afterStep(peer);
        }
    }

    /** All but one lose power for a moment, and the network to that one fails; an operator does what he can. */
    private void rackFails(SimPeer around) {
        SimPeer outside = sim.clients.leaderFor(around);
        if (sim.cuts) {
            isolate(outside);
        }
        for (SimPeer peer : sim.peers.values()) {
            if (peer != outside && peer.up) {
                sim.crash(peer);
            }
        }
        List<Long> others = outside.members().voters().stream()
                .filter(id -> id != outside.id)
                .toList();
        for (long id : others) {
            sim.at(sim.random.between(20 * Simulation.MS, 800 * Simulation.MS), () -> campaign(sim.peers.get(id)));
        }
    }

    /** Cuts some of one peer's links, in one direction or both. */
    private void cutSome(SimPeer around) {
        SimPeer victim = sim.random.chance(0.5) ? sim.clients.leaderFor(around) : around;
        long until = sim.now + sim.random.between(100 * Simulation.MS, 6000 * Simulation.MS);
        double share = sim.random.chance(0.5) ? 1 : 0.5;
        boolean to = sim.random.chance(0.8);
        boolean from = !to || sim.random.chance(0.8);
        for (long other : sim.ids) {
            if (other != victim.id && sim.random.chance(share)) {
                if (to) {
                    cut.put(other * 100 + victim.id, until);
                }
                if (from) {
                    cut.put(victim.id * 100 + other, until);
                }
            }
        }
    }
}
