package org.flotilladb.raft;

/** What a leader knows about one peer's log, and how much is under way to it. */
final class Progress {
    /** How entries are sent. */
    enum State {
        /** One message at a time until the peer's log is found to match. */
        PROBE,
        /** Pipelined, up to the window. */
        REPLICATE,
        /** What the peer needs is compacted here. */
        BEHIND
    }

    final long peer;
    private final long[] window;
    private int windowStart;
    private int windowSize;

    State state = State.PROBE;
    long match;
    long next;
    /** While probing: a message is under way. */
    boolean probeSent;
    /** Heard from since the last check of the quorum. */
    boolean recentActive;
    /** Newest sending time that this peer has answered with a promise. */
    long ackedSentNs = Long.MIN_VALUE;
    /** Newest read round that this peer has answered. */
    long ackedRound;

    Progress(long peer, long next, int maxInflight) {
        this.peer = peer;
        this.next = next;
        this.window = new long[maxInflight];
    }

    boolean paused() {
        return switch (state) {
            case PROBE -> probeSent;
            case REPLICATE -> windowSize == window.length;
            case BEHIND -> true;
        };
    }

    /** Notes a sent append whose last entry is {@code last}. */
    void sent(long last, boolean hasEntries) {
        if (state == State.PROBE) {
            probeSent = true;
        } else if (hasEntries) {
            next = last + 1;
            window[(windowStart + windowSize) % window.length] = last;
            windowSize++;
        }
    }

    /** The peer has everything up to this index; true if that is news. */
    boolean acknowledged(long index) {
        boolean news = index > match;
        if (news) {
            match = index;
        }
        next = Math.max(next, index + 1);
        freeUpTo(index);
        return news;
    }

    void freeUpTo(long index) {
        while (windowSize > 0 && window[windowStart] <= index) {
            windowStart = (windowStart + 1) % window.length;
            windowSize--;
        }
    }

    /** After a heartbeat's answer: room for one more, so that a lost window does not stall for good. */
    void freeFirst() {
        if (windowSize == window.length) {
            freeUpTo(window[windowStart]);
        }
    }

    void becomeProbe() {
        state = State.PROBE;
        next = match + 1;
        reset();
    }

    void becomeReplicate() {
        state = State.REPLICATE;
        next = match + 1;
        reset();
    }

    void becomeBehind() {
        state = State.BEHIND;
        reset();
    }

    private void reset() {
        probeSent = false;
        windowStart = 0;
        windowSize = 0;
    }

    @Override
    public String toString() {
        return peer + " " + state + " match " + match + " next " + next;
    }
}
