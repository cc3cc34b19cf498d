package org.flotilladb.raft;

import org.flotilladb.raft.tracker.Progress;

/**
 * How a group of which nobody wants anything goes to rest, so that it costs neither ticks nor messages. The leader says in
 * its last heartbeat at which entry it rests; a follower that has the same log, all of it committed, rests too and repeats
 * the entry in its answer. Any other answer wakes the leader, as does any wish or message. So nobody rests because a leader
 * has merely fallen silent.
 */
final class Rest {
    private final Core core;
    /** The entry at which this peer rests, or will once it is applied; 0 for awake. */
    private long index;
    /** Ticks in a row at which a leader found nothing under way. */
    private int quietTicks;

    Rest(Core core) {
        this.core = core;
    }

    void reset() {
        index = 0;
        quietTicks = 0;
    }

    boolean on() {
        return index != 0 && core.log.applied() == index;
    }

    // ---- going to rest -------------------------------------------------------------------------------------------

    /** A tick on a leader. */
    void leaderTick() {
        quietTicks = core.config.restAfterTicks > 0 && core.leading.isQuiet() ? quietTicks + 1 : 0;
    }

    /** Whether the heartbeats that are due now are to be the last ones. */
    boolean isDue() {
        return core.config.restAfterTicks > 0 && quietTicks >= core.config.restAfterTicks;
    }

    /** These heartbeats are the last. */
    void begin() {
        index = core.log.lastIndex();
    }

    /** What a leader's heartbeat says. */
    Message.Builder mark(Message.Builder heartbeat) {
        return index == 0 ? heartbeat : heartbeat.log(core.log.term(index), index);
    }

    /** A leader's heartbeat has come; puts on its answer whether this follower rests with it. */
    Message.Builder answer(Message heartbeat, Message.Builder answer) {
        boolean agrees = heartbeat.index() > 0
                && core.config.restAfterTicks > 0
                && core.log.lastIndex() == heartbeat.index()
                && core.log.committed() == heartbeat.index()
                && core.log.matches(heartbeat.index(), heartbeat.logTerm());
        index = agrees ? heartbeat.index() : 0;
        return agrees ? answer.log(heartbeat.logTerm(), heartbeat.index()) : answer;
    }

    // ---- waking up -----------------------------------------------------------------------------------------------

    /**
     * A message has come. True if it is not to be looked at any further: who asks for a vote may have missed that the group
     * rests, and its leader is to speak first.
     */
    boolean swallows(Message m) {
        if (index == 0 || keeps(m)) {
            return false;
        }
        boolean asksForVote = m.type() == MessageType.VOTE || m.type() == MessageType.PRE_VOTE;
        boolean swallowed = on() && asksForVote && !m.transferMark();
        wake(m.from() != core.leader);
        return swallowed;
    }

    private boolean keeps(Message m) {
        boolean old = m.term() != 0 && m.term() < core.term;
        boolean own = m.from() == core.id || m.type().isLocal();
        boolean heartbeat = m.type() == MessageType.HEARTBEAT || m.type() == MessageType.HEARTBEAT_RESP;
        return old || own || (heartbeat && m.term() == core.term && m.index() == index);
    }

    /** Somebody wants something of this peer. */
    void wake() {
        wake(true);
    }

    private void wake(boolean leaderMayRest) {
        quietTicks = 0;
        if (index == 0) {
            return;
        }
        index = 0;
        // What passed at rest was not measured in ticks, and who was heard before it may be gone since.
        core.electionElapsed = 0;
        for (Progress each : core.members.peers()) {
            if (each.id() != core.id) {
                each.forgetActivity();
            }
        }
        // A leader speaks at its next tick.
        core.heartbeatElapsed = core.config.heartbeatTick;
        if (leaderMayRest && core.role == Role.FOLLOWER && core.leader != 0) {
            core.send(Message.to(core.leader, MessageType.HEARTBEAT_RESP));
        }
    }
}
