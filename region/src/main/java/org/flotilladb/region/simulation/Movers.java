package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.proto.ChangePeersRequest;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.TransferLeaderRequest;
import org.flotilladb.proto.Transport;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.store.PeerView;

/**
 * Moves peers about at random, by requests as the Placement Driver's operators make them: learners come, are promoted and
 * demoted, peers leave, one or several at once, leadership is handed over. Some requests are sent again later: an old
 * decision must not be carried out on a newer Region.
 */
final class Movers {
    private static final long MS = 1_000_000L;
    private static final int MAX_OLD_REQUESTS = 20;

    private final SimWorld world;
    private final RandomSource random;
    private final SimNode node;
    private final Transport transport;
    private final List<RegionRequest> old = new ArrayList<>();
    private final Director director;
    /** Where nobody else makes peers: above all that splits use, so that they grow on every Store. */
    private long nextPeerId = 1_000_000;

    private boolean stopped;

    /** Where a request goes, and what it asks. */
    private record Plan(SimServer to, RegionRequest request) {}

    /** @param director gives the ids of peers; null: nobody else makes any */
    Movers(SimWorld world, RandomSource random, Director director) {
        this.world = world;
        this.director = director;
        this.random = random;
        this.node = world.newProcess("mover", random.fork("life"));
        this.transport = world.network().transport("mover", node);
    }

    void start() {
        later();
    }

    void stop() {
        stopped = true;
    }

    private void later() {
        node.schedule((50 + random.nextInt(700)) * MS, () -> {
            if (!stopped) {
                move();
                later();
            }
        });
    }

    private void move() {
        Plan plan = random.nextInt(10) == 0 ? again() : plan();
        if (plan == null) {
            return;
        }
        if (adds(plan.request) && director != null) {
            // The epoch is older than the id: what anybody else does meanwhile makes the request stale.
            director.freshId(id -> send(new Plan(plan.to, withId(plan.request, id))));
        } else {
            send(plan);
        }
    }

    private static boolean adds(RegionRequest request) {
        return request.getChangePeers().getChangesList().stream()
                .anyMatch(change -> change.getPeer().getId() == 0);
    }

    private static RegionRequest withId(RegionRequest request, long id) {
        RegionRequest.Builder with = request.toBuilder();
        for (PeerChange.Builder change : with.getChangePeersBuilder().getChangesBuilderList()) {
            if (change.getPeer().getId() == 0) {
                change.getPeerBuilder().setId(id);
            }
        }
        return with.build();
    }

    private void send(Plan plan) {
        if (plan.request.hasChangePeers()) {
            old.add(plan.request);
            if (old.size() > MAX_OLD_REQUESTS) {
                old.remove(0);
            }
        }
        transport.request(
                plan.to.address(),
                Envelope.newBuilder().setRegionRequest(plan.request).build(),
                500,
                new Transport.ResponseHandler() {
                    @Override
                    public void onResponse(Envelope response) {
                        answered(plan.request, response.getRegionResponse());
                    }

                    @Override
                    public void onFailure(Transport.Failure failure) {
                        // It may have been done all the same.
                    }
                });
    }

    private void answered(RegionRequest request, RegionResponse response) {
        if (response.hasChangePeers()) {
            long asked = request.getContext().getEpoch().getConfVersion();
            long done = response.getChangePeers().getRegion().getEpoch().getConfVersion();
            if (done != asked + 1) {
                throw new SimulationFailure("a change of membership decided on conf_version " + asked + " of Region "
                        + request.getContext().getRegionId() + " has led to conf_version " + done);
            }
            world.faults().add("membership changed");
        } else if (response.hasTransferLeader()) {
            world.faults().add("leadership handed over");
        }
    }

    /** A leader that serves, of a Region that is drawn; null when there is none. */
    private Plan again() {
        if (old.isEmpty()) {
            return null;
        }
        RegionRequest request = old.get(random.nextInt(old.size()));
        for (SimServer server : world.servers()) {
            PeerView leader = leader(server, request.getContext().getRegionId());
            if (leader != null) {
                world.faults().add("old change asked for again");
                return new Plan(server, request);
            }
        }
        return null;
    }

    private static PeerView leader(SimServer server, long regionId) {
        if (server.up()) {
            for (PeerView peer : server.peers()) {
                if (peer.groupId() == regionId && peer.serves()) {
                    return peer;
                }
            }
        }
        return null;
    }

    private Plan plan() {
        List<Region> regions = new ArrayList<>(world.invariants().records().newest());
        if (regions.isEmpty()) {
            return null;
        }
        Region region = regions.get(random.nextInt(regions.size()));
        for (SimServer server : world.servers()) {
            PeerView leader = leader(server, region.getId());
            if (leader != null) {
                RegionRequest request = request(leader);
                return request == null ? null : new Plan(server, request);
            }
        }
        return null;
    }

    private RegionRequest request(PeerView leader) {
        Region region = leader.region();
        List<Peer> voters = new ArrayList<>();
        List<Peer> learners = new ArrayList<>();
        for (Peer peer : region.getPeersList()) {
            (peer.getRole() == PeerRole.LEARNER ? learners : voters).add(peer);
        }
        voters.removeIf(peer -> peer.getId() == leader.peerId());
        RegionRequest.Builder request = RegionRequest.newBuilder()
                .setContext(Context.newBuilder()
                        .setRegionId(region.getId())
                        .setPeerId(leader.peerId())
                        .setEpoch(region.getEpoch()));
        ChangePeersRequest.Builder changes = ChangePeersRequest.newBuilder();
        switch (random.nextInt(8)) {
            case 0, 1 -> {
                Peer added = newLearner(region);
                if (added != null) {
                    changes.addChanges(change(PeerChangeKind.ADD_LEARNER, added));
                }
            }
            case 2, 3 -> {
                if (!learners.isEmpty()) {
                    changes.addChanges(change(PeerChangeKind.PROMOTE, any(learners)));
                }
            }
            case 4 -> {
                if (!learners.isEmpty() && random.nextInt(2) == 0) {
                    changes.addChanges(change(PeerChangeKind.REMOVE, any(learners)));
                } else if (voters.size() > 1) {
                    changes.addChanges(change(
                            random.nextInt(3) == 0 ? PeerChangeKind.ADD_LEARNER : PeerChangeKind.REMOVE, any(voters)));
                }
            }
            case 5, 6 -> {
                // A voter is replaced by a learner, in one step.
                if (!learners.isEmpty() && !voters.isEmpty()) {
                    changes.addChanges(change(PeerChangeKind.PROMOTE, any(learners)))
                            .addChanges(change(
                                    random.nextInt(3) == 0 ? PeerChangeKind.ADD_LEARNER : PeerChangeKind.REMOVE,
                                    any(voters)));
                }
            }
            default -> {
                if (!voters.isEmpty()) {
                    return request.setTransferLeader(TransferLeaderRequest.newBuilder()
                                    .setPeerId(any(voters).getId()))
                            .build();
                }
            }
        }
        return changes.getChangesCount() == 0
                ? null
                : request.setChangePeers(changes).build();
    }

    private Peer newLearner(Region region) {
        List<Long> free = new ArrayList<>();
        for (SimServer server : world.servers()) {
            boolean taken = region.getPeersList().stream().anyMatch(peer -> peer.getStoreId() == server.storeId());
            if (!taken && server.storeId() != 0) {
                free.add(server.storeId());
            }
        }
        return free.isEmpty()
                ? null
                : Peer.newBuilder()
                        .setId(director == null ? nextPeerId++ : 0)
                        .setStoreId(free.get(random.nextInt(free.size())))
                        .build();
    }

    private Peer any(List<Peer> peers) {
        return peers.get(random.nextInt(peers.size()));
    }

    private static PeerChange.Builder change(PeerChangeKind kind, Peer peer) {
        return PeerChange.newBuilder().setKind(kind).setPeer(peer);
    }
}
