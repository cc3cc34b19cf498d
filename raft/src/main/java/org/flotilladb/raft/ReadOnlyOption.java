package org.flotilladb.raft;

/** How a leader proves that it still leads before it answers a read index. */
public enum ReadOnlyOption {
    /** By a round of heartbeats that a quorum answers. */
    SAFE,
    /** By its lease where that holds, else as {@link #SAFE}. */
    LEASE_BASED
}
