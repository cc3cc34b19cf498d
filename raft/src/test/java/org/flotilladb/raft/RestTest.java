package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Groups at rest")
class RestTest {
    private static final int AFTER_TICKS = 5;

    private static Group awake() {
        Group group = Group.of(
                3,
                builder -> builder.leases(Group.PROMISE_NS, Group.RATE_ERROR, Group.MARGIN_NS)
                        .promiseAtStart(false)
                        .restAfterTicks(AFTER_TICKS));
        group.elect(1);
        return group;
    }

    private static Group atRest() {
        Group group = awake();
        group.ticks(2 * AFTER_TICKS);
        group.all().forEach(peer -> assertTrue(peer.node.isResting(), peer.node.toString()));
        return group;
    }

    private static int awakeIn(Group group) {
        int awake = 0;
        for (Group.Peer peer : group.all()) {
            awake += peer.node.isResting() ? 0 : 1;
        }
        return awake;
    }

    @Test
    void atRestNothingIsSentAndNobodyCampaigns() {
        Group group = atRest();
        List<Message> sent = new ArrayList<>();
        group.filter(sent::add);
        long term = group.node(1).term();
        group.ticks(1000);
        assertEquals(List.of(), sent);
        assertEquals(term, group.node(1).term());
        assertEquals(1, group.leader());
    }

    @Test
    void itIsOffUnlessAskedFor() {
        Group group = Group.of(3);
        group.elect(1);
        group.ticks(100);
        assertEquals(3, awakeIn(group));
    }

    static Stream<Arguments> everyWishWakesThePeerAndItsLeader() {
        return Stream.of(
                Arguments.of("propose", wish((node, now) -> {
                    try {
                        node.propose(new byte[1]);
                    } catch (ProposalDroppedException e) {
                        throw new AssertionError(e);
                    }
                })),
                Arguments.of("readIndex", wish((node, now) -> node.readIndex(new byte[8], now))),
                Arguments.of("transferLeader", wish((node, now) -> node.transferLeader(2, now))),
                Arguments.of("wake", wish(RawNode::wake)));
    }

    private static BiConsumer<RawNode, Long> wish(BiConsumer<RawNode, Long> wish) {
        return wish;
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource
    void everyWishWakesThePeerAndItsLeader(String name, BiConsumer<RawNode, Long> wish) {
        for (long asked = 1; asked <= 3; asked++) {
            Group group = atRest();
            wish.accept(group.node(asked), group.nowNs);
            assertFalse(group.node(asked).isResting(), name);
            group.settle();
            assertFalse(group.node(1).isResting(), name + " of peer " + asked);
            group.tick();
            assertEquals(3, awakeIn(group), "all are awake with their leader");
        }
    }

    @Test
    void aLeaderThatWakesHasItsLeaseAgainAfterOneRound() {
        Group group = atRest();
        group.nowNs += 100 * Group.PROMISE_NS;
        assertTrue(group.node(1).leaseUntilNs() < group.nowNs);
        group.node(1).wake(group.nowNs);
        group.settle();
        assertTrue(group.node(1).leaseUntilNs() > group.nowNs);
    }

    static Stream<Arguments> unfinished() {
        return Stream.of(
                Arguments.of("nothing", 1, (BiConsumer<RawNode, Long>) (node, nowNs) -> {}),
                Arguments.of(
                        "a read", 0, (BiConsumer<RawNode, Long>) (node, nowNs) -> node.readIndex(new byte[1], nowNs)),
                Arguments.of(
                        "a transfer", 0, (BiConsumer<RawNode, Long>) (node, nowNs) -> node.transferLeader(3, nowNs)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("unfinished")
    void aLeaderDoesNotRestWhileSomethingIsNotFinished(String name, int resting, BiConsumer<RawNode, Long> begin) {
        Group group = awake();
        // Neither the round of the read is answered nor does the target of the transfer hear.
        group.filter(
                message -> message.type() != MessageType.HEARTBEAT_RESP && message.type() != MessageType.TIMEOUT_NOW);
        begin.accept(group.node(1), group.nowNs);
        group.ticks(AFTER_TICKS + 2);
        assertTrue(group.node(1).isLeader());
        assertEquals(resting == 1, group.node(1).isResting());
    }

    @Test
    void aLeaderThatIsWokenSpeaksAtItsNextTickNotOneHeartbeatLater() {
        Group group =
                Group.of(3, builder -> builder.electionTick(20).heartbeatTick(4).restAfterTicks(AFTER_TICKS));
        group.elect(1);
        group.ticks(4 * AFTER_TICKS);
        assertTrue(group.node(1).isResting());
        group.node(2).wake(group.nowNs);
        group.settle();
        assertFalse(group.node(1).isResting());
        List<Message> sent = new ArrayList<>();
        group.filter(sent::add);
        group.tick();
        assertTrue(sent.stream().anyMatch(message -> message.type() == MessageType.HEARTBEAT), sent.toString());
    }

    @Test
    void aFollowerRestsOnlyWhenItsLeaderSaysSo() {
        Group group = awake();
        group.isolate(1);
        group.ticks(40);
        assertNotEquals(1, group.leader(), "the others have elected somebody: the leader had merely fallen silent");
    }

    @Test
    void whoMissedTheLastHeartbeatWakesTheOthersAndTheLeaderStays() {
        Group group = awake();
        group.filter(message -> message.to() != 3 || message.type() != MessageType.HEARTBEAT || message.index() == 0);
        group.ticks(2 * AFTER_TICKS);
        assertTrue(group.node(1).isResting());
        assertFalse(group.node(3).isResting());
        group.heal();
        long term = group.node(1).term();
        group.ticks(30 + 4 * AFTER_TICKS);
        assertEquals(0, awakeIn(group));
        assertEquals(1, group.leader());
        assertEquals(term, group.node(3).term());
    }

    @Test
    void aFollowerThatLacksSomethingKeepsItsLeaderAwake() throws Exception {
        Group group = awake();
        group.filter(message -> message.to() != 3 || message.type() != MessageType.APP);
        group.peer(1).propose("x");
        group.settle();
        group.ticks(5 * AFTER_TICKS);
        assertEquals(3, awakeIn(group));
        group.heal();
        group.ticks(5 * AFTER_TICKS);
        assertEquals(0, awakeIn(group));
        assertTrue(group.peer(3).applied.contains("x"));
    }

    @ParameterizedTest
    @CsvSource({
        "3, 3, 1, true",
        "3, 2, 1, false",
        "3, 3, 2, false",
        "2, 3, 1, false",
        "2, 2, 1, false",
        "4, 4, 1, false"
    })
    void aFollowerRestsOnlyAtTheEndOfItsLogAllOfItCommitted(long index, long commit, long logTerm, boolean rests) {
        Group group = Group.withLogs(
                builder -> builder.restAfterTicks(AFTER_TICKS), new long[] {1, 1, 1}, new long[] {1, 1, 1}, new long[] {
                    1, 1, 1
                });
        Message heartbeat = Message.to(2, MessageType.HEARTBEAT)
                .from(1)
                .term(2)
                .commit(Math.min(commit, 3))
                .log(logTerm, index)
                .build();
        group.deliver(heartbeat);
        group.peer(2).handleAll();
        assertEquals(rests, group.node(2).isResting());
        assertEquals(rests ? index : 0, group.takeWire().get(0).index(), "its answer says so");
    }

    @Test
    void aPeerThatDoesNotKnowRestKeepsTheGroupAwake() {
        boolean[] first = {true};
        Group group = Group.of(3, builder -> {
            builder.restAfterTicks(first[0] ? 0 : AFTER_TICKS);
            first[0] = false;
        });
        group.elect(2);
        group.ticks(10 * AFTER_TICKS);
        assertEquals(2, group.leader());
        assertFalse(group.node(1).isResting());
    }

    @Test
    void aGroupThatLostItsLeaderAtRestElectsOneWhenAnybodyIsAsked() {
        Group group = atRest();
        group.isolate(1);
        group.node(3).wake(group.nowNs);
        group.ticks(80);
        assertTrue(group.leader() == 2 || group.leader() == 3, group.toString());
    }

    @Test
    void aLeaderThatChecksLeavesThoseAtRestWhoRestWithIt() {
        Group group = atRest();
        List<Message> sent = new ArrayList<>();
        group.filter(sent::add);
        group.node(1).checkRest(group.nowNs);
        group.settle();
        assertEquals(4, sent.size(), "two heartbeats, two answers");
        assertEquals(0, awakeIn(group));
        group.node(2).checkRest(group.nowNs);
        group.settle();
        assertEquals(4, sent.size(), "a follower has nobody to check");
    }

    @Test
    void aFollowerThatHasRestartedRestsAgainWhenItsLeaderChecks() {
        Group group = atRest();
        group.restart(3);
        assertFalse(group.node(3).isResting());
        group.node(1).checkRest(group.nowNs);
        group.settle();
        assertEquals(0, awakeIn(group));
    }

    @Test
    void whoWasHeardBeforeTheRestWasNotHeardLately() {
        Group group = atRest();
        group.isolate(3);
        ConfChange change = ConfChange.one(ConfChange.Kind.REMOVE, 2);
        assertThrows(
                ProposalDroppedException.class, () -> group.node(1).proposeConfChange(change), "nobody is heard yet");
        group.settle();
        group.tick();
        assertThrows(
                ProposalDroppedException.class,
                () -> group.node(1).proposeConfChange(change),
                "of the two that there would be one is silent");
        group.heal();
        group.ticks(2);
        assertDoesNotThrow(() -> group.node(1).proposeConfChange(change));
    }

    @Test
    void aGroupRestsWithoutWhoCannotBeReachedAndWakesWhenItsLeaderChecks() throws Exception {
        boolean[] away = {false};
        Group group =
                Group.of(3, builder -> builder.restAfterTicks(AFTER_TICKS).restWithout(peer -> away[0] && peer == 3));
        group.elect(1);
        group.isolate(3);
        group.peer(1).propose("x");
        group.settle();
        group.ticks(5 * AFTER_TICKS);
        assertFalse(group.node(1).isResting(), "peer 3 lacks an entry");
        away[0] = true;
        group.ticks(2 * AFTER_TICKS);
        assertTrue(group.node(1).isResting());
        assertTrue(group.node(2).isResting());
        group.heal();
        away[0] = false;
        group.node(1).checkRest(group.nowNs);
        group.settle();
        assertFalse(group.node(1).isResting(), "its answer says that it lacks something");
        group.ticks(4 * AFTER_TICKS);
        assertTrue(group.peer(3).applied.contains("x"));
        assertEquals(0, awakeIn(group));
    }

    @Test
    void aLeaderThatRestartsIsWelcomedBack() {
        Group group = atRest();
        group.restart(1);
        group.ticks(100);
        assertNotEquals(0, group.leader());
        assertEquals(0, awakeIn(group));
    }

    /** A peer whose invariants are broken throws; the others must not be ticked twice for it ever after. */
    @Test
    void aListThatAPeerBreaksOffHoldsEveryPeerOnce() {
        Group group = awake();
        TickList list = new TickList();
        group.all().forEach(peer -> list.touched(peer.node));
        list.remove(group.node(1));
        assertThrows(
                IllegalStateException.class,
                () -> list.tick(group.nowNs, node -> {
                    if (node.id() == 3) {
                        throw new IllegalStateException("peer 3 is broken");
                    }
                }));
        List<Long> ticked = new ArrayList<>();
        list.tick(group.nowNs, node -> ticked.add(node.id()));
        assertEquals(List.of(2L, 3L), ticked);
        assertEquals(2, list.size());
    }

    @Test
    void aListTicksOnlyWhoIsAwake() {
        Group group = atRest();
        TickList list = new TickList();
        group.all().forEach(peer -> list.touched(peer.node));
        list.touched(group.node(1));
        assertEquals(3, list.size());
        List<Long> ticked = new ArrayList<>();
        list.tick(group.nowNs, node -> ticked.add(node.id()));
        assertEquals(List.of(1L, 2L, 3L), ticked);
        assertEquals(0, list.size());

        group.node(3).wake(group.nowNs);
        group.node(2).wake(group.nowNs);
        list.touched(group.node(3));
        ticked.clear();
        list.tick(group.nowNs, node -> {
            ticked.add(node.id());
            // Handling what it has to say may touch another.
            list.touched(group.node(2));
        });
        assertEquals(List.of(3L), ticked);
        assertEquals(2, list.size());
        list.remove(group.node(3));
        list.tick(group.nowNs, node -> ticked.add(node.id()));
        assertEquals(List.of(3L, 2L), ticked);
        assertEquals(1, list.size());
    }
}
