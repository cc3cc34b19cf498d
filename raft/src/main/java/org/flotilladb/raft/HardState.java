package org.flotilladb.raft;

/**
 * What a peer must not forget: durable before any message that depends on it leaves.
 *
 * @param term the newest term seen
 * @param vote the peer voted for in that term, 0 for none
 * @param commit the highest index known to be committed
 * @param promiseNs the longest election timeout that this peer has promised to a leader, in nanoseconds, 0 for none; it
 *     only grows, and after a restart the peer keeps to it, whatever its settings say then
 */
public record HardState(long term, long vote, long commit, long promiseNs) {
    /** The state of a peer that has seen nothing. */
    public static final HardState EMPTY = new HardState(0, 0, 0);

    /** The state of a peer that has promised nothing. */
    public HardState(long term, long vote, long commit) {
        this(term, vote, commit, 0);
    }
}
