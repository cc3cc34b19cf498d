package org.flotilladb.raft;

import java.util.List;

/**
 * A peer at a glance.
 *
 * @param applied the last entry known to be applied
 * @param confState the membership that it acts by
 * @param transferTo the peer that leadership is being handed to, or 0
 * @param peers on a leader, what it knows of each peer, ascending; else empty
 */
public record Status(
        long id,
        HardState hardState,
        SoftState softState,
        long applied,
        ConfState confState,
        long transferTo,
        List<PeerStatus> peers) {}
