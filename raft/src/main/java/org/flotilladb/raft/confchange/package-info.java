/** Changes of a group's membership, as functions from one valid membership to the next (Raft, section 6; thesis, 4). */
package org.flotilladb.raft.confchange;
