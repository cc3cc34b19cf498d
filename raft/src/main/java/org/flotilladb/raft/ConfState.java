package org.flotilladb.raft;

import java.util.List;

/**
 * Who belongs to a group, as storages and snapshots keep it. Each list ascending.
 *
 * @param votersOutgoing the voters of the configuration being left; empty outside a joint configuration
 * @param learnersNext outgoing voters that become learners once the joint configuration is left
 * @param autoLeave whether the leader leaves the joint configuration by itself
 */
public record ConfState(
        List<Long> voters, List<Long> votersOutgoing, List<Long> learners, List<Long> learnersNext, boolean autoLeave) {

    /** Of a peer that belongs to nothing yet. */
    public static final ConfState EMPTY = new ConfState(List.of(), List.of(), List.of(), List.of(), false);

    public ConfState {
        voters = List.copyOf(voters);
        votersOutgoing = List.copyOf(votersOutgoing);
        learners = List.copyOf(learners);
        learnersNext = List.copyOf(learnersNext);
    }

    /** A group of these voters, in no change. */
    public static ConfState ofVoters(Long... voters) {
        return new ConfState(List.of(voters), List.of(), List.of(), List.of(), false);
    }

    public static ConfState of(List<Long> voters, List<Long> learners) {
        return new ConfState(voters, List.of(), learners, List.of(), false);
    }

    /** Whether it belongs in any way. */
    public boolean contains(long id) {
        return voters.contains(id) || votersOutgoing.contains(id) || learners.contains(id) || learnersNext.contains(id);
    }
}
