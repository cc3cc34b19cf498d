package org.flotilladb.region.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.List;
import org.flotilladb.proto.CancelOperatorRequest;
import org.flotilladb.proto.ClusterInfoRequest;
import org.flotilladb.proto.FindRegionRequest;
import org.flotilladb.proto.JoinRequest;
import org.flotilladb.proto.JoinResponse;
import org.flotilladb.proto.ListOperatorsRequest;
import org.flotilladb.proto.ListOperatorsResponse;
import org.flotilladb.proto.ListRegionsRequest;
import org.flotilladb.proto.ListStoresRequest;
import org.flotilladb.proto.ListStoresResponse;
import org.flotilladb.proto.LocateRequest;
import org.flotilladb.proto.MoveLeaderRequest;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.PlacementSettings;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionHeartbeatRequest;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegisterStoreRequest;
import org.flotilladb.proto.SetSettingsRequest;
import org.flotilladb.proto.SetStoreStateRequest;
import org.flotilladb.proto.SplitAtRequest;
import org.flotilladb.proto.StoreHeartbeat;
import org.flotilladb.proto.StoreHeartbeatResponse;
import org.flotilladb.proto.StoreLabel;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.proto.StoreState;
import org.flotilladb.proto.StoreStatus;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.system.LocalTransport;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.simulation.EventHash;
import org.flotilladb.region.simulation.SimNode;
import org.flotilladb.region.simulation.SimTime;
import org.flotilladb.region.store.Store;
import org.flotilladb.region.store.StoreSettings;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.flotilladb.region.store.storage.MemoryLogStore;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A cluster of one real node in virtual time, whose Placement Driver is told of other Stores. */
class PlacementGroupTest {
    private static final String ADDRESS = "first:7411";

    private final SimTime time = new SimTime(new SeededRandom(1), new EventHash());
    private final LogStore logs = new MemoryLogStore();
    private final KvStore data = new MemoryKvStore();
    private Store store;
    private long tokens;

    @BeforeEach
    void open() {
        SimNode node = new SimNode(time, "node", 0, 1, 0);
        LocalTransport transport = new LocalTransport(null);
        store = new Store(
                StoreSettings.of(1, List.of(ADDRESS), GroupSettings.DEFAULT, true),
                node,
                node,
                new SeededRandom(7),
                transport,
                logs,
                data,
                init -> {},
                failure -> {
                    throw failure;
                });
        transport.register(ADDRESS, store);
        store.start();
        run(3000);
    }

    private void reopen() {
        store.close();
        open();
    }

    private void run(long ms) {
        long untilNs = time.nowNs() + ms * 1_000_000L;
        while (time.nextNs() <= untilNs) {
            time.step();
        }
        time.advanceTo(untilNs);
    }

    private PlacementResponse ask(PlacementRequest.Builder request) {
        PlacementResponse[] answer = new PlacementResponse[1];
        store.place(request.build(), response -> answer[0] = response);
        for (int i = 0; i < 50 && answer[0] == null; i++) {
            run(100);
        }
        assertNotEquals(null, answer[0], () -> "no answer to " + request);
        return answer[0];
    }

    private PlacementError refusal(PlacementRequest.Builder request) {
        PlacementResponse response = ask(request);
        assertTrue(response.hasError(), () -> "not refused: " + response);
        assertTrue(response.getError().getRefused(), () -> "no refusal: " + response);
        return response.getError();
    }

    private PlacementRequest.Builder join(String address, long token) {
        return PlacementRequest.newBuilder()
                .setJoin(JoinRequest.newBuilder().setAddress(address).setToken(token));
    }

    private long joined(String address) {
        JoinResponse joined = ask(join(address, ++tokens)).getJoin();
        assertNotEquals(0, joined.getStoreId());
        return joined.getStoreId();
    }

    private PlacementRequest.Builder register(long storeId, String address) {
        return PlacementRequest.newBuilder()
                .setRegisterStore(
                        RegisterStoreRequest.newBuilder().setStoreId(storeId).setAddress(address));
    }

    private StoreHeartbeatResponse beat(long storeId, String address, long knownVersion) {
        return ask(PlacementRequest.newBuilder()
                        .setStoreHeartbeat(StoreHeartbeat.newBuilder()
                                .setStoreId(storeId)
                                .setAddress(address)
                                .setKnownStoresVersion(knownVersion)))
                .getStoreHeartbeat();
    }

    private PlacementRequest.Builder state(long storeId, StoreState wanted) {
        return PlacementRequest.newBuilder()
                .setSetStoreState(
                        SetStoreStateRequest.newBuilder().setStoreId(storeId).setState(wanted));
    }

    private ListStoresResponse stores() {
        return ask(PlacementRequest.newBuilder().setListStores(ListStoresRequest.getDefaultInstance()))
                .getListStores();
    }

    private StoreRecord record(long storeId) {
        return stores().getStoresList().stream()
                .map(StoreStatus::getStore)
                .filter(each -> each.getId() == storeId)
                .findFirst()
                .orElse(null);
    }

    private ListOperatorsResponse operators() {
        return ask(PlacementRequest.newBuilder().setListOperators(ListOperatorsRequest.getDefaultInstance()))
                .getListOperators();
    }

    private Region first() {
        return ask(PlacementRequest.newBuilder()
                        .setFindRegion(FindRegionRequest.newBuilder().setRegionId(1)))
                .getFindRegion()
                .getRoute()
                .getRegion();
    }

    private List<RegionRequest> report(Region region) {
        return ask(PlacementRequest.newBuilder()
                        .setRegionHeartbeat(RegionHeartbeatRequest.newBuilder()
                                .addRegions(RegionHeartbeat.newBuilder()
                                        .setRegion(region)
                                        .setLeaderStoreId(store.storeId())
                                        .setTerm(100))))
                .getRegionHeartbeat()
                .getInstructionsList();
    }

    @Test
    void a_store_that_joins_gets_an_id_and_the_same_one_when_it_asks_again() {
        JoinResponse joined = ask(join("second:7411", 5)).getJoin();
        assertEquals(
                ask(PlacementRequest.newBuilder().setClusterInfo(ClusterInfoRequest.getDefaultInstance()))
                        .getClusterInfo()
                        .getInit(),
                joined.getInit());
        assertEquals(2, joined.getStoresCount());
        assertEquals(joined.getStoreId(), ask(join("second:7411", 5)).getJoin().getStoreId());
        assertNotEquals(
                joined.getStoreId(), ask(join("third:7411", 6)).getJoin().getStoreId());
        assertFalse(store.isRegistered(joined.getStoreId()));
        ask(register(joined.getStoreId(), "second:7411"));
        assertTrue(store.isRegistered(joined.getStoreId()));
    }

    @Test
    void an_empty_directory_does_not_take_the_place_of_a_store_that_has_been_there() {
        long id = joined("second:7411");
        ask(register(id, "second:7411"));
        String why = refusal(join("second:7411", ++tokens)).getMessage();
        assertTrue(why.contains("Store " + Long.toHexString(id) + " already"), why);
        assertTrue(refusal(join(ADDRESS, ++tokens)).getMessage().contains("already"));
        // Said to be gone, its address is free.
        ask(state(id, StoreState.STORE_GONE));
        assertNotEquals(id, joined("second:7411"));
    }

    @Test
    void a_node_that_lost_its_identity_before_it_was_ever_heard_of_joins_anew() {
        long abandoned = joined("second:7411");
        long id = joined("second:7411");
        assertNotEquals(abandoned, id);
        assertEquals(StoreState.STORE_REMOVED, record(abandoned).getState());
        assertTrue(refusal(register(abandoned, "second:7411")).getMessage().contains("does not belong"));
        assertEquals(
                StoreState.STORE_UP,
                ask(register(id, "second:7411")).getRegisterStore().getState());
    }

    @Test
    void a_node_of_another_cluster_is_not_let_in() {
        PlacementRequest.Builder request = join("second:7411", 9);
        request.getJoinBuilder().setClusterId(12345);
        assertTrue(refusal(request).getMessage().contains("not 3039"), "the cluster asked for is not named");
        assertTrue(refusal(join("", 9)).getMessage().contains("address"));
        assertTrue(refusal(join("second:7411", 0)).getMessage().contains("token"));
        PlacementRequest.Builder labelled = join("second:7411", 9);
        for (int i = 0; i < 9; i++) {
            labelled.getJoinBuilder().addLabels(StoreLabel.newBuilder().setKey("k" + i));
        }
        assertTrue(refusal(labelled).getMessage().contains("at most 8 labels"));
    }

    @Test
    void what_is_known_of_stores_and_what_was_set_outlives_the_node() {
        long id = joined("second:7411");
        PlacementRequest.Builder register = register(id, "elsewhere:1");
        register.getRegisterStoreBuilder()
                .addLabels(StoreLabel.newBuilder().setKey("zone").setValue("a"));
        ask(register);
        ask(PlacementRequest.newBuilder()
                .setSetSettings(SetSettingsRequest.newBuilder()
                        .setSettings(PlacementSettings.newBuilder().setReplicas(5))));
        ask(PlacementRequest.newBuilder()
                .setSetSettings(SetSettingsRequest.newBuilder()
                        .setSettings(PlacementSettings.newBuilder().setGoneAfterMs(2000))));
        StoreRecord before = record(id);
        assertEquals("elsewhere:1", before.getAddress());
        assertEquals("a", before.getLabels(0).getValue());
        reopen();
        assertEquals(before, record(id));
        assertTrue(store.isRegistered(id));
        PlacementSettings settings = stores().getSettings();
        assertEquals(5, settings.getReplicas());
        assertEquals(2000, settings.getGoneAfterMs());
        assertTrue(settings.getBalance());
        assertTrue(joined("third:7411") > id, "an id was used twice");
    }

    @ParameterizedTest
    @CsvSource({"0, 30000, 4", "10, 30000, 4", "3, 0, 4", "3, 30000, 0", "3, 30000, 65", "-1, 30000, 4", "3, -5, 4"})
    void settings_out_of_range_are_refused(int replicas, long goneAfterMs, int moves) {
        PlacementSettings before = stores().getSettings();
        refusal(PlacementRequest.newBuilder()
                .setSetSettings(SetSettingsRequest.newBuilder()
                        .setSettings(PlacementSettings.newBuilder()
                                .setReplicas(replicas)
                                .setGoneAfterMs(goneAfterMs)
                                .setMovesPerStore(moves))));
        assertEquals(before, stores().getSettings());
    }

    @Test
    void a_store_hears_of_the_others_when_it_does_not_know_them_yet() {
        long id = joined("second:7411");
        StoreHeartbeatResponse answer = beat(id, "second:7411", 0);
        assertEquals(2, answer.getStoresCount());
        assertEquals(0, beat(id, "second:7411", answer.getStoresVersion()).getStoresCount());
        // It has moved.
        beat(id, "second:9999", answer.getStoresVersion());
        run(500);
        StoreHeartbeatResponse later = beat(id, "second:9999", answer.getStoresVersion());
        assertTrue(later.getStoresList().stream()
                .anyMatch(each -> each.getAddress().equals("second:9999")));
        assertEquals("second:9999", record(id).getAddress());
    }

    @Test
    void a_store_that_nobody_knows_is_told_that_it_does_not_belong() {
        assertEquals(StoreState.STORE_REMOVED, beat(4711, "stranger:1", 0).getState());
        assertEquals(1, stores().getStoresCount());
    }

    @Test
    void a_store_whose_log_is_not_whole_is_gone() {
        long id = joined("second:7411");
        ask(PlacementRequest.newBuilder()
                .setStoreHeartbeat(StoreHeartbeat.newBuilder().setStoreId(id).setLogLost(true)));
        run(500);
        // And as it holds nothing, it leaves the cluster altogether.
        assertNotEquals(StoreState.STORE_UP, record(id).getState());
        run(3000);
        assertEquals(StoreState.STORE_REMOVED, record(id).getState());
    }

    @Test
    void a_restart_ends_the_time_without_leaders() {
        long id = joined("second:7411");
        beat(store.storeId(), ADDRESS, 0);
        ask(state(id, StoreState.STORE_WITHOUT_LEADERS));
        assertEquals(StoreState.STORE_WITHOUT_LEADERS, record(id).getState());
        assertEquals(
                StoreState.STORE_UP,
                ask(register(id, "second:7411")).getRegisterStore().getState());
        assertEquals(StoreState.STORE_UP, record(id).getState());
    }

    @Test
    void a_store_is_not_emptied_when_too_few_would_be_left_nor_said_to_be_gone_while_it_lives() {
        long second = joined("second:7411");
        String why = refusal(state(second, StoreState.STORE_DRAINING)).getMessage();
        assertTrue(why.contains("2 replicas need as many Stores"), why);
        why = refusal(state(store.storeId(), StoreState.STORE_WITHOUT_LEADERS)).getMessage();
        assertTrue(why.contains("no other Store could lead"), why);
        joined("third:7411");
        joined("fourth:7411");
        assertEquals(
                StoreState.STORE_DRAINING,
                ask(state(second, StoreState.STORE_DRAINING))
                        .getSetStoreState()
                        .getStore()
                        .getState());
        assertEquals(
                StoreState.STORE_UP,
                ask(state(second, StoreState.STORE_UP))
                        .getSetStoreState()
                        .getStore()
                        .getState());
        beat(second, "second:7411", 0);
        assertTrue(refusal(state(second, StoreState.STORE_GONE)).getMessage().contains("is alive"));
        refusal(state(4711, StoreState.STORE_DRAINING));
        refusal(state(second, StoreState.STORE_REMOVED));
    }

    @Test
    void a_region_without_enough_replicas_is_told_to_take_in_a_learner_and_it_can_be_seen_and_called_off() {
        long second = joined("second:7411");
        beat(store.storeId(), ADDRESS, 0);
        beat(second, "second:7411", 0);
        Region region = first();
        // The ids come from the log first.
        report(region);
        run(200);
        List<RegionRequest> instructions = report(region);
        assertEquals(1, instructions.size());
        RegionRequest instruction = instructions.get(0);
        assertEquals(1, instruction.getContext().getRegionId());
        assertEquals(region.getEpoch(), instruction.getContext().getEpoch());
        assertEquals(region.getPeers(0).getId(), instruction.getContext().getPeerId());
        assertEquals(100, instruction.getContext().getTerm());
        assertEquals(
                PeerChangeKind.ADD_LEARNER,
                instruction.getChangePeers().getChanges(0).getKind());
        Peer added = instruction.getChangePeers().getChanges(0).getPeer();
        assertEquals(second, added.getStoreId());
        // Asked again until it is done, and for a Region that does not report by way of its Store.
        assertEquals(instructions, report(region));
        run(1500);
        assertEquals(instructions, beat(store.storeId(), ADDRESS, 0).getInstructionsList());
        assertEquals(1, operators().getRunningCount());
        assertEquals("add replica", operators().getRunning(0).getKind());
        assertEquals(2, operators().getRunning(0).getStepsCount());
        assertTrue(ask(PlacementRequest.newBuilder()
                        .setCancelOperator(CancelOperatorRequest.newBuilder()
                                .setOperatorId(operators().getRunning(0).getId())))
                .getCancelOperator()
                .getCancelled());
        assertEquals(0, operators().getRunningCount());
        assertTrue(operators().getFinished(0).getState().startsWith("CANCELLED"));
    }

    @Test
    void commands_become_operators_or_are_refused_with_a_reason() {
        beat(store.storeId(), ADDRESS, 0);
        Region region = first();
        PlacementRequest.Builder split = PlacementRequest.newBuilder()
                .setSplitAt(SplitAtRequest.newBuilder().setKey(ByteString.copyFromUtf8("m")));
        // Without ids it is to be asked again in a moment.
        assertTrue(ask(split).getError().getNotReady());
        run(200);
        long id = ask(split).getSteer().getOperatorId();
        assertNotEquals(0, id);
        List<RegionRequest> instructions = report(region);
        assertEquals("m", instructions.get(0).getSplit().getKeys(0).toStringUtf8());
        assertEquals(1, instructions.get(0).getSplit().getNewPeerIdsCount());
        String busy = refusal(split).getMessage();
        assertTrue(busy.contains("runs operator " + id), busy);
        assertTrue(refusal(PlacementRequest.newBuilder()
                        .setMoveLeader(MoveLeaderRequest.newBuilder().setRegionId(77)))
                .getMessage()
                .contains("no Region 77"));
        assertTrue(refusal(PlacementRequest.newBuilder()
                        .setMoveLeader(
                                MoveLeaderRequest.newBuilder().setRegionId(1).setToStoreId(9)))
                .getMessage()
                .contains("no voter on Store 9"));
        // What is there is not asked for.
        assertEquals(
                0,
                ask(PlacementRequest.newBuilder().setSplitAt(SplitAtRequest.getDefaultInstance()))
                        .getSteer()
                        .getOperatorId());
    }

    @Test
    void regions_are_listed_page_by_page_and_found_by_key_and_id() {
        beat(store.storeId(), ADDRESS, 0);
        Region whole = first();
        for (int i = 0; i < 5; i++) {
            Region.Builder part = whole.toBuilder()
                    .setId(i == 0 ? 1 : 200 + i)
                    .setStart(i == 0 ? ByteString.EMPTY : ByteString.copyFrom(new byte[] {(byte) (10 * i)}))
                    .setEnd(i == 4 ? ByteString.EMPTY : ByteString.copyFrom(new byte[] {(byte) (10 * i + 10)}));
            part.setEpoch(RegionEpoch.newBuilder().setConfVersion(1).setRangeVersion(9));
            report(part.build());
        }
        ListRegionsRequest.Builder page = ListRegionsRequest.newBuilder().setLimit(2);
        int pages = 0;
        int found = 0;
        while (true) {
            var answer = ask(PlacementRequest.newBuilder().setListRegions(page)).getListRegions();
            pages++;
            found += answer.getRegionsCount();
            if (!answer.getMore()) {
                break;
            }
            page.setKey(answer.getNext());
        }
        assertEquals(3, pages);
        assertEquals(5, found);
        page.setStoreId(4711).clearKey();
        assertEquals(
                0,
                ask(PlacementRequest.newBuilder().setListRegions(page))
                        .getListRegions()
                        .getRegionsCount());
        var located = ask(PlacementRequest.newBuilder()
                        .setLocate(LocateRequest.newBuilder()
                                .setKey(ByteString.copyFrom(new byte[] {25}))
                                .setLimit(2)))
                .getLocate();
        assertEquals(202, located.getRoutes(0).getRegion().getId());
        assertEquals(2, located.getRoutesCount());
        assertEquals(ADDRESS, located.getStores(0).getAddress());
        assertFalse(ask(PlacementRequest.newBuilder()
                        .setFindRegion(FindRegionRequest.newBuilder().setRegionId(999)))
                .getFindRegion()
                .hasRoute());
    }

    @Test
    void reports_that_cannot_be_true_change_nothing() {
        beat(store.storeId(), ADDRESS, 0);
        Region before = first();
        Region newer = before.toBuilder()
                .setEpoch(RegionEpoch.newBuilder().setConfVersion(9).setRangeVersion(9))
                .build();
        assertEquals(List.of(), report(newer.toBuilder().clearPeers().build()));
        assertEquals(List.of(), report(newer.toBuilder().setId(0).build()));
        Region.Builder crowd = newer.toBuilder();
        for (int i = 0; i < 100; i++) {
            crowd.addPeers(Peer.newBuilder().setId(1000 + i).setStoreId(i));
        }
        assertEquals(List.of(), report(crowd.build()));
        PlacementResponse answer = ask(PlacementRequest.newBuilder()
                .setRegionHeartbeat(RegionHeartbeatRequest.newBuilder()
                        .addRegions(
                                RegionHeartbeat.newBuilder().setRegion(newer).setLeaderStoreId(4711))
                        .addRegions(RegionHeartbeat.newBuilder()
                                .setRegion(newer)
                                .setLeaderStoreId(store.storeId())
                                .addSplitKeys(ByteString.copyFromUtf8("b"))
                                .addSplitKeys(ByteString.copyFromUtf8("a")))));
        assertEquals(0, answer.getRegionHeartbeat().getInstructionsCount());
        assertEquals(before, first());
    }
}
