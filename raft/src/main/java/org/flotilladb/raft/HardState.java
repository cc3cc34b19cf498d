package org.flotilladb.raft;

/**
 * What a peer must not forget: durable before any message that depends on it leaves.
 *
 * @param term the newest term seen
 * @param vote the peer voted for in that term, 0 for none
 * @param commit the highest index known to be committed
 */
public record HardState(long term, long vote, long commit) {
    /** The state of a peer that has seen nothing. */
    public static final HardState EMPTY = new HardState(0, 0, 0);
}
