package org.flotilladb.region.simulation;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.flotilladb.proto.ChangePeersRequest;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GroupMessage;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.RaftBatch;
import org.flotilladb.proto.RaftMessage;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionError;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.TransferLeaderRequest;
import org.flotilladb.raft.MessageType;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.store.PeerView;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Peers that come and go, step by step, on simulated nodes of which one has no peer of the first Region. */
class MembershipScenarioTest {
    private static final long MS = 1_000_000L;
    private static final long LIMIT_MS = 30_000;
    private static final byte[] KEY = Model.bytes(Model.junk(0));
    private static final long NEW_PEER = 5000;

    private SimWorld world;

    private void form(long seed) {
        form(SimulationSettings.of(seed));
    }

    private void form(SimulationSettings settings) {
        world = new SimWorld(settings.withFaults(Set.of()).withMoving(true).withDirected(false));
        world.form();
    }

    /** Forms worlds from that seed on until there is one whose logs are kept short; answers its seed. */
    private long formWithShortLogs(long firstSeed, String bug) {
        for (long seed = firstSeed; ; seed++) {
            SimulationSettings settings = SimulationSettings.of(seed);
            form(bug == null ? settings : settings.withBug(bug));
            if (world.logKeepEntries() < 100) {
                return seed;
            }
        }
    }

    private void await(String what, BooleanSupplier condition) {
        assertTrue(
                world.runUntil(world.time().nowNs() + LIMIT_MS * MS, condition),
                () -> "within " + LIMIT_MS + " ms it is not so that " + what);
    }

    private Region region() {
        for (Region region : world.invariants().records().newest()) {
            if (region.getStart().isEmpty()) {
                return region;
            }
        }
        throw new IllegalStateException("no Region yet");
    }

    private SimServer leader() {
        long id = region().getId();
        await("Region " + id + " is led", () -> findLeader(id) != null);
        return findLeader(id);
    }

    private SimServer findLeader(long id) {
        for (SimServer server : world.servers()) {
            if (server.up() && server.peers().stream().anyMatch(peer -> peer.groupId() == id && peer.serves())) {
                return server;
            }
        }
        return null;
    }

    private PeerView peer(SimServer server) {
        long id = region().getId();
        return server.up()
                ? server.peers().stream()
                        .filter(peer -> peer.groupId() == id)
                        .findFirst()
                        .orElse(null)
                : null;
    }

    private Peer member(SimServer server) {
        return region().getPeersList().stream()
                .filter(peer -> peer.getStoreId() == server.storeId())
                .findFirst()
                .orElse(null);
    }

    /** A server without a peer of the Region. */
    private SimServer free() {
        return world.servers().stream()
                .filter(server -> member(server) == null)
                .findFirst()
                .orElseThrow();
    }

    private RegionResponse ask(RegionRequest.Builder request) {
        SimServer server = leader();
        RegionResponse[] answer = new RegionResponse[1];
        request.setContext(Context.newBuilder()
                .setRegionId(region().getId())
                .setEpoch(region().getEpoch())
                .setPeerId(peer(server).peerId()));
        server.node().run(() -> server.store().region(request.build(), response -> answer[0] = response));
        await("the request is answered", () -> answer[0] != null);
        return answer[0];
    }

    private static RegionRequest.Builder change(PeerChangeKind kind, Peer peer) {
        return RegionRequest.newBuilder()
                .setChangePeers(ChangePeersRequest.newBuilder()
                        .addChanges(PeerChange.newBuilder().setKind(kind).setPeer(peer)));
    }

    /** Asks until it is done; busy means later. */
    private void done(RegionRequest.Builder request) {
        RegionResponse answer = ask(request.clone());
        for (int i = 0; i < 100 && answer.getError().hasBusy(); i++) {
            pass(100);
            answer = ask(request.clone());
        }
        assertFalse(answer.hasError(), answer::toString);
    }

    private void pass(long ms) {
        world.runUntil(world.time().nowNs() + ms * MS, () -> false);
    }

    private void put(String value) {
        Transaction transaction = world.clients().get(0).client().begin(false);
        transaction.put(KEY, Model.bytes(value));
        world.await("it is written", LIMIT_MS, transaction.commit());
    }

    private String read() {
        var value = world.clients().get(1).client().begin(false).get(KEY);
        world.await("it is read", LIMIT_MS, value);
        return Model.text(value.join());
    }

    private void addTo(SimServer server) {
        done(change(
                PeerChangeKind.ADD_LEARNER,
                Peer.newBuilder().setId(NEW_PEER).setStoreId(server.storeId()).build()));
    }

    private boolean inStep(SimServer server) {
        PeerView here = peer(server);
        PeerView there = findLeader(region().getId()) == null ? null : peer(findLeader(region().getId()));
        return here != null && there != null && here.region() != null && here.appliedIndex() == there.appliedIndex();
    }

    /** Hands leadership over; a target that has not applied its promotion yet does not take it. */
    private void lead(SimServer server) {
        for (int i = 0; i < 10 && leader() != server; i++) {
            handOver(server);
        }
        assertEquals(server, leader());
    }

    private void handOver(SimServer server) {
        done(RegionRequest.newBuilder()
                .setTransferLeader(TransferLeaderRequest.newBuilder()
                        .setPeerId(member(server).getId())));
        world.runUntil(world.time().nowNs() + 3000 * MS, () -> findLeader(region().getId()) == server);
    }

    @Test
    void a_peer_that_joins_is_given_the_rows_and_can_lead_and_one_that_leaves_keeps_nothing() {
        form(1);
        put("1");
        SimServer joining = free();
        addTo(joining);
        await("the learner has the rows", () -> inStep(joining));
        done(change(PeerChangeKind.PROMOTE, member(joining)));
        assertEquals(PeerRole.VOTER, member(joining).getRole());
        lead(joining);
        put("2");
        SimServer leaving = world.servers().stream()
                .filter(server -> server != joining && member(server) != null)
                .findFirst()
                .orElseThrow();
        done(change(PeerChangeKind.REMOVE, member(leaving)));
        await("the peer is gone", () -> peer(leaving) == null);
        assertEquals("2", read());
        put("3");
        assertEquals("3", read());
        world.servers().forEach(SimServer::compare);
    }

    @Test
    void several_peers_change_at_once() {
        form(1);
        put("1");
        SimServer joining = free();
        addTo(joining);
        await("the learner has the rows", () -> inStep(joining));
        SimServer leaving = world.servers().stream()
                .filter(server -> server != leader() && server != joining && member(server) != null)
                .findFirst()
                .orElseThrow();
        done(RegionRequest.newBuilder()
                .setChangePeers(ChangePeersRequest.newBuilder()
                        .addChanges(PeerChange.newBuilder()
                                .setKind(PeerChangeKind.PROMOTE)
                                .setPeer(member(joining)))
                        .addChanges(PeerChange.newBuilder()
                                .setKind(PeerChangeKind.REMOVE)
                                .setPeer(member(leaving)))));
        await("the joint configuration is left", () -> member(leaving) == null);
        await("the peer is gone", () -> peer(leaving) == null);
        assertEquals(3, region().getPeersCount());
        assertTrue(region().getPeersList().stream().allMatch(peer -> peer.getRole() == PeerRole.VOTER));
        put("2");
        assertEquals("2", read());
        world.servers().forEach(SimServer::compare);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void a_crash_at_any_step_of_taking_in_a_snapshot_leaves_the_old_or_the_new_state(int step) {
        form(1);
        put("1");
        SimServer joining = free();
        joining.data().crashAtIngest(step, joining.node());
        addTo(joining);
        await("the node crashes", () -> world.faultCounts().getOrDefault("node crashed", 0L) > 0);
        await("the learner has the rows", () -> inStep(joining));
        world.servers().forEach(SimServer::compare);
        done(change(PeerChangeKind.PROMOTE, member(joining)));
        lead(joining);
        assertEquals("1", read());
        put("2");
        assertEquals("2", read());
    }

    @Test
    void a_peer_that_lags_behind_the_log_is_given_a_snapshot_over_what_it_has() {
        formWithShortLogs(1, null);
        SimServer cut = world.servers().stream()
                .filter(server -> member(server) != null && server != leader())
                .findFirst()
                .orElseThrow();
        for (SimServer other : world.servers()) {
            world.network().cut(other.address(), cut.address());
            world.network().cut(cut.address(), other.address());
        }
        for (int i = 0; i < 150; i++) {
            put("x" + i);
            pass(100);
        }
        long taken = world.faultCounts().getOrDefault("snapshot taken in", 0L);
        world.network().healCuts();
        await("the peer is in step", () -> inStep(cut));
        assertTrue(world.faultCounts().getOrDefault("snapshot taken in", 0L) > taken);
        world.servers().forEach(SimServer::compare);
    }

    /** Whether a node that has split and crashed, and is sent a snapshot from after the split, finds the new Region again. */
    private boolean splitStands() {
        SimServer cut = world.servers().stream()
                .filter(server -> member(server) != null && server != leader())
                .findFirst()
                .orElseThrow();
        // Above the key that is written.
        byte[] at = Model.bytes(Model.unique(0, 1) + "z");
        String left = Model.text(KEY);
        assertTrue(left.compareTo(Model.text(at)) > 0);
        world.await("it is split", LIMIT_MS, world.clients().get(0).client().split(at));
        Region right = world.invariants().records().newest().stream()
                .filter(region -> region.getStart().equals(ByteString.copyFrom(at)))
                .findFirst()
                .orElseThrow();
        BooleanSupplier hasRight = () -> cut.up()
                && cut.peers().stream().anyMatch(peer -> peer.groupId() == right.getId() && peer.appliedIndex() > 0);
        await("the new Region has a log there", hasRight);
        for (SimServer other : world.servers()) {
            world.network().cut(other.address(), cut.address());
            world.network().cut(cut.address(), other.address());
        }
        cut.crash();
        world.restart(cut, 0);
        // A new leader does not know how much of the log the node has: the first it says is the snapshot.
        SimServer former = leader();
        lead(world.servers().stream()
                .filter(server -> server != cut && server != former && member(server) != null)
                .findFirst()
                .orElseThrow());
        Transaction[] transactions = new Transaction[150];
        for (int i = 0; i < transactions.length; i++) {
            transactions[i] = world.clients().get(0).client().begin(false);
            transactions[i].put(Model.bytes(Model.account(0, 0) + "x"), Model.bytes("x" + i));
            world.await("it is written", LIMIT_MS, transactions[i].commit());
            pass(100);
        }
        world.network().healCuts();
        await("the old Region is in step", () -> inStep(cut));
        boolean stands = world.runUntil(world.time().nowNs() + 5000 * MS, hasRight);
        if (stands) {
            world.servers().forEach(SimServer::compare);
        }
        return stands;
    }

    @Test
    void a_split_stands_though_a_snapshot_passes_over_it_after_a_crash() {
        long seed = 0;
        for (int i = 0; i < 4; i++) {
            seed = formWithShortLogs(seed + 1, null);
            assertTrue(splitStands(), "seed " + seed);
        }
    }

    @Test
    void a_split_that_is_not_durable_before_its_peers_acknowledge_is_noticed() {
        long seed = 0;
        boolean noticed = false;
        for (int i = 0; i < 20 && !noticed; i++) {
            seed = formWithShortLogs(seed + 1, "split-not-durable");
            noticed = !splitStands();
        }
        assertTrue(noticed, "the split stood in every seed up to " + seed);
    }

    /** A snapshot of a group that has applied nothing yet is worth nothing: who waited for one would wait for ever. */
    @Test
    void a_peer_that_wants_a_snapshot_before_anything_is_committed_does_not_stop_the_group() {
        form(1);
        put("1");
        byte[] at = Model.bytes(Model.unique(0, 1) + "z");
        SimServer leader = leader();
        CompletableFuture<?> split = world.clients().get(0).client().split(at);
        await(
                "the new Region is led",
                () -> newPeer(leader, at) != null && newPeer(leader, at).leads());
        // The beginning of the log that is on its way is lost.
        for (SimServer other : world.servers()) {
            world.network().cut(leader.address(), other.address());
        }
        PeerView made = newPeer(leader, at);
        assertEquals(0, made.commitIndex());
        Peer follower = made.region().getPeersList().stream()
                .filter(peer -> peer.getStoreId() != leader.storeId())
                .findFirst()
                .orElseThrow();
        Envelope notice = Envelope.newBuilder()
                .setRaft(RaftBatch.newBuilder()
                        .addMessages(GroupMessage.newBuilder()
                                .setGroupId(made.groupId())
                                .setFromStore(follower.getStoreId())
                                .setToStore(leader.storeId())
                                .setNeedsSnapshot(true)
                                .setMessage(RaftMessage.newBuilder()
                                        .setType(MessageType.HEARTBEAT.code())
                                        .setFrom(follower.getId())
                                        .setTo(made.peerId()))))
                .build();
        leader.node().run(() -> leader.store().onMessage(notice));
        pass(50);
        assertEquals(0, newPeer(leader, at).commitIndex());
        world.network().healCuts();
        world.await("it is split", LIMIT_MS, split);
        await("the new Region is served", () -> findLeader(made.groupId()) != null);
        put("2");
        assertEquals("2", read());
    }

    private static PeerView newPeer(SimServer server, byte[] start) {
        return server.peers().stream()
                .filter(peer ->
                        peer.region() != null && peer.region().getStart().equals(ByteString.copyFrom(start)))
                .findFirst()
                .orElse(null);
    }

    @Test
    void a_removed_peer_that_was_away_learns_of_it_when_it_is_back() {
        form(1);
        put("1");
        SimServer away = world.servers().stream()
                .filter(server -> member(server) != null && server != leader())
                .findFirst()
                .orElseThrow();
        Peer removed = member(away);
        away.crash();
        pass(500);
        done(change(PeerChangeKind.REMOVE, removed));
        world.restart(away, 0);
        await("it is up", away::up);
        await("it has learned of its removal", () -> away.store().storeId() != 0 && peer(away) == null);
        world.servers().forEach(SimServer::compare);
    }

    /** The random worlds meet it too seldom to count on. */
    @ParameterizedTest(name = "{0}, tombstone forgotten: {1}")
    @CsvSource({"HEARTBEAT, false", "HEARTBEAT, true", "VOTE, false", "VOTE, true", "PRE_VOTE, false", "PRE_VOTE, true"
    })
    void a_late_message_brings_no_removed_peer_back(MessageType type, boolean tombstoneForgotten) {
        SimulationSettings settings = SimulationSettings.of(1);
        form(tombstoneForgotten ? settings.withBug("tombstone-forgotten") : settings);
        put("1");
        SimServer leader = leader();
        SimServer leaving = world.servers().stream()
                .filter(server -> member(server) != null && server != leader)
                .findFirst()
                .orElseThrow();
        Region before = region();
        PeerView sender = peer(leader);
        RaftMessage message = RaftMessage.newBuilder()
                .setType(type.code())
                .setFrom(sender.peerId())
                .setTo(member(leaving).getId())
                .setTerm(sender.term())
                .build();
        done(change(PeerChangeKind.REMOVE, member(leaving)));
        await("the peer is gone", () -> peer(leaving) == null);

        Envelope late = Envelope.newBuilder()
                .setRaft(RaftBatch.newBuilder()
                        .addMessages(GroupMessage.newBuilder()
                                .setGroupId(before.getId())
                                .setFromStore(leader.storeId())
                                .setToStore(leaving.storeId())
                                .setEpoch(before.getEpoch())
                                .setMessage(message)))
                .build();
        Executable delivered = () -> {
            leaving.node().run(() -> leaving.store().onMessage(late));
            pass(1000);
        };
        if (tombstoneForgotten) {
            String noticed = assertThrows(SimulationFailure.class, delivered).getMessage();
            assertTrue(noticed.contains("was removed and is back"), noticed);
        } else {
            assertDoesNotThrow(delivered);
            assertNull(peer(leaving));
        }
    }

    @Test
    void a_learner_that_was_forgotten_asks_and_goes() {
        form(1);
        put("1");
        SimServer joining = free();
        addTo(joining);
        await("the learner has the rows", () -> inStep(joining));
        Peer learner = member(joining);
        joining.crash();
        pass(500);
        done(change(PeerChangeKind.REMOVE, learner));
        world.restart(joining, 0);
        await("it is up", joining::up);
        // Learners do not campaign: nobody hears of it.
        await("it has learned of its removal", () -> joining.store().storeId() != 0 && peer(joining) == null);
        world.servers().forEach(SimServer::compare);
    }

    /** With two voters, one that removes the other may crash before it knows that this is decided. */
    @Test
    void the_last_voter_learns_from_the_other_ones_tombstone_that_it_is_alone() {
        int decidedByTheOther = 0;
        for (long seed = 1; seed <= 8; seed++) {
            form(seed);
            put("1");
            SimServer one = leader();
            for (SimServer server : world.servers()) {
                if (server != one && member(server) != null && region().getPeersCount() > 2) {
                    done(change(PeerChangeKind.REMOVE, member(server)));
                }
            }
            SimServer other = world.servers().stream()
                    .filter(server -> server != one && member(server) != null)
                    .findFirst()
                    .orElseThrow();
            long id = region().getId();
            // The entry arrives, its acknowledgement does not.
            world.network().cut(other.address(), one.address());
            RegionRequest remove = change(PeerChangeKind.REMOVE, member(other))
                    .setContext(Context.newBuilder()
                            .setRegionId(id)
                            .setEpoch(region().getEpoch())
                            .setPeerId(peer(one).peerId()))
                    .build();
            long before = peer(other).lastIndex();
            one.node().run(() -> one.store().region(remove, response -> {}));
            await("the entry is there", () -> peer(other).lastIndex() > before);
            one.crash();
            world.network().healCuts();
            world.restart(one, 0);
            boolean[] otherLed = new boolean[1];
            world.invariants().watch((node, group) -> otherLed[0] |= group == id && node == other.id());
            await("one voter is left, and serves", () -> region().getPeersCount() == 1 && findLeader(id) == one);
            decidedByTheOther += otherLed[0] ? 1 : 0;
            put("2");
            assertEquals("2", read());
            await("the other one is gone", () -> peer(other) == null);
        }
        assertTrue(decidedByTheOther > 0, "in no seed has the one that was to go decided it");
    }

    @Test
    void requests_that_do_not_fit_are_refused_with_what_the_asker_needs() {
        form(1);
        SimServer leader = leader();
        RegionError self = ask(change(PeerChangeKind.REMOVE, member(leader))).getError();
        assertTrue(self.hasChangeRefused(), self::toString);
        RegionError stranger = ask(change(
                        PeerChangeKind.ADD_LEARNER,
                        Peer.newBuilder().setId(NEW_PEER).setStoreId(12345).build()))
                .getError();
        assertTrue(stranger.hasBusy(), stranger::toString);
        RegionError nobody = ask(RegionRequest.newBuilder()
                        .setTransferLeader(TransferLeaderRequest.newBuilder().setPeerId(99)))
                .getError();
        assertTrue(nobody.hasChangeRefused(), nobody::toString);
        Region before = region();
        addTo(free());
        RegionResponse[] old = new RegionResponse[1];
        RegionRequest late = change(PeerChangeKind.REMOVE, before.getPeers(1))
                .setContext(Context.newBuilder()
                        .setRegionId(before.getId())
                        .setEpoch(before.getEpoch())
                        .setPeerId(peer(leader).peerId()))
                .build();
        leader.node().run(() -> leader.store().region(late, response -> old[0] = response));
        await("it is answered", () -> old[0] != null);
        assertTrue(old[0].getError().hasEpochNotMatch(), old[0]::toString);
        assertNotNull(old[0].getError().getEpochNotMatch().getCurrentRegions(0));
    }
}
