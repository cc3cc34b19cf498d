package org.flotilladb.region.placement;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.ListOperatorsRequest;
import org.flotilladb.proto.ListStoresRequest;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.PlacementSettings;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.SetSettingsRequest;
import org.flotilladb.proto.SetStoreStateRequest;
import org.flotilladb.proto.StoreState;
import org.flotilladb.proto.StoreStatus;
import org.flotilladb.region.client.ClientEnvironment;
import org.flotilladb.region.client.ClientSettings;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.runtime.system.LocalTransport;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.simulation.EventHash;
import org.flotilladb.region.simulation.SimNode;
import org.flotilladb.region.simulation.SimTime;
import org.flotilladb.region.store.PeerView;
import org.flotilladb.region.store.SplitSettings;
import org.flotilladb.region.store.Store;
import org.flotilladb.region.store.StoreSettings;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.flotilladb.region.store.storage.MemoryLogStore;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Five real Stores in virtual time that do what their Placement Driver decides. */
class PlacedStoresTest {
    private static final int STORES = 5;
    private static final int REGIONS = 20;
    private static final SplitSettings SPLITS = new SplitSettings(40_000, 1_000_000, 300);

    private final SimTime time = new SimTime(new SeededRandom(1), new EventHash());
    private final LocalTransport transport = new LocalTransport(null);
    private final List<SimNode> nodes = new ArrayList<>();
    private final List<Store> stores = new ArrayList<>();
    private TransactionClient client;

    private static String address(int node) {
        return "node" + node + ":7411";
    }

    @BeforeEach
    void open() {
        List<String> addresses = new ArrayList<>();
        for (int i = 1; i <= STORES; i++) {
            addresses.add(address(i));
        }
        for (int i = 1; i <= STORES; i++) {
            SimNode node = new SimNode(time, address(i), 0, 1, 0);
            Store store = new Store(
                    StoreSettings.of(i, addresses, GroupSettings.DEFAULT, false).withSplits(SPLITS),
                    node,
                    node,
                    new SeededRandom(i),
                    transport,
                    new MemoryLogStore(),
                    new MemoryKvStore(),
                    init -> {},
                    failure -> {
                        throw failure;
                    });
            transport.register(address(i), store);
            nodes.add(node);
            stores.add(store);
            store.start();
        }
        SimNode node = new SimNode(time, "client", 0, 1, 0);
        client = new TransactionClient(
                ClientSettings.of(addresses), new ClientEnvironment(node, node, new SeededRandom(99), transport, null));
        run(5000);
        set(PlacementSettings.newBuilder().setGoneAfterMs(15_000).setSilentAfterMs(3000));
        for (int i = 1; i < REGIONS; i++) {
            done(client.split(key(i)));
            Transaction write = client.begin(false);
            write.put(key(i), key(i));
            done(write.commit());
        }
    }

    private static byte[] key(int number) {
        return String.format("k%04d", number).getBytes(StandardCharsets.UTF_8);
    }

    private void run(long ms) {
        long untilNs = time.nowNs() + ms * 1_000_000L;
        while (time.nextNs() <= untilNs) {
            time.step();
        }
        time.advanceTo(untilNs);
    }

    private <T> T done(CompletableFuture<T> future) {
        for (int i = 0; i < 600 && !future.isDone(); i++) {
            run(50);
        }
        assertTrue(future.isDone(), "no answer in 30 s");
        return future.join();
    }

    /** Of whoever leads the Placement Driver. */
    private PlacementResponse ask(PlacementRequest.Builder request) {
        List<PlacementResponse> answers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            for (int j = 0; j < STORES; j++) {
                if (!nodes.get(j).dead()) {
                    stores.get(j).place(request.build(), answers::add);
                }
            }
            run(100);
            for (PlacementResponse answer : answers) {
                if (!answer.hasError()) {
                    return answer;
                }
            }
        }
        throw new AssertionError("no answer to " + request + " but " + answers.get(answers.size() - 1));
    }

    private void set(PlacementSettings.Builder settings) {
        ask(PlacementRequest.newBuilder()
                .setSetSettings(SetSettingsRequest.newBuilder().setSettings(settings)));
    }

    private List<StoreStatus> status() {
        return ask(PlacementRequest.newBuilder().setListStores(ListStoresRequest.getDefaultInstance()))
                .getListStores()
                .getStoresList();
    }

    private String operators() {
        return ask(PlacementRequest.newBuilder().setListOperators(ListOperatorsRequest.getDefaultInstance()))
                .getListOperators()
                .toString();
    }

    /** Regions as the Stores have them, of their leaders. */
    private TreeMap<Long, Region> regions() {
        TreeMap<Long, Region> found = new TreeMap<>();
        for (int i = 0; i < STORES; i++) {
            if (!nodes.get(i).dead()) {
                for (PeerView peer : stores.get(i).peers()) {
                    if (peer.region() != null && peer.serves()) {
                        found.put(peer.region().getId(), peer.region());
                    }
                }
            }
        }
        return found;
    }

    private void isBalanced(List<Long> among) {
        assertEquals(REGIONS, regions().size());
        isSpread(among);
    }

    private void isSpread(List<Long> among) {
        TreeMap<Long, Integer> peers = new TreeMap<>();
        among.forEach(id -> peers.put(id, 0));
        for (Region region : regions().values()) {
            assertEquals(3, region.getPeersCount(), () -> region + "\n" + operators());
            for (Peer peer : region.getPeersList()) {
                assertEquals(PeerRole.VOTER, peer.getRole(), region.toString());
                assertTrue(among.contains(peer.getStoreId()), () -> region + "\n" + operators());
                peers.merge(peer.getStoreId(), 1, Integer::sum);
            }
        }
        spread(peers.values().stream().toList());
        spread(status().stream()
                .filter(each -> among.contains(each.getStore().getId()))
                .map(StoreStatus::getLeaders)
                .toList());
        for (int i = 1; i < REGIONS; i++) {
            assertEquals(
                    new String(key(i), StandardCharsets.UTF_8),
                    new String(done(client.begin(false).get(key(i))), StandardCharsets.UTF_8));
        }
    }

    private void spread(List<Integer> counts) {
        int most = counts.stream().mapToInt(Integer::intValue).max().orElseThrow();
        int least = counts.stream().mapToInt(Integer::intValue).min().orElseThrow();
        assertTrue(most - least <= 1, () -> counts + "\n" + operators());
    }

    private List<Long> ids(int... without) {
        List<Long> ids = new ArrayList<>(stores.stream().map(Store::storeId).toList());
        for (int i : without) {
            ids.remove(stores.get(i).storeId());
        }
        return ids;
    }

    @Test
    void regions_and_leaders_spread_over_all_stores_and_come_back_from_one_that_died() {
        run(60_000);
        isBalanced(ids());
        nodes.get(4).crash();
        transport.unregister(address(5));
        run(90_000);
        isBalanced(ids(4));
    }

    @Test
    void a_store_that_is_drained_holds_nothing_in_the_end() {
        run(60_000);
        ask(PlacementRequest.newBuilder()
                .setSetStoreState(SetStoreStateRequest.newBuilder()
                        .setStoreId(stores.get(1).storeId())
                        .setState(StoreState.STORE_DRAINING)));
        run(60_000);
        isBalanced(ids(1));
        assertEquals(
                0,
                stores.get(1).peers().stream()
                        .filter(peer -> peer.region() != null)
                        .count());
    }

    @Test
    void a_region_that_grows_too_large_splits_by_itself_and_its_parts_are_spread() {
        run(20_000);
        byte[] value = new byte[500];
        for (int i = 0; i < 40; i++) {
            Transaction write = client.begin(false);
            for (int j = 0; j < 10; j++) {
                write.put(row(i * 10 + j), value);
            }
            done(write.commit());
        }
        run(60_000);
        isSpread(ids());
        TreeMap<Long, Region> regions = regions();
        // 400 rows of 520 bytes and more, in pieces of 20,000 to 40,000.
        long more = regions.size() - REGIONS;
        assertTrue(more >= 5 && more <= 11, more + " Regions more");
        for (int i = 0; i < 400; i++) {
            assertEquals(500, done(client.begin(false).get(row(i))).length);
        }
        StoreStatus one = status().get(0);
        assertTrue(one.getSizeBytes() > 50_000, one.toString());
        run(120_000);
        assertEquals(regions, regions(), "at rest nothing is split or moved");
    }

    private static byte[] row(int number) {
        return String.format("k0005/%04d", number).getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void busy_regions_are_split_and_led_by_several_stores() {
        run(40_000);
        int before = regions().size();
        List<CompletableFuture<?>> reads = new ArrayList<>();
        for (int round = 0; round < 400; round++) {
            for (int i = 0; i < 150; i++) {
                // All in one Region, which the client is not in the same process with.
                reads.add(client.begin(false).get(row(i)));
            }
            run(100);
        }
        reads.forEach(this::done);
        assertTrue(regions().size() > before, "it was split\n" + operators());
        TreeMap<Long, Long> leaders = new TreeMap<>();
        for (int i = 0; i < STORES; i++) {
            for (PeerView peer : stores.get(i).peers()) {
                boolean busy = peer.region() != null
                        && peer.serves()
                        && peer.region().getStart().toStringUtf8().startsWith("k0005");
                if (busy) {
                    leaders.merge(stores.get(i).storeId(), 1L, Long::sum);
                }
            }
        }
        assertTrue(leaders.size() > 1, leaders + "\n" + status() + operators());
    }
}
