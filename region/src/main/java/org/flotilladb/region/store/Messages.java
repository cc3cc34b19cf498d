package org.flotilladb.region.store;

import java.util.Map;
import java.util.TreeMap;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GroupMessage;
import org.flotilladb.proto.RaftBatch;
import org.flotilladb.proto.RaftMessage;
import org.flotilladb.proto.Tombstone;
import org.flotilladb.proto.Transport;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.group.RaftWire;
import org.flotilladb.region.placement.PlacementGroup;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Raft messages of all groups of a Store, to and from the wire. Those that leave are gathered by address: few frames a
 * round. Used by the loop alone.
 */
final class Messages implements Regions.Notices {
    private static final Logger LOG = LoggerFactory.getLogger(Messages.class);
    /** Far below a frame's limit: a message may be as large again. */
    private static final int MAX_BATCH_BYTES = 4 << 20;

    private final StoreSettings settings;
    private final Transport transport;
    private final Cluster cluster;
    private final RaftGroup placementRaft;
    private final Regions regions;
    private final long life;
    private final TreeMap<String, RaftBatch.Builder> batches = new TreeMap<>();
    private final TreeMap<String, Integer> batchBytes = new TreeMap<>();
    /** Messages that nobody can have meant. */
    private long nonsense;

    /** A message of a group of this Store. */
    record Incoming(RaftGroup group, Message message) {}

    /** @param life another number each time the Store is opened */
    Messages(
            StoreSettings settings,
            Transport transport,
            Cluster cluster,
            RaftGroup placementRaft,
            Regions regions,
            long life) {
        this.life = life;
        this.settings = settings;
        this.transport = transport;
        this.cluster = cluster;
        this.placementRaft = placementRaft;
        this.regions = regions;
    }

    /** Null when it is none that a group here is to be given, or it has been taken care of. */
    Incoming accept(GroupMessage wire, long nowNs) {
        Message message;
        try {
            message = RaftWire.fromProto(wire.getMessage());
        } catch (IllegalArgumentException e) {
            LOG.warn("A message of group {} is dropped: {}", wire.getGroupId(), e.getMessage());
            return null;
        }
        if (message.type().isLocal()) {
            LOG.warn("A message {} of group {} is dropped: no peer sends it", message.type(), wire.getGroupId());
            return null;
        }
        return wire.getGroupId() == PlacementGroup.GROUP_ID
                ? ofPlacement(message, nowNs)
                : ofRegion(wire, message, nowNs);
    }

    private boolean isNonsense(RaftGroup group, Message message, long nowNs) {
        String why = group.refuses(message, nowNs);
        if (why == null) {
            return false;
        }
        nonsense++;
        if (Long.bitCount(nonsense) == 1) {
            // However many come, the log stays short.
            LOG.warn("{} drops {}: {} ({} such messages so far)", group, message, why, nonsense);
        }
        return true;
    }

    private Incoming ofPlacement(Message message, long nowNs) {
        boolean ofGroup =
                message.from() > 0 && message.from() <= settings.nodeAddresses().size();
        boolean taken = ofGroup
                && message.to() == placementRaft.node().id()
                && message.type() != MessageType.SNAP
                && !isNonsense(placementRaft, message, nowNs);
        return taken ? new Incoming(placementRaft, message) : null;
    }

    private Incoming ofRegion(GroupMessage wire, Message message, long nowNs) {
        if (wire.getToStore() != cluster.storeId() || cluster.addressOf(wire.getFromStore()) == null) {
            return null;
        }
        if (wire.hasRemoved()) {
            regions.removedNotice(wire);
            return null;
        }
        if (wire.getNeedsSnapshot()) {
            regions.needsSnapshot(wire);
            return null;
        }
        if (wire.getSnapshotFailed() != 0) {
            regions.outgoing().lost(regions, wire.getGroupId(), message.from());
            return null;
        }
        RegionPeer peer = regions.receiver(wire, message.type(), message.to());
        if (peer == null) {
            answerForTheRemoved(wire, message);
            return null;
        }
        if (Membership.peer(peer.region(), message.from()) == null
                && wire.getEpoch().getConfVersion() > 0
                && wire.getEpoch().getConfVersion() < peer.region().getEpoch().getConfVersion()) {
            // It was a member by what it knows, and is none any more.
            tellRemoved(peer, wire, message);
            return null;
        }
        if (isNonsense(peer.group(), message, nowNs)) {
            return null;
        }
        peer.acquaintances.heard(peer.region(), message.from(), wire.getFromStore(), nowNs);
        if (message.type() == MessageType.SNAP) {
            regions.offered(peer, wire, message);
            return null;
        }
        if (message.type() == MessageType.APP
                && message.index() == 0
                && !peer.initialised()
                && !settings.failPoints().hit("bare-peer-takes-the-log")) {
            // The beginning of a log is for peers that know with whom the group began. The split may not have been
            // applied
            // here yet; or a snapshot of the Region that was split has passed over it.
            if (peer.bareForLong()) {
                gather(
                        wire.getFromStore(),
                        GroupMessage.newBuilder()
                                .setGroupId(wire.getGroupId())
                                .setMessage(RaftMessage.newBuilder()
                                        .setType(MessageType.HEARTBEAT.code())
                                        .setTo(message.from())
                                        .setFrom(message.to()))
                                .setNeedsSnapshot(true));
            }
            return null;
        }
        return new Incoming(peer.group(), message);
    }

    private void tellRemoved(RegionPeer peer, GroupMessage wire, Message message) {
        gather(
                wire.getFromStore(),
                GroupMessage.newBuilder()
                        .setGroupId(wire.getGroupId())
                        .setMessage(RaftMessage.newBuilder()
                                .setType(MessageType.HEARTBEAT.code())
                                .setTo(message.from())
                                .setFrom(message.to()))
                        .setRemoved(peer.region()));
    }

    /**
     * A peer that was removed here may be needed by one that does not know that the removal is committed: the refusal of
     * its vote says so.
     */
    private void answerForTheRemoved(GroupMessage wire, Message message) {
        boolean pre = message.type() == MessageType.PRE_VOTE;
        Tombstone tombstone = pre || message.type() == MessageType.VOTE ? regions.tombstone(wire.getGroupId()) : null;
        if (tombstone == null || tombstone.getIndex() == 0 || tombstone.getPeerId() != message.to()) {
            return;
        }
        Message refusal = Message.to(message.from(), pre ? MessageType.PRE_VOTE_RESP : MessageType.VOTE_RESP)
                .from(message.to())
                .term(pre ? message.term() - 1 : message.term())
                .log(tombstone.getTerm(), tombstone.getIndex())
                .reject(true, 0)
                .build();
        gather(
                wire.getFromStore(),
                GroupMessage.newBuilder().setGroupId(wire.getGroupId()).setMessage(RaftWire.toProto(refusal)));
    }

    @Override
    public void snapshotFailed(IncomingSnapshots.Offer offer) {
        gather(
                offer.fromStore(),
                GroupMessage.newBuilder()
                        .setGroupId(offer.regionId())
                        .setMessage(RaftMessage.newBuilder()
                                .setType(MessageType.HEARTBEAT.code())
                                .setTo(offer.message().from())
                                .setFrom(offer.peerId()))
                        .setSnapshotFailed(offer.snapshot().getId()));
    }

    @Override
    public void sendSignOfLife() {
        for (long storeId : cluster.otherStoreIds()) {
            // A batch of whatever leaves next, or an empty one.
            batches.computeIfAbsent(cluster.addressOf(storeId), a -> RaftBatch.newBuilder());
        }
    }

    /** Leaves with the next {@link #flush}, or at once when much has been gathered. */
    void send(RaftGroup group, Message message) {
        GroupMessage.Builder wire =
                GroupMessage.newBuilder().setGroupId(group.groupId()).setMessage(RaftWire.toProto(message));
        if (group == placementRaft) {
            gather(settings.nodeAddresses().get((int) message.to() - 1), wire);
            return;
        }
        RegionPeer peer = regions.get(group.groupId());
        wire.setEpoch(peer.region().getEpoch());
        if (message.type() == MessageType.SNAP) {
            regions.outgoing().sent(IncomingSnapshots.parse(message).getId(), message.to());
        }
        gather(peer.acquaintances.storeOf(peer.region(), message.to()), wire);
    }

    private void gather(long toStore, GroupMessage.Builder wire) {
        gather(cluster.addressOf(toStore), wire.setToStore(toStore));
    }

    private void gather(String address, GroupMessage.Builder wire) {
        if (address == null) {
            return;
        }
        wire.setFromStore(cluster.storeId());
        batches.computeIfAbsent(address, a -> RaftBatch.newBuilder()).addMessages(wire);
        int bytes = batchBytes.merge(address, wire.getMessage().getSerializedSize(), Integer::sum);
        if (bytes > MAX_BATCH_BYTES) {
            send(address, batches.remove(address));
        }
    }

    void flush() {
        while (!batches.isEmpty()) {
            Map.Entry<String, RaftBatch.Builder> next = batches.pollFirstEntry();
            send(next.getKey(), next.getValue());
        }
    }

    private void send(String address, RaftBatch.Builder batch) {
        batchBytes.remove(address);
        batch.setFromStore(cluster.storeId()).setLife(life);
        transport.send(address, Envelope.newBuilder().setRaft(batch).build());
    }
}
