package org.flotilladb.region.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.flotilladb.proto.ChangePeersRequest;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.runtime.LocalReads.Read;
import org.flotilladb.region.store.PeerView;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups that come to rest, and what wakes them, on simulated nodes. */
class RestScenarioTest {
    private static final long MS = 1_000_000L;
    private static final long LIMIT_MS = 30_000;
    private static final byte[] KEY = Model.bytes(Model.junk(0));

    /** Rules that would wake a group too, switched off. */
    private static final String NOT_CHECKED = "rest-unchecked";

    private static final String STORE_UNNOTICED = "silent-store-unnoticed";
    private static final List<String> NOTHING_ELSE = List.of(NOT_CHECKED, STORE_UNNOTICED);

    private SimWorld world;

    /** A world with one of the first seeds whose groups rest; all of them do in the end. */
    private void atRest(List<String> bugs) {
        for (long seed = 1; world == null || !world.groupSettings().rest().on(); seed++) {
            SimulationSettings settings =
                    SimulationSettings.of(seed).withFaults(Set.of()).withMoving(false);
            for (String bug : bugs) {
                settings = settings.withBug(bug);
            }
            world = new SimWorld(settings);
        }
        world.form();
        commit("0");
        awaitRest();
    }

    private void awaitRest() {
        await("all groups rest", () -> groups().allMatch(PeerView::rests));
    }

    private Stream<PeerView> groups() {
        return world.servers().stream()
                .filter(SimServer::up)
                .flatMap(server -> server.peers().stream())
                .filter(peer -> peer.region() != null);
    }

    private void await(String what, BooleanSupplier condition) {
        assertTrue(
                world.runUntil(world.time().nowNs() + LIMIT_MS * MS, condition),
                () -> "within " + LIMIT_MS + " ms it is not so that " + what);
    }

    private void pass(long ms) {
        world.runUntil(world.time().nowNs() + ms * MS, () -> false);
    }

    private TransactionClient client() {
        return world.clients().get(0).client();
    }

    private CompletableFuture<Void> put(String value) {
        Transaction transaction = client().begin(false);
        transaction.put(KEY, Model.bytes(value));
        return transaction.commit();
    }

    /** Asks again when it has taken too long: an operation may have less time than an election. */
    private void commit(String value) {
        assertTrue(isCommitted(value), "nothing can be written");
    }

    private boolean isCommitted(String value) {
        long limitNs = world.time().nowNs() + LIMIT_MS * MS;
        while (world.time().nowNs() < limitNs) {
            CompletableFuture<Void> written = put(value);
            world.runUntil(limitNs, written::isDone);
            if (written.isDone() && !written.isCompletedExceptionally()) {
                return true;
            }
        }
        return false;
    }

    private String read() {
        var value = client().begin(false).get(KEY);
        world.await("it is read", LIMIT_MS, value);
        return Model.text(value.join());
    }

    private Region region() {
        return world.invariants().records().newest().stream()
                .filter(region -> region.getStart().isEmpty())
                .findFirst()
                .orElseThrow();
    }

    private PeerView peer(SimServer server) {
        long id = region().getId();
        return server.peers().stream()
                .filter(peer -> peer.groupId() == id)
                .findFirst()
                .orElse(null);
    }

    /** The server of those that are up whose peer says that it leads the first Region, in the newest term. */
    private SimServer leader() {
        SimServer leader = null;
        for (SimServer server : world.servers()) {
            boolean leads = server.up() && peer(server) != null && peer(server).leads();
            if (leads && (leader == null || peer(leader).term() < peer(server).term())) {
                leader = server;
            }
        }
        return leader;
    }

    private List<SimServer> followers() {
        SimServer leader = leader();
        return world.servers().stream().filter(server -> server != leader).toList();
    }

    private void cutOff(SimServer server) {
        for (SimServer other : world.servers()) {
            world.network().cut(server.address(), other.address());
            world.network().cut(other.address(), server.address());
        }
    }

    @Test
    void a_group_at_rest_stays_with_its_leader_however_long() {
        atRest(List.of());
        List<PeerView> before = groups().toList();
        pass(60_000);
        assertEquals(before, groups().toList());
        assertEquals("0", read());
        commit("1");
        assertEquals("1", read());
        awaitRest();
    }

    @Test
    void the_first_request_waits_for_a_round_and_not_for_an_election() {
        atRest(List.of());
        long term = peer(leader()).term();
        long beganNs = world.time().nowNs();
        commit("1");
        long tookMs = (world.time().nowNs() - beganNs) / MS;
        assertEquals(term, peer(leader()).term());
        // In virtual time: it is the number of messages one after the other.
        assertTrue(tookMs < 100, "it took " + tookMs + " ms");
    }

    @Test
    void a_leader_at_rest_has_no_lease_and_one_that_was_replaced_gets_none() {
        atRest(List.of(NOT_CHECKED));
        // The one of its last heartbeat.
        pass(1000);
        SimServer old = leader();
        long ts = Long.MAX_VALUE / 2;
        assertSame(Read.NOT_SERVED, old.store().get(KEY, ts));
        cutOff(old);
        commit("1");
        assertNotEquals(old, leader());
        assertSame(Read.NOT_SERVED, old.store().get(KEY, ts));
        RegionResponse[] answer = new RegionResponse[1];
        ask(old, RegionRequest.newBuilder(), answer);
        pass(3000);
        assertTrue(answer[0].hasError(), answer[0]::toString);
    }

    private void ask(SimServer server, RegionRequest.Builder request, RegionResponse[] answer) {
        request.setContext(Context.newBuilder()
                .setRegionId(region().getId())
                .setEpoch(region().getEpoch())
                .setPeerId(peer(server).peerId()));
        server.node().run(() -> server.store().region(request.build(), response -> answer[0] = response));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_group_that_lost_its_leader_at_rest_has_another_one_when_a_request_comes(boolean woken) {
        atRest(woken ? NOTHING_ELSE : List.of(NOT_CHECKED, STORE_UNNOTICED, "resting-follower-not-woken"));
        leader().crash();
        pass(20_000);
        assertNull(leader(), "nobody has noticed");
        assertEquals(woken, isCommitted("1"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_group_that_lost_its_leader_at_rest_finds_another_one_when_its_store_is_silent(boolean noticed) {
        atRest(noticed ? List.of(NOT_CHECKED) : List.of(NOT_CHECKED, STORE_UNNOTICED));
        leader().crash();
        pass(8000);
        assertEquals(noticed, leader() != null);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_follower_at_rest_that_is_not_looked_after_finds_another_leader(boolean checked) {
        atRest(checked ? List.of(STORE_UNNOTICED) : NOTHING_ELSE);
        leader().crash();
        pass(20_000);
        assertEquals(checked, leader() != null);
    }

    @Test
    void a_request_at_a_follower_of_a_leader_that_hears_nobody_finds_another_leader() {
        atRest(List.of(NOT_CHECKED));
        SimServer old = leader();
        followers().forEach(other -> world.network().cut(other.address(), old.address()));
        world.network().cut("client1", old.address());
        commit("1");
        assertNotEquals(old, leader());
    }

    @Test
    void a_store_that_restarts_before_it_was_missed_has_its_groups_led_again() {
        atRest(List.of());
        SimServer old = leader();
        old.crash();
        old.restartLater(50 * MS);
        pass(5000);
        assertNotNull(leader());
        commit("1");
        awaitRest();
    }

    @Test
    void a_group_rests_without_a_store_that_is_down_and_brings_it_up_to_date_when_it_is_back() {
        atRest(List.of());
        SimServer down = followers().get(0);
        down.crash();
        commit("1");
        awaitRest();
        assertTrue(leader() != null && peer(leader()).rests());
        down.restartLater(0);
        await(
                "it has everything",
                () -> down.up()
                        && peer(down) != null
                        && peer(down).appliedIndex() == peer(leader()).appliedIndex());
        awaitRest();
    }

    @Test
    void a_group_rests_without_a_store_that_is_cut_off_and_brings_it_up_to_date_when_it_is_back() {
        atRest(List.of());
        SimServer away = followers().get(0);
        cutOff(away);
        commit("1");
        await(
                "the others rest",
                () -> world.servers().stream()
                        .allMatch(server -> server == away || peer(server).rests()));
        world.network().healCuts();
        await(
                "it has everything",
                () -> peer(away).appliedIndex() == peer(leader()).appliedIndex());
        awaitRest();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void a_peer_that_was_removed_while_it_rested_learns_of_it(boolean checked) {
        atRest(checked ? List.of() : List.of(NOT_CHECKED));
        SimServer leader = leader();
        SimServer removed = followers().get(0);
        Peer member = region().getPeersList().stream()
                .filter(each -> each.getStoreId() == removed.storeId())
                .findFirst()
                .orElseThrow();
        world.network().cut(leader.address(), removed.address());
        RegionResponse[] answer = new RegionResponse[1];
        do {
            // Refused at first: what was heard before the rest does not count.
            answer[0] = null;
            pass(50);
            ask(
                    leader,
                    RegionRequest.newBuilder()
                            .setChangePeers(ChangePeersRequest.newBuilder()
                                    .addChanges(PeerChange.newBuilder()
                                            .setKind(PeerChangeKind.REMOVE)
                                            .setPeer(member))),
                    answer);
            await("it is answered", () -> answer[0] != null);
        } while (answer[0].getError().hasBusy());
        assertFalse(answer[0].hasError(), answer[0]::toString);
        assertEquals(2, region().getPeersCount());
        world.network().healCuts();
        assertTrue(peer(removed).rests(), "it has missed that");
        pass(20_000);
        assertEquals(checked, peer(removed) == null);
    }
}
