/** What a peer knows of the others: who belongs to the group, how far each one's log has come, and what is under way. */
package org.flotilladb.raft.tracker;
