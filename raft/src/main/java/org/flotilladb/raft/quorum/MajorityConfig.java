package org.flotilladb.raft.quorum;

import java.util.Arrays;
import java.util.function.LongUnaryOperator;

/**
 * Voters of whom a majority decides. An empty configuration agrees to everything, which makes it the neutral half of a
 * joint one. Immutable.
 */
public record MajorityConfig(IdSet voters) {
    public static final MajorityConfig EMPTY = new MajorityConfig(IdSet.EMPTY);

    /** How a voter has voted: 0 not yet, above 0 yes, below 0 no. */
    public interface Votes {
        int of(long voter);
    }

    /**
     * The largest value that a majority reaches, where each voter has a value; {@link Long#MAX_VALUE} when there are no
     * voters.
     */
    public long reachedByMajority(LongUnaryOperator valueOf) {
        int n = voters.size();
        if (n == 0) {
            return Long.MAX_VALUE;
        }
        if (n == 1) {
            return valueOf.applyAsLong(voters.get(0));
        }
        long[] values = new long[n];
        for (int i = 0; i < n; i++) {
            values[i] = valueOf.applyAsLong(voters.get(i));
        }
        Arrays.sort(values);
        return values[n - quorum()];
    }

    public VoteResult voteResult(Votes votes) {
        int yes = 0;
        int missing = 0;
        for (int i = 0; i < voters.size(); i++) {
            int vote = votes.of(voters.get(i));
            yes += vote > 0 ? 1 : 0;
            missing += vote == 0 ? 1 : 0;
        }
        if (voters.isEmpty() || yes >= quorum()) {
            return VoteResult.WON;
        }
        return yes + missing >= quorum() ? VoteResult.PENDING : VoteResult.LOST;
    }

    MajorityConfig without(IdSet lost) {
        IdSet left = voters;
        for (long id : lost.toList()) {
            left = left.without(id);
        }
        return new MajorityConfig(left);
    }

    /** How many voters make a majority. */
    public int quorum() {
        return voters.size() / 2 + 1;
    }

    @Override
    public String toString() {
        return voters.toString();
    }
}
