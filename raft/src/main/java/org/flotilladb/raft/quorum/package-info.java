/** Majorities: when a value is held, and a vote won, by a majority of one configuration or of both halves of a joint one. */
package org.flotilladb.raft.quorum;
