package org.flotilladb.raft;

import java.util.List;

/**
 * What the user of a {@link RawNode} has to do, in this order: send {@code messagesBeforePersist}; store
 * {@code snapshot}, {@code hardState} and {@code entries} and, where {@code mustSync}, wait until they are on stable
 * storage; send {@code messagesAfterPersist}; apply {@code snapshot}, then {@code committedEntries} (for an entry that
 * changes the membership, {@link RawNode#applyConfChange}); call {@link RawNode#advance}.
 *
 * <p>What one Ready asks to store is stored as one: a crash must leave all of it or nothing. A commit index that survives
 * without the entries it came with would commit what stood in their place; entries that survive without it would let a peer
 * campaign by a membership that it could have known to be over.
 *
 * <p>With asynchronous storage writes, storing and applying are asked for by messages to
 * {@link Message#APPEND_THREAD} and {@link Message#APPLY_THREAD} among {@code messagesBeforePersist}; the other fields
 * say the same once more, and {@code advance} is not called.
 *
 * @param softState null if unchanged
 * @param hardState null if unchanged; durable before {@code messagesAfterPersist} leave
 * @param entries to append to the log, replacing what stands at their indexes and above
 * @param snapshot to store and apply in place of everything up to its index, or null
 * @param committedEntries to apply; this peer's own log holds them once {@code entries} are stored
 * @param messagesBeforePersist appends, heartbeats and snapshots of a leader whose term and vote are already durable
 * @param messagesAfterPersist everything else: votes, vote requests, answers
 * @param readStates reads whose index is known and proven; serve each once that index is applied
 * @param mustSync whether entries, term, vote, promise or snapshot changed; a mere new commit index need not be synced,
 *     but must be written no later than the next entries
 */
public record Ready(
        SoftState softState,
        HardState hardState,
        List<Entry> entries,
        Snapshot snapshot,
        List<Entry> committedEntries,
        List<Message> messagesBeforePersist,
        List<Message> messagesAfterPersist,
        List<ReadState> readStates,
        boolean mustSync) {

    /** A read asked for with {@link RawNode#readIndex}. */
    public record ReadState(long index, byte[] context) {}
}
