package org.flotilladb.raft.tracker;

import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.quorum.IdSet;
import org.flotilladb.raft.quorum.JointConfig;
import org.flotilladb.raft.quorum.MajorityConfig;

/**
 * Who belongs to a group. Immutable.
 *
 * @param learnersNext voters of the outgoing configuration that become learners once it is left
 * @param autoLeave whether the leader leaves the joint configuration by itself
 */
public record Membership(JointConfig voters, IdSet learners, IdSet learnersNext, boolean autoLeave) {
    public static final Membership EMPTY = new Membership(JointConfig.EMPTY, IdSet.EMPTY, IdSet.EMPTY, false);

    public IdSet incoming() {
        return voters.incoming().voters();
    }

    public IdSet outgoing() {
        return voters.outgoing().voters();
    }

    public boolean isJoint() {
        return voters.isJoint();
    }

    public Membership withIncoming(IdSet ids) {
        return new Membership(
                new JointConfig(new MajorityConfig(ids), voters.outgoing()), learners, learnersNext, autoLeave);
    }

    public Membership withOutgoing(IdSet ids, boolean leaveByItself) {
        return new Membership(
                new JointConfig(voters.incoming(), new MajorityConfig(ids)), learners, learnersNext, leaveByItself);
    }

    public Membership withLearners(IdSet now, IdSet next) {
        return new Membership(voters, now, next, autoLeave);
    }

    public ConfState toConfState() {
        return new ConfState(
                incoming().toList(), outgoing().toList(), learners.toList(), learnersNext.toList(), autoLeave);
    }

    @Override
    public String toString() {
        return "voters=" + voters + (learners.isEmpty() ? "" : " learners=" + learners)
                + (learnersNext.isEmpty() ? "" : " learners_next=" + learnersNext)
                + (autoLeave ? " autoleave" : "");
    }
}
