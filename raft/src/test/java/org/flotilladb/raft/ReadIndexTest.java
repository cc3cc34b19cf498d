package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Read index")
class ReadIndexTest {
    private static final byte[] CONTEXT = {7};

    @Test
    void theLeaderAnswersOnceAQuorumConfirmsThatItLeads() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        leader.propose("a");
        group.settle();
        assertTrue(leader.node.readIndex(CONTEXT, group.nowNs));
        leader.handleAll();
        assertEquals(0, leader.reads.size(), "nobody has confirmed it yet");
        group.settle();
        assertEquals(1, leader.reads.size());
        assertEquals(leader.node.commitIndex(), leader.reads.get(0).index());
        assertArrayEquals(CONTEXT, leader.reads.get(0).context());
    }

    @Test
    void aFollowerGetsTheLeadersIndex() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        leader.propose("a");
        group.settle();
        assertTrue(group.node(3).readIndex(CONTEXT, group.nowNs));
        group.settle();
        assertEquals(1, group.peer(3).reads.size());
        assertEquals(leader.node.commitIndex(), group.peer(3).reads.get(0).index());
    }

    @Test
    void aLearnerGetsTheLeadersIndexToo() {
        Group group = Group.joinable(ConfState.of(java.util.List.of(1L, 2L), java.util.List.of(3L)), 3, builder -> {});
        group.elect(1);
        assertTrue(group.node(3).readIndex(CONTEXT, group.nowNs));
        group.settle();
        assertEquals(1, group.peer(3).reads.size());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void tooManyWaitingReadsAreRefused(boolean committedInTerm) {
        Group group = Group.of(3, builder -> builder.maxPendingReads(10));
        group.filter(message -> committedInTerm || message.type() != MessageType.APP_RESP);
        Group.Peer leader = group.elect(1);
        assertEquals(committedInTerm, leader.node.committedInTerm());
        group.isolate(1);
        int taken = 0;
        for (int i = 0; i < 100; i++) {
            taken += leader.node.readIndex(CONTEXT, group.nowNs) ? 1 : 0;
        }
        assertEquals(10, taken);
    }

    @Test
    void aLeaseAnswersWithoutARoundWhileItHolds() {
        Group group = Group.of(
                3,
                builder -> builder.leases(Group.PROMISE_NS, Group.RATE_ERROR, Group.MARGIN_NS)
                        .promiseAtStart(false)
                        .readOnlyOption(ReadOnlyOption.LEASE_BASED));
        Group.Peer leader = group.elect(1);
        group.ticks(3);
        group.isolate(1);
        leader.node.readIndex(CONTEXT, group.nowNs);
        leader.handleAll();
        assertEquals(1, leader.reads.size());
        group.nowNs += 10 * Group.PROMISE_NS;
        leader.node.readIndex(CONTEXT, group.nowNs);
        leader.handleAll();
        assertEquals(1, leader.reads.size(), "the lease is over");
    }

    @Test
    void aLeaderCutOffFromItsQuorumAnswersNothing() {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        group.isolate(1);
        leader.node.readIndex(CONTEXT, group.nowNs);
        group.settle();
        assertEquals(0, leader.reads.size());
    }

    @Test
    void aRoundThatWasUnderWayBeforeTheReadProvesNothingForIt() {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        group.filter(message -> message.type() != MessageType.HEARTBEAT_RESP);
        group.tick();
        group.tick();
        group.heal();
        leader.node.readIndex(CONTEXT, group.nowNs);
        long term = leader.node.term();
        for (long from = 2; from <= 3; from++) {
            group.deliver(Message.to(1, MessageType.HEARTBEAT_RESP)
                    .from(from)
                    .term(term)
                    .context(new byte[8])
                    .build());
        }
        leader.handle();
        assertEquals(0, leader.reads.size());
    }

    @Test
    void theRoundOfAnEarlierReadProvesNothingForALaterOne() {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        leader.node.readIndex(new byte[] {1}, group.nowNs);
        leader.handleAll();
        List<Message> firstRound = group.takeWire();
        leader.node.readIndex(new byte[] {2}, group.nowNs);
        leader.handleAll();
        List<Message> secondRound = group.takeWire();
        for (List<Message> round : List.of(firstRound, secondRound)) {
            int answeredBefore = leader.reads.size();
            round.forEach(group::deliver);
            group.settle();
            assertEquals(answeredBefore + 1, leader.reads.size());
        }
    }

    @Test
    void aNewLeaderAnswersOnlyOnceItHasCommittedInItsTerm() {
        Group group = Group.of(3);
        group.elect(1);
        group.filter(message -> message.entries().isEmpty());
        group.ticks(2);
        group.node(1).transferLeader(2, group.nowNs);
        group.settle();
        assertTrue(group.node(2).isLeader());
        assertFalse(group.node(2).committedInTerm());
        group.node(2).readIndex(CONTEXT, group.nowNs);
        group.settle();
        assertEquals(0, group.peer(2).reads.size());
        group.heal();
        group.ticks(3);
        group.node(2).readIndex(CONTEXT, group.nowNs);
        group.settle();
        assertTrue(group.peer(2).reads.size() >= 1);
        for (Ready.ReadState read : group.peer(2).reads) {
            assertTrue(read.index() >= group.node(2).termStartIndex());
        }
    }

    @Test
    void repeatedQuestionsAreEachAnswered() {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        for (int i = 0; i < 3; i++) {
            leader.node.readIndex(CONTEXT, group.nowNs);
        }
        group.settle();
        assertEquals(3, leader.reads.size());
    }

    @Test
    void aSingleVoterAnswersAtOnce() {
        Group group = Group.of(1);
        Group.Peer leader = group.elect(1);
        leader.node.readIndex(CONTEXT, group.nowNs);
        group.settle();
        assertEquals(1, leader.reads.size());
    }

    @Test
    void aSingleVoterThatRestartsAnswersOnlyOnceItKnowsWhatItHadCommitted() throws Exception {
        Group group = Group.of(1);
        Group.Peer leader = group.elect(1);
        leader.propose("a");
        group.settle();
        long shown = leader.node.commitIndex();
        // The commit index alone is never synced: a crash may leave an older one.
        leader.storage.setHardState(new HardState(1, 1, 0));
        group.restart(1);
        group.node(1).campaign(group.nowNs);
        leader.handle();
        assertTrue(leader.node.isLeader());
        leader.node.readIndex(CONTEXT, group.nowNs);
        group.settle();
        assertEquals(1, leader.reads.size());
        assertTrue(
                leader.reads.get(0).index() > shown,
                "read at " + leader.reads.get(0).index());
    }

    @Test
    void withoutALeaderNothingIsAsked() {
        Group group = Group.of(3);
        assertFalse(group.node(2).readIndex(CONTEXT, 0));
    }
}
