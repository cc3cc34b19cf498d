package org.flotilladb.raft;

import java.util.ArrayDeque;
import org.flotilladb.raft.ReplicaLease.Kind;

/**
 * A replica's side of replica leases: it asks with each answer to a heartbeat while it is wanted, counts a grant from
 * when it asked, and lets go when its term advances or it votes. The idea is that of Bodega (arXiv 2509.07158); here the
 * leader is the only one who grants.
 */
final class HeldLease {
    static final long NONE = Long.MIN_VALUE;
    /** Questions whose grant would still count. */
    private static final int MAX_QUESTIONS = 8;

    private final Core core;
    private final long incarnation;
    private final ArrayDeque<Question> questions = new ArrayDeque<>();
    private boolean wanted;
    private long number;
    /** Grants up to this number no longer count: given back, or taken back. */
    private long voidUpTo;

    private long untilNs = NONE;
    /** What must be applied before the first read under the lease. */
    private long fromIndex;

    private record Question(long number, long askedNs) {}

    HeldLease(Core core, long incarnation) {
        this.core = core;
        this.incarnation = incarnation;
    }

    void want(boolean wants) {
        wanted = wants;
    }

    /** The term has advanced, a vote was given, or the clock cannot be trusted. */
    void drop() {
        untilNs = NONE;
        voidUpTo = number;
        questions.clear();
    }

    /** See {@link RawNode#replicaLeaseUntilNs}. */
    long untilNs() {
        boolean usable = core.role == Role.FOLLOWER && core.log.applied() >= fromIndex && !core.log.isApplyingHeld();
        return usable ? untilNs : NONE;
    }

    /** What an answer to a heartbeat is to carry; null for nothing. */
    ReplicaLease question() {
        if (!wanted || !core.config.leases) {
            return null;
        }
        number++;
        questions.add(new Question(number, core.nowNs));
        if (questions.size() > MAX_QUESTIONS) {
            questions.poll();
        }
        return ReplicaLease.of(Kind.ASK, incarnation, number);
    }

    /** What the leader's heartbeat says; returns what the answer must say about it, or null. */
    ReplicaLease handle(ReplicaLease message) {
        if (message == null || message.incarnation() != incarnation) {
            return null;
        }
        if (message.kind() == Kind.TAKE_BACK) {
            if (message.number() > voidUpTo) {
                untilNs = NONE;
                voidUpTo = message.number();
            }
            return ReplicaLease.of(Kind.GIVE_BACK, incarnation, message.number());
        }
        if (message.kind() == Kind.GRANT && message.number() > voidUpTo) {
            granted(message);
        }
        return null;
    }

    private void granted(ReplicaLease grant) {
        while (!questions.isEmpty() && questions.peek().number < grant.number()) {
            questions.poll();
        }
        if (questions.isEmpty() || questions.peek().number != grant.number()) {
            return;
        }
        long endsNs = questions.poll().askedNs + grant.durationNs() - core.config.marginNs;
        if (core.nowNs >= untilNs) {
            // Not a renewal: what was committed while there was no lease must be here first.
            fromIndex = grant.index();
        }
        untilNs = Math.max(untilNs, endsNs);
    }

    /** Gives the lease up; what to tell the leader, or null. */
    ReplicaLease giveBack() {
        if (number == 0) {
            return null;
        }
        drop();
        return ReplicaLease.of(Kind.GIVE_BACK, incarnation, number);
    }
}
