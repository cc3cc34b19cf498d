package org.flotilladb.raft;

/** What a follower does with its leader's messages. */
final class Following {
    private final Core core;
    /** A snapshot that came while entries before it were being applied, or null. */
    private Message heldSnapshot;

    Following(Core core) {
        this.core = core;
    }

    /** A message that only this term's leader sends. */
    void follow(Message m) {
        if (core.leads()) {
            throw new RaftInvariantException("peers " + core.id + " and " + m.from() + " both lead term " + core.term);
        }
        if (core.role != Role.FOLLOWER) {
            core.becomeFollower(core.term, m.from());
        }
        core.electionElapsed = 0;
        core.leader = m.from();
        core.promises.heard(m);
    }

    void handleAppend(Message m) {
        RaftLog log = core.log;
        if (m.index() < log.committed()) {
            answer(m, answerTo(m).log(0, log.committed()));
            return;
        }
        if (!log.matches(m.index(), m.logTerm())) {
            // Above the hint this log's terms are newer than the leader's: nothing there can match.
            long hint = log.lastAtOrBelowTerm(Math.min(m.index(), log.lastIndex()), m.logTerm());
            long hintTerm = Math.max(0, log.term(hint));
            answer(m, answerTo(m).log(hintTerm, m.index()).reject(true, hint));
            return;
        }
        int conflict = log.firstConflict(m.entries());
        if (conflict >= 0) {
            log.append(
                    conflict == 0
                            ? m.entries()
                            : m.entries().subList(conflict, m.entries().size()));
        }
        long last = m.index() + m.entries().size();
        log.commitTo(Math.min(m.commit(), last));
        answer(m, answerTo(m).log(0, last));
    }

    void handleHeartbeat(Message m) {
        core.log.commitTo(m.commit());
        ReplicaLease answered = core.heldLease.handle(m.replicaLease());
        answer(
                m,
                core.rest.answer(
                        m,
                        Message.to(m.from(), MessageType.HEARTBEAT_RESP)
                                .context(m.context())
                                .replicaLease(answered != null ? answered : core.heldLease.question())));
    }

    /** Tells the leader, unasked, that the replica's lease is over. */
    void giveBackLease() {
        ReplicaLease given = core.heldLease.giveBack();
        if (given != null && core.leader != 0 && core.role == Role.FOLLOWER) {
            core.send(Message.to(core.leader, MessageType.HEARTBEAT_RESP).replicaLease(given));
        }
    }

    void handleSnapshot(Message m) {
        if (core.log.isApplying() || core.log.isApplyingHeld()) {
            // Taken now, it would change the membership under the feet of those entries, or come before an older one is
            // in.
            heldSnapshot = m;
            core.log.pauseApplying(true);
            return;
        }
        boolean restored = m.snapshot() != null && restore(m.snapshot());
        answer(m, answerTo(m).log(0, restored ? core.log.lastIndex() : core.log.committed()));
    }

    /** The held snapshot, once nothing is being applied; null when there is none. */
    Message takeHeldSnapshot() {
        if (heldSnapshot == null || core.log.isApplying() || core.log.isApplyingHeld()) {
            return null;
        }
        Message m = heldSnapshot;
        heldSnapshot = null;
        core.log.pauseApplying(false);
        return m;
    }

    /** Takes a snapshot in place of the log; false when the log has what it holds, or it is not for this peer. */
    private boolean restore(Snapshot snapshot) {
        RaftLog log = core.log;
        if (snapshot.index() <= log.committed() || !snapshot.confState().contains(core.id)) {
            return false;
        }
        if (log.matches(snapshot.index(), snapshot.term())) {
            log.commitTo(snapshot.index());
            return false;
        }
        log.restore(snapshot);
        core.members.restore(snapshot.confState());
        return true;
    }

    private static Message.Builder answerTo(Message m) {
        return Message.to(m.from(), MessageType.APP_RESP);
    }

    private void answer(Message to, Message.Builder message) {
        core.send(core.promises.answer(to, message));
    }
}
