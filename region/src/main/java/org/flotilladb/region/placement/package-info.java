/**
 * The Placement Driver: timestamps, ids, which Stores there are, who holds which Region, and what is to be moved; one more
 * Raft group, kept by the first nodes. {@link org.flotilladb.region.placement.PlacementGroup} is one node's peer of it; what
 * the group agrees on is in {@code PlacementState}; what a leader decides is decided by {@code placement.engine}.
 */
package org.flotilladb.region.placement;
