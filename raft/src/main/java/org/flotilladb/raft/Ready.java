package org.flotilladb.raft;

import java.util.List;

/**
 * What the user of a {@link RawNode} has to do, in this order: send {@code messagesBeforePersist}; store
 * {@code hardState} and {@code entries} and, where {@code mustSync}, wait until they are on stable storage; send
 * {@code messagesAfterPersist}; apply {@code committedEntries}; call {@link RawNode#advance}.
 *
 * @param hardState null if unchanged
 * @param entries to append to the log, replacing what stands at their indexes and above
 * @param committedEntries to apply; this peer's own log holds them once {@code entries} are stored
 * @param messagesBeforePersist appends and heartbeats of a leader whose term and vote are already durable
 * @param messagesAfterPersist everything else: votes, vote requests, answers
 * @param readStates reads whose index is known and proven; serve each once that index is applied
 * @param mustSync whether entries, term or vote changed; a mere new commit index need not be synced
 */
public record Ready(
        HardState hardState,
        List<Entry> entries,
        List<Entry> committedEntries,
        List<Message> messagesBeforePersist,
        List<Message> messagesAfterPersist,
        List<ReadState> readStates,
        boolean mustSync) {

    /** A read asked for with {@link RawNode#readIndex}. */
    public record ReadState(long index, byte[] context) {}
}
