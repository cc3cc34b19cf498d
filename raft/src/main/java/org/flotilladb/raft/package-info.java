/**
 * Raft as a library: one peer of one group is a state machine without threads, clock, network, disk or randomness of its
 * own. Whoever embeds it brings those; what it decides is a function of what it was given, to the byte.
 *
 * <h2>The loop</h2>
 *
 * A {@link org.flotilladb.raft.RawNode} is built from a {@link org.flotilladb.raft.Config} and a
 * {@link org.flotilladb.raft.Storage} that reads back what was stored. Then, in one thread:
 *
 * <ol>
 *   <li>call {@code tick} at an even pace, {@code step} for each message that arrives, {@code propose} for each command;
 *   <li>while {@code hasReady}: take {@link org.flotilladb.raft.Ready}, send the messages that may leave early, store hard
 *       state and entries, sync where it says so, send the other messages, apply the committed entries, {@code advance}.
 * </ol>
 *
 * The order inside one Ready is what makes Raft safe; the fields of {@code Ready} state it one by one.
 *
 * <h2>Time</h2>
 *
 * Ticks pace elections and heartbeats and may come late or in a bunch. Everything that safety rests on, promises and
 * leases, is measured in nanoseconds of the peer's monotonic clock, which the caller passes in; only the rate of that
 * clock is trusted, up to a configured error.
 *
 * <h2>What is where</h2>
 *
 * {@code RawNode} is the door and the protocol, {@code RaftLog} a log made of what is stored and a tail that is not yet,
 * {@code Progress} what a leader knows of one follower, {@code MemoryStorage} the reference storage. The module's
 * DESIGN.md tells which decisions were taken, and which were not.
 */
package org.flotilladb.raft;
