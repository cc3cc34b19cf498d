package org.flotilladb.region.store;

import java.util.Map;
import java.util.TreeMap;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GroupMessage;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.RaftBatch;
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
final class Messages {
    private static final Logger LOG = LoggerFactory.getLogger(Messages.class);
    /** Far below a frame's limit: a message may be as large again. */
    private static final int MAX_BATCH_BYTES = 4 << 20;

    private final StoreSettings settings;
    private final Transport transport;
    private final Cluster cluster;
    private final RaftGroup placementRaft;
    private final Regions regions;
    private final TreeMap<String, RaftBatch.Builder> batches = new TreeMap<>();
    private final TreeMap<String, Integer> batchBytes = new TreeMap<>();

    /** A message of a group of this Store. */
    record Incoming(RaftGroup group, Message message) {}

    Messages(StoreSettings settings, Transport transport, Cluster cluster, RaftGroup placementRaft, Regions regions) {
        this.settings = settings;
        this.transport = transport;
        this.cluster = cluster;
        this.placementRaft = placementRaft;
        this.regions = regions;
    }

    /** Null when it is none that a peer of a group here may be given. */
    Incoming accept(GroupMessage wire) {
        RaftGroup group;
        boolean ofGroup;
        long from = wire.getMessage().getFrom();
        if (wire.getGroupId() == PlacementGroup.GROUP_ID) {
            group = placementRaft;
            ofGroup = from > 0 && from <= settings.nodeAddresses().size();
        } else {
            RegionPeer peer = regions.get(wire.getGroupId());
            if (peer == null || wire.getToStore() != cluster.storeId()) {
                // A Region whose split has not been applied here yet: its leader sends again.
                return null;
            }
            group = peer.group();
            ofGroup = peer.isPeer(from);
        }
        Message message;
        try {
            message = RaftWire.fromProto(wire.getMessage());
        } catch (IllegalArgumentException e) {
            LOG.warn("A message of group {} is dropped: {}", wire.getGroupId(), e.getMessage());
            return null;
        }
        if (!ofGroup || message.type().isLocal() || message.type() == MessageType.SNAP) {
            LOG.warn(
                    "A message {} of group {} from {} is dropped: it is none that a peer of this version sends",
                    message.type(),
                    wire.getGroupId(),
                    from);
            return null;
        }
        return message.to() == group.node().id() ? new Incoming(group, message) : null;
    }

    /** Leaves with the next {@link #flush}, or at once when much has been gathered. */
    void send(RaftGroup group, Message message) {
        GroupMessage.Builder wire = GroupMessage.newBuilder()
                .setGroupId(group.groupId())
                .setFromStore(cluster.storeId())
                .setMessage(RaftWire.toProto(message));
        String address;
        if (group == placementRaft) {
            address = settings.nodeAddresses().get((int) message.to() - 1);
        } else {
            long to = storeOf(regions.get(group.groupId()), message.to());
            address = cluster.addressOf(to);
            wire.setToStore(to);
        }
        if (address == null) {
            return;
        }
        batches.computeIfAbsent(address, a -> RaftBatch.newBuilder()).addMessages(wire);
        int bytes = batchBytes.merge(address, wire.getMessage().getSerializedSize(), Integer::sum);
        if (bytes > MAX_BATCH_BYTES) {
            send(address, batches.remove(address));
        }
    }

    private static long storeOf(RegionPeer region, long peerId) {
        for (Peer peer : region.region().getPeersList()) {
            if (peer.getId() == peerId) {
                return peer.getStoreId();
            }
        }
        return 0;
    }

    void flush() {
        while (!batches.isEmpty()) {
            Map.Entry<String, RaftBatch.Builder> next = batches.pollFirstEntry();
            send(next.getKey(), next.getValue());
        }
    }

    private void send(String address, RaftBatch.Builder batch) {
        batchBytes.remove(address);
        transport.send(address, Envelope.newBuilder().setRaft(batch).build());
    }
}
