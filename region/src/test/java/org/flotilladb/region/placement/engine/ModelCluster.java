package org.flotilladb.region.placement.engine;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.flotilladb.proto.DownPeer;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.PlacementSettings;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.proto.StoreHeartbeat;
import org.flotilladb.proto.StoreLabel;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.proto.StoreState;
import org.flotilladb.region.runtime.FailPoints;

/**
 * Stores and Regions without Raft that do what the engine asks, in virtual time: late, sometimes not at all, and only if
 * the epoch, the leader and a quorum allow it. Checks after every command that the engine has kept its promises.
 */
final class ModelCluster {
    static final long STEP_MS = 250;
    static final long GONE_AFTER_MS = 20_000;
    static final long SILENT_AFTER_MS = 3_000;
    private static final long REPORT_MS = 1000;
    private static final long STORE_REPORT_MS = 1000;
    private static final long ELECTION_MS = 1500;

    final class ModelStore {
        final long id;
        final String zone;
        StoreState state = StoreState.STORE_UP;
        boolean up = true;
        boolean forGood;
        long changedMs;
        long capacityBytes = 1L << 40;

        ModelStore(long id, String zone) {
            this.id = id;
            this.zone = zone;
        }

        StoreRecord record() {
            return StoreRecord.newBuilder()
                    .setId(id)
                    .setAddress("store" + id + ":7411")
                    .setState(state)
                    .setRegistered(true)
                    .addLabels(StoreLabel.newBuilder().setKey("zone").setValue(zone))
                    .build();
        }

        /** Alive, or dead for so short a time that nobody can know. */
        boolean seemsAlive() {
            return up || nowMs - changedMs <= SILENT_AFTER_MS + 2 * STORE_REPORT_MS;
        }
    }

    static final class ModelRegion {
        Region region;
        long leaderStore;
        long term = 1;
        long leaderLostMs = -1;
        long reportedMs = Long.MIN_VALUE / 2;
        boolean changed = true;
        long load;
        List<ByteString> splitKeys = List.of();
        final TreeMap<Long, Long> inStepAtMs = new TreeMap<>();
        RegionRequest pending;
        long pendingAtMs;

        ModelRegion(Region region) {
            this.region = region;
        }

        Peer on(long storeId) {
            return region.getPeersList().stream()
                    .filter(peer -> peer.getStoreId() == storeId)
                    .findFirst()
                    .orElse(null);
        }
    }

    final TreeMap<Long, ModelStore> stores = new TreeMap<>();
    final TreeMap<Long, ModelRegion> regions = new TreeMap<>();
    final RegionTable table = new RegionTable();
    final PlacementEngine engine;
    final Random random;
    long nowMs = 1000;
    int replicas = 3;
    private long nextId = 1000;
    private long maxOperators;
    /** Operators whose commands were carried out, and those that were refused by a Region. */
    long executed;

    long refused;

    ModelCluster(long seed, int storeCount, int zones, FailPoints broken) {
        random = new Random(seed);
        engine = new PlacementEngine(
                table,
                count -> {
                    if (random.nextInt(20) == 0) {
                        return 0;
                    }
                    nextId += count;
                    return nextId - count;
                },
                broken);
        for (int i = 1; i <= storeCount; i++) {
            stores.put((long) i, new ModelStore(i, zones == 0 ? "" : "zone" + i % zones));
        }
        Region.Builder first = Region.newBuilder()
                .setId(1)
                .setEpoch(RegionEpoch.newBuilder().setConfVersion(1).setRangeVersion(1));
        for (int i = 1; i <= Math.min(3, storeCount); i++) {
            first.addPeers(Peer.newBuilder().setId(i).setStoreId(i));
        }
        ModelRegion region = new ModelRegion(first.build());
        region.leaderStore = 1;
        regions.put(1L, region);
        settings(replicas);
        tellStores();
        engine.lead(1, nowNs());
    }

    long nowNs() {
        return nowMs * 1_000_000L;
    }

    void settings(int wanted) {
        replicas = wanted;
        engine.policy(Policy.of(PlacementSettings.newBuilder()
                .setReplicas(wanted)
                .setGoneAfterMs(GONE_AFTER_MS)
                .setSilentAfterMs(SILENT_AFTER_MS)
                .build()));
    }

    void tellStores() {
        engine.stores(stores.values().stream().map(ModelStore::record).toList(), nowNs());
    }

    /** One step of time. */
    void step() {
        nowMs += STEP_MS;
        for (ModelStore store : stores.values()) {
            if (store.up && nowMs % STORE_REPORT_MS == 0) {
                engine.heartbeat(
                        StoreHeartbeat.newBuilder()
                                .setStoreId(store.id)
                                .setCapacityBytes(store.capacityBytes)
                                .setAvailableBytes(store.capacityBytes / 2)
                                .build(),
                        nowNs());
                for (RegionRequest request : engine.instructions(store.id, nowNs())) {
                    give(regions.get(request.getContext().getRegionId()), request);
                }
            }
        }
        for (ModelRegion region : List.copyOf(regions.values())) {
            elect(region);
            execute(region);
            if (region.leaderStore != 0 && (region.changed || nowMs - region.reportedMs >= REPORT_MS)) {
                report(region);
            }
        }
        if (nowMs % 1000 == 0) {
            engine.pass(nowNs());
        }
        maxOperators = Math.max(maxOperators, engine.operators().running().size());
        require(maxOperators <= Operators.MAX_RUNNING, maxOperators + " operators at once");
        checkRunning();
    }

    void run(long forMs) {
        for (long until = nowMs + forMs; nowMs < until; ) {
            step();
        }
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    // ---- Regions ---------------------------------------------------------------------------------------------------

    private boolean alive(Peer peer) {
        return stores.get(peer.getStoreId()).up;
    }

    private static boolean votesInOld(Peer peer) {
        return peer.getRole() != PeerRole.LEARNER && peer.getRole() != PeerRole.INCOMING_VOTER;
    }

    private static boolean votesInNew(Peer peer) {
        return peer.getRole() == PeerRole.VOTER || peer.getRole() == PeerRole.INCOMING_VOTER;
    }

    /** Whether entries can be committed. */
    boolean hasQuorum(ModelRegion region) {
        return quorum(region, true, null) && quorum(region, false, null);
    }

    boolean hasQuorumWithout(ModelRegion region, ModelStore without) {
        return quorum(region, true, without) && quorum(region, false, without);
    }

    private boolean quorum(ModelRegion region, boolean old, ModelStore without) {
        int live = 0;
        int all = 0;
        for (Peer peer : region.region.getPeersList()) {
            if (old ? votesInOld(peer) : votesInNew(peer)) {
                all++;
                live += alive(peer) && (without == null || peer.getStoreId() != without.id) && inStep(region, peer)
                        ? 1
                        : 0;
            }
        }
        return live >= all / 2 + 1;
    }

    private boolean inStep(ModelRegion region, Peer peer) {
        return region.inStepAtMs.getOrDefault(peer.getId(), 0L) <= nowMs;
    }

    private void elect(ModelRegion region) {
        if (region.leaderStore != 0 && !stores.get(region.leaderStore).up) {
            region.leaderStore = 0;
            region.leaderLostMs = nowMs;
        }
        if (region.leaderStore == 0 && nowMs - region.leaderLostMs >= ELECTION_MS && hasQuorum(region)) {
            List<Peer> able = region.region.getPeersList().stream()
                    .filter(peer -> votesInNew(peer) && alive(peer) && inStep(region, peer))
                    .toList();
            region.leaderStore = able.get(random.nextInt(able.size())).getStoreId();
            region.term++;
            region.pending = null;
            region.changed = true;
        }
    }

    private void report(ModelRegion region) {
        region.changed = false;
        region.reportedMs = nowMs;
        RegionHeartbeat.Builder report = RegionHeartbeat.newBuilder()
                .setRegion(region.region)
                .setLeaderStoreId(region.leaderStore)
                .setTerm(region.term)
                .setSizeBytes(1 << 20)
                .setReadsPerSecond(region.load)
                .addAllSplitKeys(region.splitKeys);
        for (Peer peer : region.region.getPeersList()) {
            ModelStore store = stores.get(peer.getStoreId());
            if (!store.up && nowMs - store.changedMs > 2000) {
                report.addDownPeers(
                        DownPeer.newBuilder().setPeerId(peer.getId()).setSilentMs(nowMs - store.changedMs));
            }
            if (!inStep(region, peer)) {
                report.addPendingPeers(peer.getId());
            }
        }
        RegionRequest request = engine.report(report.build(), nowNs());
        if (request != null) {
            give(region, request);
        }
    }

    /** A command is on its way to the leader. */
    private void give(ModelRegion region, RegionRequest request) {
        checkPromises(region, request);
        if (region.pending == null && random.nextInt(10) != 0) {
            region.pending = request;
            region.pendingAtMs = nowMs + random.nextInt(800);
        }
    }

    private void execute(ModelRegion region) {
        if (region.region.getPeersList().stream().anyMatch(peer -> votesInOld(peer) != votesInNew(peer))) {
            // The leader leaves a joint configuration by itself as soon as it can.
            if (region.leaderStore != 0 && hasQuorum(region) && random.nextInt(3) == 0) {
                leaveJoint(region);
            }
            return;
        }
        if (region.pending == null || nowMs < region.pendingAtMs || region.leaderStore == 0) {
            return;
        }
        RegionRequest request = region.pending;
        region.pending = null;
        Peer leader = region.on(region.leaderStore);
        boolean epochHolds = request.getContext().getEpoch().equals(region.region.getEpoch());
        boolean leads = request.getContext().getPeerId() == leader.getId();
        if (!leads || !hasQuorum(region) || (!request.hasTransferLeader() && !epochHolds)) {
            refused++;
            return;
        }
        executed++;
        region.changed = true;
        switch (request.getCommandCase()) {
            case TRANSFER_LEADER -> {
                Peer target = peer(region, request.getTransferLeader().getPeerId());
                if (target != null && alive(target) && inStep(region, target)) {
                    region.leaderStore = target.getStoreId();
                    region.term++;
                }
            }
            case CHANGE_PEERS -> change(region, request.getChangePeers().getChangesList());
            case SPLIT -> split(region, request.getSplit());
            default -> throw new AssertionError("the engine asks for " + request.getCommandCase());
        }
    }

    private static Peer peer(ModelRegion region, long peerId) {
        return region.region.getPeersList().stream()
                .filter(peer -> peer.getId() == peerId)
                .findFirst()
                .orElse(null);
    }

    private void change(ModelRegion region, List<PeerChange> changes) {
        Region.Builder next = region.region.toBuilder();
        boolean joint = changes.size() > 1;
        for (PeerChange change : changes) {
            int at = -1;
            for (int i = 0; i < next.getPeersCount(); i++) {
                at = next.getPeers(i).getId() == change.getPeer().getId() ? i : at;
            }
            switch (change.getKind()) {
                case ADD_LEARNER -> {
                    require(region.on(change.getPeer().getStoreId()) == null, "two peers on one Store: " + change);
                    next.addPeers(change.getPeer().toBuilder().setRole(PeerRole.LEARNER));
                    region.inStepAtMs.put(change.getPeer().getId(), nowMs + random.nextInt(4000));
                }
                case PROMOTE -> next.getPeersBuilder(at).setRole(joint ? PeerRole.INCOMING_VOTER : PeerRole.VOTER);
                default -> {
                    require(at >= 0, "removes a peer that is not there: " + change);
                    require(next.getPeers(at).getStoreId() != region.leaderStore, "removes the leader: " + change);
                    if (joint && next.getPeers(at).getRole() == PeerRole.VOTER) {
                        next.getPeersBuilder(at).setRole(PeerRole.LEAVING_VOTER);
                    } else {
                        next.removePeers(at);
                    }
                }
            }
        }
        next.getEpochBuilder().setConfVersion(next.getEpoch().getConfVersion() + 1);
        region.region = next.build();
    }

    private void leaveJoint(ModelRegion region) {
        Region.Builder next = region.region.toBuilder().clearPeers();
        for (Peer peer : region.region.getPeersList()) {
            if (peer.getRole() == PeerRole.INCOMING_VOTER) {
                next.addPeers(peer.toBuilder().setRole(PeerRole.VOTER));
            } else if (peer.getRole() != PeerRole.LEAVING_VOTER) {
                next.addPeers(peer);
            }
        }
        next.getEpochBuilder().setConfVersion(next.getEpoch().getConfVersion() + 1);
        region.region = next.build();
        region.changed = true;
    }

    static ByteString key(long number) {
        return ByteString.copyFrom(ByteBuffer.allocate(8).putLong(number).array());
    }

    private void split(ModelRegion region, SplitRequest split) {
        require(
                split.getNewPeerIdsCount() == split.getKeysCount() * region.region.getPeersCount(),
                "the split has ids for other peers");
        long rangeVersion = region.region.getEpoch().getRangeVersion() + split.getKeysCount();
        ByteString end = region.region.getEnd();
        int ids = 0;
        for (int i = 0; i < split.getKeysCount(); i++) {
            Region.Builder right = region.region.toBuilder()
                    .setId(split.getNewRegionIds(i))
                    .setStart(split.getKeys(i))
                    .setEnd(i + 1 < split.getKeysCount() ? split.getKeys(i + 1) : end);
            right.getEpochBuilder().setRangeVersion(rangeVersion);
            for (int j = 0; j < right.getPeersCount(); j++) {
                right.getPeersBuilder(j).setId(split.getNewPeerIds(ids++));
            }
            ModelRegion made = new ModelRegion(right.build());
            made.leaderStore = region.leaderStore;
            require(regions.put(right.getId(), made) == null, "Region id " + right.getId() + " is used twice");
        }
        Region.Builder left = region.region.toBuilder().setEnd(split.getKeys(0));
        left.getEpochBuilder().setRangeVersion(rangeVersion);
        region.region = left.build();
        region.splitKeys = List.of();
    }

    // ---- what the engine has promised
    // --------------------------------------------------------------------------------

    private void checkPromises(ModelRegion region, RegionRequest request) {
        if (!request.hasChangePeers()) {
            return;
        }
        Region asked = table.get(request.getContext().getRegionId()).region();
        TreeMap<Long, Peer> voters = new TreeMap<>();
        for (Peer peer : asked.getPeersList()) {
            require(peer.getRole().getNumber() <= 1, "a change is asked for in a joint configuration: " + asked);
            if (peer.getRole() == PeerRole.VOTER) {
                voters.put(peer.getId(), peer);
            }
        }
        int before = voters.size();
        for (PeerChange change : request.getChangePeers().getChangesList()) {
            Peer known = peer(region, change.getPeer().getId());
            switch (change.getKind()) {
                case ADD_LEARNER -> {
                    ModelStore to = stores.get(change.getPeer().getStoreId());
                    require(to.state == StoreState.STORE_UP, "a peer is added to " + to.id + ", which is " + to.state);
                    require(to.seemsAlive(), "a peer is added to Store " + to.id + ", which is dead");
                }
                case PROMOTE -> voters.put(change.getPeer().getId(), known == null ? change.getPeer() : known);
                default -> {
                    voters.remove(change.getPeer().getId());
                    require(
                            change.getPeer().getId() != request.getContext().getPeerId(),
                            "a leader is asked to remove itself");
                }
            }
        }
        long alive = voters.values().stream()
                .filter(peer -> stores.get(peer.getStoreId()).seemsAlive())
                .count();
        require(
                alive >= voters.size() / 2 + 1,
                "of " + voters.size() + " voters only " + alive + " would be alive after " + request);
        require(
                voters.size() >= before || voters.size() >= replicas,
                "voters fall from " + before + " to " + voters.size() + " where " + replicas + " are wanted");
        require(voters.size() <= Math.max(before, replicas + 1), voters.size() + " voters");
    }

    private void checkRunning() {
        TreeMap<Long, Integer> receiving = new TreeMap<>();
        for (Operator operator : engine.operators().running()) {
            for (Step step : operator.left()) {
                if (step instanceof Step.ChangePeers change && change.addsTo() != 0) {
                    receiving.merge(change.addsTo(), 1, Integer::sum);
                }
            }
        }
        receiving.forEach((store, count) -> require(
                count <= 2 * Policy.DEFAULT.movesPerStore(), count + " peers are on their way to Store " + store));
    }

    // ---- what it looks like
    // --------------------------------------------------------------------------------------------

    List<ModelStore> usable() {
        return stores.values().stream()
                .filter(store -> store.up && store.state == StoreState.STORE_UP)
                .toList();
    }

    int count(long storeId, boolean leaders) {
        int count = 0;
        for (ModelRegion region : regions.values()) {
            count += (leaders ? region.leaderStore == storeId : region.on(storeId) != null) ? 1 : 0;
        }
        return count;
    }

    /** What is not as it should be, or null. */
    String trouble() {
        int wanted = Math.min(replicas, usable().size());
        for (ModelRegion region : regions.values()) {
            TreeSet<Long> on = new TreeSet<>();
            for (Peer peer : region.region.getPeersList()) {
                ModelStore store = stores.get(peer.getStoreId());
                if (peer.getRole() != PeerRole.VOTER || !store.up || store.state != StoreState.STORE_UP) {
                    return "peer " + peer + " of Region " + region.region.getId();
                }
                on.add(peer.getStoreId());
            }
            if (on.size() != wanted || region.region.getPeersCount() != wanted || region.leaderStore == 0) {
                return "Region " + region.region.getId() + " has peers on " + on + ", wanted " + wanted;
            }
        }
        for (String zone : usable().stream().map(store -> store.zone).distinct().toList()) {
            // Where zones differ in size, their Stores must: each Region wants a peer in each zone.
            List<ModelStore> inZone =
                    usable().stream().filter(store -> store.zone.equals(zone)).toList();
            if (unequal(counts(inZone, false))) {
                return "Regions in '" + zone + "' " + counts(inZone, false);
            }
        }
        return unequal(counts(usable(), true)) ? "leaders " + counts(usable(), true) : badlySpread();
    }

    private String badlySpread() {
        TreeMap<String, Integer> room = new TreeMap<>();
        usable().forEach(store -> room.merge(store.zone, 1, Integer::sum));
        for (ModelRegion region : regions.values()) {
            TreeMap<String, Integer> used = new TreeMap<>();
            region.region
                    .getPeersList()
                    .forEach(peer -> used.merge(stores.get(peer.getStoreId()).zone, 1, Integer::sum));
            for (String from : used.keySet()) {
                for (String to : room.keySet()) {
                    int there = used.getOrDefault(to, 0);
                    if (used.get(from) > there + 1 && there < room.get(to)) {
                        return "Region " + region.region.getId() + " has " + used + " of " + room;
                    }
                }
            }
        }
        return null;
    }

    private static boolean unequal(List<Integer> counts) {
        int most = counts.stream().mapToInt(Integer::intValue).max().orElse(0);
        int least = counts.stream().mapToInt(Integer::intValue).min().orElse(0);
        double mean = counts.stream().mapToInt(Integer::intValue).average().orElse(0);
        return most - least > Math.max(1, 0.10 * mean);
    }

    private List<Integer> counts(List<ModelStore> of, boolean leaders) {
        List<Integer> counts = new ArrayList<>();
        of.forEach(store -> counts.add(count(store.id, leaders)));
        return counts;
    }
}
