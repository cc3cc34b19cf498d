package org.flotilladb.region.placement;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.flotilladb.proto.AllocateIdsResponse;
import org.flotilladb.proto.ClusterInfoResponse;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.FindRegionResponse;
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
import org.flotilladb.proto.RegionHeartbeatRequest;
import org.flotilladb.proto.RegionHeartbeatResponse;
import org.flotilladb.proto.RegionRoute;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.ProposalDroppedException;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.group.StateMachine;
import org.flotilladb.region.placement.engine.RegionTable;
import org.flotilladb.region.placement.engine.RegionView;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvReader;
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

    private static final int REPLICAS = 3;
    private static final int MAX_LOCATED = 1024;
    private static final int MAX_IDS = 1 << 20;

    private final Clock clock;
    private final FailPoints failPoints;
    private final RandomSource random;
    private final List<String> nodeAddresses;
    private final Consumer<ClusterInit> onInit;
    private final TimestampService timestamps;
    private final PlacementState state;
    private final RegionTable regions = new RegionTable();
    /** Other nodes see by it that this one has forgotten what it was told. */
    private final long tableId;

    private final IdAllocator ids;
    private final PlacementLeader leader;
    private final SteeringRequests steering;
    private final ArrayDeque<Proposal> proposals = new ArrayDeque<>();
    private final List<Runnable> answers = new ArrayList<>();
    private RaftGroup group;

    private long ledTerm;
    private long readyTerm;
    private boolean initProposed;
    private boolean initAnnounced;

    private record Proposal(long index, long term, Runnable done, Consumer<PlacementError> failed) {}

    /**
     * Reads the applied state.
     *
     * @param nodeAddresses the sorted peers list of the cluster
     * @param onInit told once, when what the cluster fixes at its start is known
     * @param loop runs a task in the loop soon, from any thread
     * @param failPoints places where a test may make something go wrong
     */
    public PlacementGroup(
            KvReader stored,
            List<String> nodeAddresses,
            Clock clock,
            LeaseClock leases,
            RandomSource random,
            Consumer<ClusterInit> onInit,
            Consumer<Runnable> loop,
            FailPoints failPoints) {
        this.clock = clock;
        this.failPoints = failPoints;
        this.random = random;
        this.tableId = random.fork("table").nextLong() | 1;
        this.nodeAddresses = List.copyOf(nodeAddresses);
        this.onInit = onInit;
        this.state = new PlacementState(stored, this.nodeAddresses);
        this.timestamps = new TimestampService(clock, leases, state, this::propose, this::mayPropose, loop);
        this.ids = new IdAllocator(state, this::propose);
        this.leader =
                new PlacementLeader(state, regions, this::propose, ids, clock, timestamps::leaseHolds, failPoints);
        this.steering = new SteeringRequests(state, leader, this::propose, clock);
        if (state.init() != null) {
            seedRoutes();
        }
    }

    /** Called once, before anything else. */
    public void start(RaftGroup ownGroup) {
        group = ownGroup;
        if (state.init() != null) {
            initAnnounced = true;
            onInit.accept(state.init());
        }
    }

    /** What the cluster fixed at its start, or null when it is not known yet. */
    public ClusterInit init() {
        return state.init();
    }

    /** Whether a Store's identity is known to be on its disk. */
    public boolean isRegistered(long storeId) {
        return state.stores().isRegistered(storeId);
    }

    /** A timestamp on the caller's thread, or -1: then ask by request. */
    public long tryTimestamp() {
        return timestamps.tryAllocate();
    }

    /** As last applied here. */
    public long catalogEpoch() {
        return state.catalogEpoch();
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
        boolean begins = command.hasInit() && state.init() == null;
        state.apply(command, batch);
        if (begins) {
            seedRoutes();
        }
        if (command.getCompactIndex() > 0) {
            group.allowTruncation(command.getCompactIndex());
        }
    }

    /** The whole key space is one Region until somebody says otherwise. */
    private void seedRoutes() {
        regions.report(
                RegionHeartbeat.newBuilder()
                        .setRegion(state.init().getFirstRegion())
                        .build(),
                clock.nanoTime());
    }

    @Override
    public void applied() {
        timestamps.applied();
        if (state.init() != null && !initAnnounced) {
            initAnnounced = true;
            onInit.accept(state.init());
        }
        leader.follow();
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
            failAll(notLeader());
            ledTerm = leads ? term : 0;
            readyTerm = 0;
            initProposed = false;
            leader.end();
        }
        if (!leads) {
            return;
        }
        if (readyTerm != term && group.applied() >= group.node().termStartIndex()) {
            readyTerm = term;
            timestamps.lead(failPoints.hit("timestamp-bound-forgotten") ? 0 : state.timestampBound());
            leader.begin(term);
        }
        if (readyTerm == term) {
            if (state.init() == null && !initProposed) {
                initProposed = true;
                propose(
                        PlacementEntry.newBuilder().setInit(newCluster()).build(),
                        () -> {},
                        error -> initProposed = false);
            }
            timestamps.lease(group.lease());
            leader.tick();
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
        timestamps.end(why);
        List<Proposal> lost = List.copyOf(proposals);
        proposals.clear();
        lost.forEach(proposal -> proposal.failed.accept(why));
    }

    /** The Store stops: who waits here is told so. */
    public void close(String reason) {
        failAll(PlacementErrors.notReady(reason));
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

    private void propose(PlacementEntry entry, Runnable done, Consumer<PlacementError> failed) {
        try {
            group.propose(entry.toByteArray());
        } catch (ProposalDroppedException e) {
            failed.accept(group.node().isLeader() ? PlacementErrors.notReady(e.getMessage()) : notLeader());
            return;
        }
        proposals.add(new Proposal(group.node().lastIndex(), group.node().term(), done, failed));
    }

    /** Leads, and knows what its predecessors have promised. */
    private boolean mayPropose() {
        return group.node().isLeader() && readyTerm == group.node().term();
    }

    // ---- requests ------------------------------------------------------------------------------------------------

    /** Answers at once or when the log has it. */
    public void handle(PlacementRequest request, Consumer<PlacementResponse> answer) {
        switch (request.getCommandCase()) {
            case CLUSTER_INFO -> {
                ClusterInfoResponse.Builder info = ClusterInfoResponse.newBuilder();
                if (state.init() != null) {
                    info.setInit(state.init());
                }
                answer.accept(
                        PlacementResponse.newBuilder().setClusterInfo(info).build());
            }
            case LOCATE -> answer.accept(locate(request.getLocate()));
            case FIND_REGION -> answer.accept(find(request.getFindRegion().getRegionId()));
            case REGION_HEARTBEAT ->
                answer.accept(PlacementResponse.newBuilder()
                        .setRegionHeartbeat(report(request.getRegionHeartbeat()).setTableId(tableId))
                        .build());
            case COMMAND_NOT_SET ->
                PlacementErrors.refuse(
                        answer,
                        PlacementError.newBuilder()
                                .setMessage("this node does not know the command: it runs an older version")
                                .build());
            default -> {
                Consumer<PlacementError> failed = error -> PlacementErrors.refuse(answer, error);
                if (!group.node().isLeader()) {
                    failed.accept(notLeader());
                } else if (!ready()) {
                    failed.accept(PlacementErrors.notReady("the Placement Driver's leader has just been elected"));
                } else {
                    handleAsLeader(request, answer, failed);
                }
            }
        }
    }

    private boolean ready() {
        return mayPropose() && state.init() != null;
    }

    private RegionHeartbeatResponse.Builder report(RegionHeartbeatRequest request) {
        if (ready()) {
            return leader.report(request);
        }
        // Whoever leads next knows.
        request.getRegionsList().forEach(report -> regions.report(report, clock.nanoTime()));
        return RegionHeartbeatResponse.newBuilder();
    }

    private void handleAsLeader(
            PlacementRequest request, Consumer<PlacementResponse> answer, Consumer<PlacementError> failed) {
        switch (request.getCommandCase()) {
            case TIMESTAMP -> timestamps.handle(request.getTimestamp().getCount(), answer);
            case ALLOCATE_IDS -> {
                int count = Math.max(1, Math.min(request.getAllocateIds().getCount(), MAX_IDS));
                ids.allocate(
                        count,
                        first -> answer.accept(PlacementResponse.newBuilder()
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
                                        RaiseCatalogEpochResponse.newBuilder().setCatalogEpoch(state.catalogEpoch()))
                                .build()),
                        failed);
            case REGISTER_STORE -> leader.register(request.getRegisterStore(), answer, failed);
            case JOIN -> leader.join(request.getJoin(), answer, failed);
            case STORE_HEARTBEAT ->
                answer.accept(PlacementResponse.newBuilder()
                        .setStoreHeartbeat(leader.heartbeat(request.getStoreHeartbeat()))
                        .build());
            default -> steering.handle(request, answer, failed);
        }
    }

    private PlacementResponse locate(LocateRequest request) {
        List<RegionRoute> found =
                regions.locate(request.getKey().toByteArray(), Math.max(1, Math.min(request.getLimit(), MAX_LOCATED)));
        if (found.isEmpty()) {
            String why = state.init() == null
                    ? "the cluster is being started"
                    : "no leader has reported the Region of this key yet";
            return PlacementResponse.newBuilder()
                    .setError(PlacementErrors.notReady(why))
                    .build();
        }
        TreeSet<Long> named = new TreeSet<>();
        found.forEach(route -> route.getRegion().getPeersList().forEach(peer -> named.add(peer.getStoreId())));
        LocateResponse.Builder answer = LocateResponse.newBuilder().addAllRoutes(found);
        named.forEach(storeId -> answer.addStores(state.stores().info(storeId)));
        return PlacementResponse.newBuilder().setLocate(answer).build();
    }

    private PlacementResponse find(long regionId) {
        RegionView found = regions.get(regionId);
        FindRegionResponse.Builder answer = FindRegionResponse.newBuilder();
        if (found != null) {
            answer.setRoute(RegionTable.route(found));
        }
        return PlacementResponse.newBuilder().setFindRegion(answer).build();
    }

    /** Once a tick: gives up dropping entries never, asks for it when it is worth it. */
    public void compact(long keep) {
        long index = group.compactIndex(keep);
        if (index > 0 && readyTerm == group.node().term()) {
            propose(PlacementEntry.newBuilder().setCompactIndex(index).build(), () -> {}, error -> {});
        }
    }
}
