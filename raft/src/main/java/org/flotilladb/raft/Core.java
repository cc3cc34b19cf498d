package org.flotilladb.raft;

import org.flotilladb.raft.tracker.Progress;

/**
 * What all parts of a peer share: term, vote, role, timers, log and membership, and the only transitions between roles.
 */
final class Core {
    final Config config;
    final long id;
    final RaftLog log;
    final Outbox out;
    final Members members;
    final Promises promises;
    final Elections elections;
    final Leading leading;
    final Transfer transfer;
    final Following following;
    final Reads reads;
    final Grants grants;
    final HeldLease heldLease;
    final Rest rest;

    /** The time that the present call was given. */
    long nowNs;

    long term;
    long vote;
    /** 0 when unknown. */
    long leader;

    Role role = Role.FOLLOWER;
    int electionElapsed;
    int heartbeatElapsed;
    int randomizedElectionTick;
    private long draws;

    Core(Config config, long nowNs) {
        this.config = config;
        this.id = config.id;
        this.nowNs = nowNs;
        RaftState state = config.storage.initialState();
        HardState hard = state.hardState();
        long applied = Math.max(config.applied, config.storage.firstIndex() - 1);
        log = new RaftLog(config.storage, Math.max(hard.commit(), applied), applied, config.maxCommittedPerReadyBytes);
        term = hard.term();
        vote = hard.vote();
        out = new Outbox(this);
        members = new Members(this);
        promises = new Promises(this, hard.promiseNs());
        elections = new Elections(this);
        leading = new Leading(this);
        transfer = new Transfer(this);
        following = new Following(this);
        reads = new Reads(this);
        grants = new Grants(this);
        heldLease = new HeldLease(this, draw());
        rest = new Rest(this);
        members.restore(state.confState());
        enterTerm(term);
        out.begin(hard.promiseNs());
    }

    boolean leads() {
        return role == Role.LEADER;
    }

    HardState hardState() {
        return new HardState(term, vote, log.committed(), promises.promisedNs());
    }

    // ---- transitions ---------------------------------------------------------------------------------------------

    void becomeFollower(long newTerm, long newLeader) {
        if (role == Role.LEADER) {
            promises.leadershipEnds();
        }
        enterTerm(newTerm);
        role = Role.FOLLOWER;
        leader = newLeader;
    }

    /** Asks for pre-votes: neither term nor vote changes. */
    void becomePreCandidate() {
        if (role == Role.LEADER) {
            throw new RaftInvariantException("peer " + id + " would campaign while it leads term " + term);
        }
        role = Role.PRE_CANDIDATE;
        leader = 0;
        elections.clearVotes();
    }

    void becomeCandidate() {
        if (role == Role.LEADER) {
            throw new RaftInvariantException("peer " + id + " would campaign while it leads term " + term);
        }
        enterTerm(term + 1);
        role = Role.CANDIDATE;
        vote = id;
    }

    void becomeLeader() {
        enterTerm(term);
        role = Role.LEADER;
        leader = id;
        Progress self = members.self();
        self.acknowledged(log.stableIndex());
        self.becomeReplicate();
        self.setRecentActive(true);
        leading.begin();
    }

    private void enterTerm(long newTerm) {
        if (newTerm < term) {
            throw new RaftInvariantException("term " + term + " of peer " + id + " would go back to " + newTerm);
        }
        if (newTerm != term) {
            term = newTerm;
            vote = 0;
            heldLease.drop();
        }
        leader = 0;
        electionElapsed = 0;
        heartbeatElapsed = 0;
        drawElectionTimeout();
        elections.clearVotes();
        members.resetProgress();
        leading.reset();
        reads.reset();
        grants.reset();
        rest.reset();
    }

    private void drawElectionTimeout() {
        randomizedElectionTick = config.electionTick + (int) Long.remainderUnsigned(draw(), config.electionTick);
    }

    /** The next number of this peer's own sequence (SplitMix64; Steele, Lea and Flood, 2014). */
    private long draw() {
        long z = config.seed + id * 0x632be59bd9b4e019L + ++draws * 0x9e3779b97f4a7c15L;
        z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    /** A message from this peer in its term. */
    void send(Message.Builder message) {
        out.send(message.from(id).term(term).build());
    }

    @Override
    public String toString() {
        return "peer " + id + " " + role + " term " + term + " leader " + leader + " commit " + log.committed()
                + " last " + log.lastIndex();
    }
}
