package org.flotilladb.raft;

/** What became of a message. */
public enum Stepped {
    /** It was taken, if only to be ignored as old. */
    TAKEN,
    /** An answer from a peer that does not belong to the group. */
    UNKNOWN_PEER,
    /** A forwarded proposal that was not appended. */
    PROPOSAL_DROPPED,
    /** A message between a peer and its storage threads came over the network. */
    LOCAL_MESSAGE
}
