package org.flotilladb.region.store;

import org.flotilladb.region.group.RaftGroup;

/** The rest of one peer as its Store sees it: since when, and when it was last made sure that it is right to rest. */
final class PeerRest {
    /** A follower at rest is looked after by its leader; only when that has failed it asks by itself. */
    private static final int FOLLOWER_CHECKS = 3;

    private final RegionPeer peer;
    private boolean resting;
    private long sinceNs;
    private long checkedNs;

    PeerRest(RegionPeer peer) {
        this.peer = peer;
    }

    /** After each tick: has it come to rest, or been woken? */
    void note(long nowNs, StoreCounters counters) {
        if (peer.group().isResting() == resting) {
            return;
        }
        resting = !resting;
        if (resting) {
            sinceNs = nowNs;
            checkedNs = nowNs;
            peer.acquaintances.rests(nowNs);
            counters.rested();
        } else {
            peer.acquaintances.wakes(nowNs);
            counters.woken();
        }
    }

    /**
     * At rest nothing happens by itself, so somebody looks now and then. True if the peer has something to say.
     *
     * @param everyNs how often a leader makes sure that the others rest with it
     */
    boolean look(long nowNs, long everyNs) {
        RaftGroup group = peer.group();
        if (!resting || !group.isResting()) {
            return false;
        }
        return group.node().isLeader() ? lookAsLeader(group, nowNs, everyNs) : lookAsFollower(group, nowNs, everyNs);
    }

    private boolean lookAsLeader(RaftGroup group, long nowNs, long everyNs) {
        if (nowNs - checkedNs < everyNs) {
            return false;
        }
        boolean unanswered = checkedNs != sinceNs && peer.acquaintances.anySilentSince(peer, checkedNs);
        checkedNs = nowNs;
        if (unanswered) {
            // Awake, the group counts how long somebody is silent.
            group.wake(nowNs);
        } else {
            group.checkRest(nowNs);
        }
        return true;
    }

    /** Whoever rests and hears nothing of its leader's looks may have been removed, or its leader does not lead any more. */
    private boolean lookAsFollower(RaftGroup group, long nowNs, long everyNs) {
        long heardNs = Math.max(sinceNs, peer.acquaintances.anybodyNs());
        if (nowNs - heardNs < FOLLOWER_CHECKS * everyNs) {
            return false;
        }
        group.wake(nowNs);
        return true;
    }
}
