package org.flotilladb.raft;

import org.flotilladb.raft.tracker.Progress;

/**
 * What a leader knows of one peer.
 *
 * @param match the peer is known to hold everything up to here
 * @param next the entry to be sent next
 * @param pendingSnapshot the index of the snapshot under way to it, or 0
 * @param recentActive heard from since the quorum was last checked
 * @param summary the same in one line
 */
public record PeerStatus(
        long id,
        Progress.State state,
        boolean learner,
        long match,
        long next,
        boolean paused,
        long pendingSnapshot,
        boolean recentActive,
        int inflight,
        String summary) {

    static PeerStatus of(Progress peer) {
        return new PeerStatus(
                peer.id(),
                peer.state(),
                peer.learner(),
                peer.match(),
                peer.next(),
                peer.paused(),
                peer.pendingSnapshot(),
                peer.recentActive(),
                peer.inflights().count(),
                peer.toString());
    }
}
