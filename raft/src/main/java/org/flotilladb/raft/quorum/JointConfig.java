package org.flotilladb.raft.quorum;

import java.util.function.LongUnaryOperator;

/**
 * Two configurations that must both agree while one replaces the other (Raft, section 6); outside a change the outgoing
 * one is empty. Immutable.
 */
public record JointConfig(MajorityConfig incoming, MajorityConfig outgoing) {
    public static final JointConfig EMPTY = new JointConfig(MajorityConfig.EMPTY, MajorityConfig.EMPTY);

    public boolean isJoint() {
        return !outgoing.voters().isEmpty();
    }

    /** The largest value that both majorities reach. */
    public long reachedByMajority(LongUnaryOperator valueOf) {
        long value = incoming.reachedByMajority(valueOf);
        return isJoint() ? Math.min(value, outgoing.reachedByMajority(valueOf)) : value;
    }

    public VoteResult voteResult(MajorityConfig.Votes votes) {
        VoteResult in = incoming.voteResult(votes);
        VoteResult out = outgoing.voteResult(votes);
        if (in == out) {
            return in;
        }
        return in == VoteResult.LOST || out == VoteResult.LOST ? VoteResult.LOST : VoteResult.PENDING;
    }

    /** What is left when these voters are gone for good; a half that loses all of them no longer counts. */
    public JointConfig without(IdSet lost) {
        return lost.isEmpty() ? this : new JointConfig(incoming.without(lost), outgoing.without(lost));
    }

    public boolean contains(long id) {
        return incoming.voters().contains(id) || outgoing.voters().contains(id);
    }

    /** The voters of both. */
    public IdSet ids() {
        return isJoint() ? incoming.voters().union(outgoing.voters()) : incoming.voters();
    }

    /** Whether this peer decides alone. */
    public boolean isOnly(long id) {
        return !isJoint() && incoming.voters().size() == 1 && incoming.voters().contains(id);
    }

    @Override
    public String toString() {
        return isJoint() ? incoming + "&&" + outgoing : incoming.toString();
    }
}
