package org.flotilladb.region.group;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.LongFunction;
import java.util.function.LongPredicate;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Config;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.PeerStatus;
import org.flotilladb.raft.ProposalDroppedException;
import org.flotilladb.raft.RawNode;
import org.flotilladb.raft.Ready;
import org.flotilladb.raft.Snapshot;
import org.flotilladb.raft.tracker.Progress;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.LogStore.LogBatch;
import org.flotilladb.region.runtime.StorageException;

/**
 * One peer of one group: the state machine of the raft library, its storage, and the steps of a round (see the Store's
 * loop, which alone calls this).
 */
public final class RaftGroup {
    /** A follower that is far behind is sent no more at once: all of it may leave in one round, in one frame. */
    private static final long MAX_INFLIGHT_BYTES = 8L << 20;

    /** A change that leaves everything as it is. */
    public static final ConfChange NO_CHANGE = ConfChange.one(ConfChange.Kind.UPDATE, 0);

    private final long groupId;
    private final GroupStorage storage;
    private final RawNode node;
    private final StateMachine machine;
    private final LeaseClock leases;
    private final byte[] appliedKey;
    private Ready ready;
    /** A hard state that is not in the log store yet, or null. */
    private HardState unwritten;

    private final List<ConfChange> changes = new ArrayList<>();
    private long applied;
    private long allowedTruncation;

    /**
     * Who belongs to a group when it is opened.
     *
     * @param grown whether that has changed since the group began
     * @param applied the last entry whose effects the data store holds
     * @param afterSplit true when the group was just made by a split: its peers keep the promise of the old one's
     */
    public record Start(ConfState members, boolean grown, long applied, boolean afterSplit) {
        /** A group of voters 1 to {@code count}, for good. */
        public static Start fixed(int count, long applied) {
            List<Long> voters = new ArrayList<>();
            for (long i = 1; i <= count; i++) {
                voters.add(i);
            }
            return new Start(ConfState.of(voters, List.of()), false, applied, false);
        }
    }

    /**
     * Opens the group.
     *
     * @param snapshots a snapshot of that entry or a later one; or null, and one is soon made
     */
    public RaftGroup(
            long groupId,
            long peerId,
            Start start,
            GroupSettings settings,
            long seed,
            LogStore logs,
            StateMachine machine,
            LongFunction<Snapshot> snapshots,
            LeaseClock leases) {
        this.leases = leases;
        this.groupId = groupId;
        this.machine = machine;
        this.applied = start.applied;
        this.appliedKey = appliedKey(groupId);
        storage = new GroupStorage(groupId, start.members, logs, snapshots);
        if (start.grown) {
            storage.grown();
        }
        if (applied > storage.lastIndex()) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT,
                    "Group " + groupId + " has applied entry " + applied + ", but its log ends at "
                            + storage.lastIndex()
                            + ": the log directory is older than the data directory; restore both together.");
        }
        if (applied < storage.firstIndex() - 1) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT,
                    "Group " + groupId + " has applied entry " + applied + ", but its log begins at "
                            + storage.firstIndex()
                            + ": the data directory is older than the log directory, or has lost what was synced;"
                            + " restore both together.");
        }
        // The only member that a group has ever had has promised nobody anything.
        boolean alone = !start.grown && start.members.equals(ConfState.ofVoters(peerId));
        Config config = Config.builder(peerId, storage)
                .electionTick(settings.electionTicks())
                .heartbeatTick(settings.heartbeatTicks())
                .applied(applied)
                .leases(settings.promiseNs(), settings.clockRateError(), settings.marginNs())
                .promiseAtStart(!alone && (start.afterSplit || !storage.fresh()))
                .proposalForwarding(false)
                .maxInflightBytes(MAX_INFLIGHT_BYTES)
                .eagerCommit(false)
                .restAfterTicks(settings.rest().afterTicks())
                .restWithout(machine::outOfReach)
                .seed(seed)
                .build();
        long nowNs = leases.nowNs();
        node = new RawNode(config, nowNs);
        if (alone) {
            node.campaign(nowNs);
        }
    }

    private static byte[] appliedKey(long groupId) {
        return ByteBuffer.allocate(9).put((byte) 'a').putLong(groupId).array();
    }

    /** The last entry of a group whose effects stand in the data store. */
    public static long readApplied(KvReader reader, long groupId) {
        byte[] value = reader.get(Family.META, appliedKey(groupId));
        return value == null ? 0 : ByteBuffer.wrap(value).getLong();
    }

    public RawNode node() {
        return node;
    }

    public long groupId() {
        return groupId;
    }

    /** The last entry applied, in this round too. */
    public long applied() {
        return applied;
    }

    /** Until when this peer, as leader, may serve alone; ask {@link LeaseClock#holds}. */
    public LeaseClock.Lease lease() {
        return leases.until(node.leaseUntilNs());
    }

    /** The machine may have been suspended: what was measured on its clock counts no more. */
    public void suspectClock(long nowNs) {
        node.suspectClock(nowNs);
    }

    /** Appends a command; its index is the node's last index afterwards. */
    public void propose(byte[] data) throws ProposalDroppedException {
        node.propose(data);
    }

    /** Who lacks the beginning of the log gets a snapshot instead, from now on. */
    public void beginWithSnapshots() {
        storage.grown();
    }

    /** Proposes a change of membership, in the same way. */
    public void propose(ConfChange change) throws ProposalDroppedException {
        node.proposeConfChange(change);
    }

    public boolean readIndex(byte[] context, long nowNs) {
        return node.readIndex(context, nowNs);
    }

    /** Why a message is one that no peer of this group can have meant, or null; such a one must not be given to it. */
    public String refuses(Message message, long nowNs) {
        return MessageSanity.refuses(message, node, nowNs);
    }

    public void step(Message message, long nowNs) {
        node.step(message, nowNs);
    }

    /** Whether nothing happens here before somebody wants something: no ticks are needed. */
    public boolean isResting() {
        return node.isResting();
    }

    /** Ends a rest: a leader gets its lease again by a round, a follower makes sure that it has a leader. */
    public void wake(long nowNs) {
        node.wake(nowNs);
    }

    /** On a leader at rest: looks whether the others rest with it. */
    public void checkRest(long nowNs) {
        node.checkRest(nowNs);
    }

    // ---- the steps of a round ----------------------------------------------------------------------------------

    public boolean hasReady() {
        return node.hasReady();
    }

    /** Takes the Ready, sends what may leave before the fsync, adds the rest to the batch; true if it must be synced. */
    public boolean collect(LogBatch batch, BiConsumer<RaftGroup, Message> send) {
        ready = node.ready();
        for (Message message : ready.messagesBeforePersist()) {
            send.accept(this, message);
        }
        if (ready.snapshot() != null) {
            batch.beginAfter(groupId, ready.snapshot().index(), ready.snapshot().term());
        }
        if (!ready.entries().isEmpty()) {
            batch.append(groupId, ready.entries());
        }
        // A commit index alone is not worth a write; it goes with the next entries.
        if (ready.hardState() != null) {
            unwritten = ready.hardState();
        }
        if (unwritten != null && ready.mustSync()) {
            batch.setHardState(groupId, unwritten);
            unwritten = null;
        }
        return ready.mustSync();
    }

    /** The snapshot that this round's Ready brings, in place of the log and the data up to its index; or null. */
    public Snapshot installing() {
        return ready.snapshot();
    }

    /** The batch is on stable storage. */
    public void persisted(BiConsumer<RaftGroup, Message> send) {
        if (ready.snapshot() != null) {
            storage.installed(ready.snapshot());
            storage.grown();
        }
        storage.appended(ready.entries());
        for (Message message : ready.messagesAfterPersist()) {
            send.accept(this, message);
        }
    }

    /** Adds the effects of committed entries to the batch. */
    public void apply(KvBatch batch) {
        List<Entry> entries = ready.committedEntries();
        if (entries.isEmpty()) {
            return;
        }
        for (Entry entry : entries) {
            applied = entry.index();
            if (entry.type() == EntryType.NORMAL) {
                machine.apply(entry, batch);
            } else {
                changes.add(machine.applyChange(entry, ConfChange.decode(entry), batch));
            }
        }
        if (!machine.removed()) {
            putApplied(batch, appliedKey, applied);
        }
    }

    /** Notes in a batch up to where a group has been applied. */
    public static void putApplied(KvBatch batch, long groupId, long index) {
        putApplied(batch, appliedKey(groupId), index);
    }

    private static void putApplied(KvBatch batch, byte[] key, long index) {
        batch.put(Family.META, key, ByteBuffer.allocate(8).putLong(index).array());
    }

    /** Forgets, in a batch, that a group was ever here. */
    public static void deleteApplied(KvBatch batch, long groupId) {
        batch.delete(Family.META, appliedKey(groupId));
    }

    /** The effects are visible: answers leave. */
    public void finish() {
        Ready done = ready;
        ready = null;
        if (done.snapshot() != null) {
            applied = done.snapshot().index();
        }
        if (!changes.isEmpty()) {
            ConfState members = null;
            for (ConfChange change : changes) {
                members = node.applyConfChange(change);
            }
            changes.clear();
            storage.grown();
            machine.membersChanged(members);
        }
        node.advance();
        if (!done.committedEntries().isEmpty()) {
            machine.applied();
        }
        for (Ready.ReadState read : done.readStates()) {
            machine.readProven(read.index(), read.context());
        }
        machine.leadershipChanged();
    }

    public void tick(long nowNs) {
        node.tick(nowNs);
    }

    /**
     * On a leader: up to where every peer has the log, when that is worth an entry that says so; else 0. The entry lets
     * all peers drop what is below it, so that whoever leads later still has what the slowest needs.
     */
    public long compactIndex(long keep) {
        long upTo = node.isLeader() ? Math.min(node.lowestMatch(), applied) - keep : 0;
        return upTo - Math.max(storage.firstIndex(), allowedTruncation) > keep ? upTo : 0;
    }

    /**
     * On a leader: the same, following those peers only that are in reach, and no further behind than that: whoever lacks
     * more gets a snapshot.
     *
     * @param inReach whether entries are kept for a peer
     */
    public long compactIndex(long keep, long maxBehind, LongPredicate inReach) {
        long from = Math.max(storage.firstIndex(), allowedTruncation);
        if (!node.isLeader() || applied - keep - from <= keep) {
            return 0;
        }
        long slowest = applied;
        for (PeerStatus peer : node.status().peers()) {
            if (inReach.test(peer.id())) {
                slowest = Math.min(slowest, Math.max(peer.match(), peer.pendingSnapshot()));
            }
        }
        long upTo = Math.max(slowest, applied - maxBehind) - keep;
        return upTo - from > keep ? upTo : 0;
    }

    /** On a leader: whether that peer is sent entries as they come and lacks no more than so many. */
    public boolean isInStep(long peerId, long maxLag) {
        for (PeerStatus peer : node.status().peers()) {
            if (peer.id() == peerId) {
                return isInStep(peer, maxLag);
            }
        }
        return false;
    }

    private boolean isInStep(PeerStatus peer, long maxLag) {
        return peer.state() == Progress.State.REPLICATE && node.commitIndex() - peer.match() <= maxLag;
    }

    /** On a leader: whether some peer is not known to have everything. */
    public boolean isAnyoneBehind() {
        return node.lowestMatch() != node.lastIndex();
    }

    /** On a leader: the peers that are not in step. */
    public List<Long> behind(long maxLag) {
        if (!isAnyoneBehind()) {
            return List.of();
        }
        List<Long> result = new ArrayList<>();
        for (PeerStatus peer : node.status().peers()) {
            if (!isInStep(peer, maxLag)) {
                result.add(peer.id());
            }
        }
        return result;
    }

    /** The group has agreed that entries up to this one may go. */
    public void allowTruncation(long index) {
        allowedTruncation = Math.max(allowedTruncation, index);
    }

    /** Whether entries wait to be dropped. */
    public boolean wantsTruncation() {
        return allowedTruncation >= storage.firstIndex();
    }

    /** Drops what may go; {@code durableIndex}: applied when the data store was last synced. */
    public void truncate(long durableIndex, LogBatch batch) {
        long upTo = Math.min(allowedTruncation, durableIndex);
        if (upTo >= storage.firstIndex()) {
            storage.truncate(upTo, batch);
        }
    }

    @Override
    public String toString() {
        return "group " + groupId + " " + node;
    }
}
