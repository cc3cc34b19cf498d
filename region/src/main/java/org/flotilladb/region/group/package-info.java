/** One peer of a Raft group on the Store's log: what Regions and the Placement Driver have in common. */
package org.flotilladb.region.group;
