package org.flotilladb.region.group;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Config;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.ProposalDroppedException;
import org.flotilladb.raft.RawNode;
import org.flotilladb.raft.Ready;
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

    private final long groupId;
    private final GroupStorage storage;
    private final RawNode node;
    private final StateMachine machine;
    private final LeaseClock leases;
    private final byte[] appliedKey;
    private Ready ready;
    /** A hard state that is not in the log store yet, or null. */
    private HardState unwritten;

    private long applied;
    private long allowedTruncation;

    /**
     * Opens the group.
     *
     * @param appliedIndex the last entry whose effects the data store holds
     * @param afterSplit true when the group was just made by a split: its peers keep the promise of the old one's
     */
    public RaftGroup(
            long groupId,
            long peerId,
            long[] voters,
            long appliedIndex,
            boolean afterSplit,
            GroupSettings settings,
            long seed,
            LogStore logs,
            StateMachine machine,
            LeaseClock leases) {
        this.leases = leases;
        this.groupId = groupId;
        this.machine = machine;
        this.applied = appliedIndex;
        this.appliedKey = appliedKey(groupId);
        ConfState members = ConfState.of(Arrays.stream(voters).boxed().toList(), List.of());
        storage = new GroupStorage(groupId, members, logs);
        if (appliedIndex > storage.lastIndex()) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT,
                    "Group " + groupId + " has applied entry " + appliedIndex + ", but its log ends at "
                            + storage.lastIndex()
                            + ": the log directory is older than the data directory; restore both together.");
        }
        Config config = Config.builder(peerId, storage)
                .electionTick(settings.electionTicks())
                .heartbeatTick(settings.heartbeatTicks())
                .applied(appliedIndex)
                .leases(settings.promiseNs(), settings.clockRateError(), settings.marginNs())
                .promiseAtStart(voters.length > 1 && (afterSplit || !storage.fresh()))
                .proposalForwarding(false)
                .maxInflightBytes(MAX_INFLIGHT_BYTES)
                .eagerCommit(false)
                .seed(seed)
                .build();
        long nowNs = leases.nowNs();
        node = new RawNode(config, nowNs);
        if (voters.length == 1) {
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

    public boolean readIndex(byte[] context, long nowNs) {
        return node.readIndex(context, nowNs);
    }

    public void step(Message message, long nowNs) {
        node.step(message, nowNs);
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

    /** The batch is on stable storage. */
    public void persisted(BiConsumer<RaftGroup, Message> send) {
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
            machine.apply(entry, batch);
        }
        batch.put(
                Family.META, appliedKey, ByteBuffer.allocate(8).putLong(applied).array());
    }

    /** The effects are visible: answers leave. */
    public void finish() {
        Ready done = ready;
        ready = null;
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
