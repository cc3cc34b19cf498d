package org.flotilladb.region.store;

import org.flotilladb.proto.Region;
import org.flotilladb.region.group.RaftGroup;

/**
 * What one peer is doing.
 *
 * @param peerId of the Placement Driver: the node
 * @param region null for the Placement Driver's group, and where a peer waits for its first snapshot
 * @param leads whether it leads as far as it knows
 * @param serves whether it answers requests
 * @param rests whether its group is at rest as far as it knows
 */
public record PeerView(
        long groupId,
        long peerId,
        Region region,
        boolean leads,
        boolean serves,
        boolean rests,
        long term,
        long commitIndex,
        long appliedIndex,
        long lastIndex) {

    static PeerView of(RaftGroup group, Region region, boolean serves) {
        return new PeerView(
                group.groupId(),
                group.node().id(),
                region,
                group.node().isLeader(),
                serves,
                group.isResting(),
                group.node().term(),
                group.node().commitIndex(),
                group.applied(),
                group.node().lastIndex());
    }
}
