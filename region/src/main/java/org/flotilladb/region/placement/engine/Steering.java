package org.flotilladb.region.placement.engine;

import com.google.protobuf.ByteString;
import java.util.List;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.StoreState;
import org.flotilladb.region.placement.engine.Operator.Kind;

/** Commands of people: each becomes an operator, or is refused with a sentence. */
public final class Steering {
    private final ClusterView cluster;
    private final Operators operators;
    private final Moves moves;
    private final IdSource ids;

    Steering(ClusterView cluster, Operators operators, Moves moves, IdSource ids) {
        this.cluster = cluster;
        this.operators = operators;
        this.moves = moves;
        this.ids = ids;
    }

    /**
     * What became of a command.
     *
     * @param operatorId 0 when there was nothing to do
     * @param refused why it cannot be done as things are, or null
     * @param retry whether it could be done in a moment
     */
    public record Outcome(long operatorId, String refused, boolean retry) {
        private static final Outcome NOTHING = new Outcome(0, null, false);

        private static Outcome refused(String why) {
            return new Outcome(0, why, false);
        }

        private static Outcome later(String why) {
            return new Outcome(0, why, true);
        }
    }

    /** The key becomes the first of a Region. */
    public Outcome split(ByteString key) {
        RegionView region = cluster.regions().find(key.toByteArray());
        if (region == null) {
            return Outcome.later("no leader has reported the Region of this key yet");
        }
        if (region.region().getStart().equals(key)) {
            return Outcome.NOTHING;
        }
        List<Step> steps = SplitCheck.split(region, List.of(key), ids);
        return steps == null
                ? Outcome.later("there are no ids for a split just now, or a change of membership is under way")
                : begin(region, "a split was asked for", steps);
    }

    /** Another peer leads. */
    public Outcome moveLeader(long regionId, long storeId) {
        RegionView region = cluster.regions().get(regionId);
        if (region == null) {
            return Outcome.refused("there is no Region " + regionId);
        }
        if (region.leaderStoreId() == storeId) {
            return Outcome.NOTHING;
        }
        Peer peer = region.peerOn(storeId);
        if (peer == null || peer.getRole() == PeerRole.LEARNER) {
            return Outcome.refused("Region " + regionId + " has no voter on Store " + Long.toHexString(storeId)
                    + ": move a peer there first");
        }
        if (!cluster.takesLeaders(cluster.store(storeId)) || !cluster.live(region, peer)) {
            return Outcome.refused("the peer of Region " + regionId + " on Store " + Long.toHexString(storeId)
                    + " cannot lead now: the Store is silent, being emptied, or not in step");
        }
        return begin(region, "a leader transfer was asked for", List.of(new Step.TransferLeader(storeId)));
    }

    /** A peer moves to another Store. */
    public Outcome movePeer(long regionId, long fromStoreId, long toStoreId) {
        RegionView region = cluster.regions().get(regionId);
        if (region == null) {
            return Outcome.refused("there is no Region " + regionId);
        }
        Peer old = region.peerOn(fromStoreId);
        if (old == null && region.peerOn(toStoreId) != null) {
            return Outcome.NOTHING;
        }
        StoreView to = cluster.store(toStoreId);
        if (old == null || region.peerOn(toStoreId) != null) {
            return Outcome.refused("Region " + regionId + " must have a peer on Store " + Long.toHexString(fromStoreId)
                    + " and none on Store " + Long.toHexString(toStoreId));
        }
        if (to == null || !cluster.takesPeers(to)) {
            return Outcome.refused("Store " + Long.toHexString(toStoreId)
                    + " takes no peers now: it is silent, full, being emptied, or unknown");
        }
        if (region.joint() || !cluster.hasQuorum(region)) {
            return Outcome.later("Region " + regionId + " changes its members, or too few of them are alive");
        }
        List<Step> steps = moves.replace(region, old, to);
        return steps == null
                ? Outcome.later("there are no ids just now")
                : begin(region, "a move was asked for", steps);
    }

    private Outcome begin(RegionView region, String reason, List<Step> steps) {
        Operator running = operators.of(region.id());
        if (running != null && running.steps().equals(steps)) {
            return new Outcome(running.id(), null, false);
        }
        if (running != null && running.kind().urgent()) {
            return Outcome.refused("on Region " + region.id() + " runs operator " + running.id() + " (" + running.kind()
                    + ": " + running.reason() + "): wait until it is done, or cancel it");
        }
        if (running != null) {
            operators.cancel(running, reason);
        }
        if (operators.running().size() >= Operators.MAX_RUNNING) {
            return Outcome.later(Operators.MAX_RUNNING + " operators run already");
        }
        return new Outcome(operators.start(region, Kind.MANUAL, reason, steps).id(), null, false);
    }

    /** Ends an operator that runs; false when it does not. What it has done so far stays. */
    public boolean cancel(long operatorId) {
        for (Operator operator : operators.running()) {
            if (operator.id() == operatorId) {
                operators.cancel(operator, "asked for");
                return true;
            }
        }
        return false;
    }

    /** Why a Store must not come into a state, or null. */
    public String refuses(long storeId, StoreState wanted) {
        StoreView store = cluster.store(storeId);
        if (store == null || store.state() == StoreState.STORE_REMOVED) {
            return "there is no Store " + Long.toHexString(storeId) + " in this cluster";
        }
        return switch (wanted) {
            case STORE_UP -> null;
            case STORE_WITHOUT_LEADERS ->
                cluster.stores().stream().anyMatch(other -> other != store && cluster.takesLeaders(other))
                        ? null
                        : "no other Store could lead in place of " + store.name();
            case STORE_DRAINING -> refusesDrain(store);
            case STORE_GONE ->
                cluster.connected(store)
                        ? store.name() + " is alive: drain it, stop it, and only then say that it is gone"
                        : null;
            default -> "a Store cannot be made " + wanted;
        };
    }

    private String refusesDrain(StoreView store) {
        long others = cluster.stores().stream()
                .filter(other -> other != store && cluster.belongs(other))
                .count();
        int needed = Math.min(cluster.policy().replicas(), (int) others + (cluster.belongs(store) ? 1 : 0));
        return others >= needed && others > 0
                ? null
                : store.name() + " cannot be emptied: " + needed + " replicas need as many Stores, and " + others
                        + " would be left; add a Store, or lower the number of replicas";
    }
}
