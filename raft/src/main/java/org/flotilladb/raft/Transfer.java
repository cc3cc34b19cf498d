package org.flotilladb.raft;

import org.flotilladb.raft.tracker.Progress;

/** How a leader hands over (thesis, section 3.10): the target gets everything, then the word to campaign at once. */
final class Transfer {
    private final Core core;
    private long target;
    /** The target may act on it at any time in this term. */
    private boolean timeoutNowSent;
    /** The present transfer has not sent it yet. */
    private boolean timeoutNowWaits;

    Transfer(Core core) {
        this.core = core;
    }

    void reset() {
        giveUp();
        timeoutNowSent = false;
    }

    void giveUp() {
        target = 0;
        timeoutNowWaits = false;
    }

    /** Whom leadership is being handed to, or 0. */
    long target() {
        return target;
    }

    /** From the start of a transfer this leader serves no lease; once TimeoutNow has left, for the rest of its term. */
    boolean endsLease() {
        return timeoutNowSent || target != 0;
    }

    void begin(long to) {
        Progress peer = core.members.peer(to);
        if (peer == null || peer.learner() || target == to) {
            return;
        }
        giveUp();
        core.grants.grantAgain();
        if (to == core.id) {
            return;
        }
        // It has one election timeout.
        core.electionElapsed = 0;
        target = to;
        timeoutNowWaits = true;
        core.grants.takeBack();
        proceed();
        if (timeoutNowWaits) {
            core.leading.sendAppend(peer, true);
        }
    }

    /** Sends the word once the target has everything, and no replica holds a lease that its election would not respect. */
    void proceed() {
        Progress peer = timeoutNowWaits ? core.members.peer(target) : null;
        if (peer != null && peer.match() == core.log.lastIndex() && !core.grants.any()) {
            timeoutNowWaits = false;
            sendTimeoutNow(target);
        }
    }

    /** This leader is no voter any more: whoever has its whole log may take over at once. */
    void handOver() {
        Progress best = null;
        for (Progress each : core.members.peers()) {
            boolean whole = each.match() == core.log.lastIndex()
                    && core.members.voters().contains(each.id());
            best = best == null && whole ? each : best;
        }
        if (best != null) {
            sendTimeoutNow(best.id());
        }
    }

    private void sendTimeoutNow(long to) {
        timeoutNowSent = true;
        core.send(Message.to(to, MessageType.TIMEOUT_NOW));
    }
}
