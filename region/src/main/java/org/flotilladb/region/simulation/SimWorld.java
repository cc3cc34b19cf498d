package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.group.RestSettings;
import org.flotilladb.region.placement.PlacementGroup;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.store.MemberSettings;
import org.flotilladb.region.store.PeerView;
import org.flotilladb.region.store.SplitSettings;
import org.flotilladb.region.store.mvcc.Keys;
import org.flotilladb.region.store.mvcc.WriteRecord;

/**
 * One simulated world from its making to its end: three nodes, clients, faults, and what must hold. Three acts: the
 * cluster forms and is loaded; clients work while things go wrong; everything is mended, and all must be found in order.
 */
final class SimWorld {
    private static final int CLIENTS = 4;
    private static final long MS = 1_000_000L;
    private static final long FORM_LIMIT_MS = 60_000;
    private static final long CALM_LIMIT_MS = 60_000;
    private static final long COMPARE_EVERY_MS = 500;

    private final SimulationSettings settings;
    private final FailPoints failPoints;
    private final RandomSource random;
    private final EventHash hash = new EventHash();
    private final FaultCounts faults = new FaultCounts();
    private final SimTime time;
    private final SimNetwork network;
    private final int nodes;
    /** Whether peers are moved about. */
    private final boolean moving;
    /** Whether the Placement Driver decides. */
    private final boolean directed;

    private final SplitSettings splits;

    private final Invariants invariants;
    private final History history;
    private final List<String> addresses = new ArrayList<>();
    private final List<SimServer> servers = new ArrayList<>();
    private final List<SimClient> clients = new ArrayList<>();
    private final TreeSet<FaultKind> kinds;
    private final boolean callerRuns;
    private final long logKeepEntries;
    private final RestSettings rest;
    private final double maxDrift;
    private final long operationTimeoutMs;
    private long lullUntilNs;
    private boolean working;
    private boolean calm;

    SimWorld(SimulationSettings settings) {
        this.settings = settings;
        this.failPoints = settings.failPoints();
        random = new SeededRandom(settings.seed());
        kinds = settings.faults() == null
                ? FaultDriver.draw(random.fork("kinds of faults"))
                : new TreeSet<>(settings.faults());
        RandomSource character = random.fork("character");
        RandomSource size = random.fork("size");
        moving = settings.moving() != null ? settings.moving() : size.nextInt(3) > 0;
        nodes = moving ? 4 + size.nextInt(2) : 3;
        RandomSource order = random.fork("order");
        int draw = order.nextInt(4);
        directed = settings.directed() != null ? settings.directed() : draw < (moving ? 3 : 1);
        splits = directed ? smallRegions(order) : SplitSettings.DEFAULT;
        invariants = new Invariants(nodes);
        callerRuns = character.nextInt(2) == 0;
        logKeepEntries = character.nextInt(2) == 0 ? 30 : 2000;
        RandomSource rests = random.fork("rest");
        rest = rests.nextInt(4) == 0
                ? RestSettings.NEVER
                : new RestSettings(3 + rests.nextInt(12), 20 + rests.nextInt(40));
        maxDrift = kinds.isEmpty() ? 0 : 0.045;
        operationTimeoutMs = character.nextInt(2) == 0 ? 6000 : 1500;
        time = new SimTime(random.fork("time"), hash);
        network = new SimNetwork(time, random.fork("network"), hash, faults);
        network.trace(settings.trace());
        history = new History(hash, invariants);
        for (int i = 1; i <= nodes; i++) {
            addresses.add("node" + i + ":7411");
        }
        for (int i = 1; i <= nodes; i++) {
            SimServer server =
                    new SimServer(this, i, addresses.get(i - 1), settings.memory(), random.fork("server " + i));
            server.logs().lie(settings.lie());
            servers.add(server);
        }
        for (int i = 1; i <= CLIENTS; i++) {
            SimServer host = i == CLIENTS ? servers.get(character.nextInt(nodes)) : null;
            clients.add(new SimClient(this, "client" + i, host, random.fork("client " + i)));
        }
    }

    // ---- the world as its inhabitants see it -----------------------------------------------------------------------

    SimTime time() {
        return time;
    }

    SimNetwork network() {
        return network;
    }

    FaultCounts faults() {
        return faults;
    }

    Invariants invariants() {
        return invariants;
    }

    History history() {
        return history;
    }

    List<String> addresses() {
        return addresses;
    }

    List<SimServer> servers() {
        return servers;
    }

    List<SimClient> clients() {
        return clients;
    }

    GroupSettings groupSettings() {
        return new GroupSettings(50 * MS, 10, 2, 500 * MS, 0.05, 5 * MS, rest);
    }

    boolean callerRuns() {
        return callerRuns;
    }

    long logKeepEntries() {
        return logKeepEntries;
    }

    MemberSettings memberSettings() {
        return new MemberSettings(3, 2, 2000, 20_000, 40, logKeepEntries < 100 ? 100 : 5000, 3000 * MS, directed);
    }

    SplitSettings splitSettings() {
        return splits;
    }

    /** Limits of which a seed's work exceeds one or another; each seed has its own. */
    private static SplitSettings smallRegions(RandomSource draws) {
        long far = 1 << 20;
        return switch (draws.nextInt(4)) {
            case 0 -> new SplitSettings(far, 200 + draws.nextInt(200), far);
            case 1 -> new SplitSettings(far, far, 40 + draws.nextInt(60));
            default -> new SplitSettings(10_000 + draws.nextInt(12_000), far, far);
        };
    }

    long operationTimeoutMs() {
        return operationTimeoutMs;
    }

    long requestTimeoutMs() {
        return 500;
    }

    long lockTtlMs() {
        return 1500;
    }

    int sessionsPerClient() {
        return 3;
    }

    /** How long a session pauses between two transactions, about. */
    long pauseNs() {
        return 120 * MS;
    }

    /** How long nobody begins a transaction. */
    long lullNs() {
        return Math.max(0, lullUntilNs - time.nowNs());
    }

    SimNode newProcess(String name, RandomSource life) {
        double rate = 1 + maxDrift * (life.nextInt(2001) - 1000) / 1000.0;
        return new SimNode(time, name, life.nextInt(1_000_000_000) * 1000L, rate, life.nextInt(200) - 100);
    }

    // ---- lives and deaths ------------------------------------------------------------------------------------------

    void restart(SimServer server, long afterNs) {
        time.schedule(afterNs, () -> {
            if (!server.up()) {
                server.start(failPoints);
                for (SimClient client : clients) {
                    if (client.host() == server && server.up()) {
                        startClient(client);
                    }
                }
            }
        });
    }

    void embeddedDied(SimServer server) {
        for (SimClient client : clients) {
            if (client.host() == server && client.client() != null) {
                faults.add("client died");
            }
        }
    }

    void clientDied(SimClient client) {
        faults.add("client died");
        client.node().crash();
        time.schedule(100 * MS, () -> startClient(client));
    }

    private void startClient(SimClient client) {
        client.start(failPoints);
        if (working) {
            client.work();
        }
    }

    // ---- the three acts --------------------------------------------------------------------------------------------

    SimulationReport run() {
        form();
        long electionsToForm = invariants.elections();
        work();
        mend();
        servers.forEach(SimServer::countSplits);
        return new SimulationReport(
                settings.seed(),
                hash.value(),
                hash.events(),
                !kinds.isEmpty(),
                time.nowNs() / 1e9,
                history.acknowledgedCount(),
                clients.stream().mapToLong(SimClient::onePhaseCommits).sum(),
                clients.stream().mapToLong(SimClient::twoPhaseCommits).sum(),
                history.refusedCount(),
                history.ops().size() - history.acknowledgedCount() - history.refusedCount(),
                history.auditCount(),
                invariants.replicasCompared(),
                (long) invariants.records().newest().size(),
                invariants.elections() - electionsToForm,
                faults.count("node crashed"),
                faults.all());
    }

    /** The first act alone, for scripted scenarios. */
    void form() {
        servers.forEach(server -> server.start(failPoints));
        clients.forEach(client -> client.start(failPoints));
        SimClient first = clients.get(0);
        awaitTrue(
                "the first Region is led",
                FORM_LIMIT_MS,
                () -> servers.stream()
                        .anyMatch(server -> server.peers().stream()
                                .anyMatch(peer -> peer.groupId() != PlacementGroup.GROUP_ID && peer.serves())));
        await("the cluster forms", FORM_LIMIT_MS, first.session().load());
        RandomSource splits = random.fork("first splits");
        for (int branch = 1; branch < Model.BRANCHES; branch++) {
            if (branch == Model.BRANCHES / 2 || splits.nextInt(2) == 0) {
                await(
                        "Region split at branch " + branch,
                        FORM_LIMIT_MS,
                        first.client().split(Model.bytes(Model.branch(branch))));
            }
        }
    }

    private void work() {
        working = true;
        clients.forEach(SimClient::work);
        FaultDriver driver = new FaultDriver(this, random.fork("faults"), kinds);
        driver.start();
        everySoOften();
        splitSometimes(random.fork("later splits"));
        if (rest.on()) {
            lulls(random.fork("lulls"));
        }
        Director director = directed ? new Director(this, random.fork("director")) : null;
        if (directed) {
            director.start();
        }
        Movers movers = new Movers(this, random.fork("movers"), director);
        if (moving) {
            movers.start();
        }
        runUntil(time.nowNs() + settings.workMs() * MS, () -> false);
        driver.stop();
        movers.stop();
    }

    /** Nobody wants anything for a while, so that groups go to rest, whatever else happens. */
    private void lulls(RandomSource draws) {
        time.schedule((1000 + draws.nextInt(3000)) * MS, () -> {
            lullUntilNs = time.nowNs() + (500 + draws.nextInt(2500)) * MS;
            if (working) {
                lulls(draws);
            }
        });
    }

    private void everySoOften() {
        time.schedule(COMPARE_EVERY_MS * MS, () -> {
            servers.forEach(SimServer::compare);
            if (!calm) {
                everySoOften();
            }
        });
    }

    /** Regions split under load. */
    private void splitSometimes(RandomSource draws) {
        time.schedule((300 + draws.nextInt(2500)) * MS, () -> {
            if (!working) {
                return;
            }
            SimClient client = clients.get(draws.nextInt(CLIENTS));
            String at = switch (draws.nextInt(3)) {
                case 0 -> Model.branch(draws.nextInt(Model.BRANCHES));
                case 1 -> Model.account(draws.nextInt(Model.BRANCHES), draws.nextInt(Model.ACCOUNTS));
                default -> Model.counter(draws.nextInt(Model.BRANCHES), 0);
            };
            if (client.up()) {
                client.node().run(() -> client.client().split(Model.bytes(at)));
                clients.forEach(each -> each.hurry(400_000));
            }
            splitSometimes(draws);
        });
    }

    private void mend() {
        network.heal();
        for (SimServer server : servers) {
            server.full(false);
            server.logs().failAtWrite(-1);
            server.logs().crashAtWrite(-1, null);
            server.data().crashAtWrite(-1, null);
            server.data().crashAtIngest(-1, null);
            if (server.up()) {
                server.node().dieAfterSends(Long.MAX_VALUE);
            } else {
                restart(server, 0);
            }
        }
        clients.forEach(client -> {
            if (client.up()) {
                client.node().dieAfterSends(Long.MAX_VALUE);
            }
        });
        working = false;
        clients.forEach(SimClient::stop);
        awaitTrue("all transactions end", CALM_LIMIT_MS, () -> clients.stream().noneMatch(SimClient::busy));
        awaitTrue(
                "all nodes are up",
                CALM_LIMIT_MS,
                () -> servers.stream().allMatch(SimServer::up)
                        && clients.stream().allMatch(SimClient::up));
        for (int branch = 0; branch < Model.BRANCHES; branch++) {
            probe(branch);
        }
        resolveLocks();
        awaitTrue("all replicas are in step", CALM_LIMIT_MS, this::inStep);
        for (SimClient client : clients) {
            await("the last snapshot", CALM_LIMIT_MS, client.session().audit(client.host() != null));
        }
        calm = true;
        servers.forEach(SimServer::compare);
        servers.forEach(SimServer::countRests);
        TreeMap<Long, Long> commitTs = commitTimestamps();
        history.checkAudits(commitTs);
        history.checkTimestamps(commitTs);
        history.checkFences(commitTs);
        checkViolation();
    }

    /** There is progress everywhere. */
    private void probe(int branch) {
        long limit = time.nowNs() + CALM_LIMIT_MS * MS;
        SimClient client = clients.get(branch % CLIENTS);
        while (true) {
            CompletableFuture<Boolean> done = client.session().probe(branch);
            await("a transfer after everything is mended", CALM_LIMIT_MS, done);
            if (done.join()) {
                return;
            }
            if (time.nowNs() > limit) {
                throw new SimulationFailure("no transfer from branch " + branch + " succeeds within "
                        + CALM_LIMIT_MS / 1000 + " s after everything is mended");
            }
        }
    }

    /** Whoever meets a lock of a dead transaction resolves it; afterwards none is left. */
    private void resolveLocks() {
        long limit = time.nowNs() + CALM_LIMIT_MS * MS;
        Session session = clients.get(0).session();
        while (true) {
            runUntil(time.nowNs() + 500 * MS, () -> false);
            TreeMap<String, byte[]> locked = new TreeMap<>();
            for (SimServer server : servers) {
                try (KvCursor cursor = server.data().cursor(KvStore.Family.LOCK, new byte[0], null)) {
                    for (boolean more = cursor.seek(new byte[0]); more; more = cursor.next()) {
                        byte[] key = Keys.userKey(cursor.key());
                        locked.put(Model.text(key), key);
                    }
                }
            }
            if (locked.isEmpty()) {
                return;
            }
            if (time.nowNs() > limit) {
                throw new SimulationFailure("locks are left that nobody can resolve: " + locked.keySet() + state());
            }
            for (byte[] key : locked.values()) {
                await("a lock is resolved", CALM_LIMIT_MS, session.touch(key));
            }
        }
    }

    /** Every member of each Region is here and has applied the same, and nobody else is. */
    private boolean inStep() {
        TreeMap<Long, Long> applied = new TreeMap<>();
        long present = 0;
        for (SimServer server : servers) {
            for (PeerView peer : server.peers()) {
                Region region = invariants.records().newest(peer.groupId());
                if (region != null) {
                    present++;
                    boolean member = region.getPeersList().stream()
                            .anyMatch(each -> each.getId() == peer.peerId()
                                    && each.getStoreId() == server.storeId()
                                    && each.getRole().getNumber() <= PeerRole.LEARNER_VALUE);
                    if (!member || peer.region() == null || !peer.region().equals(region)) {
                        return false;
                    }
                } else if (peer.groupId() != PlacementGroup.GROUP_ID) {
                    return false;
                }
                Long other = applied.putIfAbsent(peer.groupId(), peer.appliedIndex());
                if (other != null && other != peer.appliedIndex()) {
                    return false;
                }
            }
        }
        return present
                == invariants.records().newest().stream()
                        .mapToLong(Region::getPeersCount)
                        .sum();
    }

    /** When each transaction was committed, as its oldest row of history says. */
    private TreeMap<Long, Long> commitTimestamps() {
        TreeMap<Long, Long> result = new TreeMap<>();
        for (SimServer server : servers) {
            try (KvCursor cursor = server.data().cursor(KvStore.Family.WRITE, new byte[0], null)) {
                for (boolean more = cursor.seek(new byte[0]); more; more = cursor.next()) {
                    String key = Model.text(Keys.userKey(cursor.key()));
                    boolean put = !WriteRecord.isDelete(cursor.value()) && !WriteRecord.isLock(cursor.value());
                    if (put && Model.kind(key) == 'h') {
                        result.merge(Long.parseLong(key.substring(5)), Keys.commitTs(cursor.key()), Math::min);
                    }
                }
            }
        }
        return result;
    }

    // ---- making time pass ------------------------------------------------------------------------------------------

    private void checkViolation() {
        if (history.violation() != null) {
            throw new SimulationFailure(history.violation());
        }
    }

    /** Runs until then, or until the condition holds; whether it does. */
    boolean runUntil(long limitNs, BooleanSupplier condition) {
        while (!condition.getAsBoolean()) {
            if (time.nextNs() > limitNs) {
                time.advanceTo(limitNs);
                return false;
            }
            time.step();
            checkViolation();
        }
        return true;
    }

    private void awaitTrue(String what, long limitMs, BooleanSupplier condition) {
        if (!runUntil(time.nowNs() + limitMs * MS, condition)) {
            throw new SimulationFailure(
                    "no progress: within " + limitMs / 1000 + " s it is not so that " + what + state());
        }
    }

    /** Runs until the future is done. */
    void await(String what, long limitMs, CompletableFuture<?> future) {
        awaitTrue(what, limitMs, future::isDone);
        try {
            future.join();
        } catch (CompletionException e) {
            throw new SimulationFailure("no progress: " + what + ": " + e.getCause() + state(), e);
        }
    }

    private String state() {
        StringBuilder text = new StringBuilder();
        for (SimServer server : servers) {
            text.append("\n  ").append(server.address()).append(server.up() ? " up" : " down");
            if (server.up()) {
                for (PeerView peer : server.peers()) {
                    text.append("\n    group ")
                            .append(peer.groupId())
                            .append(" peer ")
                            .append(peer.peerId());
                    text.append(peer.leads() ? " leads" : " follows").append(peer.serves() ? ", serves" : "");
                    text.append(", term ").append(peer.term());
                    text.append(", applied ").append(peer.appliedIndex());
                    text.append(", commit ").append(peer.commitIndex());
                    text.append(", last ").append(peer.lastIndex());
                }
            }
        }
        return text.toString();
    }

    Map<String, Long> faultCounts() {
        return faults.all();
    }
}
