package org.flotilladb.region.store;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GroupMessage;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RaftBatch;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionHeartbeatRequest;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.RegisterStoreRequest;
import org.flotilladb.proto.TimestampRequest;
import org.flotilladb.proto.Transport;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.raft.RaftInvariantException;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.group.RaftWire;
import org.flotilladb.region.placement.PlacementGroup;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.KvStore.KvSnapshot;
import org.flotilladb.region.runtime.LocalNode;
import org.flotilladb.region.runtime.LocalReads;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.LogStore.LogBatch;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.Scheduler;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.mvcc.MvccReader;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One data directory's Regions and the Placement Driver's peer, driven by one loop: what has happened goes in through
 * {@link Loop#submit}; {@link #round} writes all logs with one fsync, applies, and lets messages and answers out. Reads
 * from this process take the short way of {@link LocalReads} on their own threads.
 */
public final class Store implements MessageHandler, LocalNode, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Store.class);
    private static final int REPORT_EVERY_TICKS = 5;
    private static final int COMPACT_EVERY_TICKS = 20;
    private static final int DISK_EVERY_TICKS = 5;
    /** Bytes stand on disk several times: in both logs, in tables, and again while those are merged. */
    private static final int LOOKS_PER_RESERVE = 32;

    private static final long REQUEST_TIMEOUT_MS = 2000;
    private static final int MAX_WAITS = 100_000;
    /** Far below a frame's limit: a message may be as large again. */
    private static final int MAX_BATCH_BYTES = 4 << 20;

    /** Told when the Store has had to stop. */
    public interface FailureListener {
        void failed(RuntimeException cause);
    }

    private final StoreSettings settings;
    private final Clock clock;
    private final Scheduler scheduler;
    private final RandomSource random;
    private final Transport transport;
    private final LogStore logs;
    private final KvStore data;
    private final Consumer<ClusterInit> identity;
    private final FailureListener failures;
    private final Loop loop;
    private final StoreCounters counters = new StoreCounters();
    private final Context context = new Context();

    private final PlacementGroup placement;
    private final RaftGroup placementRaft;
    private final TreeMap<Long, RegionPeer> peers = new TreeMap<>();
    private final TreeMap<Long, RaftGroup> dirty = new TreeMap<>();
    private final TreeMap<String, RaftBatch.Builder> outgoing = new TreeMap<>();
    private final TreeMap<String, Integer> outgoingBytes = new TreeMap<>();
    private final TreeMap<Long, String> addresses = new TreeMap<>();
    private final TreeMap<Long, Long> waitsFor = new TreeMap<>();
    private final ConcurrentSkipListMap<byte[], RegionPeer> byStart =
            new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
    private final List<Long> splitCampaigns = new ArrayList<>();
    private volatile long storeId;
    private long ticks;
    private boolean registered;
    private String diskFull;
    private long writtenSinceLook;
    private volatile RuntimeException failure;
    private volatile boolean closed;

    /**
     * Opens what the two stores hold; nothing runs before {@link #start}.
     *
     * @param identity told, in the loop, what the cluster fixed at its start; it must have made the Store's identity
     *     durable when it returns
     */
    public Store(
            StoreSettings settings,
            Clock clock,
            Scheduler scheduler,
            RandomSource random,
            Transport transport,
            LogStore logs,
            KvStore data,
            Consumer<ClusterInit> identity,
            FailureListener failures) {
        this.settings = settings;
        this.clock = clock;
        this.scheduler = scheduler;
        this.random = random;
        this.transport = transport;
        this.logs = logs;
        this.data = data;
        this.identity = identity;
        this.failures = failures;
        this.loop = new Loop(scheduler, settings.callerRuns(), this::round, this::stop);
        placement = new PlacementGroup(
                data,
                settings.nodeAddresses(),
                clock,
                random.fork("placement"),
                this::clusterKnown,
                loop::submit,
                settings.failPoints());
        long[] voters = new long[settings.nodeAddresses().size()];
        for (int i = 0; i < voters.length; i++) {
            voters[i] = i + 1;
        }
        placementRaft = new RaftGroup(
                PlacementGroup.GROUP_ID,
                settings.nodeId(),
                voters,
                RaftGroup.readApplied(data, PlacementGroup.GROUP_ID),
                false,
                settings.groups(),
                random.nextLong(),
                logs,
                placement,
                clock.nanoTime());
    }

    /** Begins to run. */
    public void start() {
        loop.submit(() -> {
            try {
                placement.start(placementRaft);
            } catch (RuntimeException e) {
                // Such as a directory that belongs to another cluster.
                stop(e);
            }
            touch(placementRaft);
        });
        scheduleTick();
    }

    private void scheduleTick() {
        scheduler.schedule(settings.groups().tickNs(), () -> {
            if (!closed && failure == null) {
                try {
                    loop.submit(this::tick);
                } finally {
                    scheduleTick();
                }
            }
        });
    }

    // ---- the loop --------------------------------------------------------------------------------------------------

    private void touch(RaftGroup group) {
        dirty.put(group.groupId(), group);
    }

    /** Writes, sends and applies until no group has anything left; then the leases are published. */
    private void round() {
        if (failure != null || closed) {
            dirty.clear();
            return;
        }
        try {
            while (writeReady()) {
                // Answers may have brought new proposals.
            }
            for (RaftGroup group : new ArrayList<>(dirty.values())) {
                publishLease(group);
            }
            dirty.clear();
            flushOutgoing();
        } catch (StorageException | RaftInvariantException e) {
            stop(e);
        } catch (RuntimeException e) {
            stop(e);
            throw e;
        }
    }

    private boolean writeReady() {
        List<RaftGroup> ready = new ArrayList<>();
        for (RaftGroup group : dirty.values()) {
            if (group.hasReady()) {
                ready.add(group);
            }
        }
        if (ready.isEmpty()) {
            return false;
        }
        LogBatch batch = logs.batch();
        boolean sync = false;
        for (RaftGroup group : ready) {
            sync |= group.collect(batch, this::send);
        }
        flushOutgoing();
        if (!batch.isEmpty()) {
            logs.write(batch, sync);
            counters.round();
        }
        KvBatch effects = data.batch();
        for (RaftGroup group : ready) {
            group.persisted(this::send);
            group.apply(effects);
        }
        if (!effects.isEmpty()) {
            data.write(effects);
        }
        flushOutgoing();
        for (RaftGroup group : ready) {
            group.finish();
        }
        return true;
    }

    private void publishLease(RaftGroup group) {
        if (group == placementRaft) {
            placement.leadershipChanged();
        } else {
            RegionPeer peer = peers.get(group.groupId());
            if (peer != null) {
                peer.leadershipChanged();
            }
        }
    }

    private void send(RaftGroup group, Message message) {
        String address;
        GroupMessage.Builder wire = GroupMessage.newBuilder()
                .setGroupId(group.groupId())
                .setFromStore(storeId)
                .setMessage(RaftWire.toProto(message));
        if (group == placementRaft) {
            address = settings.nodeAddresses().get((int) message.to() - 1);
        } else {
            Region region = peers.get(group.groupId()).region();
            long to = 0;
            for (org.flotilladb.proto.Peer peer : region.getPeersList()) {
                if (peer.getId() == message.to()) {
                    to = peer.getStoreId();
                }
            }
            address = addresses.get(to);
            wire.setToStore(to);
        }
        if (address == null) {
            return;
        }
        outgoing.computeIfAbsent(address, a -> RaftBatch.newBuilder()).addMessages(wire);
        int bytes = outgoingBytes.merge(address, wire.getMessage().getSerializedSize(), Integer::sum);
        if (bytes > MAX_BATCH_BYTES) {
            sendBatch(address, outgoing.remove(address));
        }
    }

    private void sendBatch(String address, RaftBatch.Builder batch) {
        outgoingBytes.remove(address);
        transport.send(address, Envelope.newBuilder().setRaft(batch).build());
    }

    private void flushOutgoing() {
        while (!outgoing.isEmpty()) {
            Map.Entry<String, RaftBatch.Builder> next = outgoing.pollFirstEntry();
            sendBatch(next.getKey(), next.getValue());
        }
    }

    private void tick() {
        ticks++;
        long now = clock.nanoTime();
        placementRaft.tick(now);
        touch(placementRaft);
        // One tick after the split the other peers have applied it too, and can vote.
        for (Long regionId : splitCampaigns) {
            peers.get(regionId).group().node().campaignAfterSplit(now);
        }
        splitCampaigns.clear();
        for (RegionPeer peer : peers.values()) {
            peer.group().tick(now);
            peer.expireWaits(now);
            peer.retryTimestamp();
            touch(peer.group());
        }
        if (ticks % REPORT_EVERY_TICKS == 0) {
            reportAll();
            register();
        }
        if (ticks % COMPACT_EVERY_TICKS == 0) {
            compactLogs();
        }
        if (ticks % DISK_EVERY_TICKS == 0) {
            lookAtDisk();
        }
    }

    private void lookAtDisk() {
        writtenSinceLook = 0;
        long usable = settings.usableBytes().getAsLong();
        if (usable < settings.minUsableBytes()) {
            if (diskFull == null) {
                LOG.warn("{} bytes are left on the disk: writes are refused until there is room", usable);
            }
            diskFull = "the disk is full: the Store at "
                    + settings.nodeAddresses().get(settings.nodeId() - 1) + " has " + (usable >> 20)
                    + " MB left and keeps "
                    + (settings.minUsableBytes() >> 20) + " MB free; make room, then writes work again (reads go on)";
        } else if (diskFull != null) {
            diskFull = null;
            LOG.info("There is room on the disk again: writes are accepted");
        }
    }

    private void compactLogs() {
        placement.compact(settings.logKeepEntries());
        boolean wanted = placementRaft.wantsTruncation();
        for (RegionPeer peer : peers.values()) {
            peer.compact(settings.logKeepEntries());
            wanted |= peer.group().wantsTruncation();
        }
        if (!wanted) {
            return;
        }
        // What goes from the log must stand durably in the data store.
        data.sync();
        LogBatch batch = logs.batch();
        placementRaft.truncate(placementRaft.applied(), batch);
        for (RegionPeer peer : peers.values()) {
            peer.group().truncate(peer.group().applied(), batch);
        }
        if (!batch.isEmpty()) {
            logs.write(batch, false);
        }
    }

    private void stop(RuntimeException cause) {
        if (failure == null) {
            failure = cause;
            LOG.error("The Store stops: {}", cause.getMessage(), cause);
            String reason = "the Store has stopped: " + cause.getMessage();
            for (RegionPeer peer : peers.values()) {
                peer.close(reason);
            }
            placement.close(reason);
            failures.failed(cause);
        }
    }

    // ---- what comes in
    // -----------------------------------------------------------------------------------------------

    @Override
    public void onMessage(Envelope message) {
        if (message.hasRaft() && loop.queued() < settings.maxQueued()) {
            loop.submit(() -> {
                for (GroupMessage each : message.getRaft().getMessagesList()) {
                    step(each);
                }
            });
        }
    }

    private void step(GroupMessage wire) {
        RaftGroup group;
        if (wire.getGroupId() == PlacementGroup.GROUP_ID) {
            group = placementRaft;
        } else {
            RegionPeer peer = peers.get(wire.getGroupId());
            if (peer == null || wire.getToStore() != storeId) {
                // A Region whose split has not been applied here yet: its leader sends again.
                return;
            }
            group = peer.group();
        }
        Message message;
        try {
            message = RaftWire.fromProto(wire.getMessage());
        } catch (IllegalArgumentException e) {
            LOG.warn("A message of group {} is dropped: {}", wire.getGroupId(), e.getMessage());
            return;
        }
        boolean ofGroup = group == placementRaft
                ? message.from() > 0
                        && message.from() <= settings.nodeAddresses().size()
                : peers.get(wire.getGroupId()).isPeer(message.from());
        if (!ofGroup || message.type().isLocal() || message.type() == MessageType.SNAP) {
            LOG.warn(
                    "A message {} of group {} from {} is dropped: it is none that a peer of this version sends",
                    message.type(),
                    wire.getGroupId(),
                    message.from());
            return;
        }
        if (message.to() == group.node().id()) {
            try {
                group.step(message, clock.nanoTime());
                touch(group);
            } catch (RaftInvariantException e) {
                stop(e);
            }
        }
    }

    @Override
    public void onRequest(Envelope request, Responder responder) {
        switch (request.getBodyCase()) {
            case REGION_REQUEST ->
                region(
                        request.getRegionRequest(),
                        response -> responder.respond(Envelope.newBuilder()
                                .setRegionResponse(response)
                                .build()));
            case PLACEMENT_REQUEST ->
                place(
                        request.getPlacementRequest(),
                        response -> responder.respond(Envelope.newBuilder()
                                .setPlacementResponse(response)
                                .build()));
            default -> LOG.warn("A request of kind {} is dropped", request.getBodyCase());
        }
    }

    /** A Region's command; the answer comes on any thread, possibly within this call. */
    public void region(RegionRequest request, Consumer<RegionResponse> answer) {
        if (failure != null || closed) {
            answer.accept(RegionErrors.stopped(request.getContext().getRegionId(), whyStopped()));
            return;
        }
        if (loop.queued() >= settings.maxQueued()) {
            answer.accept(RegionErrors.busy("the Store has " + loop.queued() + " requests waiting"));
            return;
        }
        long arrivedNs = clock.nanoTime();
        loop.submit(() -> {
            RegionPeer peer = peers.get(request.getContext().getRegionId());
            if (failure != null || closed) {
                answer.accept(RegionErrors.stopped(request.getContext().getRegionId(), whyStopped()));
                return;
            }
            if (peer == null) {
                answer.accept(RegionErrors.notFound(request.getContext().getRegionId()));
                return;
            }
            handle(peer, new RegionPeer.Command(request, answer, arrivedNs));
            touch(peer.group());
        });
    }

    /** A request that nobody foresaw is its sender's affair, not the Store's. */
    private static void handle(RegionPeer peer, RegionPeer.Command command) {
        try {
            peer.handle(command);
        } catch (StorageException | RaftInvariantException e) {
            throw e;
        } catch (RuntimeException e) {
            LOG.error("A request to Region {} failed", peer.region().getId(), e);
            command.answer.accept(RegionErrors.busy("the request cannot be handled: " + e));
        }
    }

    private String whyStopped() {
        RuntimeException cause = failure;
        return cause == null ? "the node is stopping" : "the Store has stopped: " + cause.getMessage();
    }

    private static PlacementResponse notReady(String reason) {
        return PlacementResponse.newBuilder()
                .setError(PlacementError.newBuilder().setNotReady(true).setMessage(reason))
                .build();
    }

    /** A question to the Placement Driver's peer of this node. */
    public void place(PlacementRequest request, Consumer<PlacementResponse> answer) {
        boolean stopped = failure != null || closed;
        if (stopped || loop.queued() >= settings.maxQueued()) {
            String reason = stopped ? whyStopped() : "the Store has " + loop.queued() + " requests waiting";
            answer.accept(notReady(reason));
            return;
        }
        loop.submit(() -> {
            if (failure != null || closed) {
                answer.accept(notReady(whyStopped()));
                return;
            }
            placement.handle(request, answer);
            touch(placementRaft);
        });
    }

    @Override
    public long tryTimestamp() {
        return failure == null && !closed ? placement.tryTimestamp() : -1;
    }

    @Override
    public long catalogEpoch() {
        return placement.catalogEpoch();
    }

    /** Whether the group knows that a Store has had its identity on disk. Any thread may see it a little late. */
    public boolean isRegistered(long otherStoreId) {
        return placement.isRegistered(otherStoreId);
    }

    // ---- reads on the caller's thread
    // ----------------------------------------------------------------------------------

    private RegionPeer find(byte[] key) {
        Map.Entry<byte[], RegionPeer> entry = byStart.floorEntry(key);
        return entry != null && entry.getValue().contains(key) ? entry.getValue() : null;
    }

    @Override
    public Read get(byte[] key, long readTs) {
        RegionPeer peer = find(key);
        if (peer == null) {
            return Read.NOT_SERVED;
        }
        RegionPeer.Served before = peer.served();
        // The range is looked at after what is served: a split between the two shows in one of them.
        if (before.term() == 0 || !peer.contains(key)) {
            return Read.NOT_SERVED;
        }
        peer.raiseMaxTs(readTs);
        if (peer.latches.hides(key, readTs)) {
            return Read.NOT_SERVED;
        }
        Read read;
        try (KvSnapshot snapshot = data.snapshot()) {
            read = MvccReader.get(snapshot, key, readTs);
        } catch (StorageException e) {
            throw stopsFor(e);
        }
        return stillServes(peer, before) ? read : Read.NOT_SERVED;
    }

    @Override
    public Page scan(byte[] start, byte[] end, boolean reverse, int limit, int maxBytes, long readTs) {
        RegionPeer peer = reverse ? findBefore(end) : find(start);
        if (peer == null) {
            return Page.NOT_SERVED;
        }
        RegionPeer.Served before = peer.served();
        Region region = peer.region();
        if (before.term() == 0 || !(reverse ? reaches(region, end) : peer.contains(start))) {
            return Page.NOT_SERVED;
        }
        byte[] regionStart = region.getStart().toByteArray();
        byte[] regionEnd = region.getEnd().toByteArray();
        byte[] from = Arrays.compareUnsigned(start, regionStart) < 0 ? regionStart : start;
        byte[] to = end;
        if (regionEnd.length > 0 && (end == null || end.length == 0 || Arrays.compareUnsigned(end, regionEnd) > 0)) {
            to = regionEnd;
        }
        peer.raiseMaxTs(readTs);
        if (peer.latches.firstHiding(from, to, readTs) != null) {
            return Page.NOT_SERVED;
        }
        Page page;
        try (KvSnapshot snapshot = data.snapshot()) {
            page = MvccReader.scan(snapshot, from, to, reverse, limit, maxBytes, readTs, new long[0], false);
        } catch (StorageException e) {
            throw stopsFor(e);
        }
        if (!stillServes(peer, before)) {
            return Page.NOT_SERVED;
        }
        if (page.resumeKey() == null && page.locked() == null) {
            byte[] next = reverse
                    ? (Arrays.compareUnsigned(start, regionStart) < 0 ? regionStart : null)
                    : (to == regionEnd && regionEnd.length > 0 ? regionEnd : null);
            if (next != null && !(end != null && !reverse && Arrays.equals(end, next))) {
                return new Page(page.rows(), next, null);
            }
        }
        return page;
    }

    /** What a disk has lost is nobody's to serve: the Store stops, as it does where the loop meets it. */
    private StorageException stopsFor(StorageException e) {
        loop.submit(() -> stop(e));
        return e;
    }

    private RegionPeer findBefore(byte[] end) {
        Map.Entry<byte[], RegionPeer> entry =
                end == null || end.length == 0 ? byStart.lastEntry() : byStart.lowerEntry(end);
        if (entry == null) {
            return null;
        }
        return reaches(entry.getValue().region(), end) ? entry.getValue() : null;
    }

    /** Whether a range that ends there, or nowhere, ends within or right behind the Region. */
    private static boolean reaches(Region region, byte[] end) {
        byte[] regionEnd = region.getEnd().toByteArray();
        return regionEnd.length == 0 || (end != null && end.length > 0 && Arrays.compareUnsigned(end, regionEnd) <= 0);
    }

    /** The last checks of a read: the same leadership and the same range as before the snapshot, and then the lease. */
    private boolean stillServes(RegionPeer peer, RegionPeer.Served before) {
        RegionPeer.Served now = peer.served();
        return now.term() == before.term()
                && now.rangeVersion() == before.rangeVersion()
                && now.term() != 0
                // Of this leadership: another may have begun since.
                && (now.leaseUntilNs() == Long.MAX_VALUE || clock.nanoTime() < now.leaseUntilNs());
    }

    // ---- the cluster
    // ---------------------------------------------------------------------------------------------------

    private void clusterKnown(ClusterInit init) {
        // First: it refuses what does not fit the settings.
        identity.accept(init);
        for (int i = 0; i < init.getStoreIdsCount(); i++) {
            // Those of today: a directory that has moved, or nodes with other ports, stay the same Stores.
            addresses.put(init.getStoreIds(i), settings.nodeAddresses().get(i));
        }
        storeId = init.getStoreIds(settings.nodeId() - 1);
        for (Region region : storedRegions()) {
            addPeer(region, region.getId() != init.getFirstRegion().getId());
        }
        Region first = init.getFirstRegion();
        boolean here = first.getPeersList().stream().anyMatch(peer -> peer.getStoreId() == storeId);
        if (here && !peers.containsKey(first.getId())) {
            KvBatch batch = data.batch();
            batch.put(Family.META, RegionPeer.regionKey(first.getId()), first.toByteArray());
            data.write(batch);
            addPeer(first, false);
        }
    }

    private List<Region> storedRegions() {
        List<Region> regions = new ArrayList<>();
        byte[] lower = {'r'};
        byte[] upper = {'s'};
        try (KvCursor cursor = data.cursor(Family.META, lower, upper)) {
            for (boolean more = cursor.seek(lower); more; more = cursor.next()) {
                regions.add(Region.parseFrom(cursor.value()));
            }
        } catch (InvalidProtocolBufferException e) {
            throw new StorageException(StorageException.Kind.CORRUPT, "a Region's record is damaged", e);
        }
        return regions;
    }

    private RegionPeer addPeer(Region region, boolean afterSplit) {
        RegionPeer peer = new RegionPeer(context, region);
        peers.put(region.getId(), peer);
        peer.start(afterSplit);
        byStart.put(region.getStart().toByteArray(), peer);
        touch(peer.group());
        return peer;
    }

    private void reportAll() {
        List<RegionHeartbeat> reports = new ArrayList<>();
        for (RegionPeer peer : peers.values()) {
            if (peer.serving()) {
                reports.add(heartbeat(peer));
            }
        }
        report(reports);
    }

    private RegionHeartbeat heartbeat(RegionPeer peer) {
        return RegionHeartbeat.newBuilder()
                .setRegion(peer.region())
                .setLeaderStoreId(storeId)
                .setTerm(peer.group().node().term())
                .build();
    }

    /** To every peer of the Placement Driver, so that whoever leads it next knows. */
    private void report(List<RegionHeartbeat> reports) {
        if (reports.isEmpty()) {
            return;
        }
        PlacementRequest request = PlacementRequest.newBuilder()
                .setRegionHeartbeat(RegionHeartbeatRequest.newBuilder().addAllRegions(reports))
                .build();
        for (int node = 1; node <= settings.nodeAddresses().size(); node++) {
            if (node == settings.nodeId()) {
                placement.handle(request, response -> {});
            } else {
                ask(settings.nodeAddresses().get(node - 1), request, response -> {});
            }
        }
    }

    private void register() {
        if (registered || storeId == 0) {
            return;
        }
        if (placement.isRegistered(storeId)) {
            registered = true;
            return;
        }
        askLeader(
                PlacementRequest.newBuilder()
                        .setRegisterStore(RegisterStoreRequest.newBuilder().setStoreId(storeId))
                        .build(),
                response -> {});
    }

    /** Asks whoever leads the Placement Driver; the answer runs in the loop, or never. */
    private void askLeader(PlacementRequest request, Consumer<PlacementResponse> answer) {
        long leader = placementRaft.node().leader();
        if (leader == settings.nodeId()) {
            placement.handle(request, answer);
            touch(placementRaft);
        } else if (leader > 0) {
            ask(settings.nodeAddresses().get((int) leader - 1), request, answer);
        }
    }

    private void ask(String address, PlacementRequest request, Consumer<PlacementResponse> answer) {
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
                    }
                });
    }

    public long storeId() {
        return storeId;
    }

    public StoreCounters counters() {
        return counters;
    }

    /** How often the log has waited for the disk. */
    public long logSyncs() {
        return logs.syncCount();
    }

    /** How many Regions have a peer here, and how many of them this Store leads. Any thread; may be a little old. */
    public long[] regionsAndLeaders() {
        long leaders = 0;
        long regions = 0;
        for (RegionPeer peer : byStart.values()) {
            regions++;
            leaders += peer.served().term() != 0 ? 1 : 0;
        }
        return new long[] {regions, leaders};
    }

    /** All user rows of a family's newest state; for tests and checks. */
    public KvStore data() {
        return data;
    }

    /**
     * What one peer is doing.
     *
     * @param region null for the Placement Driver's group
     * @param leads whether it leads as far as it knows
     * @param serves whether it answers requests
     */
    public record PeerView(
            long groupId,
            Region region,
            boolean leads,
            boolean serves,
            long term,
            long commitIndex,
            long appliedIndex,
            long lastIndex) {}

    /** All peers, the Placement Driver's first. For the loop's thread, or while the loop rests. */
    public List<PeerView> peers() {
        List<PeerView> views = new ArrayList<>(peers.size() + 1);
        views.add(view(placementRaft, null, placementRaft.node().isLeader()));
        for (RegionPeer peer : peers.values()) {
            views.add(view(peer.group(), peer.region(), peer.serving()));
        }
        return views;
    }

    private static PeerView view(RaftGroup group, Region region, boolean serves) {
        return new PeerView(
                group.groupId(),
                region,
                group.node().isLeader(),
                serves,
                group.node().term(),
                group.node().commitIndex(),
                group.applied(),
                group.node().lastIndex());
    }

    /** Why the Store has stopped, or null. */
    public RuntimeException failure() {
        return failure;
    }

    /** Stops the loop; what is under way is answered as unknown. The stores stay open: their owner closes them. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        loop.submit(() -> {
            if (!closed) {
                closed = true;
                for (RegionPeer peer : peers.values()) {
                    peer.close("the node is stopping");
                }
                placement.close("the node is stopping");
            }
        });
    }

    /** Closes, and returns only when the loop does nothing any more; for owners that then close the stores. */
    public void closeAndWait() {
        CountDownLatch done = new CountDownLatch(1);
        close();
        loop.submit(done::countDown);
        try {
            done.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        loop.close();
    }

    /** What Regions see of the Store. */
    private final class Context implements StoreContext {
        @Override
        public Clock clock() {
            return clock;
        }

        @Override
        public KvStore data() {
            return data;
        }

        @Override
        public LogStore logs() {
            return logs;
        }

        @Override
        public GroupSettings groupSettings() {
            return settings.groups();
        }

        @Override
        public long storeId() {
            return storeId;
        }

        @Override
        public long nextSeed() {
            return random.nextLong();
        }

        @Override
        public String addressOf(long otherStoreId) {
            return addresses.get(otherStoreId);
        }

        @Override
        public boolean hasRegion(long regionId) {
            return peers.containsKey(regionId);
        }

        @Override
        public String refusesWrite(long bytes) {
            // Between two ticks a fast disk takes more than what is kept free.
            writtenSinceLook += bytes;
            if (writtenSinceLook > settings.minUsableBytes() / LOOKS_PER_RESERVE) {
                lookAtDisk();
            }
            return diskFull;
        }

        @Override
        public void freshTimestamp(LongConsumer callback) {
            askLeader(
                    PlacementRequest.newBuilder()
                            .setTimestamp(TimestampRequest.newBuilder().setCount(1))
                            .build(),
                    response -> {
                        if (response.hasTimestamp()) {
                            callback.accept(response.getTimestamp().getFirst());
                        }
                    });
        }

        @Override
        public void report(RegionPeer peer) {
            Store.this.report(List.of(heartbeat(peer)));
        }

        @Override
        public void split(RegionPeer old, List<Region> created, boolean wasLeader) {
            for (Region region : created) {
                if (!peers.containsKey(region.getId())) {
                    addPeer(region, true);
                    if (wasLeader) {
                        splitCampaigns.add(region.getId());
                    }
                }
            }
            if (wasLeader) {
                old.group().node().announceCommit();
                touch(old.group());
            }
            if (old.serving()) {
                Store.this.report(List.of(heartbeat(old)));
            }
        }

        @Override
        public boolean waitsFor(long waiterStartTs, long holderStartTs) {
            if (waitsFor.size() >= MAX_WAITS) {
                return false;
            }
            waitsFor.put(waiterStartTs, holderStartTs);
            Long next = holderStartTs;
            for (int steps = 0; next != null && steps < MAX_WAITS; steps++) {
                if (next == waiterStartTs) {
                    return true;
                }
                next = waitsFor.get(next);
            }
            return false;
        }

        @Override
        public void waitsNoMore(long waiterStartTs) {
            waitsFor.remove(waiterStartTs);
        }

        @Override
        public StoreCounters counters() {
            return counters;
        }

        @Override
        public FailPoints failPoints() {
            return settings.failPoints();
        }
    }
}
