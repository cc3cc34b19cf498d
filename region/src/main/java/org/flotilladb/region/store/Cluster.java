package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.LocateRequest;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegisterStoreRequest;
import org.flotilladb.proto.StoreHeartbeat;
import org.flotilladb.proto.StoreHeartbeatResponse;
import org.flotilladb.proto.TimestampRequest;
import org.flotilladb.proto.Transport;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.placement.PlacementGroup;
import org.flotilladb.region.runtime.Clock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A Store's dealings with the rest of its cluster: who is where, and what it tells and asks the Placement Driver. */
final class Cluster implements Reports.Audience {
    private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);
    private static final long REQUEST_TIMEOUT_MS = 2000;

    private final StoreSettings settings;
    private final Transport transport;
    private final Loop loop;
    private final PlacementGroup placement;
    private final RaftGroup placementRaft;
    private final Consumer<RaftGroup> touch;
    private final Consumer<RegionRequest> carryOut;
    private final TimestampLimit timestamps;
    private final TreeMap<Long, String> addresses = new TreeMap<>();
    private volatile long storeId;
    private boolean registered;
    private long storesVersion;

    /**
     * @param touch told when a group has been given something to do
     * @param carryOut takes what the Placement Driver wants of a Region's leader here, and does it later
     */
    Cluster(
            StoreSettings settings,
            Clock clock,
            Transport transport,
            Loop loop,
            PlacementGroup placement,
            RaftGroup placementRaft,
            Consumer<RaftGroup> touch,
            Consumer<RegionRequest> carryOut) {
        this.settings = settings;
        this.transport = transport;
        this.loop = loop;
        this.placement = placement;
        this.placementRaft = placementRaft;
        this.touch = touch;
        this.carryOut = carryOut;
        this.timestamps = new TimestampLimit(clock, this::freshTimestamp);
    }

    /** Which timestamps can have been handed out. */
    TimestampLimit timestamps() {
        return timestamps;
    }

    /** What the cluster fixed at its start. */
    void known(ClusterInit init) {
        for (int i = 0; i < init.getStoreIdsCount(); i++) {
            // Those of today: a directory that has moved, or nodes with other ports, stay the same Stores.
            addresses.put(init.getStoreIds(i), settings.nodeAddresses().get(i));
        }
        storeId = init.getStoreIds(settings.nodeId() - 1);
    }

    /** 0 before the cluster is known. Any thread. */
    long storeId() {
        return storeId;
    }

    /** All other Stores of the cluster. */
    List<Long> otherStoreIds() {
        List<Long> ids = new ArrayList<>(addresses.keySet());
        ids.remove(storeId);
        return ids;
    }

    boolean isOther(long otherStoreId) {
        return otherStoreId != storeId && addresses.containsKey(otherStoreId);
    }

    /** Null when it is no Store of the cluster. */
    String addressOf(long otherStoreId) {
        return addresses.get(otherStoreId);
    }

    /** The nodes that keep the Placement Driver. */
    @Override
    public List<String> addresses() {
        return settings.nodeAddresses();
    }

    @Override
    public void ask(String address, PlacementRequest request, Consumer<PlacementResponse> answer, Runnable failed) {
        if (address.equals(ownAddress())) {
            placement.handle(request, answer);
            touch.accept(placementRaft);
        } else {
            send(address, request, answer, failed);
        }
    }

    /** Whoever leads the Placement Driver may answer a report with what is to be done. */
    void told(PlacementResponse response) {
        if (settings.members().directed()) {
            response.getRegionHeartbeat().getInstructionsList().forEach(carryOut);
        }
    }

    private String ownAddress() {
        return settings.nodeAddresses().get(settings.nodeId() - 1);
    }

    /** Tells the Placement Driver, once in each life, that this Store's identity is on its disk, and where it is reached. */
    void register() {
        if (registered || storeId == 0) {
            return;
        }
        askLeader(
                PlacementRequest.newBuilder()
                        .setRegisterStore(RegisterStoreRequest.newBuilder()
                                .setStoreId(storeId)
                                .setAddress(ownAddress()))
                        .build(),
                response -> {
                    registered |= response.hasRegisterStore();
                    if (response.getError().getRefused()) {
                        LOG.warn("{}", response.getError().getMessage());
                    }
                });
    }

    /** Tells the Placement Driver's leader, once a second, that this Store lives, and learns where the others are. */
    void beat() {
        if (storeId == 0 || !settings.members().directed()) {
            return;
        }
        askLeader(
                PlacementRequest.newBuilder()
                        .setStoreHeartbeat(StoreHeartbeat.newBuilder()
                                .setStoreId(storeId)
                                .setAddress(ownAddress())
                                .setKnownStoresVersion(storesVersion))
                        .build(),
                response -> {
                    StoreHeartbeatResponse answer = response.getStoreHeartbeat();
                    if (answer.getStoresCount() > 0) {
                        storesVersion = answer.getStoresVersion();
                        answer.getStoresList().forEach(store -> addresses.put(store.getId(), store.getAddress()));
                    }
                    answer.getInstructionsList().forEach(carryOut);
                });
    }

    /** A timestamp requested after this call began; the callback runs in the loop, or never. */
    void freshTimestamp(LongConsumer callback) {
        askLeader(
                PlacementRequest.newBuilder()
                        .setTimestamp(TimestampRequest.newBuilder().setCount(1))
                        .build(),
                response -> {
                    if (response.hasTimestamp()) {
                        timestamps.known(response.getTimestamp().getFirst());
                        callback.accept(response.getTimestamp().getFirst());
                    }
                });
    }

    /** The Region that the Placement Driver knows to hold a key; the callback runs in the loop, or never. */
    void locate(ByteString key, Consumer<Region> callback) {
        askLeader(
                PlacementRequest.newBuilder()
                        .setLocate(LocateRequest.newBuilder().setKey(key).setLimit(1))
                        .build(),
                response -> {
                    if (response.getLocate().getRoutesCount() > 0) {
                        callback.accept(response.getLocate().getRoutes(0).getRegion());
                    }
                });
    }

    /** Asks whoever leads the Placement Driver; the answer runs in the loop, or never. */
    private void askLeader(PlacementRequest request, Consumer<PlacementResponse> answer) {
        long leader = placementRaft.node().leader();
        if (leader == settings.nodeId()) {
            placement.handle(request, answer);
            touch.accept(placementRaft);
        } else if (leader > 0) {
            send(settings.nodeAddresses().get((int) leader - 1), request, answer, () -> {});
        }
    }

    private void send(
            String address, PlacementRequest request, Consumer<PlacementResponse> answer, Runnable unanswered) {
        transport.request(
                address,
                Envelope.newBuilder().setPlacementRequest(request).build(),
                REQUEST_TIMEOUT_MS,
                new Transport.ResponseHandler() {
                    @Override
                    public void onResponse(Envelope response) {
                        loop.submit(() -> answer.accept(response.getPlacementResponse()));
                    }

                    @Override
                    public void onFailure(Transport.Failure failed) {
                        LOG.debug("No answer from {}: {}", address, failed.message());
                        loop.submit(unanswered);
                    }
                });
    }
}
