package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.confchange.ConfChangeException;
import org.flotilladb.raft.quorum.VoteResult;
import org.flotilladb.raft.tracker.Membership;
import org.flotilladb.raft.tracker.Progress;

/** What a leader does: appends, sends, counts, commits, and hands over. */
final class Leading {
    private final Core core;
    private long termStartIndex;
    private long uncommittedBytes;
    /** No change of membership is proposed before the entry at this index is applied. */
    private long pendingConfIndex;

    /** The entry that makes this leader no voter any more; nothing is appended after it. */
    private long ownRemovalIndex;

    private boolean appendsUnsent;
    private boolean commitUnsent;
    private long selfAckIndex;

    Leading(Core core) {
        this.core = core;
    }

    void reset() {
        uncommittedBytes = 0;
        pendingConfIndex = 0;
        ownRemovalIndex = 0;
        core.transfer.reset();
        appendsUnsent = false;
        commitUnsent = false;
        selfAckIndex = 0;
    }

    /** This peer has just been elected. */
    void begin() {
        // What changes of membership the log may hold is not known: as if its last entry were one.
        pendingConfIndex = core.log.lastIndex();
        termStartIndex = core.log.lastIndex() + 1;
        append(List.of(new Entry(EntryType.NORMAL, core.term, termStartIndex, null)));
        broadcastAppend();
    }

    long termStartIndex() {
        return termStartIndex;
    }

    boolean committedInTerm() {
        return core.leads() && core.log.committed() >= termStartIndex;
    }

    // ---- ticks ---------------------------------------------------------------------------------------------------

    void tick() {
        core.heartbeatElapsed++;
        if (core.electionElapsed >= core.config.electionTick) {
            core.electionElapsed = 0;
            if (core.config.checkQuorum && !quorumActive()) {
                core.becomeFollower(core.term, 0);
                return;
            }
            core.transfer.giveUp();
            core.grants.grantAgain();
            if (core.config.leases && core.transfer.endsLease()) {
                // The transfer has failed, and there is no lease for the rest of this term: another one is to begin.
                core.becomeFollower(core.term, 0);
                return;
            }
        }
        if (core.config.leases) {
            // Holders may have gone by the clock.
            holderGone();
        }
        core.rest.leaderTick();
        if (core.heartbeatElapsed >= core.config.heartbeatTick) {
            if (core.rest.isDue()) {
                core.rest.begin();
            }
            beat();
        }
    }

    /** It is time for heartbeats. */
    void beat() {
        core.heartbeatElapsed = 0;
        broadcastHeartbeat();
    }

    private boolean quorumActive() {
        VoteResult result = core.members
                .counted()
                .voteResult(voter -> core.members.peer(voter).recentActive() ? 1 : -1);
        for (Progress each : core.members.peers()) {
            if (each.id() != core.id) {
                each.beginWindow();
            }
        }
        return result == VoteResult.WON;
    }

    void broadcastHeartbeat() {
        byte[] context = core.reads.roundContext();
        core.grants.round();
        for (Progress each : core.members.peers()) {
            if (each.id() != core.id) {
                long commit = Math.min(each.match(), core.log.committed());
                core.send(core.promises.stamp(core.rest.mark(Message.to(each.id(), MessageType.HEARTBEAT)
                        .commit(commit)
                        .context(context)
                        .replicaLease(core.grants.forHeartbeat(each)))));
                each.sentCommit(commit);
            }
        }
    }

    // ---- proposals -----------------------------------------------------------------------------------------------

    /** Appends a command. */
    void propose(byte[] command) throws ProposalDroppedException {
        checkProposing();
        Entry entry = new Entry(EntryType.NORMAL, core.term, core.log.lastIndex() + 1, command);
        reserve(entry.data().length);
        append(List.of(entry));
        broadcastAppend();
    }

    private void checkProposing() throws ProposalDroppedException {
        if (core.members.self() == null) {
            throw new ProposalDroppedException("peer " + core.id + " has been removed from the group");
        }
        if (core.transfer.target() != 0) {
            throw new ProposalDroppedException("leadership is being handed to peer " + core.transfer.target());
        }
        if (ownRemovalIndex > core.log.applied()) {
            throw new ProposalDroppedException("peer " + core.id + " is about to be removed from the group");
        }
    }

    /** Counts bytes that wait to be committed; one proposal always fits. */
    private void reserve(long bytes) throws ProposalDroppedException {
        if (uncommittedBytes > 0 && bytes > 0 && uncommittedBytes + bytes > core.config.maxUncommittedBytes) {
            throw new ProposalDroppedException(uncommittedBytes + " bytes wait to be committed");
        }
        uncommittedBytes += bytes;
    }

    /** Appends commands and changes of membership; their terms and indexes are set here. */
    void propose(List<Entry> proposals) throws ProposalDroppedException {
        checkProposing();
        if (core.grants.any() && proposals.stream().anyMatch(each -> each.type() != EntryType.NORMAL)) {
            core.grants.takeBack();
            throw new ProposalDroppedException("replica leases are being taken back first; ask again shortly");
        }
        long pendingBefore = pendingConfIndex;
        List<Entry> entries = new ArrayList<>(proposals.size());
        long index = core.log.lastIndex();
        for (Entry proposal : proposals) {
            index++;
            EntryType type = proposal.type();
            byte[] data = proposal.data();
            if (type != EntryType.NORMAL) {
                ConfChange change = ConfChange.decode(proposal);
                if (refusal(change) != null && core.config.confChangeValidation) {
                    // It keeps its place, and changes nothing.
                    type = EntryType.NORMAL;
                    data = null;
                } else {
                    pendingConfIndex = index;
                    if (core.config.handOverOnRemoval && core.members.removesSelf(change)) {
                        ownRemovalIndex = index;
                    }
                }
            }
            entries.add(new Entry(type, core.term, index, data));
        }
        try {
            reserve(Entry.dataBytes(entries));
        } catch (ProposalDroppedException e) {
            pendingConfIndex = pendingBefore;
            throw e;
        }
        append(entries);
        broadcastAppend();
    }

    /** Why a change of membership cannot be proposed now; null when it can. */
    String refusal(ConfChange change) {
        if (pendingConfIndex > core.log.applied()) {
            return "a change of membership may be pending at entry " + pendingConfIndex + ", applied is "
                    + core.log.applied();
        }
        boolean joint = core.members.membership().isJoint();
        if (joint && !change.leavesJoint()) {
            return "the joint configuration " + core.members + " must be left first";
        }
        if (!joint && change.leavesJoint()) {
            return "there is no joint configuration to leave";
        }
        try {
            core.members.after(change);
        } catch (ConfChangeException e) {
            // Once committed it would stop every peer that applies it.
            return e.getMessage();
        }
        return null;
    }

    /** Why the membership after a change could not decide anything, as far as can be seen; null when it could. */
    String wouldStall(ConfChange change) {
        Membership after;
        try {
            after = core.members.after(change);
        } catch (ConfChangeException e) {
            return null;
        }
        VoteResult alive = after.voters().voteResult(voter -> {
            Progress peer = core.members.peer(voter);
            return voter == core.id || peer == null || peer.heardLately() ? 1 : -1;
        });
        return alive == VoteResult.WON
                ? null
                : "of the voters that there would be, " + after.voters() + ", no majority has been heard lately";
    }

    private void append(List<Entry> entries) {
        core.log.append(entries);
        // Its own copy counts once it is durable: it answers itself then.
        selfAckIndex = core.log.lastIndex();
        if (!core.config.batchedAppends) {
            acknowledgeToSelf();
        }
    }

    private void acknowledgeToSelf() {
        if (selfAckIndex > 0) {
            core.send(Message.to(core.id, MessageType.APP_RESP).log(0, selfAckIndex));
            selfAckIndex = 0;
        }
    }

    /** Entries are applied: their bytes no longer count, and a joint configuration may be over. */
    void applied(List<Entry> entries) {
        uncommittedBytes = Math.max(0, uncommittedBytes - Entry.dataBytes(entries));
    }

    /** Leaves a joint configuration that is to be left by itself. */
    void leaveJointWhenApplied() {
        if (core.leads() && core.members.membership().autoLeave() && core.log.applied() >= pendingConfIndex) {
            try {
                propose(List.of(new Entry(EntryType.CONF_CHANGE_V2, 0, 0, null)));
            } catch (ProposalDroppedException e) {
                // During a transfer; the next applied entry, or the next leader, tries again.
                return;
            }
        }
    }

    // ---- sending -------------------------------------------------------------------------------------------------

    boolean hasUnsent() {
        return appendsUnsent || commitUnsent || selfAckIndex > 0;
    }

    /** Sends what was put off until all proposals before this Ready were in. */
    void flush() {
        boolean evenEmpty = commitUnsent;
        boolean send = appendsUnsent || commitUnsent;
        appendsUnsent = false;
        commitUnsent = false;
        if (core.leads()) {
            acknowledgeToSelf();
            if (send) {
                sendToAll(evenEmpty);
            }
        }
        selfAckIndex = 0;
    }

    private void broadcastAppend() {
        if (core.config.batchedAppends) {
            appendsUnsent = true;
        } else {
            sendToAll(true);
        }
    }

    /** Tells everybody the commit index, with an append or alone. */
    void broadcastCommit() {
        if (core.config.batchedAppends) {
            commitUnsent = true;
        } else {
            sendToAll(true);
        }
    }

    private void sendToAll(boolean evenEmpty) {
        for (Progress each : core.members.peers()) {
            if (each.id() != core.id) {
                sendAppend(each, evenEmpty);
            }
        }
    }

    boolean sendAppend(Progress to, boolean evenEmpty) {
        if (to.paused()) {
            return false;
        }
        long previous = to.next() - 1;
        long previousTerm = core.log.term(previous);
        if (previousTerm < 0) {
            return sendSnapshot(to);
        }
        List<Entry> entries = List.of();
        // A full window gets an empty append now and then: its answer shows whether the window was lost.
        if (to.state() != Progress.State.REPLICATE || !to.inflights().full()) {
            try {
                entries = core.log.entries(to.next(), core.log.lastIndex() + 1, core.config.maxSizePerMessageBytes);
            } catch (CompactedException e) {
                return sendSnapshot(to);
            }
        }
        if (entries.isEmpty() && !evenEmpty) {
            return false;
        }
        core.send(core.promises.stamp(Message.to(to.id(), MessageType.APP)
                .log(previousTerm, previous)
                .entries(entries)
                .commit(core.log.committed())));
        to.sent(entries.size(), Entry.dataBytes(entries));
        to.sentCommit(core.log.committed());
        return true;
    }

    private boolean sendSnapshot(Progress to) {
        if (!to.recentActive()) {
            return false;
        }
        Snapshot snapshot;
        try {
            snapshot = core.log.snapshot();
        } catch (SnapshotTemporarilyUnavailableException e) {
            return false;
        }
        if (snapshot.index() < core.log.firstIndex() - 1) {
            throw new RaftInvariantException("storage offers a snapshot of entry " + snapshot.index()
                    + ", but its log begins at " + core.log.firstIndex());
        }
        if (!snapshot.confState().contains(to.id())) {
            // Made before the peer joined; the peer would not take it. A newer one will do.
            return false;
        }
        to.becomeSnapshot(snapshot.index());
        core.send(core.promises.stamp(Message.to(to.id(), MessageType.SNAP).snapshot(snapshot)));
        return true;
    }

    // ---- answers -------------------------------------------------------------------------------------------------

    void handleAppendAnswer(Message m) {
        Progress peer = core.members.peer(m.from());
        if (peer == null) {
            return;
        }
        peer.setRecentActive(true);
        core.promises.answered(peer, m);
        if (m.reject()) {
            handleRefusal(peer, m);
            return;
        }
        boolean news = peer.acknowledged(m.index());
        // An answer to a message of an older term names no entry: it must not be taken for one to a probe at the start.
        boolean probed = peer.state() == Progress.State.PROBE && m.index() == peer.next() - 1;
        if (!news && !(peer.match() == m.index() && probed)) {
            return;
        }
        switch (peer.state()) {
            case PROBE -> peer.becomeReplicate();
            case REPLICATE -> peer.inflights().freeUpTo(m.index());
            case SNAPSHOT -> {
                if (peer.match() + 1 >= core.log.firstIndex()) {
                    peer.becomeProbe();
                    peer.becomeReplicate();
                }
            }
        }
        boolean self = peer.id() == core.id;
        if (maybeCommit()) {
            if (core.config.eagerCommit) {
                broadcastCommit();
            }
        } else if (!self && core.config.eagerCommit && peer.canBumpCommit(core.log.committed())) {
            sendAppend(peer, true);
        }
        if (!self) {
            while (sendAppend(peer, false)) {
                // fills the window
            }
            core.transfer.proceed();
        }
    }

    private void handleRefusal(Progress peer, Message m) {
        // Below the hint the follower's terms are at most the one it names: nothing of a newer term can match there.
        long hint = m.logTerm() > 0 ? core.log.lastAtOrBelowTerm(m.rejectHint(), m.logTerm()) : m.rejectHint();
        if (peer.refused(m.index(), hint)) {
            if (peer.state() == Progress.State.REPLICATE) {
                peer.becomeProbe();
            }
            sendAppend(peer, true);
        }
    }

    void handleHeartbeatAnswer(Message m) {
        Progress peer = core.members.peer(m.from());
        if (peer == null) {
            return;
        }
        peer.setRecentActive(true);
        core.promises.answered(peer, m);
        peer.resume();
        if (peer.match() < core.log.lastIndex() || peer.state() == Progress.State.PROBE) {
            sendAppend(peer, true);
        }
        core.reads.handleHeartbeatAnswer(peer, m);
        core.grants.handle(peer.id(), m.replicaLease());
    }

    /** Fewer replicas hold leases than before, or time has passed: what waited for them goes on. */
    void holderGone() {
        if (maybeCommit() && core.config.eagerCommit) {
            broadcastCommit();
        }
        core.transfer.proceed();
        leaveJointWhenApplied();
    }

    /** Whether the membership is joint, or a change of it may be pending: no lease is granted meanwhile. */
    boolean changingMembers() {
        return core.members.membership().isJoint() || pendingConfIndex > core.log.applied();
    }

    /** Commits by counting copies, only entries of this leader's own term (Raft, section 5.4.2). */
    private boolean maybeCommit() {
        long held = core.members
                .counted()
                .reachedByMajority(voter -> core.members.peer(voter).match());
        long index = core.grants.limit(held);
        if (index <= core.log.committed() || core.log.term(index) != core.term) {
            return false;
        }
        core.log.commitTo(index);
        core.reads.release();
        return true;
    }

    /** The membership has changed, and this peer still leads. */
    void membershipChanged() {
        if (maybeCommit()) {
            broadcastCommit();
        } else {
            for (Progress each : core.members.peers()) {
                if (each.id() != core.id) {
                    sendAppend(each, false);
                }
            }
        }
        if (!core.members.voters().contains(core.transfer.target())) {
            core.transfer.giveUp();
        }
    }

    /** Everybody who can be reached has everything, and nobody waits for anything. */
    boolean isQuiet() {
        for (Progress each : core.members.peers()) {
            if (each.match() != core.log.lastIndex() && !core.config.restWithout.test(each.id())) {
                return false;
            }
        }
        return core.log.applied() == core.log.lastIndex()
                && core.transfer.target() == 0
                && !changingMembers()
                && !core.grants.any()
                && core.reads.isQuiet();
    }

    void unreachable(long id) {
        Progress peer = core.members.peer(id);
        // What was sent ahead is likely lost.
        if (core.leads() && peer != null && peer.state() == Progress.State.REPLICATE) {
            peer.becomeProbe();
        }
    }

    void snapshotReported(long id, boolean arrived) {
        Progress peer = core.members.peer(id);
        if (!core.leads() || peer == null || peer.state() != Progress.State.SNAPSHOT) {
            return;
        }
        if (!arrived) {
            peer.snapshotFailed();
        }
        peer.becomeProbe();
        // Until it answers, or the next heartbeat's answer comes.
        peer.pause();
    }
}
