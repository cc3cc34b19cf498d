package org.flotilladb.region.placement;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.flotilladb.proto.AllocateIdsResponse;
import org.flotilladb.proto.ClusterInfoResponse;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.LocateRequest;
import org.flotilladb.proto.LocateResponse;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PlacementEntry;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RaiseCatalogEpochResponse;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionHeartbeatResponse;
import org.flotilladb.proto.RegionRoute;
import org.flotilladb.proto.RegisterStoreResponse;
import org.flotilladb.proto.StoreInfo;
import org.flotilladb.proto.TimestampResponse;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.ProposalDroppedException;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.LeaseClock.Lease;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.group.StateMachine;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.StorageException;

/**
 * The Placement Driver's peer on one node: the state machine of group 0. The loop calls everything but {@link
 * #tryTimestamp}, which any thread may.
 */
public final class PlacementGroup implements StateMachine {
    /** The group's number. */
    public static final long GROUP_ID = 0;

    private static final long FIRST_FREE_ID = 100;
    private static final int REPLICAS = 3;
    private static final int MAX_WAITING = 10_000;

    private final LeaseClock leases;
    private final FailPoints failPoints;
    private final RandomSource random;
    private final List<String> nodeAddresses;
    private final Consumer<ClusterInit> onInit;
    private final TimestampOracle oracle;
    private final RouteTable routes = new RouteTable();
    private final ArrayDeque<Proposal> proposals = new ArrayDeque<>();
    private final ArrayDeque<WaitingTimestamp> waiting = new ArrayDeque<>();
    private RaftGroup group;

    private ClusterInit init;
    private long timestampBound;
    private long nextId = FIRST_FREE_ID;
    private volatile long catalogEpoch = 1;
    private final List<Long> registeredStores = new ArrayList<>();

    private long ledTerm;
    private long readyTerm;
    private long nextIdProposed;
    private boolean initProposed;
    private boolean initAnnounced;
    private boolean extensionProposed;
    private final List<Runnable> answers = new ArrayList<>();

    private record Proposal(long index, long term, Runnable done, Consumer<PlacementError> failed) {}

    private record WaitingTimestamp(int count, Consumer<PlacementResponse> answer) {}

    /**
     * Reads the applied state.
     *
     * @param nodeAddresses the sorted peers list of the cluster
     * @param onInit told once, when what the cluster fixes at its start is known
     * @param loop runs a task in the loop soon, from any thread
     * @param failPoints places where a test may make something go wrong
     */
    public PlacementGroup(
            KvReader state,
            List<String> nodeAddresses,
            Clock clock,
            LeaseClock leases,
            RandomSource random,
            Consumer<ClusterInit> onInit,
            Consumer<Runnable> loop,
            FailPoints failPoints) {
        this.leases = leases;
        this.failPoints = failPoints;
        this.random = random;
        this.nodeAddresses = List.copyOf(nodeAddresses);
        this.onInit = onInit;
        this.oracle = new TimestampOracle(clock, leases, () -> loop.accept(this::extendBound));
        try {
            byte[] stored = state.get(Family.META, key("init"));
            init = stored == null ? null : ClusterInit.parseFrom(stored);
        } catch (InvalidProtocolBufferException e) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT, "the record of the cluster's start is damaged", e);
        }
        timestampBound = number(state, "bound", 0);
        nextId = number(state, "next-id", FIRST_FREE_ID);
        catalogEpoch = number(state, "catalog-epoch", 1);
        byte[] registered = state.get(Family.META, key("registered"));
        for (int i = 0; registered != null && i < registered.length; i += 8) {
            registeredStores.add(ByteBuffer.wrap(registered).getLong(i));
        }
        if (init != null) {
            seedRoutes();
        }
    }

    private static byte[] key(String name) {
        return ("p/" + name).getBytes(StandardCharsets.US_ASCII);
    }

    private static long number(KvReader state, String name, long otherwise) {
        byte[] value = state.get(Family.META, key(name));
        return value == null ? otherwise : ByteBuffer.wrap(value).getLong();
    }

    private static byte[] number(long value) {
        return ByteBuffer.allocate(8).putLong(value).array();
    }

    /** Called once, before anything else. */
    public void start(RaftGroup ownGroup) {
        group = ownGroup;
        if (init != null) {
            initAnnounced = true;
            onInit.accept(init);
        }
    }

    /** What the cluster fixed at its start, or null when it is not known yet. */
    public ClusterInit init() {
        return init;
    }

    /** Whether a Store's identity is known to be on its disk. */
    public boolean isRegistered(long storeId) {
        return registeredStores.contains(storeId);
    }

    /** A timestamp on the caller's thread, or -1: then ask by request. */
    public long tryTimestamp() {
        return oracle.tryAllocate(1);
    }

    /** As last applied here. */
    public long catalogEpoch() {
        return catalogEpoch;
    }

    // ---- the log -------------------------------------------------------------------------------------------------

    @Override
    public void apply(Entry entry, KvBatch batch) {
        if (entry.data().length > 0) {
            try {
                applyCommand(PlacementEntry.parseFrom(entry.data()), batch);
            } catch (InvalidProtocolBufferException e) {
                throw new StorageException(
                        StorageException.Kind.CORRUPT, "entry " + entry.index() + " of group 0 is damaged", e);
            }
        }
        while (!proposals.isEmpty() && proposals.peek().index <= entry.index()) {
            Proposal proposal = proposals.poll();
            if (proposal.index == entry.index() && proposal.term == entry.term()) {
                answers.add(proposal.done);
            } else {
                answers.add(() -> proposal.failed.accept(notLeader()));
            }
        }
    }

    private void applyCommand(PlacementEntry command, KvBatch batch) {
        if (command.hasInit() && init == null) {
            init = command.getInit();
            batch.put(Family.META, key("init"), init.toByteArray());
            seedRoutes();
        }
        if (command.getTimestampBound() > timestampBound) {
            timestampBound = command.getTimestampBound();
            batch.put(Family.META, key("bound"), number(timestampBound));
            extensionProposed = false;
        }
        if (command.getNextId() > nextId) {
            nextId = command.getNextId();
            batch.put(Family.META, key("next-id"), number(nextId));
        }
        if (command.getRaiseCatalogEpochBy() > 0) {
            catalogEpoch += command.getRaiseCatalogEpochBy();
            batch.put(Family.META, key("catalog-epoch"), number(catalogEpoch));
        }
        if (command.getRegisteredStoreId() != 0 && !registeredStores.contains(command.getRegisteredStoreId())) {
            registeredStores.add(command.getRegisteredStoreId());
            ByteBuffer all = ByteBuffer.allocate(8 * registeredStores.size());
            registeredStores.forEach(all::putLong);
            batch.put(Family.META, key("registered"), all.array());
        }
        if (command.getCompactIndex() > 0) {
            group.allowTruncation(command.getCompactIndex());
        }
    }

    private void seedRoutes() {
        routes.report(
                RegionHeartbeat.newBuilder().setRegion(init.getFirstRegion()).build());
    }

    @Override
    public void applied() {
        oracle.committed(timestampBound);
        if (init != null && !initAnnounced) {
            initAnnounced = true;
            onInit.accept(init);
        }
        List<Runnable> now = List.copyOf(answers);
        answers.clear();
        now.forEach(Runnable::run);
    }

    @Override
    public void readProven(long index, byte[] context) {}

    @Override
    public void leadershipChanged() {
        boolean leads = group.node().isLeader();
        long term = group.node().term();
        if (!leads || term != ledTerm) {
            oracle.lease(Lease.NONE);
            failAll(notLeader());
            ledTerm = leads ? term : 0;
            readyTerm = 0;
            initProposed = false;
            extensionProposed = false;
            nextIdProposed = 0;
        }
        if (!leads) {
            return;
        }
        if (readyTerm != term && group.applied() >= group.node().termStartIndex()) {
            readyTerm = term;
            oracle.lead(failPoints.hit("timestamp-bound-forgotten") ? 0 : timestampBound);
            extendBound();
        }
        if (readyTerm == term) {
            if (init == null && !initProposed) {
                initProposed = true;
                propose(
                        PlacementEntry.newBuilder().setInit(newCluster()).build(),
                        () -> {},
                        error -> initProposed = false);
            }
            oracle.lease(group.lease());
            answerWaiting();
        }
    }

    private ClusterInit newCluster() {
        ClusterInit.Builder cluster = ClusterInit.newBuilder().setClusterId(identity());
        Region.Builder first = Region.newBuilder()
                .setId(1)
                .setEpoch(RegionEpoch.newBuilder().setConfVersion(1).setRangeVersion(1));
        for (int i = 0; i < nodeAddresses.size(); i++) {
            long storeId = identity();
            cluster.addStoreIds(storeId).addNodeAddresses(nodeAddresses.get(i));
            if (i < REPLICAS) {
                first.addPeers(Peer.newBuilder().setId(i + 1).setStoreId(storeId));
            }
        }
        return cluster.setFirstRegion(first).build();
    }

    private long identity() {
        long id = random.nextLong();
        return id == 0 ? 1 : id;
    }

    private void failAll(PlacementError why) {
        List<Proposal> lost = List.copyOf(proposals);
        proposals.clear();
        lost.forEach(proposal -> proposal.failed.accept(why));
        List<WaitingTimestamp> unanswered = List.copyOf(waiting);
        waiting.clear();
        unanswered.forEach(each -> refuse(each.answer, why));
    }

    /** The Store stops: who waits here is told so. */
    public void close(String reason) {
        oracle.lease(Lease.NONE);
        failAll(notReady(reason));
    }

    private PlacementError notLeader() {
        long leader = group.node().leader();
        PlacementError.Builder error = PlacementError.newBuilder()
                .setNotLeader(true)
                .setMessage("this node does not lead the Placement Driver");
        if (leader > 0 && leader <= nodeAddresses.size() && !group.node().isLeader()) {
            error.setLeaderAddress(nodeAddresses.get((int) leader - 1));
        }
        return error.build();
    }

    private static PlacementError notReady(String reason) {
        return PlacementError.newBuilder().setNotReady(true).setMessage(reason).build();
    }

    private void propose(PlacementEntry entry, Runnable done, Consumer<PlacementError> failed) {
        try {
            group.propose(entry.toByteArray());
        } catch (ProposalDroppedException e) {
            failed.accept(group.node().isLeader() ? notReady(e.getMessage()) : notLeader());
            return;
        }
        proposals.add(new Proposal(group.node().lastIndex(), group.node().term(), done, failed));
    }

    private void extendBound() {
        if (!group.node().isLeader() || readyTerm != group.node().term() || extensionProposed) {
            return;
        }
        extensionProposed = true;
        propose(
                PlacementEntry.newBuilder()
                        .setTimestampBound(oracle.nextBound())
                        .build(),
                this::answerWaiting,
                error -> extensionProposed = false);
    }

    // ---- requests ------------------------------------------------------------------------------------------------

    /** Answers at once or when the log has it. */
    public void handle(PlacementRequest request, Consumer<PlacementResponse> answer) {
        switch (request.getCommandCase()) {
            case CLUSTER_INFO -> {
                ClusterInfoResponse.Builder info = ClusterInfoResponse.newBuilder();
                if (init != null) {
                    info.setInit(init);
                }
                answer.accept(
                        PlacementResponse.newBuilder().setClusterInfo(info).build());
            }
            case LOCATE -> answer.accept(locate(request.getLocate()));
            case REGION_HEARTBEAT -> {
                request.getRegionHeartbeat().getRegionsList().forEach(routes::report);
                answer.accept(PlacementResponse.newBuilder()
                        .setRegionHeartbeat(RegionHeartbeatResponse.getDefaultInstance())
                        .build());
            }
            case TIMESTAMP, ALLOCATE_IDS, RAISE_CATALOG_EPOCH, REGISTER_STORE -> {
                if (!group.node().isLeader()) {
                    refuse(answer, notLeader());
                } else if (readyTerm != group.node().term()) {
                    refuse(answer, notReady("the Placement Driver's leader has just been elected"));
                } else {
                    handleAsLeader(request, answer);
                }
            }
            case COMMAND_NOT_SET ->
                refuse(
                        answer,
                        PlacementError.newBuilder()
                                .setMessage("this node does not know the command: it runs an older version")
                                .build());
        }
    }

    private static void refuse(Consumer<PlacementResponse> answer, PlacementError error) {
        answer.accept(PlacementResponse.newBuilder().setError(error).build());
    }

    private void handleAsLeader(PlacementRequest request, Consumer<PlacementResponse> answer) {
        Consumer<PlacementError> failed = error -> refuse(answer, error);
        switch (request.getCommandCase()) {
            case TIMESTAMP -> {
                int count = Math.max(1, Math.min(request.getTimestamp().getCount(), 1 << 16));
                long first = oracle.tryAllocate(count);
                if (first > 0) {
                    answer.accept(timestamp(first, count));
                } else if (waiting.size() >= MAX_WAITING) {
                    refuse(answer, notReady("too many requests wait for a timestamp"));
                } else if (!leases.holds(group.lease())) {
                    refuse(answer, notReady("the Placement Driver's leader has no lease just now"));
                } else {
                    waiting.add(new WaitingTimestamp(count, answer));
                    extendBound();
                }
            }
            case ALLOCATE_IDS -> {
                int count = Math.max(1, request.getAllocateIds().getCount());
                long first = Math.max(nextId, nextIdProposed);
                nextIdProposed = first + count;
                propose(
                        PlacementEntry.newBuilder().setNextId(first + count).build(),
                        () -> answer.accept(PlacementResponse.newBuilder()
                                .setAllocateIds(AllocateIdsResponse.newBuilder()
                                        .setFirst(first)
                                        .setCount(count))
                                .build()),
                        failed);
            }
            case RAISE_CATALOG_EPOCH ->
                propose(
                        PlacementEntry.newBuilder().setRaiseCatalogEpochBy(1).build(),
                        () -> answer.accept(PlacementResponse.newBuilder()
                                .setRaiseCatalogEpoch(
                                        RaiseCatalogEpochResponse.newBuilder().setCatalogEpoch(catalogEpoch))
                                .build()),
                        failed);
            case REGISTER_STORE ->
                propose(
                        PlacementEntry.newBuilder()
                                .setRegisteredStoreId(request.getRegisterStore().getStoreId())
                                .build(),
                        () -> answer.accept(PlacementResponse.newBuilder()
                                .setRegisterStore(RegisterStoreResponse.getDefaultInstance())
                                .build()),
                        failed);
            default -> throw new IllegalStateException("not for a leader: " + request.getCommandCase());
        }
    }

    private PlacementResponse timestamp(long first, int count) {
        return PlacementResponse.newBuilder()
                .setTimestamp(TimestampResponse.newBuilder()
                        .setFirst(first)
                        .setCount(count)
                        .setCatalogEpoch(catalogEpoch))
                .build();
    }

    private void answerWaiting() {
        while (!waiting.isEmpty()) {
            WaitingTimestamp next = waiting.peek();
            long first = oracle.tryAllocate(next.count);
            if (first <= 0) {
                return;
            }
            waiting.poll();
            next.answer.accept(timestamp(first, next.count));
        }
    }

    private PlacementResponse locate(LocateRequest request) {
        if (init == null) {
            return PlacementResponse.newBuilder()
                    .setError(notReady("the cluster is being started"))
                    .build();
        }
        List<RegionRoute> found =
                routes.locate(request.getKey().toByteArray(), Math.max(1, Math.min(request.getLimit(), 1024)));
        if (found.isEmpty()) {
            return PlacementResponse.newBuilder()
                    .setError(notReady("no leader has reported the Region of this key yet"))
                    .build();
        }
        LocateResponse.Builder answer = LocateResponse.newBuilder().addAllRoutes(found);
        for (int i = 0; i < init.getStoreIdsCount(); i++) {
            answer.addStores(StoreInfo.newBuilder().setId(init.getStoreIds(i)).setAddress(nodeAddresses.get(i)));
        }
        return PlacementResponse.newBuilder().setLocate(answer).build();
    }

    /** Once a tick: gives up dropping entries never, asks for it when it is worth it. */
    public void compact(long keep) {
        long index = group.compactIndex(keep);
        if (index > 0 && readyTerm == group.node().term()) {
            propose(PlacementEntry.newBuilder().setCompactIndex(index).build(), () -> {}, error -> {});
        }
    }
}
