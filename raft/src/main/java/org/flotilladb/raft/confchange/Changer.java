package org.flotilladb.raft.confchange;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.LongFunction;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfChange.Kind;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.quorum.IdSet;
import org.flotilladb.raft.tracker.Membership;
import org.flotilladb.raft.tracker.Progress;

/**
 * Makes the next membership, and the progress of its peers, from the present one; the present one is not changed. A
 * simple change touches at most one voter, so that old and new majorities overlap; any other goes through a joint
 * configuration in which both majorities must agree.
 */
public final class Changer {
    private final Membership membership;
    private final TreeMap<Long, Progress> progress;
    private final LongFunction<Progress> newVoter;
    private final LongFunction<Progress> newLearner;

    /** A membership with the progress of each of its peers. */
    public record Result(Membership membership, TreeMap<Long, Progress> progress) {}

    /**
     * Starts from a membership.
     *
     * @param newVoter makes the progress of a peer that joins as a voter
     * @param newLearner the same for a learner
     */
    public Changer(Result from, LongFunction<Progress> newVoter, LongFunction<Progress> newLearner) {
        this.membership = from.membership;
        this.progress = from.progress;
        this.newVoter = newVoter;
        this.newLearner = newLearner;
    }

    private Changer(Changer settings, Result from) {
        this(from, settings.newVoter, settings.newLearner);
    }

    /** Makes changes of which at most one concerns a voter. */
    public Result simple(List<ConfChange.Single> changes) throws ConfChangeException {
        if (membership.isJoint()) {
            throw new ConfChangeException("can't apply simple config change in joint config");
        }
        Draft draft = new Draft();
        draft.apply(changes);
        if (membership.incoming().difference(draft.next.incoming()) > 1) {
            throw new ConfChangeException("more than one voter changed without entering joint config");
        }
        return draft.result();
    }

    /** Enters a joint configuration of the present voters and those after the changes. */
    public Result enterJoint(boolean autoLeave, List<ConfChange.Single> changes) throws ConfChangeException {
        if (membership.isJoint()) {
            throw new ConfChangeException("config is already joint");
        }
        if (membership.incoming().isEmpty()) {
            throw new ConfChangeException("can't make a zero-voter config joint");
        }
        Draft draft = new Draft();
        draft.next = membership.withOutgoing(membership.incoming(), autoLeave);
        draft.apply(changes);
        return draft.result();
    }

    /** Leaves the joint configuration: the incoming voters decide alone. */
    public Result leaveJoint() throws ConfChangeException {
        if (!membership.isJoint()) {
            throw new ConfChangeException("can't leave a non-joint config");
        }
        Draft draft = new Draft();
        IdSet learners = membership.learners().union(membership.learnersNext());
        for (long id : membership.learnersNext().toList()) {
            draft.peers.computeIfPresent(id, (same, peer) -> peer.as(true));
        }
        for (long id : membership.outgoing().toList()) {
            if (!membership.incoming().contains(id) && !learners.contains(id)) {
                draft.peers.remove(id);
            }
        }
        draft.next = membership.withOutgoing(IdSet.EMPTY, false).withLearners(learners, IdSet.EMPTY);
        return draft.result();
    }

    /** The membership that a snapshot or a storage states, built from an empty one by valid changes. */
    public Result restore(ConfState state) throws ConfChangeException {
        List<ConfChange.Single> incoming = new ArrayList<>();
        Result result = new Result(membership, progress);
        if (state.votersOutgoing().isEmpty()) {
            add(incoming, state);
            for (ConfChange.Single change : incoming) {
                result = new Changer(this, result).simple(List.of(change));
            }
            return result;
        }
        for (long id : state.votersOutgoing()) {
            result = new Changer(this, result).simple(List.of(new ConfChange.Single(Kind.ADD_VOTER, id)));
            incoming.add(new ConfChange.Single(Kind.REMOVE, id));
        }
        add(incoming, state);
        return new Changer(this, result).enterJoint(state.autoLeave(), incoming);
    }

    private static void add(List<ConfChange.Single> changes, ConfState state) {
        state.voters().forEach(id -> changes.add(new ConfChange.Single(Kind.ADD_VOTER, id)));
        state.learners().forEach(id -> changes.add(new ConfChange.Single(Kind.ADD_LEARNER, id)));
        state.learnersNext().forEach(id -> changes.add(new ConfChange.Single(Kind.ADD_LEARNER, id)));
    }

    /** The membership under construction. */
    private final class Draft {
        private Membership next = membership;
        private final TreeMap<Long, Progress> peers = new TreeMap<>(progress);

        void apply(List<ConfChange.Single> changes) throws ConfChangeException {
            for (ConfChange.Single change : changes) {
                // Peer 0 stands for a change that its proposer has withdrawn.
                if (change.peer() != 0) {
                    switch (change.kind()) {
                        case ADD_VOTER -> addVoter(change.peer());
                        case ADD_LEARNER -> addLearner(change.peer());
                        case REMOVE -> remove(change.peer());
                        case UPDATE -> {}
                    }
                }
            }
            if (next.incoming().isEmpty()) {
                throw new ConfChangeException("removed all voters");
            }
        }

        private void addVoter(long id) {
            Progress peer = peers.get(id);
            peers.put(id, peer == null ? newVoter.apply(id) : peer.as(false));
            next = next.withLearners(
                            next.learners().without(id), next.learnersNext().without(id))
                    .withIncoming(next.incoming().with(id));
        }

        private void addLearner(long id) {
            Progress peer = peers.get(id);
            if (peer == null) {
                peers.put(id, newLearner.apply(id));
                next = next.withLearners(next.learners().with(id), next.learnersNext());
            } else if (!peer.learner()) {
                remove(id);
                if (next.outgoing().contains(id)) {
                    // It still votes in the outgoing configuration; a learner cannot.
                    peers.put(id, peer);
                    next = next.withLearners(
                            next.learners(), next.learnersNext().with(id));
                } else {
                    peers.put(id, peer.as(true));
                    next = next.withLearners(next.learners().with(id), next.learnersNext());
                }
            }
        }

        private void remove(long id) {
            if (!peers.containsKey(id)) {
                return;
            }
            next = next.withLearners(
                            next.learners().without(id), next.learnersNext().without(id))
                    .withIncoming(next.incoming().without(id));
            if (!next.outgoing().contains(id)) {
                peers.remove(id);
            }
        }

        Result result() throws ConfChangeException {
            check();
            return new Result(next, peers);
        }

        /** What every membership keeps to. */
        private void check() throws ConfChangeException {
            IdSet members = next.voters().ids().union(next.learners()).union(next.learnersNext());
            for (long id : members.toList()) {
                if (!peers.containsKey(id)) {
                    throw new ConfChangeException("no progress for " + id);
                }
            }
            for (long id : next.learnersNext().toList()) {
                if (!next.outgoing().contains(id)) {
                    throw new ConfChangeException(id + " is in LearnersNext, but not Voters[1]");
                }
            }
            for (long id : next.learners().toList()) {
                if (next.voters().contains(id)) {
                    throw new ConfChangeException(id + " is in Learners and Voters");
                }
            }
            if (peers.size() != members.size()) {
                throw new ConfChangeException("progress of peers " + peers.keySet() + " for members " + members);
            }
        }
    }
}
