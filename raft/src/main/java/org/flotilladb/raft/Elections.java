package org.flotilladb.raft;

import java.util.TreeMap;
import org.flotilladb.raft.quorum.VoteResult;

/** Asking for votes, giving them, and counting them. */
final class Elections {
    private final Core core;
    /** By voter: 1 granted, -1 refused. The first answer counts. */
    private final TreeMap<Long, Integer> votes = new TreeMap<>();

    /** The term of a TimeoutNow that came before a committed change of membership was applied; 0 for none. */
    private long deferredTerm;

    /** How an election is started. */
    enum Kind {
        /** Only asks whether it would be won. */
        PRE,
        REAL,
        /** Asked for by the leader, or by a split: voters are excused from their promise. */
        MARKED
    }

    Elections(Core core) {
        this.core = core;
    }

    void clearVotes() {
        votes.clear();
    }

    /** The time without a leader is over, or somebody asks for an election. */
    void start() {
        if (!core.promises.bound()) {
            boolean pre = core.config.preVote && !core.members.counted().isOnly(core.id);
            startUnbound(pre ? Kind.PRE : Kind.REAL);
        }
    }

    void startMarked() {
        startUnbound(Kind.MARKED);
    }

    private void startUnbound(Kind kind) {
        // Who has not applied a committed change may count by a membership that has been replaced.
        if (!core.leads() && core.members.promotable() && !core.log.hasUnappliedConfChange()) {
            campaign(kind);
        }
    }

    private void campaign(Kind kind) {
        boolean pre = kind == Kind.PRE;
        if (pre) {
            core.becomePreCandidate();
        } else {
            core.becomeCandidate();
        }
        long requested = pre ? core.term + 1 : core.term;
        for (long voter : core.members.voters().ids().toList()) {
            if (voter == core.id) {
                // Its own vote counts once it is durable, like anybody's.
                core.out.send(Message.to(voter, pre ? MessageType.PRE_VOTE_RESP : MessageType.VOTE_RESP)
                        .from(core.id)
                        .term(requested)
                        .build());
            } else {
                core.out.send(Message.to(voter, pre ? MessageType.PRE_VOTE : MessageType.VOTE)
                        .from(core.id)
                        .term(requested)
                        .log(core.log.lastTerm(), core.log.lastIndex())
                        .priority(core.config.priority)
                        .transferMark(kind == Kind.MARKED)
                        .build());
            }
        }
    }

    /** Somebody asks for a vote, in this term or (pre-vote) in a later one. Learners vote too: they may be voters. */
    void handleRequest(Message m) {
        boolean pre = m.type() == MessageType.PRE_VOTE;
        boolean free = core.vote == m.from() || (core.vote == 0 && core.leader == 0) || (pre && m.term() > core.term);
        boolean grant =
                free && core.log.isUpToDate(m.index(), m.logTerm()) && !preferred(m) && !core.promises.refusesInTerm(m);
        if (grant && !pre) {
            core.electionElapsed = 0;
            core.vote = m.from();
            core.heldLease.drop();
        }
        MessageType type = pre ? MessageType.PRE_VOTE_RESP : MessageType.VOTE_RESP;
        if (grant) {
            core.out.send(
                    Message.to(m.from(), type).from(core.id).term(m.term()).build());
        } else {
            refuse(m.from(), type);
        }
    }

    /** Whether this peer had better be elected itself: it can be, has as much, and no leader has chosen the candidate. */
    private boolean preferred(Message candidate) {
        return core.config.priority > candidate.priority()
                && candidate.index() <= core.log.lastIndex()
                && core.members.promotable()
                && !candidate.transferMark();
    }

    /**
     * A refusal, in this peer's term. It tells what is committed: a candidate that does not know that a change of
     * membership is committed may need the vote of somebody who was removed by it, and whose log is longer.
     */
    void refuse(long candidate, MessageType type) {
        Message.Builder refusal = Message.to(candidate, type).reject(true, 0);
        long committed = core.log.committed();
        if (core.config.commitByVote && core.log.term(committed) > 0) {
            refusal.log(core.log.term(committed), committed);
        }
        core.send(refusal);
    }

    /** What the refusal of a vote says is committed, is committed here too, if it is here. */
    void learnCommit(Message refusal) {
        if (refusal.reject()
                && refusal.index() > core.log.committed()
                && !core.leads()
                && core.log.matches(refusal.index(), refusal.logTerm())) {
            core.log.commitTo(refusal.index());
            if (core.role != Role.FOLLOWER && core.log.hasUnappliedConfChange()) {
                // The votes asked for may be those of a membership that is over.
                core.becomeFollower(core.term, 0);
            }
        }
    }

    void handleAnswer(Message m) {
        boolean expected =
                m.type() == MessageType.PRE_VOTE_RESP ? core.role == Role.PRE_CANDIDATE : core.role == Role.CANDIDATE;
        if (!expected) {
            return;
        }
        votes.putIfAbsent(m.from(), m.reject() ? -1 : 1);
        VoteResult result = core.members.counted().voteResult(voter -> votes.getOrDefault(voter, 0));
        switch (result) {
            case WON -> {
                if (core.role == Role.PRE_CANDIDATE) {
                    campaign(Kind.REAL);
                } else {
                    core.becomeLeader();
                }
            }
            case LOST -> core.becomeFollower(core.term, 0);
            case PENDING -> {}
        }
    }

    /** The leader hands over. It counts only in its own term, and for those who follow that leader. */
    void handleTimeoutNow(Message m) {
        if (core.role == Role.FOLLOWER && (!core.config.leases || m.from() == core.leader)) {
            if (core.config.handOverOnRemoval && core.log.hasUnappliedConfChange()) {
                deferredTerm = core.term;
            } else {
                startMarked();
            }
        }
    }

    /** Something was applied; a TimeoutNow of this term may have waited for it. */
    void startDeferred() {
        if (deferredTerm != 0 && !core.log.hasUnappliedConfChange()) {
            boolean current = deferredTerm == core.term && core.role == Role.FOLLOWER;
            deferredTerm = 0;
            if (current) {
                startMarked();
            }
        }
    }
}
