package org.flotilladb.raft;

/**
 * What need not be stored.
 *
 * @param leader 0 when unknown
 */
public record SoftState(long leader, Role role) {}
