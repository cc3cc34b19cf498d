package org.flotilladb.region.simulation;

import java.util.List;
import java.util.function.Supplier;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.PeerView;
import org.flotilladb.region.store.Store;
import org.flotilladb.region.store.StoreSettings;

/** One node over all its lives: disks that stay, and a process with a Store that comes and goes. */
final class SimServer {
    private static final long RESTART_AFTER_NS = 200_000_000L;

    private final SimWorld world;
    private final int id;
    private final String address;
    private final SimLogStore logs;
    private final SimKvStore data;
    private final RandomSource random;
    private SimNode node;
    private Store store;
    private Invariants.Seen seen;
    private int lives;
    private boolean full;
    private long identity;
    private long splitsCounted;

    SimServer(SimWorld world, int id, String address, Supplier<KvStore> memory, RandomSource random) {
        this.world = world;
        this.id = id;
        this.address = address;
        this.random = random;
        this.logs = new SimLogStore(world.faults());
        this.data = new SimKvStore(memory, world.faults());
        logs.observer(world.invariants().observer(id));
    }

    int id() {
        return id;
    }

    String address() {
        return address;
    }

    SimNode node() {
        return node;
    }

    Store store() {
        return store;
    }

    SimLogStore logs() {
        return logs;
    }

    SimKvStore data() {
        return data;
    }

    /** Its Store's identity; 0 before it has one. */
    long storeId() {
        return identity;
    }

    boolean up() {
        return node != null && !node.dead();
    }

    /** Whether writes are to be refused for lack of room. */
    void full(boolean now) {
        full = now;
    }

    /** Begins a life. */
    void start(FailPoints failPoints) {
        lives++;
        RandomSource life = random.fork("life " + lives);
        node = world.newProcess(address, life);
        seen = new Invariants.Seen();
        StoreSettings settings = StoreSettings.of(id, world.addresses(), world.groupSettings(), world.callerRuns())
                .withLogKeepEntries(world.logKeepEntries())
                .withMembers(world.memberSettings())
                .withSplits(world.splitSettings())
                .withDisk(() -> full ? 0 : Long.MAX_VALUE, 1)
                .withFailPoints(failPoints);
        node.onPowerLoss(this::powerLost);
        Store opened;
        try {
            opened = new Store(
                    settings,
                    node,
                    node,
                    life.fork("store"),
                    world.network().transport(address, node),
                    logs,
                    data,
                    init -> identify(init.getStoreIds(id - 1)),
                    this::stopped);
        } catch (SimCrash crash) {
            powerLost();
            return;
        }
        store = opened;
        splitsCounted = 0;
        world.network().register(address, node, opened);
        SimNode mine = node;
        node.afterEachTask(() -> {
            if (mine == node && opened.failure() == null) {
                world.invariants().look(id, opened.storeId() != 0, opened.peers(), logs, seen);
            }
        });
        node.run(opened::start);
    }

    private void identify(long storeId) {
        if (identity != 0 && identity != storeId) {
            throw new SimulationFailure("node " + id + " was Store " + identity + " and is told that it is " + storeId);
        }
        identity = storeId;
    }

    /** The Store has stopped by itself: the process ends. */
    private void stopped(RuntimeException cause) {
        if (!(cause instanceof StorageException failed) || failed.kind() != StorageException.Kind.IO) {
            throw new SimulationFailure("the Store of node " + id + " has stopped: " + cause, cause);
        }
        crash();
        restartLater(RESTART_AFTER_NS);
    }

    private void powerLost() {
        crash();
        restartLater(RESTART_AFTER_NS);
    }

    /** Adds the Regions that have split by themselves in this life to what has happened. */
    void countSplits() {
        long splits = store == null ? 0 : store.counters().splitsByThemselves();
        for (; splitsCounted < splits; splitsCounted++) {
            world.faults().add("Region split by itself");
        }
    }

    /** Ends this life; what was not synced may be lost. */
    void crash() {
        countRests();
        world.faults().add("leader at rest crashed", leadersAtRest());
        node.crash();
        world.network().unregister(address);
        logs.crash(random);
        data.crash(random);
        countSplits();
        world.faults().add("node crashed");
        world.embeddedDied(this);
    }

    /** In this life: of the Store's own counts, how often peers came to rest and were woken. */
    void countRests() {
        if (store != null) {
            world.faults().add("peer came to rest", store.counters().peersRested());
            world.faults().add("peer at rest woken", store.counters().peersWoken());
        }
    }

    private long leadersAtRest() {
        return store != null
                ? peers().stream().filter(peer -> peer.leads() && peer.rests()).count()
                : 0;
    }

    void restartLater(long afterNs) {
        world.restart(this, afterNs);
    }

    /** Compares with the others. */
    void compare() {
        // A Store that has only just been opened has not looked for its peers yet.
        if (up() && store.failure() == null && store.storeId() != 0) {
            world.invariants().compare(id, store.peers(), data);
        }
    }

    List<PeerView> peers() {
        return store.peers();
    }
}
