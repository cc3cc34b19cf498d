package org.flotilladb.raft;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.tracker.Progress;

/**
 * Linearizable reads by index (thesis, section 6.4): the leader notes its commit index, proves that it still leads by a
 * round of heartbeats sent after the question came, and answers. One round serves all questions before it.
 */
final class Reads {
    private static final byte[] NO_CONTEXT = new byte[0];

    private final Core core;
    /** Asked before the leader has committed anything in its term. */
    private List<Message> early = new ArrayList<>();

    private final ArrayDeque<Pending> pending = new ArrayDeque<>();
    private long round;
    private boolean roundUnsent;

    /** A read whose index is known, until its round is answered by a quorum. */
    private record Pending(long round, long index, Message question) {}

    Reads(Core core) {
        this.core = core;
    }

    void reset() {
        early = new ArrayList<>();
        pending.clear();
        round = 0;
        roundUnsent = false;
    }

    /** Asks this peer's leader; false when none is known. */
    boolean ask(byte[] context) {
        Message question = Message.to(core.leader, MessageType.READ_INDEX)
                .from(core.id)
                .context(context)
                .build();
        if (core.leads()) {
            return handleQuestion(question);
        }
        if (core.leader == 0) {
            return false;
        }
        core.out.send(question);
        return true;
    }

    /** On a leader; false when too many wait. */
    boolean handleQuestion(Message question) {
        if (!core.leading.committedInTerm()) {
            // Its commit index may be behind what an earlier leader, even itself in an earlier life, has told.
            if (early.size() >= core.config.maxPendingReads) {
                return false;
            }
            early.add(question);
            return true;
        }
        return begin(question);
    }

    private boolean begin(Message question) {
        if (core.members.counted().isOnly(core.id)
                || (core.config.readOnlyOption == ReadOnlyOption.LEASE_BASED && provenByLease())) {
            answer(question, core.log.committed());
            return true;
        }
        if (pending.size() >= core.config.maxPendingReads) {
            return false;
        }
        if (!roundUnsent) {
            roundUnsent = true;
            round++;
        }
        pending.add(new Pending(round, core.log.committed(), question));
        return true;
    }

    /** Without leases, check-quorum stands in for one: sound only while ticks keep pace with time. */
    private boolean provenByLease() {
        return core.config.leases ? core.nowNs < core.promises.leaseUntilNs() : core.config.checkQuorum;
    }

    /** The leader has committed in its term. */
    void release() {
        if (!early.isEmpty()) {
            List<Message> waiting = early;
            early = new ArrayList<>();
            waiting.forEach(this::begin);
        }
    }

    boolean isQuiet() {
        return early.isEmpty() && pending.isEmpty();
    }

    boolean hasUnsent() {
        return roundUnsent;
    }

    /** Sends the round that the reads since the last one wait for. */
    void flush() {
        if (roundUnsent) {
            core.leading.broadcastHeartbeat();
        }
    }

    /** What a heartbeat that is being sent carries: its answer proves the round of all questions so far. */
    byte[] roundContext() {
        roundUnsent = false;
        return round == 0 ? NO_CONTEXT : ByteBuffer.allocate(8).putLong(round).array();
    }

    void handleHeartbeatAnswer(Progress peer, Message m) {
        if (m.context().length == 8
                && peer.answered(ByteBuffer.wrap(m.context()).getLong())
                && !pending.isEmpty()) {
            long proven = core.members.counted().reachedByMajority(this::answeredRound);
            while (!pending.isEmpty() && pending.peek().round <= proven) {
                Pending read = pending.poll();
                answer(read.question, read.index);
            }
        }
    }

    private long answeredRound(long voter) {
        return voter == core.id ? Long.MAX_VALUE : core.members.peer(voter).answeredRound();
    }

    private void answer(Message question, long index) {
        if (question.from() == core.id) {
            core.out.readProven(index, question.context());
        } else {
            core.send(Message.to(question.from(), MessageType.READ_INDEX_RESP)
                    .log(0, index)
                    .context(question.context()));
        }
    }
}
