package org.flotilladb.region.placement;

import java.util.List;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.flotilladb.proto.JoinRequest;
import org.flotilladb.proto.JoinResponse;
import org.flotilladb.proto.PlacementEntry;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionHeartbeatRequest;
import org.flotilladb.proto.RegionHeartbeatResponse;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegisterStoreRequest;
import org.flotilladb.proto.RegisterStoreResponse;
import org.flotilladb.proto.StoreChange;
import org.flotilladb.proto.StoreHeartbeat;
import org.flotilladb.proto.StoreHeartbeatResponse;
import org.flotilladb.proto.StoreInfo;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.proto.StoreState;
import org.flotilladb.region.placement.engine.PlacementEngine;
import org.flotilladb.region.placement.engine.Policy;
import org.flotilladb.region.placement.engine.RegionTable;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What only the leader of the Placement Driver does: it hears from Stores, lets new ones in, and runs the engine. Nothing
 * here outlives the leadership. For the loop.
 */
final class PlacementLeader {
    private static final Logger LOG = LoggerFactory.getLogger(PlacementLeader.class);
    private static final long PASS_NS = 1_000_000_000L;

    private final PlacementState state;
    private final RegionTable regions;
    private final PlacementLog log;
    private final IdAllocator ids;
    private final Clock clock;
    private final BooleanSupplier leaseHolds;
    private final PlacementEngine engine;
    /** Stores whose change is on its way through the log, and tokens of those that join. */
    private final TreeSet<Long> changing = new TreeSet<>();

    private final TreeSet<Long> joining = new TreeSet<>();
    private boolean leads;
    private long nextPassNs;
    private long knownStores;

    PlacementLeader(
            PlacementState state,
            RegionTable regions,
            PlacementLog log,
            IdAllocator ids,
            Clock clock,
            BooleanSupplier leaseHolds,
            FailPoints failPoints) {
        this.state = state;
        this.regions = regions;
        this.log = log;
        this.ids = ids;
        this.clock = clock;
        this.leaseHolds = leaseHolds;
        this.engine = new PlacementEngine(regions, ids, failPoints);
    }

    /** This peer leads and has applied an entry of its term. */
    void begin(long term) {
        long nowNs = clock.nanoTime();
        leads = true;
        changing.clear();
        joining.clear();
        ids.restart();
        knownStores = -1;
        engine.lead(term, nowNs);
        follow();
        nextPassNs = nowNs + PASS_NS;
    }

    void end() {
        leads = false;
    }

    PlacementEngine engine() {
        return engine;
    }

    /** The agreed state may have changed. */
    void follow() {
        if (leads) {
            engine.policy(Policy.of(state.settings()));
            if (state.init() != null && knownStores != state.stores().version()) {
                knownStores = state.stores().version();
                engine.stores(state.stores().records(), clock.nanoTime());
            }
        }
    }

    /** Time has passed. */
    void tick() {
        long nowNs = clock.nanoTime();
        if (!leads || nowNs < nextPassNs) {
            return;
        }
        nextPassNs = nowNs + PASS_NS;
        engine.pass(nowNs);
        for (long storeId : engine.removable(nowNs)) {
            // The peers of group 0 itself do not move yet: who keeps it stays.
            if (!state.init().getStoreIdsList().contains(storeId) && changing.add(storeId)) {
                LOG.info("Store {} holds nothing any more: it leaves the cluster", Long.toHexString(storeId));
                change(StoreChange.newBuilder().setId(storeId).setState(StoreState.STORE_REMOVED));
            }
        }
    }

    private void change(StoreChange.Builder change) {
        log.propose(
                PlacementEntry.newBuilder().addStores(change).build(),
                () -> changing.remove(change.getId()),
                error -> changing.remove(change.getId()));
    }

    // ---- heartbeats ------------------------------------------------------------------------------------------------

    RegionHeartbeatResponse.Builder report(RegionHeartbeatRequest request) {
        long nowNs = clock.nanoTime();
        RegionHeartbeatResponse.Builder answer = RegionHeartbeatResponse.newBuilder();
        // Without a lease another may lead and decide otherwise.
        boolean decides = leaseHolds.getAsBoolean();
        for (RegionHeartbeat report : request.getRegionsList()) {
            RegionRequest instruction = engine.report(report, nowNs);
            if (instruction != null && decides) {
                answer.addInstructions(instruction);
            }
        }
        return answer;
    }

    StoreHeartbeatResponse heartbeat(StoreHeartbeat heartbeat) {
        StoreRecord known = state.stores().get(heartbeat.getStoreId());
        if (known == null || known.getState() == StoreState.STORE_REMOVED) {
            return StoreHeartbeatResponse.newBuilder()
                    .setState(StoreState.STORE_REMOVED)
                    .build();
        }
        long nowNs = clock.nanoTime();
        engine.heartbeat(heartbeat, nowNs);
        StoreChange.Builder change = StoreChange.newBuilder().setId(known.getId());
        String address = heartbeat.getAddress();
        boolean moved = !address.isEmpty()
                && address.length() <= StoreRegistry.MAX_ADDRESS_CHARS
                && !(known.getReported() && known.getAddress().equals(address));
        if (moved) {
            change.setAddress(address).addAllLabels(known.getLabelsList());
        }
        boolean lost = heartbeat.getLogLost() && known.getState() != StoreState.STORE_GONE;
        if (lost) {
            LOG.warn(
                    "Store {} at {} has lost a part of its log: its peers are replaced",
                    Long.toHexString(known.getId()),
                    address);
            change.setState(StoreState.STORE_GONE);
        }
        if ((moved || lost) && changing.add(known.getId())) {
            change(change);
        }
        StoreHeartbeatResponse.Builder answer = StoreHeartbeatResponse.newBuilder()
                .setState(known.getState())
                .setStoresVersion(state.stores().version());
        if (leaseHolds.getAsBoolean()) {
            answer.addAllInstructions(engine.instructions(known.getId(), nowNs));
        }
        if (heartbeat.getKnownStoresVersion() != state.stores().version()) {
            answer.addAllStores(state.stores().infos());
        }
        return answer.build();
    }

    // ---- the registry
    // ------------------------------------------------------------------------------------------------

    void register(RegisterStoreRequest request, Consumer<PlacementResponse> answer, Consumer<PlacementError> failed) {
        StoreRecord known = state.stores().get(request.getStoreId());
        if (known == null || known.getState() == StoreState.STORE_REMOVED) {
            failed.accept(
                    PlacementErrors.refused(
                            "Store " + Long.toHexString(request.getStoreId())
                                    + " does not belong to this cluster any more: start the node with an empty directory to join again"));
            return;
        }
        StoreChange.Builder change =
                StoreChange.newBuilder().setId(known.getId()).setRegistered(true);
        if (!request.getAddress().isEmpty()) {
            String wrong = StoreRegistry.refuses(request.getAddress(), request.getLabelsList());
            if (wrong != null) {
                failed.accept(PlacementErrors.refused(wrong));
                return;
            }
            change.setAddress(request.getAddress()).addAllLabels(request.getLabelsList());
        }
        if (known.getState() == StoreState.STORE_WITHOUT_LEADERS) {
            // It was to be restarted, and this is the restart.
            change.setState(StoreState.STORE_UP);
        }
        log.propose(
                PlacementEntry.newBuilder().addStores(change).build(),
                () -> answer.accept(PlacementResponse.newBuilder()
                        .setRegisterStore(RegisterStoreResponse.newBuilder().setState(stateOf(known.getId())))
                        .build()),
                failed);
    }

    private StoreState stateOf(long storeId) {
        StoreRecord record = state.stores().get(storeId);
        return record == null ? StoreState.STORE_REMOVED : record.getState();
    }

    void join(JoinRequest request, Consumer<PlacementResponse> answer, Consumer<PlacementError> failed) {
        String wrong = refuses(request);
        if (wrong != null) {
            failed.accept(PlacementErrors.refused(wrong));
            return;
        }
        PlacementEntry.Builder entry = PlacementEntry.newBuilder();
        for (StoreRecord record : state.stores().records()) {
            if (record.getState() == StoreState.STORE_REMOVED) {
                continue;
            }
            if (record.getJoinToken() == request.getToken()) {
                answer.accept(joined(record.getId()));
                return;
            }
            boolean same = state.stores().addressOf(record.getId()).equals(request.getAddress());
            if (same && record.getJoinToken() != 0 && !record.getRegistered()) {
                // Nobody has ever heard of it again: its node has begun anew.
                entry.addStores(StoreChange.newBuilder().setId(record.getId()).setState(StoreState.STORE_REMOVED));
            } else if (same && record.getState() != StoreState.STORE_GONE) {
                failed.accept(PlacementErrors.refused("at " + request.getAddress() + " there is Store "
                        + Long.toHexString(record.getId())
                        + " already: start the node with that Store's directory, or, if that is lost, say that the"
                        + " Store is gone and join again"));
                return;
            }
        }
        if (state.stores().size() >= StoreRegistry.MAX_STORES) {
            failed.accept(PlacementErrors.refused("the cluster has " + StoreRegistry.MAX_STORES + " Stores already"));
            return;
        }
        if (!joining.add(request.getToken())) {
            failed.accept(PlacementErrors.notReady("this Store is being let in"));
            return;
        }
        ids.addStore(
                StoreChange.newBuilder()
                        .setAddress(request.getAddress())
                        .addAllLabels(request.getLabelsList())
                        .setJoinToken(request.getToken()),
                entry,
                storeId -> {
                    joining.remove(request.getToken());
                    answer.accept(joined(storeId));
                },
                error -> {
                    joining.remove(request.getToken());
                    failed.accept(error);
                });
    }

    private String refuses(JoinRequest request) {
        if (request.getToken() == 0) {
            return "whoever wants to join must bring a token";
        }
        if (request.getClusterId() != 0
                && request.getClusterId() != state.init().getClusterId()) {
            return "this is cluster " + Long.toHexString(state.init().getClusterId()) + ", not "
                    + Long.toHexString(request.getClusterId()) + ": check the addresses of the nodes to join";
        }
        return StoreRegistry.refuses(request.getAddress(), request.getLabelsList());
    }

    private PlacementResponse joined(long storeId) {
        List<StoreInfo> stores = state.stores().infos();
        return PlacementResponse.newBuilder()
                .setJoin(JoinResponse.newBuilder()
                        .setInit(state.init())
                        .setStoreId(storeId)
                        .addAllStores(stores))
                .build();
    }

    RegionTable regions() {
        return regions;
    }
}
