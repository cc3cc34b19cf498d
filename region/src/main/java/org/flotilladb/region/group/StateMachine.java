package org.flotilladb.region.group;

import org.flotilladb.raft.Entry;
import org.flotilladb.region.runtime.KvStore.KvBatch;

/** What a group's log is applied to. Called by the loop alone. */
public interface StateMachine {
    /** Applies one committed entry by adding its effects to the batch of this round. Deterministic. */
    void apply(Entry entry, KvBatch batch);

    /** Everything given to {@link #apply} so far is visible to new snapshots: answers may leave. */
    void applied();

    /** Something about leadership changed, or a tick has passed. */
    void leadershipChanged();

    /** A read asked for with {@link RaftGroup#readIndex} may be served once {@code index} is applied. */
    void readProven(long index, byte[] context);
}
