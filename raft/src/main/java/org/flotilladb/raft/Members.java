package org.flotilladb.raft;

import java.util.TreeMap;
import org.flotilladb.raft.confchange.Changer;
import org.flotilladb.raft.confchange.ConfChangeException;
import org.flotilladb.raft.quorum.IdSet;
import org.flotilladb.raft.quorum.JointConfig;
import org.flotilladb.raft.quorum.MajorityConfig;
import org.flotilladb.raft.tracker.Inflights;
import org.flotilladb.raft.tracker.Membership;
import org.flotilladb.raft.tracker.Progress;

/** Who belongs to the group by what this peer has applied, and the progress of each. */
final class Members {
    private final Core core;
    private Membership membership = Membership.EMPTY;
    /** Voters that an operator has declared lost for good. */
    private IdSet lost = IdSet.EMPTY;
    /** The voters of whom majorities are counted. */
    private JointConfig counted = JointConfig.EMPTY;
    /** Ascending by peer. */
    private Progress[] peers = new Progress[0];

    Members(Core core) {
        this.core = core;
    }

    Membership membership() {
        return membership;
    }

    JointConfig voters() {
        return membership.voters();
    }

    /** The voters of whom majorities are counted: all, unless some have been declared lost. */
    JointConfig counted() {
        return counted;
    }

    /** Counts majorities without these voters, until this peer restarts or they are removed. */
    void declareLost(IdSet voters) {
        MajorityConfig left = membership.voters().without(voters).incoming();
        if (voters.contains(core.id) || left.voters().isEmpty()) {
            throw new IllegalArgumentException("of the voters " + membership.voters() + " nobody is left without "
                    + voters + "; this is peer " + core.id);
        }
        lost = voters;
        counted = membership.voters().without(lost);
    }

    ConfState confState() {
        return membership.toConfState();
    }

    /** All members, ascending. Not to be changed. */
    Progress[] peers() {
        return peers;
    }

    /** A member's progress, or null for a stranger. */
    Progress peer(long id) {
        for (Progress each : peers) {
            if (each.id() == id) {
                return each;
            }
        }
        return null;
    }

    /** This peer's own, or null when it does not belong. */
    Progress self() {
        return peer(core.id);
    }

    /** Whether this peer may lead. */
    boolean promotable() {
        Progress self = self();
        return self != null && !self.learner() && !core.log.hasPendingSnapshot() && !core.log.isApplyingHeld();
    }

    void resetProgress() {
        for (int i = 0; i < peers.length; i++) {
            peers[i] = fresh(peers[i].id(), peers[i].learner(), core.log.lastIndex() + 1, false);
        }
    }

    private Progress fresh(long id, boolean learner, long next, boolean active) {
        return new Progress(
                id,
                learner,
                0,
                next,
                active,
                new Inflights(core.config.maxInflightMessages, core.config.maxInflightBytes));
    }

    /** Takes over the membership of a storage or a snapshot. */
    void restore(ConfState state) {
        try {
            adopt(changer(new Changer.Result(Membership.EMPTY, new TreeMap<>())).restore(state));
        } catch (ConfChangeException e) {
            throw new RaftInvariantException("peer " + core.id + " cannot take over " + state + ": " + e.getMessage());
        }
        ConfState restored = confState();
        if (!restored.equals(state)) {
            throw new RaftInvariantException("membership " + state + " was taken over as " + restored);
        }
    }

    /** Makes the change of a committed entry effective. */
    ConfState apply(ConfChange change) {
        try {
            adopt(next(change));
        } catch (ConfChangeException e) {
            throw new RaftInvariantException(
                    "peer " + core.id + " at " + membership + " cannot apply " + change + ": " + e.getMessage());
        }
        adjustLeadership();
        return confState();
    }

    /** Whether this peer, which is a voter, will be none once the change is applied. */
    boolean removesSelf(ConfChange change) {
        try {
            return voters().contains(core.id) && !after(change).voters().contains(core.id);
        } catch (ConfChangeException e) {
            return false;
        }
    }

    /** What a change would lead to, or why it leads nowhere. */
    Membership after(ConfChange change) throws ConfChangeException {
        return next(change).membership();
    }

    private Changer.Result next(ConfChange change) throws ConfChangeException {
        TreeMap<Long, Progress> progress = new TreeMap<>();
        for (Progress each : peers) {
            progress.put(each.id(), each);
        }
        Changer changer = changer(new Changer.Result(membership, progress));
        if (change.leavesJoint()) {
            return changer.leaveJoint();
        }
        return change.entersJoint()
                ? changer.enterJoint(change.autoLeave(), change.changes())
                : changer.simple(change.changes());
    }

    private Changer changer(Changer.Result from) {
        // What was applied last is likely to be there; a peer that lacks it will say so.
        long next = Math.max(core.log.lastIndex(), 1);
        return new Changer(from, id -> fresh(id, false, next, true), id -> fresh(id, true, next, true));
    }

    private void adopt(Changer.Result result) {
        membership = result.membership();
        // Who is added again after its removal is another peer, and counts.
        lost = lost.intersection(membership.voters().ids());
        counted = membership.voters().without(lost);
        peers = result.progress().values().toArray(new Progress[0]);
    }

    private void adjustLeadership() {
        if (!core.leads()) {
            return;
        }
        Progress self = self();
        if (self == null || self.learner()) {
            if (core.config.stepDownOnRemoval) {
                if (core.config.handOverOnRemoval) {
                    core.transfer.handOver();
                }
                core.becomeFollower(core.term, 0);
            }
            return;
        }
        core.leading.membershipChanged();
    }

    @Override
    public String toString() {
        return membership.toString();
    }
}
