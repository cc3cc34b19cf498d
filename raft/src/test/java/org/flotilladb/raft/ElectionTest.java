package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Elections")
class ElectionTest {

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5})
    void aGroupElectsOneLeaderWhomAllKnow(int size) {
        Group group = Group.of(size);
        group.ticks(60);
        long leader = group.leader();
        assertNotEquals(0, leader);
        for (Group.Peer peer : group.all()) {
            assertEquals(leader, peer.node.leader());
            assertEquals(group.node(leader).term(), peer.node.term());
        }
    }

    @ParameterizedTest
    @CsvSource({
        // own last term and index, the candidate's, whether the vote is granted (Raft, section 5.4.1)
        "2, 3, 3, 1, true",
        "2, 3, 2, 3, true",
        "2, 3, 2, 4, true",
        "2, 3, 2, 2, false",
        "2, 3, 1, 9, false",
        "2, 1, 2, 1, true",
    })
    void aVoterChoosesByLastTermThenByIndex(
            long ownTerm, int ownIndex, long candidateTerm, long candidateIndex, boolean granted) {
        long[] own = new long[ownIndex];
        java.util.Arrays.fill(own, ownTerm);
        Group group = Group.withLogs(builder -> {}, own, own, own);
        group.deliver(Message.to(1, MessageType.VOTE)
                .from(2)
                .term(9)
                .log(candidateTerm, candidateIndex)
                .build());
        group.peer(1).handleAll();
        Message answer = group.takeWire().get(0);
        assertEquals(MessageType.VOTE_RESP, answer.type());
        assertEquals(!granted, answer.reject());
        assertEquals(granted ? 2 : 0, group.peer(1).storage.hardState().vote());
    }

    @Test
    void aVoterVotesOnceInATerm() {
        Group group = Group.of(3);
        Message request =
                Message.to(1, MessageType.VOTE).from(2).term(5).log(0, 0).build();
        group.deliver(request);
        group.deliver(request);
        group.deliver(Message.to(1, MessageType.VOTE).from(3).term(5).log(0, 0).build());
        group.peer(1).handleAll();
        List<Message> answers = group.takeWire();
        assertEquals(
                List.of(false, false, true),
                answers.stream().map(Message::reject).toList());
    }

    @Test
    void aVoteIsStillKnownAfterARestart() {
        Group group = Group.of(3);
        group.deliver(Message.to(1, MessageType.VOTE).from(2).term(5).log(0, 0).build());
        group.peer(1).handleAll();
        group.takeWire();
        group.restart(1);
        group.deliver(Message.to(1, MessageType.VOTE).from(3).term(5).log(0, 0).build());
        group.peer(1).handleAll();
        assertTrue(group.takeWire().get(0).reject());
    }

    @Test
    void aVoteLeavesOnlyAfterItIsDurable() {
        Group group = Group.of(3);
        group.deliver(Message.to(1, MessageType.VOTE).from(2).term(5).log(0, 0).build());
        Ready ready = group.peer(1).node.ready();
        assertTrue(ready.mustSync());
        assertEquals(new HardState(5, 2, 0), ready.hardState());
        assertEquals(List.of(), ready.messagesBeforePersist());
        assertEquals(1, ready.messagesAfterPersist().size());
    }

    @Test
    void voteRequestsLeaveOnlyAfterTheCandidatesOwnVoteIsDurable() {
        Group group = Group.of(3, builder -> builder.preVote(false));
        group.node(1).campaign(0);
        Ready ready = group.node(1).ready();
        assertTrue(ready.mustSync());
        assertEquals(List.of(), ready.messagesBeforePersist());
        assertEquals(2, ready.messagesAfterPersist().size());
    }

    @Test
    void aPartitionedPeerDoesNotRaiseItsTermWithPreVote() {
        Group group = Group.of(3);
        group.elect(1);
        group.isolate(3);
        group.ticks(100);
        assertEquals(group.node(1).term(), group.node(3).term());
        group.heal();
        group.ticks(30);
        assertEquals(1, group.leader());
        assertEquals(1, group.node(3).leader());
    }

    @Test
    void aPeerThatHearsALeaderRefusesPreVotesAndVotes() {
        Group group = Group.of(3);
        group.elect(1);
        long term = group.node(1).term();
        for (MessageType type : List.of(MessageType.PRE_VOTE, MessageType.VOTE)) {
            group.deliver(
                    Message.to(2, type).from(3).term(term + 1).log(term, 100).build());
        }
        group.settle();
        assertEquals(term, group.node(2).term());
        assertEquals(1, group.node(2).leader());
        assertTrue(group.node(1).isLeader());
    }

    @Test
    void aLeaderWithoutAQuorumStepsDown() {
        Group group = Group.of(3);
        group.elect(1);
        group.isolate(1);
        group.ticks(25);
        assertEquals(Role.FOLLOWER, roleOf(group, 1), "it knows no leader and may ask for pre-votes");
        assertNotEquals(0, group.leader());
        assertNotEquals(1, group.leader());
    }

    private static Role roleOf(Group group, long id) {
        Role role = group.node(id).role();
        return role == Role.PRE_CANDIDATE ? Role.FOLLOWER : role;
    }

    @Test
    void aCandidateStuckInANewerTermIsFreedByTheLeader() {
        Group group = Group.of(3, builder -> builder.preVote(false).checkQuorum(true));
        group.elect(1);
        group.isolate(3);
        group.ticks(60);
        assertTrue(group.node(3).term() > group.node(1).term());
        group.heal();
        group.ticks(60);
        assertEquals(group.node(3).term(), group.node(1).term());
        assertNotEquals(0, group.leader());
        assertEquals(group.leader(), group.node(3).leader());
    }

    @Test
    void aStaleCandidateWithAShorterLogLosesAndTheOthersElect() {
        Group group =
                Group.withLogs(builder -> builder.preVote(false), new long[] {1, 1}, new long[] {1, 1}, new long[] {});
        group.node(3).campaign(0);
        group.settle();
        assertFalse(group.node(3).isLeader());
        group.elect(1);
        assertEquals(group.peer(1).log(), group.peer(3).log());
    }

    @Test
    void electionTimeoutsDifferBetweenDraws() {
        java.util.TreeSet<Integer> seen = new java.util.TreeSet<>();
        for (long seed = 1; seed <= 50; seed++) {
            long theSeed = seed;
            Group group = Group.of(3, builder -> builder.seed(theSeed).electionTick(10));
            int ticks = 0;
            while (group.node(1).role() == Role.FOLLOWER) {
                group.node(1).tick(++group.nowNs);
                ticks++;
            }
            assertTrue(ticks >= 10 && ticks < 20, "timed out after " + ticks + " ticks");
            seen.add(ticks);
        }
        assertTrue(seen.size() >= 8, "drawn from 50 seeds: " + seen);
    }

    @Test
    void whoForgetsItsLeaderMayGrantAPreVoteButKeepsItsPromise() {
        Group group = Group.of(3);
        group.elect(1);
        group.node(2).forgetLeader();
        assertEquals(0, group.node(2).leader());
        long term = group.node(1).term();
        Message request = Message.to(2, MessageType.PRE_VOTE)
                .from(3)
                .term(term + 1)
                .log(term, 100)
                .build();
        group.deliver(request);
        group.peer(2).handleAll();
        assertFalse(group.takeWire().get(0).reject());

        Group leased = Group.withLeases(3);
        leased.elect(1);
        leased.node(2).forgetLeader();
        leased.deliver(request);
        leased.peer(2).handleAll();
        assertEquals(java.util.List.of(), leased.takeWire());
    }

    @ParameterizedTest
    @EnumSource(ReadOnlyOption.class)
    void nobodyForgetsALeaderWhoseLeaseRestsOnBeingRemembered(ReadOnlyOption option) {
        Group group = Group.of(3, builder -> builder.readOnlyOption(option));
        group.elect(1);
        group.node(2).forgetLeader();
        assertEquals(option == ReadOnlyOption.LEASE_BASED ? 1 : 0, group.node(2).leader());
    }

    @Test
    void aCandidateOfAnOlderTermIsToldTheNewerOne() {
        Group group = Group.of(3, builder -> builder.preVote(false).checkQuorum(false));
        group.elect(1);
        group.elect(2);
        group.deliver(Message.to(2, MessageType.VOTE).from(3).term(1).log(9, 99).build());
        group.peer(2).handleAll();
        Message answer = group.takeWire().get(0);
        assertTrue(answer.reject());
        assertEquals(group.node(2).term(), answer.term());
    }
}
