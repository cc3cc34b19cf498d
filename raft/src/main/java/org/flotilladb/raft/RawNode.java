package org.flotilladb.raft;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * One peer of one Raft group as a pure state machine: messages, ticks and proposals go in, {@link Ready} comes out. Time
 * is a parameter: nanoseconds of the peer's monotonic clock. Not thread-safe. Follows "In Search of an Understandable
 * Consensus Algorithm" (Ongaro and Ousterhout), sections 5 and 8, and Ongaro's thesis, sections 6.4 (reads), 9.6
 * (pre-vote) and 3.10 (leadership transfer).
 */
public final class RawNode {
    private static final long NO_LEASE = Long.MIN_VALUE;

    private final Config config;
    private final long id;
    private final int quorum;
    private final RaftLog log;
    /** One for each voter, in ascending order of peer; {@code self} is this peer's own. */
    private final Progress[] progress;

    private final Progress self;
    private long draws;

    private long term;
    private long vote;
    private long leader;
    private Role role = Role.FOLLOWER;
    private int electionElapsed;
    private int heartbeatElapsed;
    private int randomizedElectionTick;
    /** For each voter: 0 unknown, 1 granted, -1 refused. */
    private final int[] votes;

    /** Until then this peer has promised some leader neither to vote nor to campaign. */
    private long promisedUntilNs = Long.MIN_VALUE;

    private long transferTo;
    private boolean transferSent;
    private boolean campaignMarked;
    /** Appends are sent once for all proposals between two Readies. */
    private boolean appendsUnsent;

    private long termStartIndex;
    private long uncommittedBytes;

    private long readRound;
    private boolean readRoundUnsent;
    private final ArrayDeque<PendingRead> pendingReads = new ArrayDeque<>();
    private List<Ready.ReadState> readStates = new ArrayList<>();

    private List<Message> early = new ArrayList<>();
    private List<Message> late = new ArrayList<>();
    private HardState durable;
    private Ready handedOut;
    private long nowNs;

    /** A read whose index is known, until its round is answered by a quorum. */
    private record PendingRead(long round, long index, long from, byte[] context) {}

    /** Starts a peer from what its storage holds. */
    public RawNode(Config config, long nowNs) {
        this.config = config;
        this.id = config.id;
        this.nowNs = nowNs;
        this.quorum = config.voters.length / 2 + 1;
        durable = config.storage.initialState();
        term = durable.term();
        vote = durable.vote();
        log = new RaftLog(config.storage, Math.max(durable.commit(), config.applied), config.applied);
        progress = new Progress[config.voters.length];
        votes = new int[config.voters.length];
        Progress own = null;
        for (int i = 0; i < progress.length; i++) {
            progress[i] = new Progress(config.voters[i], 1, config.maxInflightMessages);
            if (config.voters[i] == id) {
                own = progress[i];
            }
        }
        self = own;
        if (config.leases && config.voters.length > 1 && config.promiseAtStart) {
            promisedUntilNs = nowNs + config.promiseNs;
        }
        resetTimers();
    }

    // ---- what goes in ------------------------------------------------------------------------------------------

    /** One tick of the user's pace. */
    public void tick(long now) {
        nowNs = now;
        electionElapsed++;
        if (role == Role.LEADER) {
            tickLeader();
        } else if (electionElapsed >= randomizedElectionTick && nowNs >= promisedUntilNs) {
            electionElapsed = 0;
            campaign(config.preVote);
        }
    }

    private void tickLeader() {
        heartbeatElapsed++;
        if (electionElapsed >= config.electionTick) {
            electionElapsed = 0;
            if (transferTo != 0) {
                transferTo = 0;
            }
            if (config.checkQuorum && !quorumActive()) {
                becomeFollower(term, 0);
                return;
            }
        }
        if (heartbeatElapsed >= config.heartbeatTick) {
            heartbeatElapsed = 0;
            broadcastHeartbeat();
        }
    }

    /** Starts an election now, unless this peer has promised a leader not to. */
    public void campaign(long now) {
        nowNs = now;
        if (role != Role.LEADER && nowNs >= promisedUntilNs) {
            campaign(config.preVote);
        }
    }

    /**
     * Campaigns at once as the first leader of a group that a split has made, on the Store whose peer of the old group
     * led when it applied the split: that peer's lease is the only one that the new peers' promise stands for, and it
     * no longer serves the new group's keys. The vote requests say so, as if a TimeoutNow had caused them.
     */
    public void campaignAfterSplit(long now) {
        nowNs = now;
        if (role != Role.LEADER && term == 0) {
            campaignMarked = true;
            campaign(false);
        }
    }

    /** Tells the followers the commit index with the next Ready, whatever {@code eagerCommit} says. */
    public void announceCommit() {
        if (role == Role.LEADER) {
            broadcastAppend();
        }
    }

    /** Appends a command to the log of the group. Only a leader takes it; success says nothing about its commit. */
    public void propose(byte[] data) throws ProposalDroppedException {
        if (role != Role.LEADER) {
            throw new ProposalDroppedException("peer " + id + " is not the leader of term " + term);
        }
        if (transferTo != 0) {
            throw new ProposalDroppedException("leadership is being handed to peer " + transferTo);
        }
        if (uncommittedBytes > 0 && uncommittedBytes + data.length > config.maxUncommittedBytes) {
            throw new ProposalDroppedException(uncommittedBytes + " bytes wait to be committed");
        }
        uncommittedBytes += data.length;
        appendOwn(data);
    }

    /** Begins the hand-over of leadership to another voter; it takes it once its log is complete. */
    public void transferLeader(long peer, long now) {
        nowNs = now;
        Progress target = progressOf(peer);
        if (role != Role.LEADER || target == null || peer == id || transferTo == peer) {
            return;
        }
        transferTo = peer;
        electionElapsed = 0;
        if (target.match == log.lastIndex()) {
            sendTimeoutNow(peer);
        } else {
            sendAppend(target, true);
        }
    }

    /**
     * Asks for an index such that a read that waits for it to be applied is linearizable. It comes in a later Ready, or
     * never: on a peer without a leader, or when messages are lost; ask again after a while.
     *
     * @return false when nothing was asked, because no leader is known or it has not committed in its term
     */
    public boolean readIndex(byte[] context, long now) {
        nowNs = now;
        if (role == Role.LEADER) {
            return addRead(id, context);
        }
        if (leader == 0) {
            return false;
        }
        sendLate(Message.to(leader, MessageType.READ_INDEX).context(context));
        return true;
    }

    /** Takes a message from another peer of this group. */
    public void step(Message m, long now) {
        nowNs = now;
        if (progressOf(m.from()) == null) {
            return;
        }
        if (m.term() > term) {
            if (isVoteRequest(m) && promised(m)) {
                return;
            }
            if (m.type() != MessageType.PRE_VOTE && !(m.type() == MessageType.PRE_VOTE_RESP && !m.reject())) {
                becomeFollower(m.term(), fromLeader(m) ? m.from() : 0);
            }
        } else if (m.term() < term) {
            answerOldTerm(m);
            return;
        }
        switch (m.type()) {
            case VOTE, PRE_VOTE -> handleVoteRequest(m);
            case VOTE_RESP, PRE_VOTE_RESP -> handleVoteAnswer(m);
            case APP -> {
                followLeader(m);
                handleAppend(m);
            }
            case HEARTBEAT -> {
                followLeader(m);
                handleHeartbeat(m);
            }
            case APP_RESP -> handleAppendAnswer(m);
            case HEARTBEAT_RESP -> handleHeartbeatAnswer(m);
            case TIMEOUT_NOW -> handleTimeoutNow(m);
            case READ_INDEX -> {
                if (role == Role.LEADER) {
                    addRead(m.from(), m.context());
                }
            }
            case READ_INDEX_RESP -> readStates.add(new Ready.ReadState(m.index(), m.context()));
            case TRANSFER_LEADER -> transferLeader(m.from(), now);
            case SNAP, PROP -> throw new RaftInvariantException("group does not use " + m.type());
        }
    }

    // ---- what comes out ----------------------------------------------------------------------------------------

    public boolean hasReady() {
        return log.hasUnstable()
                || !early.isEmpty()
                || !late.isEmpty()
                || !readStates.isEmpty()
                || readRoundUnsent
                || appendsUnsent
                || log.applied() < log.committed()
                || !hardState().equals(durable);
    }

    /** What is to be done now; the next call comes after {@link #advance}. */
    public Ready ready() {
        if (handedOut != null) {
            throw new IllegalStateException("the last Ready has not been advanced past");
        }
        if (readRoundUnsent) {
            readRoundUnsent = false;
            broadcastHeartbeat();
        }
        if (appendsUnsent) {
            sendUnsentAppends();
        }
        HardState now = hardState();
        boolean identityChanged = now.term() != durable.term() || now.vote() != durable.vote();
        List<Message> before = early;
        List<Message> after = late;
        if (identityChanged && !before.isEmpty()) {
            after = new ArrayList<>(before);
            after.addAll(late);
            before = List.of();
        }
        List<Entry> entries = log.unstable();
        handedOut = new Ready(
                now.equals(durable) ? null : now,
                entries,
                log.nextCommitted(config.maxUncommittedBytes),
                before,
                after,
                readStates,
                identityChanged || !entries.isEmpty());
        early = new ArrayList<>();
        late = new ArrayList<>();
        readStates = new ArrayList<>();
        return handedOut;
    }

    /** The last Ready has been handled: stored, sent, applied. */
    public void advance() {
        Ready done = handedOut;
        if (done == null) {
            throw new IllegalStateException("no Ready to advance past");
        }
        handedOut = null;
        if (done.hardState() != null) {
            durable = done.hardState();
        }
        if (!done.entries().isEmpty()) {
            Entry last = done.entries().get(done.entries().size() - 1);
            log.stableTo(last.index(), last.term());
            if (role == Role.LEADER && self.acknowledged(log.stableIndex()) && maybeCommit()) {
                broadcastCommit();
            }
        }
        if (!done.committedEntries().isEmpty()) {
            long size = 0;
            for (Entry entry : done.committedEntries()) {
                size += entry.data().length;
            }
            uncommittedBytes = Math.max(0, uncommittedBytes - size);
            log.appliedTo(done.committedEntries()
                    .get(done.committedEntries().size() - 1)
                    .index());
        }
    }

    // ---- what can be asked -------------------------------------------------------------------------------------

    public long id() {
        return id;
    }

    public long term() {
        return term;
    }

    /** The leader of this term as far as known, or 0. */
    public long leader() {
        return leader;
    }

    public Role role() {
        return role;
    }

    public boolean isLeader() {
        return role == Role.LEADER;
    }

    public long commitIndex() {
        return log.committed();
    }

    /** The last entry whose Ready has been advanced past. */
    public long appliedIndex() {
        return log.applied();
    }

    public long lastIndex() {
        return log.lastIndex();
    }

    public long termOf(long index) {
        return log.term(index);
    }

    /** The index of the entry with which this peer's leadership began; meaningful only on a leader. */
    public long termStartIndex() {
        return termStartIndex;
    }

    /** Whether an entry of the leader's own term is committed, so that its commit index is the group's. */
    public boolean committedInTerm() {
        return role == Role.LEADER && log.committed() >= termStartIndex;
    }

    /** The lowest index that every voter is known to have; on a leader. */
    public long lowestMatch() {
        long lowest = Long.MAX_VALUE;
        for (Progress each : progress) {
            lowest = Math.min(lowest, each.match);
        }
        return lowest;
    }

    /**
     * Until when, on this peer's monotonic clock, no other peer can be leader; {@link Long#MIN_VALUE} for no lease,
     * {@link Long#MAX_VALUE} for a group of one voter. The caller reads the clock after the state that it serves.
     */
    public long leaseUntilNs() {
        if (role != Role.LEADER || !config.leases && progress.length > 1 || transferSent || transferTo != 0) {
            return NO_LEASE;
        }
        if (progress.length == 1) {
            return Long.MAX_VALUE;
        }
        long[] sent = new long[progress.length];
        for (int i = 0; i < sent.length; i++) {
            sent[i] = progress[i] == self ? Long.MAX_VALUE : progress[i].ackedSentNs;
        }
        Arrays.sort(sent);
        long start = sent[sent.length - quorum];
        if (start == Long.MIN_VALUE) {
            return NO_LEASE;
        }
        double shortened = config.promiseNs * (1 - config.clockRateError) / (1 + config.clockRateError);
        return start + (long) shortened - config.marginNs;
    }

    @Override
    public String toString() {
        return "peer " + id + " " + role + " term " + term + " leader " + leader + " commit " + log.committed()
                + " last " + log.lastIndex() + (role == Role.LEADER ? " " + Arrays.toString(progress) : "");
    }

    // ---- elections ---------------------------------------------------------------------------------------------

    private void campaign(boolean pre) {
        if (pre && progress.length > 1) {
            becomePreCandidate();
        } else {
            becomeCandidate();
        }
        if (tally(id, true)) {
            return;
        }
        MessageType type = role == Role.PRE_CANDIDATE ? MessageType.PRE_VOTE : MessageType.VOTE;
        long asked = role == Role.PRE_CANDIDATE ? term + 1 : term;
        for (Progress each : progress) {
            if (each != self) {
                late.add(Message.to(each.peer, type)
                        .from(id)
                        .term(asked)
                        .log(log.lastTerm(), log.lastIndex())
                        .transferMark(campaignMarked)
                        .build());
            }
        }
        campaignMarked = false;
    }

    /** Counts a vote; true when that ended the election. */
    private boolean tally(long voter, boolean granted) {
        int grants = 0;
        int refusals = 0;
        for (int i = 0; i < progress.length; i++) {
            if (progress[i].peer == voter && votes[i] == 0) {
                votes[i] = granted ? 1 : -1;
            }
            grants += votes[i] > 0 ? 1 : 0;
            refusals += votes[i] < 0 ? 1 : 0;
        }
        if (grants >= quorum) {
            if (role == Role.PRE_CANDIDATE) {
                campaign(false);
            } else {
                becomeLeader();
            }
            return true;
        }
        if (refusals >= quorum) {
            becomeFollower(term, 0);
            return true;
        }
        return false;
    }

    private boolean promised(Message request) {
        // The mark speaks of the term before the requested one; this peer may have entered the latter just now.
        if (request.transferMark() && (request.term() == term + 1 || request.term() == term)) {
            return false;
        }
        if (config.leases) {
            return nowNs < promisedUntilNs || (role == Role.LEADER && nowNs < leaseUntilNs());
        }
        return config.checkQuorum && leader != 0 && electionElapsed < config.electionTick;
    }

    private void handleVoteRequest(Message m) {
        boolean pre = m.type() == MessageType.PRE_VOTE;
        boolean free = vote == m.from() || (vote == 0 && leader == 0) || (pre && m.term() > term);
        boolean grant = free && log.isUpToDate(m.index(), m.logTerm()) && !(vote != m.from() && promised(m));
        MessageType type = pre ? MessageType.PRE_VOTE_RESP : MessageType.VOTE_RESP;
        if (grant && !pre) {
            electionElapsed = 0;
            vote = m.from();
        }
        late.add(Message.to(m.from(), type)
                .from(id)
                .term(grant ? m.term() : term)
                .reject(!grant, 0)
                .build());
    }

    private void handleVoteAnswer(Message m) {
        boolean expected = m.type() == MessageType.PRE_VOTE_RESP ? role == Role.PRE_CANDIDATE : role == Role.CANDIDATE;
        if (expected) {
            tally(m.from(), !m.reject());
        }
    }

    private void handleTimeoutNow(Message m) {
        if (role == Role.FOLLOWER && m.from() == leader) {
            campaignMarked = true;
            campaign(false);
        }
    }

    /** A message of an older term: its sender may be cut off from newer ones, or stuck; tell it what it must know. */
    private void answerOldTerm(Message m) {
        if (m.type() == MessageType.HEARTBEAT || m.type() == MessageType.APP) {
            if (config.checkQuorum || config.preVote) {
                sendLate(Message.to(m.from(), MessageType.APP_RESP));
            }
        } else if (m.type() == MessageType.PRE_VOTE) {
            sendLate(Message.to(m.from(), MessageType.PRE_VOTE_RESP).reject(true, 0));
        }
    }

    private void followLeader(Message m) {
        if (role == Role.LEADER) {
            throw new RaftInvariantException("peers " + id + " and " + m.from() + " both lead term " + term);
        }
        if (role != Role.FOLLOWER || leader != m.from()) {
            becomeFollower(term, m.from());
        }
        electionElapsed = 0;
        if (config.leases) {
            promisedUntilNs = Math.max(promisedUntilNs, nowNs + Math.max(config.promiseNs, m.promiseNs()));
        }
    }

    private void becomeFollower(long newTerm, long newLeader) {
        if (role == Role.LEADER && config.leases && progress.length > 1) {
            promisedUntilNs = Math.max(promisedUntilNs, nowNs + config.promiseNs);
        }
        enterTerm(newTerm);
        role = Role.FOLLOWER;
        leader = newLeader;
    }

    private void becomePreCandidate() {
        role = Role.PRE_CANDIDATE;
        leader = 0;
        Arrays.fill(votes, 0);
        resetTimers();
    }

    private void becomeCandidate() {
        enterTerm(term + 1);
        vote = id;
        role = Role.CANDIDATE;
    }

    private void becomeLeader() {
        long wonTerm = term;
        enterTerm(wonTerm);
        role = Role.LEADER;
        leader = id;
        for (Progress each : progress) {
            each.match = 0;
            each.next = log.lastIndex() + 1;
            each.state = Progress.State.PROBE;
            each.ackedSentNs = Long.MIN_VALUE;
            each.ackedRound = 0;
            each.recentActive = true;
            each.becomeProbe();
            each.next = log.lastIndex() + 1;
        }
        self.match = log.stableIndex();
        self.state = Progress.State.REPLICATE;
        uncommittedBytes = 0;
        termStartIndex = log.lastIndex() + 1;
        appendOwn(new byte[0]);
    }

    private void enterTerm(long newTerm) {
        if (newTerm < term) {
            throw new RaftInvariantException("term " + term + " would go back to " + newTerm);
        }
        if (newTerm != term) {
            term = newTerm;
            vote = 0;
        }
        leader = 0;
        transferTo = 0;
        transferSent = false;
        Arrays.fill(votes, 0);
        pendingReads.clear();
        readRoundUnsent = false;
        resetTimers();
    }

    private void resetTimers() {
        electionElapsed = 0;
        heartbeatElapsed = 0;
        randomizedElectionTick = config.electionTick + (int) Long.remainderUnsigned(draw(), config.electionTick);
    }

    /** The next number of this peer's own sequence (SplitMix64; Steele, Lea and Flood, 2014). */
    private long draw() {
        long z = config.seed + id * 0x632be59bd9b4e019L + ++draws * 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    // ---- replication -------------------------------------------------------------------------------------------

    private void appendOwn(byte[] data) {
        log.append(List.of(new Entry(EntryType.NORMAL, term, log.lastIndex() + 1, data)));
        broadcastAppend();
    }

    private void broadcastAppend() {
        appendsUnsent = progress.length > 1;
    }

    private void sendUnsentAppends() {
        appendsUnsent = false;
        if (role != Role.LEADER) {
            return;
        }
        for (Progress each : progress) {
            if (each != self) {
                sendAppend(each, true);
            }
        }
    }

    /** A new commit index travels at once, or with the next append or heartbeat. */
    private void broadcastCommit() {
        if (config.eagerCommit) {
            broadcastAppend();
        }
    }

    private boolean sendAppend(Progress to, boolean evenEmpty) {
        if (to.paused()) {
            return false;
        }
        long previous = to.next - 1;
        long previousTerm = log.term(previous);
        if (previousTerm < 0 || to.next < log.firstIndex()) {
            to.becomeBehind();
            return false;
        }
        List<Entry> entries = log.entries(to.next, log.lastIndex() + 1, config.maxSizePerMessageBytes);
        if (entries.isEmpty() && !evenEmpty) {
            return false;
        }
        long last =
                entries.isEmpty() ? previous : entries.get(entries.size() - 1).index();
        early.add(Message.to(to.peer, MessageType.APP)
                .from(id)
                .term(term)
                .log(previousTerm, previous)
                .entries(entries)
                .commit(log.committed())
                .lease(nowNs, config.promiseNs)
                .build());
        to.sent(last, !entries.isEmpty());
        return true;
    }

    private void broadcastHeartbeat() {
        byte[] round = ByteBuffer.allocate(8).putLong(readRound).array();
        for (Progress each : progress) {
            if (each != self) {
                early.add(Message.to(each.peer, MessageType.HEARTBEAT)
                        .from(id)
                        .term(term)
                        .commit(Math.min(each.match, log.committed()))
                        .context(round)
                        .lease(nowNs, config.promiseNs)
                        .build());
            }
        }
    }

    private void handleAppend(Message m) {
        Message.Builder answer =
                Message.to(m.from(), MessageType.APP_RESP).lease(m.sentNs(), config.leases ? config.promiseNs : 0);
        if (m.index() < log.committed()) {
            sendLate(answer.log(0, log.committed()));
            return;
        }
        if (log.term(m.index()) != m.logTerm()) {
            long hint = log.lastAtOrBelowTerm(Math.min(m.index(), log.lastIndex()), m.logTerm());
            sendLate(answer.log(log.term(hint), m.index()).reject(true, hint));
            return;
        }
        int conflict = log.firstConflict(m.entries());
        if (conflict >= 0) {
            log.append(m.entries().subList(conflict, m.entries().size()));
        }
        long last = m.index() + m.entries().size();
        log.commitTo(Math.min(m.commit(), last));
        sendLate(answer.log(0, last));
    }

    private void handleHeartbeat(Message m) {
        log.commitTo(Math.min(m.commit(), log.lastIndex()));
        sendLate(Message.to(m.from(), MessageType.HEARTBEAT_RESP)
                .context(m.context())
                .lease(m.sentNs(), config.leases ? config.promiseNs : 0));
    }

    private void handleAppendAnswer(Message m) {
        if (role != Role.LEADER) {
            return;
        }
        Progress peer = progressOf(m.from());
        heard(peer, m);
        if (m.reject()) {
            if (peer.state == Progress.State.REPLICATE ? m.index() <= peer.match : peer.next - 1 != m.index()) {
                return;
            }
            long next = log.lastAtOrBelowTerm(m.rejectHint(), m.logTerm()) + 1;
            if (peer.state == Progress.State.REPLICATE) {
                peer.becomeProbe();
            } else {
                peer.probeSent = false;
                peer.next = Math.max(peer.match + 1, Math.min(next, m.index()));
            }
            sendAppend(peer, true);
            return;
        }
        if (m.index() == 0 && peer.match > 0) {
            return;
        }
        boolean wasPaused = peer.paused();
        boolean news = peer.acknowledged(m.index());
        if (peer.state == Progress.State.PROBE && (news || m.index() >= peer.next - 1)) {
            peer.becomeReplicate();
        } else if (peer.state == Progress.State.BEHIND && peer.match + 1 >= log.firstIndex()) {
            peer.becomeProbe();
        }
        if (news && maybeCommit()) {
            broadcastCommit();
        } else if (wasPaused) {
            sendAppend(peer, true);
        }
        while (!peer.paused() && peer.next <= log.lastIndex() && sendAppend(peer, false)) {
            // fills the window
        }
        if (transferTo == peer.peer && !transferSent && peer.match == log.lastIndex()) {
            sendTimeoutNow(peer.peer);
        }
    }

    private void handleHeartbeatAnswer(Message m) {
        if (role != Role.LEADER) {
            return;
        }
        Progress peer = progressOf(m.from());
        heard(peer, m);
        peer.probeSent = false;
        peer.freeFirst();
        if (peer.match < log.lastIndex()) {
            sendAppend(peer, true);
        }
        if (m.context().length == 8) {
            long round = ByteBuffer.wrap(m.context()).getLong();
            if (round > peer.ackedRound) {
                peer.ackedRound = round;
                confirmReads();
            }
        }
    }

    private void heard(Progress peer, Message m) {
        peer.recentActive = true;
        if (m.promiseNs() >= config.promiseNs && m.sentNs() > peer.ackedSentNs && config.leases) {
            peer.ackedSentNs = m.sentNs();
        }
    }

    /** Commits by counting copies, only entries of this leader's own term (Raft, section 5.4.2). */
    private boolean maybeCommit() {
        long index;
        if (progress.length == 1) {
            index = self.match;
        } else {
            long[] matches = new long[progress.length];
            for (int i = 0; i < matches.length; i++) {
                matches[i] = progress[i].match;
            }
            Arrays.sort(matches);
            index = matches[matches.length - quorum];
        }
        if (index <= log.committed() || log.term(index) != term) {
            return false;
        }
        log.commitTo(index);
        return true;
    }

    private boolean quorumActive() {
        int active = 0;
        for (Progress each : progress) {
            active += each == self || each.recentActive ? 1 : 0;
            each.recentActive = false;
        }
        return active >= quorum;
    }

    private void sendTimeoutNow(long peer) {
        transferSent = true;
        sendLate(Message.to(peer, MessageType.TIMEOUT_NOW));
    }

    // ---- reads -------------------------------------------------------------------------------------------------

    private boolean addRead(long from, byte[] context) {
        if (!committedInTerm()) {
            return false;
        }
        if (progress.length == 1) {
            readStates.add(new Ready.ReadState(log.committed(), context));
            return true;
        }
        if (!readRoundUnsent) {
            readRoundUnsent = true;
            readRound++;
        }
        pendingReads.add(new PendingRead(readRound, log.committed(), from, context));
        return true;
    }

    private void confirmReads() {
        long[] rounds = new long[progress.length];
        for (int i = 0; i < rounds.length; i++) {
            rounds[i] = progress[i] == self ? Long.MAX_VALUE : progress[i].ackedRound;
        }
        Arrays.sort(rounds);
        long proven = rounds[rounds.length - quorum];
        while (!pendingReads.isEmpty() && pendingReads.peek().round <= proven) {
            PendingRead read = pendingReads.poll();
            if (read.from == id) {
                readStates.add(new Ready.ReadState(read.index, read.context));
            } else {
                sendLate(Message.to(read.from, MessageType.READ_INDEX_RESP)
                        .log(0, read.index)
                        .context(read.context));
            }
        }
    }

    // ---- small things ------------------------------------------------------------------------------------------

    private void sendLate(Message.Builder message) {
        late.add(message.from(id).term(term).build());
    }

    private HardState hardState() {
        if (durable.term() == term && durable.vote() == vote && durable.commit() == log.committed()) {
            return durable;
        }
        return new HardState(term, vote, log.committed());
    }

    private Progress progressOf(long peer) {
        for (Progress each : progress) {
            if (each.peer == peer) {
                return each;
            }
        }
        return null;
    }

    private static boolean isVoteRequest(Message m) {
        return m.type() == MessageType.VOTE || m.type() == MessageType.PRE_VOTE;
    }

    private static boolean fromLeader(Message m) {
        return m.type() == MessageType.APP || m.type() == MessageType.HEARTBEAT;
    }
}
