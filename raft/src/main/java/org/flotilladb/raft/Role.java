package org.flotilladb.raft;

/** What a peer is at present. */
public enum Role {
    /** Follows a leader, or waits for one. */
    FOLLOWER,
    /** Asks whether an election could be won, without raising its term. */
    PRE_CANDIDATE,
    /** Asks for votes. */
    CANDIDATE,
    /** Has a majority's votes for its term. */
    LEADER
}
