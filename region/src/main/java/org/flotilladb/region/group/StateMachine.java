package org.flotilladb.region.group;

import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.region.runtime.KvStore.KvBatch;

/** What a group's log is applied to. Called by the loop alone. */
public interface StateMachine {
    /** Applies one committed entry by adding its effects to the batch of this round. Deterministic. */
    void apply(Entry entry, KvBatch batch);

    /**
     * Applies one committed entry that changes the membership, in the same way. A group whose membership is fixed has none.
     *
     * @return the change as it takes effect; {@link RaftGroup#NO_CHANGE} when it is refused
     */
    default ConfChange applyChange(Entry entry, ConfChange change, KvBatch batch) {
        throw new IllegalStateException("the membership of this group does not change: " + change);
    }

    /** The membership as the library has it after a change; the effects are visible. */
    default void membersChanged(ConfState members) {}

    /** Whether this peer has been removed by what was applied: nothing of the group is to be written any more. */
    default boolean removed() {
        return false;
    }

    /** Whether a peer is known to be out of reach: its group may rest though the peer lacks something. */
    default boolean outOfReach(long peerId) {
        return false;
    }

    /** Everything given to {@link #apply} so far is visible to new snapshots: answers may leave. */
    void applied();

    /** Something about leadership changed, or a tick has passed. */
    void leadershipChanged();

    /** A read asked for with {@link RaftGroup#readIndex} may be served once {@code index} is applied. */
    void readProven(long index, byte[] context);
}
