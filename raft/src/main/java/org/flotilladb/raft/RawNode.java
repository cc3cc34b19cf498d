package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.quorum.IdSet;
import org.flotilladb.raft.tracker.Progress;

/**
 * One peer of one Raft group as a pure state machine: messages, ticks and proposals go in, {@link Ready} comes out. Time
 * is a parameter: nanoseconds of the peer's monotonic clock. Not thread-safe. Follows "In Search of an Understandable
 * Consensus Algorithm" (Ongaro and Ousterhout), sections 5 to 8, and Ongaro's thesis, sections 3.10 (leadership
 * transfer), 4 (membership), 6.4 (reads), 9.6 (pre-vote) and 10.2.1 (writing to the leader's disk in parallel).
 */
public final class RawNode {
    private final Core core;
    /** Whether a {@link TickList} holds it. */
    boolean listed;

    /** Starts a peer from what its storage holds. */
    public RawNode(Config config, long nowNs) {
        core = new Core(config, nowNs);
    }

    // ---- time and wishes -----------------------------------------------------------------------------------------

    /** One tick of the user's pace; nothing happens while the peer rests. */
    public void tick(long now) {
        core.nowNs = now;
        if (core.rest.on()) {
            return;
        }
        core.electionElapsed++;
        if (core.leads()) {
            core.leading.tick();
        } else if (core.electionElapsed >= core.randomizedElectionTick
                && core.members.promotable()
                && !core.promises.bound()) {
            core.electionElapsed = 0;
            core.elections.start();
        }
    }

    /** Starts an election now, unless this peer has promised a leader not to. */
    public void campaign(long now) {
        core.nowNs = now;
        core.rest.wake();
        core.elections.start();
    }

    /**
     * Campaigns at once as the first leader of a group that a split has made, on the Store whose peer of the old group
     * led when it applied the split: that peer's lease is the only one that the new peers' promise stands for, and it
     * no longer serves the new group's keys. The vote requests say so, as if a TimeoutNow had caused them.
     */
    public void campaignAfterSplit(long now) {
        core.nowNs = now;
        if (core.term == 0) {
            core.elections.startMarked();
        }
    }

    /** Tells the followers the commit index with the next Ready, whatever {@code eagerCommit} says. */
    public void announceCommit() {
        if (core.leads()) {
            core.leading.broadcastCommit();
        }
    }

    /**
     * Appends a command to the log of the group, on the leader or, where proposals are forwarded, by way of it. Success
     * says nothing about its commit.
     */
    public void propose(byte[] data) throws ProposalDroppedException {
        if (core.leads()) {
            core.rest.wake();
            core.leading.propose(data);
        } else {
            propose(List.of(new Entry(EntryType.NORMAL, 0, 0, data)));
        }
    }

    /**
     * Proposes a change of membership. While another one is pending, or where it does not fit the present one (it would
     * leave no voter, say), an entry without effect takes its place. A leader refuses a change after which, by what it has heard lately, no majority
     * would be alive.
     */
    public void proposeConfChange(ConfChange change) throws ProposalDroppedException {
        // Before anybody is counted as heard lately.
        core.rest.wake();
        String stall = core.leads() ? core.leading.wouldStall(change) : null;
        if (stall != null) {
            throw new ProposalDroppedException(stall);
        }
        forceConfChange(change);
    }

    /** The same, even where the group may not be able to decide anything afterwards. */
    public void forceConfChange(ConfChange change) throws ProposalDroppedException {
        propose(List.of(new Entry(change.entryType(), 0, 0, change.encode())));
    }

    private void propose(List<Entry> entries) throws ProposalDroppedException {
        core.rest.wake();
        if (core.leads()) {
            core.leading.propose(entries);
        } else if (core.role != Role.FOLLOWER || core.leader == 0) {
            throw new ProposalDroppedException("peer " + core.id + " knows no leader of term " + core.term);
        } else if (!core.config.proposalForwarding) {
            throw new ProposalDroppedException("peer " + core.id + " does not lead term " + core.term);
        } else {
            core.out.send(Message.to(core.leader, MessageType.PROP)
                    .from(core.id)
                    .entries(entries)
                    .build());
        }
    }

    /**
     * Makes the change of a committed entry effective; called when that entry is applied, also for one that the
     * application refuses (then with a change of peer 0).
     *
     * @return the membership from now on, to be stored with the applied state
     */
    public ConfState applyConfChange(ConfChange change) {
        return core.members.apply(change);
    }

    /**
     * The way out when so many voters are lost for good that the others are no majority: from now on, until this peer
     * restarts, majorities are counted without the lost ones. Call it on the survivor with the longest log, let it
     * campaign, and remove the lost voters with {@link #forceConfChange}. A lost voter must never come back with its old
     * log. What may be lost with them is stated in the answer; nothing is, if they are in fact not needed.
     *
     * @throws IllegalArgumentException when nobody would be left, or this peer is among the lost
     */
    public RecoveryReport declareLost(List<Long> voters) {
        core.members.declareLost(IdSet.of(voters));
        return new RecoveryReport(voters, core.log.committed(), core.log.lastIndex());
    }

    /** Begins the hand-over of leadership to another voter; it takes it once its log is complete. */
    public void transferLeader(long peer, long now) {
        core.nowNs = now;
        core.rest.wake();
        handleTransfer(
                Message.to(core.id, MessageType.TRANSFER_LEADER).from(peer).build());
    }

    /**
     * Asks for an index such that a read that waits for it to be applied is linearizable. It comes in a later Ready, or
     * never: when messages are lost or leadership changes; ask again after a while.
     *
     * @return false when nothing was asked: no leader is known, or too many reads wait
     */
    public boolean readIndex(byte[] context, long now) {
        core.nowNs = now;
        core.rest.wake();
        return core.reads.ask(context);
    }

    /**
     * Whether this replica is to hold a lease of its own while it follows: it asks with each answer to a heartbeat. Off at
     * the start; to be switched on when reads come here, and off when they stop.
     */
    public void wantReplicaLease(boolean wanted) {
        core.heldLease.want(wanted);
    }

    /** Gives the replica's lease back, so that writes do not wait for a replica that stops. */
    public void giveBackReplicaLease(long now) {
        core.nowNs = now;
        core.following.giveBackLease();
    }

    /**
     * Until when, on this peer's monotonic clock, this follower's replica lease holds; {@link Long#MIN_VALUE} for none. A
     * read under it notes {@link #lastIndex} when it arrives, waits until that is applied, takes its snapshot, and then
     * checks clock and term.
     */
    public long replicaLeaseUntilNs() {
        return core.heldLease.untilNs();
    }

    /**
     * The wall clock has run ahead of the monotonic one: the machine may have been suspended while others' clocks went on.
     * All leases are dropped, and this peer promises anew as after a restart.
     */
    public void suspectClock(long now) {
        core.nowNs = now;
        core.heldLease.drop();
        core.promises.clockSuspected();
    }

    /** Makes a follower forget its leader, so that it may grant pre-votes; it keeps its promise, if it made one. */
    public void forgetLeader() {
        boolean leased = core.config.readOnlyOption == ReadOnlyOption.LEASE_BASED && !core.config.leases;
        if (core.role == Role.FOLLOWER && !leased) {
            core.leader = 0;
        }
    }

    /**
     * While on, no committed entries are handed out, no further snapshot is taken, and this peer neither campaigns nor has
     * a replica lease; it stores entries, answers and votes as ever. For a user who takes in a snapshot in the background:
     * store durably that it is to be taken in, switch this on, {@link #advance}, and switch it off once all of it is in.
     * After a restart in between, switch it on at once.
     */
    public void holdApplying(boolean on, long now) {
        core.nowNs = now;
        core.log.holdApplying(on);
        takeHeldSnapshot();
    }

    /** The last message to that peer could not be delivered. */
    public void reportUnreachable(long peer) {
        core.leading.unreachable(peer);
    }

    /**
     * A snapshot has reached that peer, or is lost. To be called for each one that was sent, for nothing else is sent to
     * the peer until it is known, or until the peer's own answer comes, which may be lost too.
     */
    public void reportSnapshot(long peer, boolean arrived) {
        core.leading.snapshotReported(peer, arrived);
    }

    // ---- messages ------------------------------------------------------------------------------------------------

    /** Takes a message from another peer of this group, or from this peer's storage threads. */
    public Stepped step(Message m, long now) {
        core.nowNs = now;
        boolean fromThread = m.from() == Message.APPEND_THREAD || m.from() == Message.APPLY_THREAD;
        if (m.type().isLocal() && !fromThread) {
            return Stepped.LOCAL_MESSAGE;
        }
        if (m.type().isAnswer() && core.members.peer(m.from()) == null) {
            return Stepped.UNKNOWN_PEER;
        }
        return process(m);
    }

    private Stepped process(Message m) {
        if (core.rest.swallows(m)) {
            return Stepped.TAKEN;
        }
        if (m.term() > core.term) {
            if (isVoteRequest(m) && core.promises.refuses(m)) {
                return Stepped.TAKEN;
            }
            boolean preVote =
                    m.type() == MessageType.PRE_VOTE || (m.type() == MessageType.PRE_VOTE_RESP && !m.reject());
            if (!preVote) {
                core.becomeFollower(m.term(), isFromLeader(m) ? m.from() : 0);
            }
        } else if (m.term() != 0 && m.term() < core.term) {
            answerOldTerm(m);
            return Stepped.TAKEN;
        }
        switch (m.type()) {
            case VOTE, PRE_VOTE -> core.elections.handleRequest(m);
            case VOTE_RESP, PRE_VOTE_RESP -> {
                core.elections.learnCommit(m);
                core.elections.handleAnswer(m);
            }
            case APP -> {
                core.following.follow(m);
                core.following.handleAppend(m);
            }
            case HEARTBEAT -> {
                core.following.follow(m);
                core.following.handleHeartbeat(m);
            }
            case SNAP -> {
                core.following.follow(m);
                core.following.handleSnapshot(m);
            }
            case APP_RESP -> {
                if (core.leads()) {
                    core.leading.handleAppendAnswer(m);
                }
            }
            case HEARTBEAT_RESP -> {
                if (core.leads()) {
                    core.leading.handleHeartbeatAnswer(m);
                }
            }
            case TIMEOUT_NOW -> core.elections.handleTimeoutNow(m);
            case TRANSFER_LEADER -> handleTransfer(m);
            case READ_INDEX -> handleReadIndex(m);
            case READ_INDEX_RESP -> core.out.readProven(m.index(), m.context());
            case PROP -> {
                return handleForwarded(m);
            }
            case STORAGE_APPEND_RESP -> handleStored(m);
            case STORAGE_APPLY_RESP -> handleApplied(m);
            case STORAGE_APPEND, STORAGE_APPLY -> {
                return Stepped.LOCAL_MESSAGE;
            }
        }
        return Stepped.TAKEN;
    }

    /** A message of an older term: its sender may be cut off from newer ones, or stuck; tell it what it must know. */
    private void answerOldTerm(Message m) {
        if (m.type() == MessageType.HEARTBEAT || m.type() == MessageType.APP) {
            if (core.config.checkQuorum || core.config.preVote) {
                core.send(Message.to(m.from(), MessageType.APP_RESP));
            }
        } else if (m.type() == MessageType.PRE_VOTE) {
            core.elections.refuse(m.from(), MessageType.PRE_VOTE_RESP);
        } else if (m.type() == MessageType.VOTE && core.config.tellNewerTerm) {
            core.elections.refuse(m.from(), MessageType.VOTE_RESP);
        } else if (m.type() == MessageType.STORAGE_APPEND_RESP && m.snapshot() != null) {
            // What was stored under an older term may have been replaced since, but a snapshot is committed.
            snapshotApplied(m.snapshot());
        }
    }

    private void handleTransfer(Message m) {
        if (core.leads()) {
            core.transfer.begin(m.from());
        } else if (core.role == Role.FOLLOWER && core.leader != 0) {
            core.out.send(Message.to(core.leader, m.type())
                    .from(m.from())
                    .term(core.term)
                    .build());
        }
    }

    private void handleReadIndex(Message m) {
        if (core.leads()) {
            core.reads.handleQuestion(m);
        } else if (core.role == Role.FOLLOWER && core.leader != 0) {
            core.out.send(Message.to(core.leader, m.type())
                    .from(m.from())
                    .context(m.context())
                    .build());
        }
    }

    private Stepped handleForwarded(Message m) {
        try {
            propose(m.entries());
            return Stepped.TAKEN;
        } catch (ProposalDroppedException e) {
            return Stepped.PROPOSAL_DROPPED;
        }
    }

    private void handleStored(Message m) {
        core.out.identityDurable(m.term(), m.vote());
        if (m.index() != 0) {
            core.log.unstable().stableTo(m.index(), m.logTerm());
        }
        if (m.snapshot() != null) {
            snapshotApplied(m.snapshot());
        }
    }

    private void snapshotApplied(Snapshot snapshot) {
        core.log.unstable().snapshotStable(snapshot.index());
        appliedTo(snapshot.index(), 0);
    }

    private void handleApplied(Message m) {
        List<Entry> entries = m.entries();
        if (!entries.isEmpty()) {
            appliedTo(entries.get(entries.size() - 1).index(), Entry.sizeBytes(entries));
            core.leading.applied(entries);
        }
    }

    private void appliedTo(long index, long sizeBytes) {
        core.log.appliedTo(Math.max(index, core.log.applied()), sizeBytes);
        core.leading.leaveJointWhenApplied();
        core.elections.startDeferred();
        takeHeldSnapshot();
    }

    private void takeHeldSnapshot() {
        Message snapshot = core.following.takeHeldSnapshot();
        if (snapshot != null) {
            process(snapshot);
        }
    }

    // ---- what comes out ------------------------------------------------------------------------------------------

    public boolean hasReady() {
        return core.out.hasReady();
    }

    /** What is to be done now; without asynchronous storage writes the next call comes after {@link #advance}. */
    public Ready ready() {
        return core.out.take();
    }

    /** The last Ready has been handled: stored, sent, applied. */
    public void advance() {
        for (Message message : core.out.advance()) {
            process(message);
        }
    }

    // ---- what can be asked ---------------------------------------------------------------------------------------

    public long id() {
        return core.id;
    }

    public long term() {
        return core.term;
    }

    /** The leader of this term as far as known, or 0. */
    public long leader() {
        return core.leader;
    }

    public Role role() {
        return core.role;
    }

    public boolean isLeader() {
        return core.leads();
    }

    public long commitIndex() {
        return core.log.committed();
    }

    /** The last entry reported as applied. */
    public long appliedIndex() {
        return core.log.applied();
    }

    public long lastIndex() {
        return core.log.lastIndex();
    }

    /** The term of an entry of this peer's log, or -1 when it does not have it (any more). */
    public long termOf(long index) {
        return core.log.term(index);
    }

    /** The index of the entry with which this peer's leadership began; meaningful only on a leader. */
    public long termStartIndex() {
        return core.leading.termStartIndex();
    }

    /** Whether an entry of the leader's own term is committed, so that its commit index is the group's. */
    public boolean committedInTerm() {
        return core.leading.committedInTerm();
    }

    /** The lowest index that every member is known to have; on a leader. */
    public long lowestMatch() {
        long lowest = Long.MAX_VALUE;
        for (Progress each : core.members.peers()) {
            lowest = Math.min(lowest, each.match());
        }
        return lowest;
    }

    /**
     * Until when, on this peer's monotonic clock, no other peer can be leader; {@link Long#MIN_VALUE} for no lease,
     * {@link Long#MAX_VALUE} for a group of one voter. The caller reads the clock after the state that it serves.
     */
    public long leaseUntilNs() {
        return core.promises.leaseUntilNs();
    }

    /**
     * Whether this peer rests ({@link Config.Builder#restAfterTicks}): it need not be ticked before something is asked of it
     * or a message comes. A leader's lease lapses meanwhile. Nobody notices that a resting group has lost its leader until
     * somebody asks it for something: who learns that a whole process is gone calls {@link #wake} for the groups that it
     * led.
     */
    public boolean isResting() {
        return core.rest.on();
    }

    /** Ends a rest: a leader renews its lease at once, a follower makes sure that it has a leader. */
    public void wake(long now) {
        core.nowNs = now;
        if (core.rest.on()) {
            core.rest.wake();
            if (core.leads()) {
                core.leading.beat();
            }
        }
    }

    /**
     * A leader at rest looks whether the others still rest with it: who does answers and rests on, anybody else wakes the
     * group. To be called now and then, for a follower that has missed that it was removed, or is gone, is silent too.
     */
    public void checkRest(long now) {
        core.nowNs = now;
        if (core.rest.on() && core.leads()) {
            core.leading.beat();
        }
    }

    public Status status() {
        List<PeerStatus> peers = new ArrayList<>();
        if (core.leads()) {
            for (Progress each : core.members.peers()) {
                peers.add(PeerStatus.of(each));
            }
        }
        return new Status(
                core.id,
                core.hardState(),
                core.out.softState(),
                core.log.applied(),
                core.members.confState(),
                core.transfer.target(),
                peers);
    }

    /** For scripted tests: the next election timeout, in ticks. */
    void setRandomizedElectionTick(int ticks) {
        core.randomizedElectionTick = ticks;
    }

    private static boolean isVoteRequest(Message m) {
        return m.type() == MessageType.VOTE || m.type() == MessageType.PRE_VOTE;
    }

    private static boolean isFromLeader(Message m) {
        return m.type() == MessageType.APP || m.type() == MessageType.HEARTBEAT || m.type() == MessageType.SNAP;
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(core.toString());
        if (core.leads()) {
            for (Progress each : core.members.peers()) {
                text.append(" [").append(each.id()).append(' ').append(each).append(']');
            }
        }
        return text.toString();
    }
}
