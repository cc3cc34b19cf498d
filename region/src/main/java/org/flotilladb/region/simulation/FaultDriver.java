package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.store.PeerView;

/** Makes things go wrong, as the seed draws them: what, to whom, when, for how long. */
final class FaultDriver {
    private static final long MS = 1_000_000L;
    private static final long HOUR_MS = 3_600_000L;

    private final SimWorld world;
    private final RandomSource random;
    private final List<FaultKind> kinds;
    private SimServer voter;
    private long duelUntilNs;
    private boolean stopped;

    FaultDriver(SimWorld world, RandomSource random, TreeSet<FaultKind> kinds) {
        this.world = world;
        this.random = random;
        this.kinds = new ArrayList<>(kinds);
    }

    /** A quarter of all seeds draw nothing; the others about half of the kinds, with crashes nearly always. */
    static TreeSet<FaultKind> draw(RandomSource random) {
        TreeSet<FaultKind> drawn = new TreeSet<>();
        if (random.nextInt(4) == 0) {
            return drawn;
        }
        for (FaultKind kind : FaultKind.values()) {
            int ofTen = kind == FaultKind.CRASH ? 10 : 5;
            if (random.nextInt(10) < ofTen) {
                drawn.add(kind);
            }
        }
        return drawn;
    }

    void start() {
        boolean loss = kinds.contains(FaultKind.LOSS);
        boolean repetition = kinds.contains(FaultKind.REPETITION);
        boolean delay = kinds.contains(FaultKind.DELAY);
        world.network()
                .faults(
                        loss ? 1 + random.nextInt(30) : 0,
                        repetition ? 1 + random.nextInt(30) : 0,
                        delay ? 1 + random.nextInt(30) : 0);
        world.network().damage(kinds.contains(FaultKind.SNAPSHOT_DAMAGE) ? 50 + random.nextInt(200) : 0);
        kinds.removeAll(List.of(FaultKind.LOSS, FaultKind.REPETITION, FaultKind.DELAY, FaultKind.SNAPSHOT_DAMAGE));
        if (!kinds.isEmpty()) {
            later(300 + random.nextInt(1000), this::next);
        }
    }

    void stop() {
        stopped = true;
    }

    private void later(long ms, Runnable what) {
        world.time().schedule(ms * MS, () -> {
            if (!stopped) {
                what.run();
            }
        });
    }

    private void next() {
        make(kinds.get(random.nextInt(kinds.size())));
        later(200 + random.nextInt(1800), this::next);
    }

    private SimServer server() {
        return world.servers().get(random.nextInt(world.servers().size()));
    }

    private SimClient client() {
        return world.clients().get(random.nextInt(world.clients().size()));
    }

    private void count(String what) {
        world.faults().add(what);
    }

    private void make(FaultKind kind) {
        switch (kind) {
            case PARTITION -> cutOff(server(), random.nextInt(2) == 0, random.nextInt(3));
            case LEADER_CUT_OFF -> {
                SimServer leader = leaderOf(random.nextInt(4) == 0 ? 1 : -1);
                if (leader != null) {
                    count("leader cut off");
                    cutOff(leader, false, 0);
                }
            }
            case PLACEMENT_CUT_OFF -> {
                SimServer leader = leaderOf(0);
                if (leader != null) {
                    count("placement cut off");
                    cutOff(leader, random.nextInt(2) == 0, 0);
                }
            }
            case CLIENT_CUT_OFF -> {
                String name = client().name();
                count("client cut off");
                for (SimServer server : world.servers()) {
                    if (random.nextInt(2) == 0) {
                        cutForAWhile(name, server.address());
                    }
                    if (random.nextInt(2) == 0) {
                        cutForAWhile(server.address(), name);
                    }
                }
            }
            case CRASH -> crash(server());
            case CRASH_ALL -> {
                count("all nodes crashed");
                for (SimServer server : world.servers()) {
                    if (server.up()) {
                        server.crash();
                        server.restartLater(random.nextInt(800) * MS);
                    }
                }
            }
            case DUEL -> duel();
            case PAUSE -> {
                SimNode node = random.nextInt(4) == 0 ? client().node() : server().node();
                if (node != null && !node.dead()) {
                    count("pause");
                    node.pause((50 + random.nextInt(3000)) * MS);
                }
            }
            case SUSPEND -> {
                SimServer leader = random.nextInt(4) == 0 ? null : leaderOf(random.nextInt(4) == 0 ? 0 : -1);
                SimNode node =
                        leader != null ? leader.node() : random.nextInt(4) == 0 ? client().node() : server().node();
                if (node != null && !node.dead()) {
                    count("suspension");
                    node.suspend((50 + random.nextInt(3000)) * MS);
                }
            }
            case WALL_CLOCK -> {
                SimServer server = server();
                // Nobody sets the clock of a machine that is suspended: set back, it would hide the suspension.
                if (server.up() && !server.node().suspended()) {
                    count("wall clock jumped");
                    long by = random.nextInt(3) == 0 ? HOUR_MS : 5000;
                    server.node().jumpWallMs(random.nextInt((int) (2 * by)) - by);
                }
            }
            case DISK_FAILURE -> {
                SimServer server = server();
                if (server.up()) {
                    server.logs().failAtWrite(random.nextInt(20));
                }
            }
            case DISK_FULL -> {
                SimServer server = server();
                count("disk full");
                server.full(true);
                world.time().schedule((100 + random.nextInt(1500)) * MS, () -> server.full(false));
            }
            case CLIENT_DEATH -> {
                SimClient client = client();
                if (client.up() && client.host() == null) {
                    client.node().dieAfterSends(random.nextInt(40));
                }
            }
            case SNAPSHOT_CRASH -> {
                SimServer server = server();
                if (server.up()) {
                    server.data().crashAtIngest(random.nextInt(5), server.node());
                }
            }
            case LOSS, REPETITION, DELAY, SNAPSHOT_DAMAGE -> throw new IllegalStateException(kind + " is not an event");
        }
    }

    private void duel() {
        if (duelUntilNs > world.time().nowNs()) {
            return;
        }
        long forMs = 4000;
        count("duel");
        duelUntilNs = world.time().nowNs() + forMs * MS;
        voter = server();
        List<SimServer> rivals = new ArrayList<>(world.servers());
        rivals.remove(voter);
        cutForAWhile(rivals.get(0).address(), rivals.get(1).address(), forMs);
        cutForAWhile(rivals.get(1).address(), rivals.get(0).address(), forMs);
        world.invariants().watch((node, group) -> {
            SimServer winner = world.servers().get(node - 1);
            if (stopped || winner == voter || world.time().nowNs() >= duelUntilNs || random.nextInt(3) == 0) {
                return;
            }
            long awayMs = 500 + random.nextInt(1500);
            cutForAWhile(winner.address(), voter.address(), awayMs);
            cutForAWhile(voter.address(), winner.address(), awayMs);
            later(0, () -> {
                if (voter.up()) {
                    voter.crash();
                    voter.restartLater(random.nextInt(100) * MS);
                }
            });
        });
    }

    private void crash(SimServer server) {
        if (!server.up()) {
            return;
        }
        switch (random.nextInt(5)) {
            case 0 -> server.logs().crashAtWrite(random.nextInt(30), server.node());
            case 1 -> server.data().crashAtWrite(random.nextInt(30), server.node());
            case 2 -> server.node().dieAfterSends(random.nextInt(60));
            default -> {
                SimServer target = random.nextInt(2) == 0 ? leaderOf(-1) : server;
                if (target != null && target.up()) {
                    target.crash();
                    target.restartLater(random.nextInt(3000) * MS);
                }
            }
        }
    }

    /** The node that leads a group; -1: any Region. */
    private SimServer leaderOf(long group) {
        for (SimServer server : world.servers()) {
            if (server.up()) {
                for (PeerView peer : server.peers()) {
                    boolean wanted = group < 0 ? peer.region() != null : peer.groupId() == group;
                    if (wanted && peer.leads() && (group >= 0 || random.nextInt(2) == 0)) {
                        return server;
                    }
                }
            }
        }
        return null;
    }

    /** @param way 0: both ways, 1: nothing reaches it, 2: it reaches nobody */
    private void cutOff(SimServer server, boolean fromClientsToo, int way) {
        count(way == 0 ? "cut off" : "cut off one way");
        List<String> others = new ArrayList<>();
        for (SimServer other : world.servers()) {
            if (other != server) {
                others.add(other.address());
            }
        }
        if (fromClientsToo) {
            world.clients().forEach(client -> {
                if (client.host() == null) {
                    others.add(client.name());
                }
            });
        }
        long forMs = 100 + random.nextInt(4000);
        for (String other : others) {
            if (way != 1) {
                cutForAWhile(server.address(), other, forMs);
            }
            if (way != 2) {
                cutForAWhile(other, server.address(), forMs);
            }
        }
    }

    private void cutForAWhile(String from, String to) {
        cutForAWhile(from, to, 100 + random.nextInt(3000));
    }

    private void cutForAWhile(String from, String to, long forMs) {
        world.network().cut(from, to);
        world.time().schedule(forMs * MS, () -> world.network().join(from, to));
    }
}
