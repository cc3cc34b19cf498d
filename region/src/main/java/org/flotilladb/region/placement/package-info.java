/** The Placement Driver: timestamps, ids, who holds which Region; one more Raft group, kept by the first nodes. */
package org.flotilladb.region.placement;
