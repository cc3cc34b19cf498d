/**
 * A Store: one data directory's peers, driven by one loop.
 *
 * <p>Start at {@link org.flotilladb.region.store.Store}: {@code round()} is the loop's body, {@code tick()} what time does.
 * Around it stand {@code Loop} (the queue, and who runs it), {@code Regions} (the peers, and what they need of the Store),
 * {@code Messages} (Raft to and from the wire), {@code Requests} (how a request gets into the loop and is answered once),
 * {@code Cluster} (what is told and asked of the Placement Driver) and {@code LocalReader} (reads on the caller's thread,
 * which bypass the loop). Who belongs to a Region is
 * {@code Membership}; peers that lack too much are given snapshots by {@code OutgoingSnapshots}, {@code IncomingSnapshots}
 * and {@code Installer}. One peer is {@code RegionPeer}; what a command does is {@code RegionCommands}, and what it writes
 * and reads is decided in {@code mvcc}.
 */
package org.flotilladb.region.store;
