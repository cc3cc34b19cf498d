package org.flotilladb.raft.tracker;

/**
 * What a leader knows about one peer's log, and how much is under way to it. The peer holds everything up to
 * {@code match}; {@code next} is sent next.
 */
public final class Progress {
    /** How entries are sent. */
    public enum State {
        /** One append at a time, until the place is found from which the peer's log matches. */
        PROBE,
        /** Pipelined, as far as the window reaches. */
        REPLICATE,
        /** Nothing is sent until the peer has taken a snapshot. */
        SNAPSHOT
    }

    private final long id;
    private final boolean learner;
    private final Inflights inflights;
    private State state = State.PROBE;
    private long match;
    private long next;
    private long sentCommit;
    private long pendingSnapshot;
    private boolean recentActive;
    /** The same of the window before; a peer of which nothing is known yet is taken to be alive. */
    private boolean activeBefore = true;

    private boolean flowPaused;

    /** Newest sending time of this leader that the peer has answered with its promise; MIN_VALUE for none. */
    private long promisedSentNs = Long.MIN_VALUE;
    /** Newest read round of this leader that the peer has answered. */
    private long answeredRound;

    public Progress(long id, boolean learner, long match, long next, boolean recentActive, Inflights inflights) {
        this.id = id;
        this.learner = learner;
        this.match = match;
        this.next = next;
        this.recentActive = recentActive;
        this.inflights = inflights;
    }

    /** The same peer in another part of the group. */
    public Progress as(boolean asLearner) {
        if (learner == asLearner) {
            return this;
        }
        Progress other = new Progress(id, asLearner, match, next, recentActive, inflights);
        other.state = state;
        other.sentCommit = sentCommit;
        other.pendingSnapshot = pendingSnapshot;
        other.activeBefore = activeBefore;
        other.flowPaused = flowPaused;
        other.promisedSentNs = promisedSentNs;
        other.answeredRound = answeredRound;
        return other;
    }

    // ---- changes of state ----------------------------------------------------------------------------------------

    public void becomeProbe() {
        // A snapshot that was sent is taken to have arrived: its receiver is probed after it.
        long after = state == State.SNAPSHOT ? pendingSnapshot : 0;
        enter(State.PROBE);
        next = Math.max(match, after) + 1;
        sentCommit = Math.min(sentCommit, next - 1);
    }

    public void becomeReplicate() {
        enter(State.REPLICATE);
        next = match + 1;
    }

    public void becomeSnapshot(long snapshotIndex) {
        enter(State.SNAPSHOT);
        pendingSnapshot = snapshotIndex;
        next = snapshotIndex + 1;
        sentCommit = snapshotIndex;
    }

    private void enter(State newState) {
        state = newState;
        flowPaused = false;
        pendingSnapshot = 0;
        inflights.clear();
    }

    /** The snapshot did not arrive: the peer is probed where it was. */
    public void snapshotFailed() {
        pendingSnapshot = 0;
    }

    // ---- what was sent and answered ------------------------------------------------------------------------------

    /** Notes an append that was sent. */
    public void sent(int entries, long sizeBytes) {
        if (state == State.REPLICATE) {
            if (entries > 0) {
                next += entries;
                inflights.add(next - 1, sizeBytes);
            }
            // What fills the window also probes: no more until it is answered.
            flowPaused = inflights.full();
        } else if (state == State.PROBE) {
            flowPaused |= entries > 0;
        } else {
            throw new IllegalStateException("append sent to " + this);
        }
    }

    /** Notes the commit index that a message carried. */
    public void sentCommit(long commit) {
        sentCommit = commit;
    }

    /** Whether this commit index would be news that the peer can use. */
    public boolean canBumpCommit(long commit) {
        return commit > sentCommit && sentCommit < next - 1;
    }

    /** The peer holds everything up to this index; true if that is news. */
    public boolean acknowledged(long index) {
        if (index <= match) {
            return false;
        }
        match = index;
        next = Math.max(next, index + 1);
        flowPaused = false;
        return true;
    }

    /**
     * The peer refused an append after entry {@code rejected}; its log may match at {@code hint}.
     *
     * @return false for an answer to something older
     */
    public boolean refused(long rejected, long hint) {
        if (state == State.REPLICATE) {
            if (rejected <= match) {
                return false;
            }
            next = match + 1;
        } else {
            if (next - 1 != rejected) {
                return false;
            }
            next = Math.max(Math.min(rejected, hint + 1), match + 1);
            flowPaused = false;
        }
        sentCommit = Math.min(sentCommit, next - 1);
        return true;
    }

    public boolean paused() {
        return state == State.SNAPSHOT || flowPaused;
    }

    public void pause() {
        flowPaused = true;
    }

    public void resume() {
        flowPaused = false;
    }

    // ---- what is known -------------------------------------------------------------------------------------------

    public long id() {
        return id;
    }

    public boolean learner() {
        return learner;
    }

    public State state() {
        return state;
    }

    public long match() {
        return match;
    }

    public long next() {
        return next;
    }

    public long pendingSnapshot() {
        return pendingSnapshot;
    }

    public Inflights inflights() {
        return inflights;
    }

    /** Whether it was heard from since the quorum was last checked. */
    public boolean recentActive() {
        return recentActive;
    }

    public void setRecentActive(boolean active) {
        recentActive = active;
    }

    /** The quorum has been checked: what was heard until now is of the window before. */
    public void beginWindow() {
        activeBefore = recentActive;
        recentActive = false;
    }

    /** What was heard of it is long ago. */
    public void forgetActivity() {
        activeBefore = false;
        recentActive = false;
    }

    /** Whether it was heard from in this window or the one before. */
    public boolean heardLately() {
        return recentActive || activeBefore;
    }

    public long promisedSentNs() {
        return promisedSentNs;
    }

    /** It has answered a message of that time with its promise. */
    public void promised(long sentNs) {
        promisedSentNs = Math.max(promisedSentNs, sentNs);
    }

    /** Nothing that it has answered counts any more; only what it answers from now on. */
    public void forgetPromise() {
        promisedSentNs = Long.MIN_VALUE;
    }

    public long answeredRound() {
        return answeredRound;
    }

    /** It has answered that round; true if that is news. */
    public boolean answered(long round) {
        boolean news = round > answeredRound;
        answeredRound = Math.max(answeredRound, round);
        return news;
    }

    /** Such as "REPLICATE match=4 next=6 inflight=1". */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        text.append(state).append(" match=").append(match).append(" next=").append(next);
        if (learner) {
            text.append(" learner");
        }
        if (paused()) {
            text.append(" paused");
        }
        if (pendingSnapshot > 0) {
            text.append(" pendingSnap=").append(pendingSnapshot);
        }
        if (!recentActive) {
            text.append(" inactive");
        }
        if (inflights.count() > 0) {
            text.append(" inflight=").append(inflights.count()).append(inflights.full() ? "[full]" : "");
        }
        return text.toString();
    }
}
