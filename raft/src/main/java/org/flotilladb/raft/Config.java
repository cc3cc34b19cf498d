package org.flotilladb.raft;

import java.util.Objects;
import java.util.function.LongPredicate;

/**
 * Settings of one peer; build with {@link #builder}. Ticks pace elections and heartbeats; leases use nanoseconds. The
 * defaults are those of a careful server; what goes beyond the usual rules of Raft can be switched off one by one.
 */
public final class Config {
    final long id;
    final Storage storage;
    final int electionTick;
    final int heartbeatTick;
    final long applied;
    final long maxSizePerMessageBytes;
    final long maxCommittedPerReadyBytes;
    final int maxInflightMessages;
    final long maxInflightBytes;
    final long maxUncommittedBytes;
    final int maxPendingReads;
    final boolean preVote;
    final boolean checkQuorum;
    final boolean asyncStorageWrites;
    final boolean stepDownOnRemoval;
    final boolean handOverOnRemoval;
    final boolean tellNewerTerm;
    final boolean commitByVote;
    final boolean proposalForwarding;
    final boolean confChangeValidation;
    final ReadOnlyOption readOnlyOption;
    final long priority;
    final boolean leases;
    final long promiseNs;
    final double clockRateError;
    final long marginNs;
    final boolean promiseAtStart;
    final long seed;
    final boolean eagerCommit;
    final boolean batchedAppends;
    final boolean holdUntilDurable;
    final int restAfterTicks;
    final LongPredicate restWithout;

    private Config(Builder b) {
        id = b.id;
        storage = b.storage;
        electionTick = b.electionTick;
        heartbeatTick = b.heartbeatTick;
        applied = b.applied;
        maxSizePerMessageBytes = b.maxSizePerMessageBytes;
        maxCommittedPerReadyBytes = b.maxCommittedPerReadyBytes;
        maxInflightMessages = b.maxInflightMessages;
        maxInflightBytes = b.maxInflightBytes;
        maxUncommittedBytes = b.maxUncommittedBytes;
        maxPendingReads = b.maxPendingReads;
        preVote = b.preVote;
        checkQuorum = b.checkQuorum;
        asyncStorageWrites = b.asyncStorageWrites;
        stepDownOnRemoval = b.stepDownOnRemoval;
        handOverOnRemoval = b.handOverOnRemoval;
        tellNewerTerm = b.tellNewerTerm;
        commitByVote = b.commitByVote;
        proposalForwarding = b.proposalForwarding;
        confChangeValidation = b.confChangeValidation;
        readOnlyOption = b.readOnlyOption;
        priority = b.priority;
        leases = b.promiseNs > 0;
        promiseNs = b.promiseNs;
        clockRateError = b.clockRateError;
        marginNs = b.marginNs;
        promiseAtStart = b.promiseAtStart;
        seed = b.seed;
        eagerCommit = b.eagerCommit;
        batchedAppends = b.batchedAppends;
        holdUntilDurable = b.holdUntilDurable;
        restAfterTicks = b.restAfterTicks;
        restWithout = b.restWithout;
    }

    /**
     * Begins the settings of a peer.
     *
     * @param id this peer, above 0
     * @param storage what it has stored, its membership included
     */
    public static Builder builder(long id, Storage storage) {
        return new Builder(id, storage);
    }

    /** Collects settings; {@link #build} names the field that is wrong. */
    public static final class Builder {
        private final long id;
        private final Storage storage;
        private int electionTick = 10;
        private int heartbeatTick = 1;
        private long applied;
        private long maxSizePerMessageBytes = 1 << 20;
        private long maxCommittedPerReadyBytes = 64L << 20;
        private int maxInflightMessages = 256;
        private long maxInflightBytes;
        private long maxUncommittedBytes = 64L << 20;
        private int maxPendingReads = 4096;
        private boolean preVote = true;
        private boolean checkQuorum = true;
        private boolean asyncStorageWrites;
        private boolean stepDownOnRemoval = true;
        private boolean handOverOnRemoval = true;
        private boolean tellNewerTerm = true;
        private boolean commitByVote = true;
        private boolean proposalForwarding = true;
        private boolean confChangeValidation = true;
        private ReadOnlyOption readOnlyOption = ReadOnlyOption.SAFE;
        private long priority;
        private long promiseNs;
        private double clockRateError = 0.05;
        private long marginNs = 1_000_000;
        private boolean promiseAtStart = true;
        private long seed;
        private boolean eagerCommit = true;
        private boolean batchedAppends = true;
        private boolean holdUntilDurable = true;
        private int restAfterTicks;
        private LongPredicate restWithout = peer -> false;

        private Builder(long id, Storage storage) {
            this.id = id;
            this.storage = Objects.requireNonNull(storage, "storage");
        }

        /**
         * Ticks without a leader before an election; the actual number is drawn from {@code [n, 2n)}. 10 by default, with a
         * heartbeat at every tick: finer ticks would cost each group more calls and pace nothing that is not paced by
         * heartbeats.
         */
        public Builder electionTick(int value) {
            electionTick = value;
            return this;
        }

        /** Ticks between two heartbeats; 1 by default. */
        public Builder heartbeatTick(int value) {
            heartbeatTick = value;
            return this;
        }

        /** The last entry already applied; it is not given out again. */
        public Builder applied(long value) {
            applied = value;
            return this;
        }

        /** Bytes of entries in one append; one entry always fits. */
        public Builder maxSizePerMessageBytes(long value) {
            maxSizePerMessageBytes = value;
            return this;
        }

        /** Bytes of committed entries handed out and not yet reported applied; one entry always fits. */
        public Builder maxCommittedPerReadyBytes(long value) {
            maxCommittedPerReadyBytes = value;
            return this;
        }

        /** Appends under way to one peer. */
        public Builder maxInflightMessages(int value) {
            maxInflightMessages = value;
            return this;
        }

        /** Bytes of appends under way to one peer, passed by at most one append; 0 for no limit. */
        public Builder maxInflightBytes(long value) {
            maxInflightBytes = value;
            return this;
        }

        /** Bytes of proposals not yet applied; past it proposals are dropped. */
        public Builder maxUncommittedBytes(long value) {
            maxUncommittedBytes = value;
            return this;
        }

        /** Read index questions that wait at a leader; past it they are not answered. */
        public Builder maxPendingReads(int value) {
            maxPendingReads = value;
            return this;
        }

        /**
         * Whether a peer asks whether it could win before it raises its term (thesis, section 9.6). Without it a voter that was
         * removed and has not heard of it goes on raising terms, and a member that lacks much of the log can carry them to
         * the leader for ever: whoever switches it off stops removed peers himself.
         */
        public Builder preVote(boolean value) {
            preVote = value;
            return this;
        }

        /** Whether a leader that a quorum has not answered for an election timeout steps down. */
        public Builder checkQuorum(boolean value) {
            checkQuorum = value;
            return this;
        }

        /** Whether storing and applying are asked for by messages, so that neither holds up the next Ready. */
        public Builder asyncStorageWrites(boolean value) {
            asyncStorageWrites = value;
            return this;
        }

        /** Whether a leader that is removed, or made a learner, stops leading at once. */
        public Builder stepDownOnRemoval(boolean value) {
            stepDownOnRemoval = value;
            return this;
        }

        /**
         * Whether a leader that proposes its own removal appends nothing after it, so that whoever stays has as long a
         * log and can be elected with its vote, and asks one of them to take over once it steps down.
         */
        public Builder handOverOnRemoval(boolean value) {
            handOverOnRemoval = value;
            return this;
        }

        /** Whether a candidate of an older term is told the newer one, instead of nothing. */
        public Builder tellNewerTerm(boolean value) {
            tellNewerTerm = value;
            return this;
        }

        /** Whether the refusal of a vote says what is committed, so that a candidate need not be elected to learn it. */
        public Builder commitByVote(boolean value) {
            commitByVote = value;
            return this;
        }

        /** Whether a follower passes proposals on to the leader, or drops them. */
        public Builder proposalForwarding(boolean value) {
            proposalForwarding = value;
            return this;
        }

        /** Whether a leader refuses a change of membership while another one is pending; off only for tests. */
        public Builder confChangeValidation(boolean value) {
            confChangeValidation = value;
            return this;
        }

        public Builder readOnlyOption(ReadOnlyOption value) {
            readOnlyOption = value;
            return this;
        }

        /**
         * A voter refuses a candidate of lower priority than its own that has no longer log, unless it may not lead itself
         * for now, or a leader hands over to the candidate; 0 by default.
         */
        public Builder priority(long value) {
            priority = value;
            return this;
        }

        /**
         * Switches promises and leases on: the promised election timeout E, the largest error of a clock's rate, and the
         * margin taken off each lease.
         */
        public Builder leases(long promisedElectionTimeoutNs, double rateError, long leaseMarginNs) {
            promiseNs = promisedElectionTimeoutNs;
            clockRateError = rateError;
            marginNs = leaseMarginNs;
            return this;
        }

        /**
         * False only for a peer that cannot have promised anything in an earlier life: of a group that has never had a
         * leader, or alone in one whose membership has never changed.
         */
        public Builder promiseAtStart(boolean value) {
            promiseAtStart = value;
            return this;
        }

        /** Where the draws of election timeouts begin; peers and starts should differ. */
        public Builder seed(long value) {
            seed = value;
            return this;
        }

        /** Whether a leader tells its followers a new commit index at once; else with its next append or heartbeat. */
        public Builder eagerCommit(boolean value) {
            eagerCommit = value;
            return this;
        }

        /** Whether proposals made between two Readies leave in one append; else each leaves in its own. */
        public Builder batchedAppends(boolean value) {
            batchedAppends = value;
            return this;
        }

        /**
         * Whether everything but the messages of a leader whose term and vote are durable waits for the fsync; else only
         * votes and acknowledgements do.
         */
        public Builder holdUntilDurable(boolean value) {
            holdUntilDurable = value;
            return this;
        }

        /**
         * After how many ticks at which nothing was under way a leader puts the group to rest, see {@link
         * RawNode#isResting}; 0 for never. All peers should agree on it.
         */
        public Builder restAfterTicks(int value) {
            restAfterTicks = value;
            return this;
        }

        /**
         * Peers that the group does not wait for when it goes to rest, though they lack something, because the user knows
         * that they cannot be reached; nobody by default. Asked at ticks. Who says of a peer that it is there again calls
         * {@link RawNode#wake} where it may be behind.
         */
        public Builder restWithout(LongPredicate value) {
            restWithout = Objects.requireNonNull(value, "restWithout");
            return this;
        }

        /**
         * Checks and makes the settings.
         *
         * @throws IllegalArgumentException naming the field that is wrong
         */
        public Config build() {
            check(id > 0, "id must be above 0, is " + id);
            check(heartbeatTick > 0, "heartbeatTick must be above 0, is " + heartbeatTick);
            check(
                    electionTick > heartbeatTick,
                    "electionTick " + electionTick + " must be above heartbeatTick " + heartbeatTick);
            check(applied >= 0, "applied must not be negative, is " + applied);
            check(maxInflightMessages > 0, "maxInflightMessages must be above 0, is " + maxInflightMessages);
            check(
                    maxInflightBytes == 0 || maxInflightBytes >= maxSizePerMessageBytes,
                    "maxInflightBytes " + maxInflightBytes + " must be 0 or at least maxSizePerMessageBytes "
                            + maxSizePerMessageBytes);
            check(maxSizePerMessageBytes >= 0, "maxSizePerMessageBytes must not be negative");
            check(maxCommittedPerReadyBytes > 0, "maxCommittedPerReadyBytes must be above 0");
            check(maxUncommittedBytes > 0, "maxUncommittedBytes must be above 0");
            check(maxPendingReads > 0, "maxPendingReads must be above 0");
            check(promiseNs >= 0, "promisedElectionTimeoutNs must not be negative");
            check(clockRateError >= 0 && clockRateError < 0.5, "clockRateError must be in [0, 0.5)");
            check(restAfterTicks >= 0, "restAfterTicks must not be negative, is " + restAfterTicks);
            check(marginNs >= 0, "marginNs must not be negative");
            check(
                    promiseNs == 0 || marginNs < promiseNs * (1 - clockRateError) / (1 + clockRateError),
                    "marginNs " + marginNs + " leaves no lease of promisedElectionTimeoutNs " + promiseNs);
            check(promiseNs == 0 || holdUntilDurable, "holdUntilDurable must be on where leases are");
            check(
                    readOnlyOption != ReadOnlyOption.LEASE_BASED || checkQuorum,
                    "checkQuorum must be on where readOnlyOption is LEASE_BASED");
            return new Config(this);
        }

        private static void check(boolean condition, String message) {
            if (!condition) {
                throw new IllegalArgumentException("Raft configuration: " + message);
            }
        }
    }
}
