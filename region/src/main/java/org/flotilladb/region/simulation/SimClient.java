package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.region.client.ClientEnvironment;
import org.flotilladb.region.client.ClientSettings;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.RandomSource;

/** A client process over all its lives, with a few sessions; alone, or inside a node, whose replicas it then reads. */
final class SimClient {
    private final SimWorld world;
    private final String name;
    private final SimServer host;
    private final RandomSource random;
    private final List<Session> sessions = new ArrayList<>();
    private SimNode node;
    private TransactionClient client;
    private int lives;
    private long onePhase;
    private long twoPhase;

    /** @param host the node that it is embedded in, or null */
    SimClient(SimWorld world, String name, SimServer host, RandomSource random) {
        this.world = world;
        this.name = name;
        this.host = host;
        this.random = random;
    }

    String name() {
        return name;
    }

    SimServer host() {
        return host;
    }

    SimNode node() {
        return node;
    }

    TransactionClient client() {
        return client;
    }

    boolean up() {
        return node != null && !node.dead();
    }

    /** Begins a life; its sessions begin with {@link #work}. */
    void start(FailPoints failPoints) {
        lives++;
        RandomSource life = random.fork("life " + lives);
        String address = host == null ? name : host.address();
        node = host == null ? world.newProcess(name, life) : host.node();
        if (host == null) {
            node.onPowerLoss(() -> world.clientDied(this));
        }
        if (client != null) {
            onePhase += client.onePhaseCommits();
            twoPhase += client.twoPhaseCommits();
        }
        client = new TransactionClient(
                new ClientSettings(
                        world.addresses(), world.operationTimeoutMs(), world.requestTimeoutMs(), world.lockTtlMs()),
                new ClientEnvironment(
                        node,
                        node,
                        life.fork("client"),
                        world.network().transport(address, node),
                        host == null ? null : host.store(),
                        failPoints));
        sessions.clear();
        for (int i = 0; i < world.sessionsPerClient(); i++) {
            sessions.add(new Session(
                    client, node, life.fork("session " + i), world.history(), world.pauseNs(), world::lullNs));
        }
    }

    void work() {
        sessions.forEach(Session::start);
    }

    /** Sessions that pause begin their next transactions now, within so many nanoseconds. */
    void hurry(int withinNs) {
        if (up()) {
            sessions.forEach(session -> session.hurry(withinNs));
        }
    }

    void stop() {
        sessions.forEach(Session::stop);
    }

    boolean busy() {
        return sessions.stream().anyMatch(Session::busy);
    }

    Session session() {
        return sessions.get(0);
    }

    long onePhaseCommits() {
        return onePhase + (client == null ? 0 : client.onePhaseCommits());
    }

    long twoPhaseCommits() {
        return twoPhase + (client == null ? 0 : client.twoPhaseCommits());
    }
}
