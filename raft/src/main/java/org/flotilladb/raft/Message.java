package org.flotilladb.raft;

import java.util.List;
import java.util.Objects;

/**
 * What peers of one group tell one another. Immutable.
 *
 * @param index the entry before the first of {@code entries} (APP), the entry acknowledged or rejected (APP_RESP), the
 *     last entry (VOTE, PRE_VOTE), the index to wait for (READ_INDEX_RESP), the entry at which the group goes to rest, 0
 *     if it does not (HEARTBEAT, HEARTBEAT_RESP)
 * @param logTerm the term of that entry
 * @param rejectHint where the follower's log could match (rejected APP_RESP)
 * @param context what an answer must carry back (HEARTBEAT, READ_INDEX)
 * @param sentNs the sender's monotonic time at which a leader's message left; answers carry it back
 * @param promiseNs the election timeout that the sender keeps to or, in answers, has promised; the promise to store
 *     (STORAGE_APPEND); 0 for none
 * @param transferMark a vote request that a leader's TIMEOUT_NOW caused
 * @param vote the vote to store (STORAGE_APPEND)
 * @param priority the candidate's (VOTE, PRE_VOTE)
 * @param snapshot to take in place of the log (SNAP), to store (STORAGE_APPEND), stored (STORAGE_APPEND_RESP); or null
 * @param replicaLease what is said about a replica's lease (HEARTBEAT, HEARTBEAT_RESP), or null
 * @param responses to be delivered once what a storage message asks for is done
 */
public record Message(
        MessageType type,
        long to,
        long from,
        long term,
        long logTerm,
        long index,
        List<Entry> entries,
        long commit,
        boolean reject,
        long rejectHint,
        byte[] context,
        long sentNs,
        long promiseNs,
        boolean transferMark,
        long vote,
        long priority,
        Snapshot snapshot,
        ReplicaLease replicaLease,
        List<Message> responses) {

    /** The user's append thread as the receiver or sender of a message. */
    public static final long APPEND_THREAD = -1;

    /** The user's apply thread as the receiver or sender of a message. */
    public static final long APPLY_THREAD = -2;

    private static final byte[] NO_CONTEXT = new byte[0];

    public Message {
        Objects.requireNonNull(type, "type");
        entries = entries == null ? List.of() : entries;
        context = context == null ? NO_CONTEXT : context;
        responses = responses == null ? List.of() : responses;
    }

    /** A builder for a message to one peer. */
    public static Builder to(long peer, MessageType type) {
        return new Builder(peer, type);
    }

    /** The hard state to store (STORAGE_APPEND), or null when it is not to be changed. */
    public HardState hardState() {
        HardState state = new HardState(term, vote, commit, promiseNs);
        return state.equals(HardState.EMPTY) ? null : state;
    }

    @Override
    public String toString() {
        return from + "->" + to + " " + type + " term " + term + " log " + logTerm + "/" + index + " commit " + commit
                + (reject ? " rejected, hint " + rejectHint : "") + (entries.isEmpty() ? "" : " entries " + entries);
    }

    /** Collects the fields of a message. */
    public static final class Builder {
        private final long to;
        private final MessageType type;
        private long from;
        private long term;
        private long logTerm;
        private long index;
        private List<Entry> entries = List.of();
        private long commit;
        private boolean reject;
        private long rejectHint;
        private byte[] context = NO_CONTEXT;
        private long sentNs;
        private long promiseNs;
        private boolean transferMark;
        private long vote;
        private long priority;
        private Snapshot snapshot;
        private ReplicaLease replicaLease;
        private List<Message> responses = List.of();

        private Builder(long to, MessageType type) {
            this.to = to;
            this.type = type;
        }

        public Builder from(long value) {
            from = value;
            return this;
        }

        public Builder term(long value) {
            term = value;
            return this;
        }

        /** The entry that this message speaks of. */
        public Builder log(long logTermValue, long indexValue) {
            logTerm = logTermValue;
            index = indexValue;
            return this;
        }

        public Builder entries(List<Entry> value) {
            entries = value;
            return this;
        }

        public Builder commit(long value) {
            commit = value;
            return this;
        }

        public Builder reject(boolean value, long hint) {
            reject = value;
            rejectHint = hint;
            return this;
        }

        public Builder context(byte[] value) {
            context = value;
            return this;
        }

        public Builder lease(long sentNsValue, long promiseNsValue) {
            sentNs = sentNsValue;
            promiseNs = promiseNsValue;
            return this;
        }

        public Builder transferMark(boolean value) {
            transferMark = value;
            return this;
        }

        public Builder vote(long value) {
            vote = value;
            return this;
        }

        public Builder priority(long value) {
            priority = value;
            return this;
        }

        public Builder snapshot(Snapshot value) {
            snapshot = value;
            return this;
        }

        public Builder replicaLease(ReplicaLease value) {
            replicaLease = value;
            return this;
        }

        public Builder responses(List<Message> value) {
            responses = value;
            return this;
        }

        public Message build() {
            return new Message(
                    type,
                    to,
                    from,
                    term,
                    logTerm,
                    index,
                    entries,
                    commit,
                    reject,
                    rejectHint,
                    context,
                    sentNs,
                    promiseNs,
                    transferMark,
                    vote,
                    priority,
                    snapshot,
                    replicaLease,
                    responses);
        }
    }
}
