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
 *   <li>while {@code hasReady}: take {@link org.flotilladb.raft.Ready}, send the messages that may leave early, store
 *       snapshot, hard state and entries, sync where it says so, send the other messages, apply snapshot and committed
 *       entries, {@code advance}.
 * </ol>
 *
 * The order inside one Ready is what makes Raft safe; the fields of {@code Ready} state it one by one. With
 * {@code asyncStorageWrites} storing and applying are messages to two threads of the user, each done in order, whose
 * answers are delivered like any message; the next Ready does not wait for them. The test {@code EmbeddingExampleTest}
 * is a complete user in a hundred lines.
 *
 * <p>Every field of {@link org.flotilladb.raft.HardState} is stored and read back, the promise too. After a restart the
 * storage's {@code initialState} is the hard state that was stored and the membership as of the last entry whose effects
 * the application still has; {@code Config.applied} is that entry.
 *
 * <h2>How a group begins, and who belongs to it</h2>
 *
 * The storage states the first members. A group whose members may change begins after a snapshot (of any index above 0)
 * that names them: a peer that joins later cannot learn them from the log. A change of membership
 * ({@link org.flotilladb.raft.ConfChange}) is an entry like any other; it takes effect on each peer when that peer applies
 * it and calls {@code applyConfChange}, and the membership that this returns is stored with the applied state. One voter
 * more or less is a simple change; all others go through a joint configuration. Add a peer as a learner first, so that it
 * catches up without counting.
 *
 * <h2>Snapshots</h2>
 *
 * A follower whose entries are gone is sent what {@code Storage.snapshot} gives. Its data may be a mere name of files that
 * travel another way; then its message is stepped at the receiver once they are there. For each snapshot that was sent,
 * {@code reportSnapshot} says whether it has arrived. A receiver that takes it in slowly stores that it is to be taken in,
 * calls {@code holdApplying}, and goes on.
 *
 * <h2>Reads</h2>
 *
 * {@code readIndex} gives an index which, once applied, makes a read linearizable, at the price of one round. A leader
 * with a lease ({@code leaseUntilNs}) needs no round: it has applied an entry of its term and what is committed, takes its
 * snapshot, then reads the clock. A follower may hold a replica lease ({@code wantReplicaLease}); while it does, nothing
 * commits that it does not have.
 *
 * <h2>Time</h2>
 *
 * Ticks pace elections and heartbeats and may come late or in a bunch. Everything that safety rests on, promises and
 * leases, is measured in nanoseconds of the peer's monotonic clock, which the caller passes in; only the rate of that
 * clock is trusted, up to a configured error. A machine that may have been suspended says so with {@code suspectClock}.
 *
 * <p>Groups of which nobody wants anything may rest ({@code Config.restAfterTicks}); a {@link
 * org.flotilladb.raft.TickList} ticks those that do not.
 *
 * <h2>What is where</h2>
 *
 * {@code RawNode} is the door and the one switch over messages. Behind it, sharing {@code Core}: {@code Elections},
 * {@code Leading} (a leader's replication), {@code Following}, {@code Transfer}, {@code Members}, {@code Reads},
 * {@code Promises} (and the leader's lease), {@code Grants} and {@code HeldLease} (replica leases, both sides), {@code
 * Rest}, and {@code Outbox}, which makes each Ready. {@code RaftLog} is what is stored and a tail that is not yet. The packages
 * {@code quorum}, {@code tracker} and {@code confchange} hold majorities, the progress of peers, and the steps from one
 * membership to the next. The module's DESIGN.md tells which decisions were taken, and which were not.
 */
package org.flotilladb.raft;
