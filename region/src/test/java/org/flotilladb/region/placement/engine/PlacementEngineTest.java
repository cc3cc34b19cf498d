package org.flotilladb.region.placement.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.StoreState;
import org.flotilladb.region.placement.engine.ModelCluster.ModelRegion;
import org.flotilladb.region.placement.engine.ModelCluster.ModelStore;
import org.flotilladb.region.runtime.FailPoints;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The engine against clusters that do what it asks. Every seed that fails is printed: repeat it with -Dflotilla.seed. */
class PlacementEngineTest {
    private static final int SEEDS = 40;
    private static final long CHAOS_MS = 240_000;
    private static final long MEND_MS = 900_000;

    @Test
    void whatever_happens_to_stores_the_cluster_stays_alive_and_comes_to_rest_in_balance() {
        Long one = Long.getLong("flotilla.seed");
        long first = one == null ? 1 : one;
        long seeds = one == null ? Long.getLong("flotilla.seeds", SEEDS) : 1;
        TreeMap<String, Integer> kinds = new TreeMap<>();
        long executed = 0;
        long longestMs = 0;
        for (long seed = first; seed < first + seeds; seed++) {
            try {
                ModelCluster cluster = cluster(seed, FailPoints.OFF);
                longestMs = Math.max(longestMs, live(cluster, kinds));
                executed += cluster.executed;
            } catch (AssertionError | RuntimeException e) {
                throw new AssertionError(
                        "seed " + seed + ": " + e.getMessage() + "; repeat with -Dtest=PlacementEngineTest"
                                + " -Dflotilla.seed=" + seed,
                        e);
            }
        }
        System.out.println("Placement: " + seeds + " seeds from " + first + ", " + executed
                + " commands done, operators " + kinds + ", at rest after " + longestMs / 1000 + " s at most");
        if (one == null && seeds >= SEEDS) {
            for (Operator.Kind kind : Operator.Kind.values()) {
                assertTrue(
                        kinds.getOrDefault(kind.name(), 0) > 0,
                        "no seed has needed an operator of kind " + kind.name());
            }
        }
    }

    private static ModelCluster cluster(long seed, FailPoints broken) {
        return new ModelCluster(seed, 3 + (int) (seed % 4), seed % 3 == 0 ? 3 : 0, broken);
    }

    /** A cluster's life; how long it took to come to rest. */
    private static long live(ModelCluster cluster, TreeMap<String, Integer> kinds) {
        new Chaos(cluster, kinds).run();
        long settledMs = settle(cluster);
        staysAtRest(cluster);
        return settledMs;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "silent-store-takes-peers",
                "no-look-before-a-change",
                "what-is-under-way-not-counted",
                "old-peer-removed-first",
                "useless-learner-stays",
                "balance-without-end"
            })
    void a_rule_that_is_broken_is_noticed(String rule) {
        for (long seed = 1; seed <= SEEDS; seed++) {
            boolean[] hit = new boolean[1];
            try {
                live(cluster(seed, name -> name.equals(rule) && (hit[0] = true)), new TreeMap<>());
            } catch (AssertionError noticed) {
                assertTrue(hit[0], "seed " + seed + " fails without it: " + noticed.getMessage());
                System.out.println("Without a rule, " + rule + ": noticed with seed " + seed + ", "
                        + noticed.getMessage().lines().findFirst().orElse(""));
                return;
            }
        }
        fail("nobody notices " + rule);
    }

    /** Runs until all is well; how long that took. */
    private static long settle(ModelCluster cluster) {
        long from = cluster.nowMs;
        String trouble = "";
        while (trouble != null) {
            assertTrue(
                    cluster.nowMs - from < MEND_MS,
                    "no rest after " + (cluster.nowMs - from) / 1000 + " s: " + trouble + "; running "
                            + cluster.engine.operators().running() + "; ended "
                            + cluster.engine.operators().finished().stream()
                                    .limit(5)
                                    .toList());
            cluster.step();
            trouble = cluster.nowMs % 1000 == 0 ? cluster.trouble() : "not looked at";
        }
        return cluster.nowMs - from;
    }

    /** After what is under way has ended, nothing new begins. */
    private static void staysAtRest(ModelCluster cluster) {
        cluster.run(120_000);
        List<Operator> running = List.copyOf(cluster.engine.operators().running());
        List<Operator> before = cluster.engine.operators().finished();
        cluster.run(120_000);
        assertEquals(List.of(), running, "something runs without need");
        List<Operator> after = cluster.engine.operators().finished();
        assertEquals(before.size(), after.size(), () -> "moved without need: " + after.get(0));
        assertTrue(before.isEmpty() || before.get(0) == after.get(0), () -> "moved without need: " + after.get(0));
        assertEquals(null, cluster.trouble());
    }

    /** What happens to a cluster. */
    private static final class Chaos {
        private final ModelCluster cluster;
        private final TreeMap<String, Integer> kinds;
        private final TreeSet<Long> seen = new TreeSet<>();
        private long nextKey = 1;

        Chaos(ModelCluster cluster, TreeMap<String, Integer> kinds) {
            this.cluster = cluster;
            this.kinds = kinds;
        }

        void run() {
            for (long until = cluster.nowMs + CHAOS_MS; cluster.nowMs < until; ) {
                cluster.step();
                note();
                if (cluster.random.nextInt(20) == 0) {
                    something();
                }
            }
            for (ModelStore store : cluster.stores.values()) {
                if (!store.up && !store.forGood) {
                    start(store);
                }
                if (store.state == StoreState.STORE_WITHOUT_LEADERS) {
                    store.state = StoreState.STORE_UP;
                }
            }
            cluster.regions.values().forEach(region -> region.load = 0);
            cluster.tellStores();
        }

        private void note() {
            for (Operator operator : cluster.engine.operators().running()) {
                if (seen.add(operator.id())) {
                    kinds.merge(operator.kind().name(), 1, Integer::sum);
                }
            }
        }

        private <T> T pick(List<T> from) {
            return from.isEmpty() ? null : from.get(cluster.random.nextInt(from.size()));
        }

        private void something() {
            ModelStore store = pick(List.copyOf(cluster.stores.values()));
            ModelRegion region = pick(List.copyOf(cluster.regions.values()));
            switch (cluster.random.nextInt(12)) {
                case 0 -> kill(store);
                case 1 -> {
                    if (!store.up && !store.forGood) {
                        start(store);
                    }
                }
                case 2 -> join();
                case 3 -> steer(store, StoreState.STORE_DRAINING);
                case 4 -> steer(store, StoreState.STORE_WITHOUT_LEADERS);
                case 5 -> steer(store, StoreState.STORE_UP);
                case 6 -> steer(store, StoreState.STORE_GONE);
                case 7 -> cluster.settings(cluster.random.nextInt(4) == 0 ? 5 : 3);
                case 8 -> region.load = cluster.random.nextInt(5000);
                case 9 -> {
                    if (cluster.random.nextInt(3) == 0) {
                        cluster.engine.lead(cluster.nowMs, cluster.nowNs());
                        seen.clear();
                    }
                }
                case 10 ->
                    cluster.engine
                            .steering(cluster.nowNs())
                            .movePeer(
                                    region.region.getId(),
                                    pick(region.region.getPeersList()).getStoreId(),
                                    store.id);
                default -> split(region);
            }
        }

        private void kill(ModelStore store) {
            boolean harmless = store.up
                    && cluster.stores.values().stream()
                                    .filter(each -> !each.up && !each.forGood)
                                    .count()
                            == 0
                    && cluster.regions.values().stream().allMatch(each -> cluster.hasQuorumWithout(each, store));
            if (!harmless) {
                return;
            }
            store.up = false;
            store.changedMs = cluster.nowMs;
            // Some never come back, as long as enough are left.
            store.forGood = cluster.usable().size() >= 5 && cluster.random.nextBoolean();
        }

        private void start(ModelStore store) {
            store.up = true;
            store.changedMs = cluster.nowMs;
            for (ModelRegion region : cluster.regions.values()) {
                Peer peer = region.on(store.id);
                if (peer != null) {
                    region.inStepAtMs.put(peer.getId(), cluster.nowMs + cluster.random.nextInt(2000));
                }
            }
        }

        private void join() {
            if (cluster.stores.size() < 9) {
                long id = cluster.stores.lastKey() + 1;
                ModelStore store = cluster
                .new ModelStore(id, cluster.stores.firstEntry().getValue().zone.isEmpty() ? "" : "zone" + id % 3);
                cluster.stores.put(id, store);
                cluster.tellStores();
            }
        }

        private void steer(ModelStore store, StoreState wanted) {
            if (cluster.engine.steering(cluster.nowNs()).refuses(store.id, wanted) == null
                    && !(wanted == StoreState.STORE_GONE && !store.forGood)) {
                store.state = wanted;
                cluster.tellStores();
            }
        }

        private void split(ModelRegion region) {
            if (cluster.regions.size() >= 90) {
                return;
            }
            List<ByteString> keys = new ArrayList<>();
            ByteString last = cluster.regions.values().stream()
                    .filter(each -> each.region.getEnd().isEmpty())
                    .findFirst()
                    .orElseThrow()
                    .region
                    .getStart();
            ModelRegion tail = cluster.regions.values().stream()
                    .filter(each -> each.region.getStart().equals(last))
                    .findFirst()
                    .orElseThrow();
            for (int i = cluster.random.nextInt(6); i >= 0; i--) {
                keys.add(ModelCluster.key(nextKey++));
            }
            if (tail.splitKeys.isEmpty()) {
                tail.splitKeys = keys;
                tail.changed = true;
            }
            if (cluster.random.nextInt(4) == 0) {
                cluster.engine.steering(cluster.nowNs()).split(region.region.getStart());
            }
        }
    }
}
