package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Promises and the leader's lease")
class LeaseTest {
    private static final long SHORTENED =
            (long) (Group.PROMISE_NS * (1 - Group.RATE_ERROR) / (1 + Group.RATE_ERROR)) - Group.MARGIN_NS;

    @Test
    void aLeaseReachesFromTheSendingOfTheRoundNotFromItsAnswers() {
        Group group = Group.withLeases(3);
        group.elect(1);
        group.nowNs += 10 * Group.TICK_NS;
        long sentNs = group.nowNs;
        group.node(1).tick(sentNs);
        group.node(1).tick(sentNs);
        group.peer(1).handleAll();
        List<Message> heartbeats = group.takeWire();
        group.nowNs += 400_000_000L;
        heartbeats.forEach(group::deliver);
        group.settle();
        assertEquals(sentNs + SHORTENED, group.node(1).leaseUntilNs());
    }

    @Test
    void aMinorityOfAnswersExtendsNoLease() {
        Group group = Group.withLeases(5);
        group.elect(1);
        long before = group.node(1).leaseUntilNs();
        group.filter(message -> message.to() == 2 || message.from() == 2);
        group.ticks(4);
        assertEquals(before, group.node(1).leaseUntilNs());
        group.heal();
        group.ticks(4);
        assertTrue(group.node(1).leaseUntilNs() > before);
    }

    @Test
    void aLeaderRefusesVotesWhileItsLeaseHolds() {
        Group group = Group.withLeases(3);
        group.elect(1);
        group.ticks(4);
        long term = group.node(1).term();
        for (MessageType type : List.of(MessageType.PRE_VOTE, MessageType.VOTE)) {
            group.deliver(
                    Message.to(1, type).from(3).term(term + 1).log(term, 99).build());
        }
        assertTrue(group.node(1).isLeader());
        assertEquals(term, group.node(1).term());
        group.nowNs = group.node(1).leaseUntilNs();
        group.deliver(Message.to(1, MessageType.VOTE)
                .from(3)
                .term(term + 1)
                .log(term, 99)
                .build());
        assertEquals(term + 1, group.node(1).term(), "it has served what it could");
    }

    @Test
    void whatWasSentBeforeTheClockBecameSuspectDoesNotCount() {
        Group group = Group.withLeases(3);
        group.elect(1);
        group.nowNs += Group.TICK_NS;
        group.node(1).tick(group.nowNs);
        group.node(1).tick(group.nowNs);
        group.peer(1).handleAll();
        List<Message> round = group.takeWire();
        assertFalse(round.isEmpty());
        group.nowNs += 1;
        group.node(1).suspectClock(group.nowNs);
        round.forEach(group::deliver);
        group.settle();
        assertEquals(Long.MIN_VALUE, group.node(1).leaseUntilNs());
        group.ticks(4);
        assertTrue(group.node(1).leaseUntilNs() > group.nowNs, "what is sent afterwards does");
    }

    @Test
    void aFollowerThatPromisesLessDoesNotCount() {
        Group group = Group.withLeases(3);
        group.elect(1);
        long before = group.node(1).leaseUntilNs();
        long term = group.node(1).term();
        for (long from = 2; from <= 3; from++) {
            group.deliver(Message.to(1, MessageType.HEARTBEAT_RESP)
                    .from(from)
                    .term(term)
                    .lease(group.nowNs + 77, Group.PROMISE_NS - 1)
                    .build());
        }
        assertEquals(before, group.node(1).leaseUntilNs());
    }

    @Test
    void whoHeardALeaderNeitherVotesNorCampaignsUntilThePromiseEnds() {
        Group group = Group.withLeases(3);
        group.elect(1);
        long heardNs = group.nowNs;
        long term = group.node(1).term();
        group.isolate(1);
        group.nowNs = heardNs + Group.PROMISE_NS - 1;
        group.node(2).campaign(group.nowNs);
        assertEquals(Role.FOLLOWER, group.node(2).role());
        for (MessageType type : List.of(MessageType.PRE_VOTE, MessageType.VOTE)) {
            group.deliver(
                    Message.to(2, type).from(3).term(term + 1).log(term, 99).build());
        }
        assertEquals(term, group.node(2).term());
        group.nowNs = heardNs + Group.PROMISE_NS;
        group.node(2).campaign(group.nowNs);
        group.settle();
        assertTrue(group.node(2).isLeader());
    }

    @Test
    void aPromiseStandsAlsoAgainstVotesOfATermThatOneHasEnteredOtherwise() {
        Group group = Group.withLeases(3);
        group.elect(1);
        long heardNs = group.nowNs;
        long next = group.node(2).term() + 1;
        // An answer of a newer term, which says nothing of an election.
        group.deliver(Message.to(2, MessageType.APP_RESP).from(3).term(next).build());
        group.peer(2).handleAll();
        group.takeWire();
        assertEquals(next, group.node(2).term());
        assertEquals(0, group.node(2).leader());
        Message request =
                Message.to(2, MessageType.VOTE).from(3).term(next).log(next, 99).build();
        group.nowNs = heardNs + Group.PROMISE_NS - 1;
        group.deliver(request);
        group.peer(2).handleAll();
        assertEquals(
                List.of(true), group.takeWire().stream().map(Message::reject).toList());
        group.nowNs = heardNs + Group.PROMISE_NS;
        group.deliver(request);
        group.peer(2).handleAll();
        assertEquals(
                List.of(false), group.takeWire().stream().map(Message::reject).toList());
    }

    @Test
    void aBurstOfTicksAfterAPauseDoesNotEndAPromise() {
        Group group = Group.withLeases(3);
        group.elect(1);
        for (int i = 0; i < 100; i++) {
            group.node(2).tick(group.nowNs);
        }
        assertEquals(Role.FOLLOWER, group.node(2).role());
    }

    @Test
    void aRestartedPeerKeepsThePromiseThatItMayHaveMade() {
        Group group = Group.of(3, builder -> builder.leases(Group.PROMISE_NS, Group.RATE_ERROR, Group.MARGIN_NS));
        long startedNs = group.nowNs;
        group.node(1).campaign(startedNs);
        assertEquals(Role.FOLLOWER, group.node(1).role());
        group.deliver(Message.to(2, MessageType.VOTE).from(3).term(7).log(0, 0).build());
        group.settle();
        assertEquals(0, group.node(2).term(), "no vote before the promise of an earlier life has ended");
        group.nowNs = startedNs + Group.PROMISE_NS;
        group.elect(1);
    }

    @Test
    void aLargerPromiseOfTheLeaderIsKept() {
        Group group = Group.withLeases(3);
        group.deliver(Message.to(2, MessageType.HEARTBEAT)
                .from(1)
                .term(3)
                .lease(0, 3 * Group.PROMISE_NS)
                .build());
        group.nowNs = 3 * Group.PROMISE_NS - 1;
        group.node(2).campaign(group.nowNs);
        assertEquals(Role.FOLLOWER, group.node(2).role());
    }

    @Test
    void aLargerPromiseIsStoredBeforeItIsAnswered() {
        Group group = Group.withLeases(3);
        group.settle();
        assertEquals(
                Group.PROMISE_NS,
                group.peer(2).storage.hardState().promiseNs(),
                "its own is stored before it can have answered anybody");
        group.deliver(heartbeat(Group.PROMISE_NS));
        group.peer(2).handleAll();
        group.takeWire();
        // Neither term nor vote nor log changes with it.
        group.deliver(heartbeat(3 * Group.PROMISE_NS));
        Ready ready = group.peer(2).handle();
        assertTrue(ready.mustSync());
        assertEquals(3 * Group.PROMISE_NS, ready.hardState().promiseNs());
        assertEquals(List.of(), ready.messagesBeforePersist());
        assertEquals(
                List.of(3 * Group.PROMISE_NS),
                ready.messagesAfterPersist().stream().map(Message::promiseNs).toList());
        group.deliver(heartbeat(2 * Group.PROMISE_NS));
        assertEquals(
                3 * Group.PROMISE_NS,
                group.peer(2).handle().messagesAfterPersist().get(0).promiseNs());
        assertEquals(
                3 * Group.PROMISE_NS, group.peer(2).storage.hardState().promiseNs(), "a smaller one changes nothing");
    }

    private static Message heartbeat(long promiseNs) {
        return Message.to(2, MessageType.HEARTBEAT)
                .from(1)
                .term(3)
                .lease(0, promiseNs)
                .build();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, Group.PROMISE_NS, 2 * Group.PROMISE_NS})
    void aRestartedPeerKeepsTheLargestPromiseWhateverItsSettingsSayNow(long promisesNowNs) {
        Group group = Group.withLeases(3);
        group.deliver(heartbeat(3 * Group.PROMISE_NS));
        group.peer(2).handleAll();
        group.nowNs = 77;
        RawNode again = new RawNode(
                Config.builder(2, group.peer(2).storage)
                        .leases(promisesNowNs, Group.RATE_ERROR, Group.MARGIN_NS)
                        .build(),
                group.nowNs);
        long term = again.term();
        again.campaign(77 + 3 * Group.PROMISE_NS - 1);
        assertEquals(Role.FOLLOWER, again.role());
        again.step(
                Message.to(2, MessageType.VOTE).from(3).term(term + 1).log(9, 9).build(),
                77 + 3 * Group.PROMISE_NS - 1);
        assertEquals(term, again.term());
        again.campaign(77 + 3 * Group.PROMISE_NS);
        assertEquals(Role.PRE_CANDIDATE, again.role());
    }

    @Test
    void aLeaderThatPromisesMoreHasALeaseOnceItsFollowersHaveStoredThat() {
        long[] promiseNs = {Group.PROMISE_NS};
        Group group = Group.of(
                3,
                builder -> builder.leases(promiseNs[0], Group.RATE_ERROR, Group.MARGIN_NS)
                        .promiseAtStart(false));
        promiseNs[0] = 3 * Group.PROMISE_NS;
        group.restart(1);
        group.elect(1);
        group.ticks(4);
        assertTrue(group.node(1).leaseUntilNs() > group.nowNs + 2 * Group.PROMISE_NS);
        assertEquals(3 * Group.PROMISE_NS, group.peer(2).storage.hardState().promiseNs());
    }

    @Test
    void aLeaderThatStepsDownKeepsItsOwnPromise() {
        Group group = Group.withLeases(3);
        group.elect(1);
        group.ticks(2);
        long untilNs = group.node(1).leaseUntilNs();
        group.isolate(1);
        long term = group.node(1).term();
        group.deliver(Message.to(1, MessageType.APP_RESP).from(2).term(term + 1).build());
        assertFalse(group.node(1).isLeader());
        assertEquals(Long.MIN_VALUE, group.node(1).leaseUntilNs());
        group.nowNs = untilNs;
        group.node(1).campaign(group.nowNs);
        assertEquals(Role.FOLLOWER, group.node(1).role());
        group.deliver(Message.to(1, MessageType.VOTE)
                .from(3)
                .term(term + 2)
                .log(9, 99)
                .build());
        group.peer(1).handleAll();
        assertEquals(term + 1, group.node(1).term());
    }

    @Test
    void aLeaderServesNoLeaseOnceATransferHasBegun() {
        Group group = Group.withLeases(3);
        group.elect(1);
        group.ticks(4);
        assertTrue(group.node(1).leaseUntilNs() > group.nowNs);
        group.filter(message -> message.type() != MessageType.TIMEOUT_NOW);
        group.node(1).transferLeader(2, group.nowNs);
        assertEquals(Long.MIN_VALUE, group.node(1).leaseUntilNs());
        group.ticks(5);
        assertTrue(group.node(1).isLeader(), "the target has not been heard of");
        assertEquals(Long.MIN_VALUE, group.node(1).leaseUntilNs(), "the TimeoutNow may still arrive");
    }

    @Test
    void aTransferExcusesVotersFromTheirPromiseOnlyForTheNextTerm() {
        Group group = Group.withLeases(3);
        group.elect(1);
        long term = group.node(1).term();
        group.deliver(Message.to(2, MessageType.VOTE)
                .from(3)
                .term(term + 2)
                .log(9, 99)
                .transferMark(true)
                .build());
        assertEquals(term, group.node(2).term());
    }

    @Test
    void aTimeoutNowOfAnOlderTermDoesNothing() {
        Group group = Group.withLeases(3);
        group.elect(1);
        group.nowNs += 10 * Group.PROMISE_NS;
        group.elect(2);
        long term = group.node(3).term();
        group.deliver(
                Message.to(3, MessageType.TIMEOUT_NOW).from(1).term(term - 1).build());
        assertEquals(Role.FOLLOWER, group.node(3).role());
        assertEquals(term, group.node(3).term());
    }

    @Test
    void aTimeoutNowOfSomebodyWhoDoesNotLeadDoesNothing() {
        Group group = Group.withLeases(3);
        group.elect(1);
        long term = group.node(3).term();
        group.deliver(Message.to(3, MessageType.TIMEOUT_NOW).from(2).term(term).build());
        assertEquals(term, group.node(3).term());
        group.deliver(Message.to(3, MessageType.TIMEOUT_NOW).from(1).term(term).build());
        assertEquals(term + 1, group.node(3).term());
    }

    @Test
    void theMarkOfATransferServesOneCampaign() {
        Group group = Group.withLeases(3);
        group.elect(1);
        group.filter(message -> message.type() != MessageType.VOTE);
        group.node(1).transferLeader(2, group.nowNs);
        group.settle();
        assertEquals(Role.CANDIDATE, group.node(2).role());
        group.heal();
        group.nowNs += 10 * Group.PROMISE_NS;
        group.node(2).campaign(group.nowNs);
        group.peer(2).handleAll();
        for (Message message : group.takeWire()) {
            assertFalse(message.transferMark(), message.toString());
        }
    }

    @Test
    void aSingleVotersLeaseNeverEnds() {
        Group group = Group.withLeases(1);
        group.elect(1);
        assertEquals(Long.MAX_VALUE, group.node(1).leaseUntilNs());
    }
}
