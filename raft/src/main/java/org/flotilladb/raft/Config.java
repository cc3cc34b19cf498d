package org.flotilladb.raft;

import java.util.Objects;

/** Settings of one peer; build with {@link #builder}. Ticks pace elections and heartbeats; leases use nanoseconds. */
public final class Config {
    final long id;
    final long[] voters;
    final Storage storage;
    final int electionTick;
    final int heartbeatTick;
    final long applied;
    final long maxSizePerMessageBytes;
    final int maxInflightMessages;
    final long maxUncommittedBytes;
    final boolean preVote;
    final boolean checkQuorum;
    final boolean leases;
    final long promiseNs;
    final double clockRateError;
    final long marginNs;
    final long seed;
    final boolean promiseAtStart;
    final boolean eagerCommit;

    private Config(Builder b) {
        id = b.id;
        voters = b.voters.clone();
        storage = b.storage;
        electionTick = b.electionTick;
        heartbeatTick = b.heartbeatTick;
        applied = b.applied;
        maxSizePerMessageBytes = b.maxSizePerMessageBytes;
        maxInflightMessages = b.maxInflightMessages;
        maxUncommittedBytes = b.maxUncommittedBytes;
        preVote = b.preVote;
        checkQuorum = b.checkQuorum;
        leases = b.promiseNs > 0;
        promiseNs = b.promiseNs;
        clockRateError = b.clockRateError;
        marginNs = b.marginNs;
        seed = b.seed;
        promiseAtStart = b.promiseAtStart;
        eagerCommit = b.eagerCommit;
    }

    /**
     * @param id this peer, above 0
     * @param voters all voters of the group, ascending
     */
    public static Builder builder(long id, long[] voters, Storage storage) {
        return new Builder(id, voters, storage);
    }

    /** Collects settings; {@link #build} names the field that is wrong. */
    public static final class Builder {
        private final long id;
        private final long[] voters;
        private final Storage storage;
        private int electionTick = 10;
        private int heartbeatTick = 1;
        private long applied;
        private long maxSizePerMessageBytes = 1 << 20;
        private int maxInflightMessages = 256;
        private long maxUncommittedBytes = 64L << 20;
        private boolean preVote = true;
        private boolean checkQuorum = true;
        private long promiseNs;
        private double clockRateError = 0.05;
        private long marginNs = 1_000_000;
        private long seed;
        private boolean promiseAtStart = true;
        private boolean eagerCommit = true;

        private Builder(long id, long[] voters, Storage storage) {
            this.id = id;
            this.voters = voters.clone();
            this.storage = Objects.requireNonNull(storage, "storage");
        }

        /** Ticks without a leader before an election; the actual number is drawn from {@code [n, 2n)}. */
        public Builder electionTick(int value) {
            electionTick = value;
            return this;
        }

        public Builder heartbeatTick(int value) {
            heartbeatTick = value;
            return this;
        }

        /** The last entry already applied; it is not given out again. */
        public Builder applied(long value) {
            applied = value;
            return this;
        }

        public Builder maxSizePerMessageBytes(long value) {
            maxSizePerMessageBytes = value;
            return this;
        }

        public Builder maxInflightMessages(int value) {
            maxInflightMessages = value;
            return this;
        }

        /** Bytes of proposals not yet committed; past it proposals are dropped. */
        public Builder maxUncommittedBytes(long value) {
            maxUncommittedBytes = value;
            return this;
        }

        public Builder preVote(boolean value) {
            preVote = value;
            return this;
        }

        public Builder checkQuorum(boolean value) {
            checkQuorum = value;
            return this;
        }

        /**
         * Switches leases on: the promised election timeout E, the largest error of a clock's rate, and the margin taken
         * off each lease.
         */
        public Builder leases(long promisedElectionTimeoutNs, double rateError, long leaseMarginNs) {
            promiseNs = promisedElectionTimeoutNs;
            clockRateError = rateError;
            marginNs = leaseMarginNs;
            return this;
        }

        /**
         * False only for a peer of a group that has never had a leader: nothing can have been promised in an earlier
         * life.
         */
        public Builder promiseAtStart(boolean value) {
            promiseAtStart = value;
            return this;
        }

        /** Whether a leader tells its followers a new commit index at once; else with its next append or heartbeat. */
        public Builder eagerCommit(boolean value) {
            eagerCommit = value;
            return this;
        }

        public Builder seed(long value) {
            seed = value;
            return this;
        }

        public Config build() {
            check(id > 0, "id must be above 0, is " + id);
            boolean found = false;
            for (int i = 0; i < voters.length; i++) {
                check(i == 0 || voters[i - 1] < voters[i], "voters must be ascending and distinct");
                found |= voters[i] == id;
            }
            check(found, "voters must contain the id " + id);
            check(heartbeatTick > 0, "heartbeatTick must be above 0, is " + heartbeatTick);
            check(
                    electionTick > heartbeatTick,
                    "electionTick " + electionTick + " must be above heartbeatTick " + heartbeatTick);
            check(maxInflightMessages > 0, "maxInflightMessages must be above 0");
            check(maxSizePerMessageBytes >= 0, "maxSizePerMessageBytes must not be negative");
            check(clockRateError >= 0 && clockRateError < 0.5, "clockRateError must be in [0, 0.5)");
            check(marginNs >= 0, "marginNs must not be negative");
            return new Config(this);
        }

        private static void check(boolean condition, String message) {
            if (!condition) {
                throw new IllegalArgumentException("Raft configuration: " + message);
            }
        }
    }
}
