package org.flotilladb.raft;

import java.util.Objects;

/**
 * What a peer starts from.
 *
 * @param confState the membership as of the last applied entry
 */
public record RaftState(HardState hardState, ConfState confState) {
    public RaftState {
        Objects.requireNonNull(hardState, "hardState");
        Objects.requireNonNull(confState, "confState");
    }
}
