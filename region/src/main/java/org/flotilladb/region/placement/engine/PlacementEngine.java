package org.flotilladb.region.placement.engine;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import org.flotilladb.proto.ListOperatorsResponse;
import org.flotilladb.proto.OperatorStatus;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.StoreHeartbeat;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.proto.StoreState;
import org.flotilladb.proto.StoreStatus;
import org.flotilladb.region.runtime.FailPoints;

/**
 * Decides, for the leader of the Placement Driver, what is to be moved, and remembers what is under way. Everything that
 * it is given and everything that it answers is plain data; time is what the caller says. Not thread-safe.
 *
 * <p>All memory is bounded: Stores by the registry, Regions by {@link RegionTable}, operators by number.
 */
public final class PlacementEngine {
    /** Regions looked at in one pass, apart from those that report; and commands in one answer to a Store. */
    private static final int PATROL = 256;

    private static final int INSTRUCTIONS = 64;
    private static final long REPORTED_LATELY_NS = 1_000_000_000L;
    private static final int ID_BITS_PER_TERM = 24;

    private final ClusterView cluster;
    private final RegionTable regions;
    private final Operators operators;
    private final List<Check> checks;
    private final LeaderBalance leaderBalance;
    private final RegionBalance regionBalance;
    private final LoadBalance loadBalance;
    private final Steering steering;
    private long patrolled;

    /**
     * @param regions kept by the caller too, who gives it reports while somebody else leads
     * @param failPoints rules that a test wants to be broken
     */
    public PlacementEngine(RegionTable regions, IdSource ids, FailPoints failPoints) {
        this.regions = regions;
        cluster = new ClusterView(regions, failPoints);
        operators = new Operators(cluster);
        Moves moves = new Moves(cluster, operators, ids);
        checks = List.of(
                new LeaderCheck(cluster, moves),
                new ReplicaCheck(cluster, operators, moves),
                new SplitCheck(ids),
                new SpreadCheck(cluster, operators, moves));
        leaderBalance = new LeaderBalance(cluster, operators);
        regionBalance = new RegionBalance(cluster, operators, moves);
        loadBalance = new LoadBalance(cluster, operators);
        steering = new Steering(cluster, operators, moves, ids);
    }

    // ---- what happens ----------------------------------------------------------------------------------------------

    /** This peer has begun to lead: nothing is under way, and nobody is taken for silent yet. */
    public void lead(long term, long nowNs) {
        cluster.at(nowNs);
        operators.restart(term << ID_BITS_PER_TERM);
        cluster.stores().forEach(store -> store.restart(nowNs));
        patrolled = 0;
    }

    public void policy(Policy policy) {
        cluster.policy(policy);
    }

    /** The registry, whenever it has changed. */
    public void stores(Collection<StoreRecord> records, long nowNs) {
        TreeSet<Long> known = new TreeSet<>();
        for (StoreRecord record : records) {
            known.add(record.getId());
            cluster.byId()
                    .computeIfAbsent(record.getId(), id -> new StoreView(record, nowNs))
                    .update(record);
        }
        cluster.byId().keySet().retainAll(known);
    }

    /** A Store lives. Of one that is not in the registry nothing is kept. */
    public void heartbeat(StoreHeartbeat heartbeat, long nowNs) {
        StoreView store = cluster.store(heartbeat.getStoreId());
        if (store != null) {
            store.heard(heartbeat, nowNs);
        }
    }

    /** A leader reports its Region; what it is to do now, or null. */
    public RegionRequest report(RegionHeartbeat report, long nowNs) {
        cluster.at(nowNs);
        return regions.report(report, nowNs)
                ? decide(regions.get(report.getRegion().getId()))
                : null;
    }

    /** What leaders on a Store are to do whose Regions it has not reported lately. */
    public List<RegionRequest> instructions(long storeId, long nowNs) {
        cluster.at(nowNs);
        List<RegionRequest> found = new ArrayList<>();
        for (Operator operator : List.copyOf(operators.running())) {
            RegionView region = regions.get(operator.regionId());
            if (region != null
                    && region.leaderStoreId() == storeId
                    && nowNs - region.heardNs() > REPORTED_LATELY_NS
                    && found.size() < INSTRUCTIONS) {
                RegionRequest next = operators.next(region);
                if (next != null) {
                    found.add(next);
                }
            }
        }
        return found;
    }

    /** Called about once a second: time-outs, some of the Regions that have not reported, and balance. */
    public void pass(long nowNs) {
        cluster.at(nowNs);
        operators.expire();
        List<RegionView> some = regions.fromId(patrolled).stream().limit(PATROL).toList();
        for (RegionView region : some) {
            if (cluster.connected(cluster.store(region.leaderStoreId()))) {
                decide(region);
            }
        }
        patrolled = some.size() < PATROL ? 0 : some.get(PATROL - 1).id() + 1;
        if (cluster.policy().balance() && regions.complete()) {
            loadBalance.look();
            regionBalance.look();
            leaderBalance.look();
        }
    }

    private RegionRequest decide(RegionView region) {
        Operator running = operators.of(region.id());
        if (running != null && !running.kind().urgent() && inNeed(region)) {
            operators.cancel(running, "the Region needs something more urgent");
        }
        RegionRequest next = operators.next(region);
        if (operators.free(region.id())) {
            for (Check check : checks) {
                Check.Plan plan = check.look(region);
                if (plan != null) {
                    operators.start(region, plan.kind(), plan.reason(), plan.steps());
                    return operators.next(region);
                }
            }
        }
        return next;
    }

    private boolean inNeed(RegionView region) {
        return region.peers().stream().anyMatch(peer -> cluster.gone(peer.getStoreId()));
    }

    /** Stores that hold nothing and will hold nothing: they may leave the registry. */
    public List<Long> removable(long nowNs) {
        cluster.at(nowNs);
        List<Long> found = new ArrayList<>();
        boolean complete = regions.complete();
        for (StoreView store : cluster.stores()) {
            boolean empty = complete && regions.regionCount(store.id()) == 0;
            boolean over = store.state() == StoreState.STORE_GONE
                    || (store.state() == StoreState.STORE_DRAINING && cluster.gone(store.id()))
                    || (!store.store().getRegistered()
                            && store.store().getJoinToken() != 0
                            && cluster.gone(store.id()));
            if (empty && over && store.state() != StoreState.STORE_REMOVED) {
                found.add(store.id());
            }
        }
        return found;
    }

    // ---- seeing and steering
    // -----------------------------------------------------------------------------------------

    /** Commands of people. */
    public Steering steering(long nowNs) {
        cluster.at(nowNs);
        return steering;
    }

    /** Every Store of the registry. */
    public List<StoreStatus> storeStatus(long nowNs) {
        List<StoreStatus> all = new ArrayList<>();
        for (StoreView store : cluster.stores()) {
            all.add(StoreStatus.newBuilder()
                    .setStore(store.store())
                    .setHeard(store.heard())
                    .setSilentMs(store.silentNs(nowNs) / 1_000_000L)
                    .setRegions(regions.regionCount(store.id()))
                    .setLeaders(regions.leaderCount(store.id()))
                    .setSizeBytes(regions.sizeBytes(store.id()))
                    .setCapacityBytes(store.last().getCapacityBytes())
                    .setAvailableBytes(store.last().getAvailableBytes())
                    .setReadsPerSecond(regions.reads(store.id()))
                    .setWritesPerSecond(regions.writes(store.id()))
                    .build());
        }
        return all;
    }

    /** All that run, and the last that ended, the newest first. */
    public ListOperatorsResponse operatorStatus(long nowNs) {
        ListOperatorsResponse.Builder all = ListOperatorsResponse.newBuilder();
        operators.running().forEach(operator -> all.addRunning(status(operator, nowNs)));
        operators.finished().forEach(operator -> all.addFinished(status(operator, nowNs)));
        return all.build();
    }

    private static OperatorStatus.Builder status(Operator operator, long nowNs) {
        OperatorStatus.Builder status = OperatorStatus.newBuilder()
                .setId(operator.id())
                .setRegionId(operator.regionId())
                .setKind(operator.kind().toString())
                .setReason(operator.reason())
                .setStep(operator.current())
                .setState(operator.state() + (operator.ended().isEmpty() ? "" : ": " + operator.ended()))
                .setAgeMs(operator.ageNs(nowNs) / 1_000_000L);
        operator.steps().forEach(step -> status.addSteps(step.toString()));
        return status;
    }

    /** For tests. */
    Operators operators() {
        return operators;
    }

    ClusterView cluster() {
        return cluster;
    }
}
