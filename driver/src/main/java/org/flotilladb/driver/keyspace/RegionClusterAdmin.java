package org.flotilladb.driver.keyspace;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.stream.Collectors;
import org.flotilladb.engine.keyspace.ClusterAdmin;
import org.flotilladb.proto.DownPeer;
import org.flotilladb.proto.ListOperatorsResponse;
import org.flotilladb.proto.ListRegionsResponse;
import org.flotilladb.proto.ListStoresResponse;
import org.flotilladb.proto.OperatorStatus;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRoute;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.proto.StoreState;
import org.flotilladb.proto.StoreStatus;
import org.flotilladb.region.client.SteeringClient;

/** The engine's view of the cluster, from what its Placement Driver says. Safe for many threads. */
final class RegionClusterAdmin implements ClusterAdmin {
    private static final int PAGE_REGIONS = 500;
    private static final String STORE_STATE_PREFIX = "STORE_";

    private final SteeringClient client;

    RegionClusterAdmin(SteeringClient client) {
        this.client = client;
    }

    @Override
    public List<StoreLine> stores() {
        ListStoresResponse all = Waiting.await(client.stores());
        long silentAfterMs = all.getSettings().getSilentAfterMs();
        return all.getStoresList().stream()
                .map(status -> line(status, silentAfterMs))
                .toList();
    }

    private static StoreLine line(StoreStatus status, long silentAfterMs) {
        StoreRecord store = status.getStore();
        return new StoreLine(
                store.getId(),
                store.getAddress(),
                store.getState().name().substring(STORE_STATE_PREFIX.length()),
                status.getHeard() && status.getSilentMs() < silentAfterMs,
                status.getSilentMs(),
                store.getLabelsList().stream()
                        .map(label -> label.getKey() + "=" + label.getValue())
                        .collect(Collectors.joining(",")),
                status.getRegions(),
                status.getLeaders(),
                status.getSizeBytes(),
                status.getCapacityBytes(),
                status.getAvailableBytes(),
                status.getWritesPerSecond(),
                status.getReadsPerSecond());
    }

    @Override
    public RegionPage regions(byte[] from) {
        ListRegionsResponse page = Waiting.await(client.regions(from, PAGE_REGIONS));
        return new RegionPage(
                page.getRegionsList().stream().map(RegionClusterAdmin::line).toList(),
                page.getMore() ? page.getNext().toByteArray() : null);
    }

    private static RegionLine line(RegionHeartbeat report) {
        Region region = report.getRegion();
        return new RegionLine(
                range(region),
                region.getEpoch().getConfVersion(),
                region.getEpoch().getRangeVersion(),
                region.getPeersList().stream()
                        .map(peer -> new PeerPlace(peer.getId(), peer.getStoreId(), words(peer.getRole())))
                        .toList(),
                report.getLeaderStoreId(),
                report.getSizeBytes(),
                report.getKeys(),
                report.getWritesPerSecond(),
                report.getReadsPerSecond(),
                report.getPendingPeersList(),
                report.getDownPeersList().stream().map(DownPeer::getPeerId).toList());
    }

    private static String words(PeerRole role) {
        return role == PeerRole.VOTER
                ? ""
                : role.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }

    private static RegionRange range(Region region) {
        return new RegionRange(
                region.getId(), region.getStart().toByteArray(), region.getEnd().toByteArray());
    }

    @Override
    public RegionRange region(long regionId) {
        RegionRoute route = Waiting.await(client.region(regionId));
        return route == null ? null : range(route.getRegion());
    }

    @Override
    public List<OperatorLine> operators() {
        ListOperatorsResponse all = Waiting.await(client.operators());
        List<OperatorLine> lines = new ArrayList<>();
        all.getRunningList().forEach(operator -> lines.add(line(operator, true)));
        all.getFinishedList().forEach(operator -> lines.add(line(operator, false)));
        return lines;
    }

    private static OperatorLine line(OperatorStatus operator, boolean running) {
        return new OperatorLine(
                operator.getId(),
                operator.getRegionId(),
                operator.getKind(),
                operator.getReason(),
                operator.getState(),
                operator.getStep(),
                operator.getStepsList(),
                running,
                operator.getAgeMs());
    }

    @Override
    public SortedMap<String, String> settings() {
        return PlacementSettingNames.toMap(Waiting.await(client.stores()).getSettings());
    }

    @Override
    public void set(String name, String value) {
        Waiting.await(client.set(PlacementSettingNames.parse(name, value)));
    }

    @Override
    public long transferLeader(long regionId, long toStoreId) {
        return Waiting.await(client.moveLeader(regionId, toStoreId));
    }

    @Override
    public long movePeer(long regionId, long fromStoreId, long toStoreId) {
        return Waiting.await(client.movePeer(regionId, fromStoreId, toStoreId));
    }

    @Override
    public boolean cancelOperator(long operatorId) {
        return Waiting.await(client.cancelOperator(operatorId));
    }

    @Override
    public void setStoreState(long storeId, WantedState state) {
        Waiting.await(client.setStoreState(
                storeId,
                switch (state) {
                    case UP -> StoreState.STORE_UP;
                    case WITHOUT_LEADERS -> StoreState.STORE_WITHOUT_LEADERS;
                    case DRAINING -> StoreState.STORE_DRAINING;
                    case GONE -> StoreState.STORE_GONE;
                }));
    }
}
