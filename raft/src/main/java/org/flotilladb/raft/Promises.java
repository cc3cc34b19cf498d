package org.flotilladb.raft;

import org.flotilladb.raft.tracker.Progress;

/**
 * Promises not to elect anybody, and the leader's lease that rests on them. A peer that has heard from a leader neither
 * votes nor campaigns until the promised election timeout E has passed on its own clock; so a leader whose message a
 * quorum has answered is alone until E after it <em>sent</em> that message, shortened by what clocks may differ in rate.
 */
final class Promises {
    static final long NO_LEASE = Long.MIN_VALUE;

    private final Core core;
    private final boolean on;
    private final long promiseNs;
    /** What is left of E on a clock that runs slow, seen by one that runs fast. */
    private final long leaseNs;

    /** The longest E that this peer has promised, in this life or an earlier one; durable before it is answered. */
    private long promisedNs;

    private long promisedUntilNs = Long.MIN_VALUE;
    /** Answers to what was sent before then do not count: the clock may have stood still since. */
    private long countedFromNs = Long.MIN_VALUE;

    /** @param storedNs the longest E that an earlier life has promised */
    Promises(Core core, long storedNs) {
        this.core = core;
        Config config = core.config;
        on = config.leases;
        promiseNs = config.promiseNs;
        double shortened = promiseNs * (1 - config.clockRateError) / (1 + config.clockRateError);
        leaseNs = (long) shortened - config.marginNs;
        promisedNs = Math.max(promiseNs, storedNs);
        if (promisedNs > 0 && config.promiseAtStart) {
            // Whatever an earlier life promised ends within that time from now.
            promisedUntilNs = core.nowNs + promisedNs;
        }
    }

    /** What {@link HardState#promiseNs} is to say. */
    long promisedNs() {
        return promisedNs;
    }

    /** Whether this peer must not start an election now. */
    boolean bound() {
        return core.nowNs < promisedUntilNs;
    }

    /** A leader was heard. */
    void heard(Message m) {
        if (on) {
            promisedNs = Math.max(promisedNs, m.promiseNs());
            promise();
        }
    }

    /** Its own lease may be relied on a while longer by whoever was served under it. */
    void leadershipEnds() {
        if (on) {
            promise();
        }
    }

    private void promise() {
        promisedUntilNs = Math.max(promisedUntilNs, core.nowNs + promisedNs);
    }

    /** A leader must be followed until then, whatever happens. */
    void extend(long untilNs) {
        promisedUntilNs = Math.max(promisedUntilNs, untilNs);
    }

    /** Whether a request for a vote of a newer term is not even considered. */
    boolean refuses(Message request) {
        if (!on && !bound()) {
            return !request.transferMark()
                    && core.config.checkQuorum
                    && core.leader != 0
                    && core.electionElapsed < core.config.electionTick;
        }
        // The mark speaks of the term before the requested one; this peer may have entered the latter just now.
        if (request.transferMark() && (request.term() == core.term + 1 || request.term() == core.term)) {
            return false;
        }
        return bound() || (core.leads() && core.nowNs < leaseUntilNs());
    }

    /** Whether a vote in the present term is refused because of a promise. */
    boolean refusesInTerm(Message request) {
        return (on || bound()) && core.vote != request.from() && refuses(request);
    }

    /** Puts on a leader's message what its answer will be counted from. */
    Message.Builder stamp(Message.Builder message) {
        return on ? message.lease(core.nowNs, promiseNs) : message;
    }

    /** Puts on an answer to a leader that this peer has promised. */
    Message.Builder answer(Message to, Message.Builder message) {
        return on ? message.lease(to.sentNs(), promisedNs) : message;
    }

    /** A follower has answered; one that promises less than E does not count. */
    void answered(Progress peer, Message m) {
        if (on && m.promiseNs() >= promiseNs && m.sentNs() >= countedFromNs) {
            peer.promised(m.sentNs());
        }
    }

    /** See {@link RawNode#leaseUntilNs}. */
    long leaseUntilNs() {
        if (!core.leads() || core.transfer.endsLease()) {
            return NO_LEASE;
        }
        long sentNs = core.members.counted().reachedByMajority(this::promisedSentNs);
        if (sentNs == Long.MAX_VALUE) {
            // It decides alone.
            return Long.MAX_VALUE;
        }
        return sentNs == NO_LEASE || !on ? NO_LEASE : sentNs + leaseNs;
    }

    /** How long a lease is that begins now and must not outlast a promise made now, whatever clock either is on. */
    long leaseNs() {
        return leaseNs;
    }

    /** How long a span of another clock can be on this one. */
    long longest(long otherNs) {
        return (long) Math.ceil(otherNs * (1 + core.config.clockRateError) / (1 - core.config.clockRateError));
    }

    /** The clock may have stood still: nothing that was measured on it counts, as after a restart. */
    void clockSuspected() {
        if (on) {
            promise();
            countedFromNs = core.nowNs;
            for (Progress each : core.members.peers()) {
                each.forgetPromise();
            }
        }
    }

    private long promisedSentNs(long voter) {
        return voter == core.id ? Long.MAX_VALUE : core.members.peer(voter).promisedSentNs();
    }
}
