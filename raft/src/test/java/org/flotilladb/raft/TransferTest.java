package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@DisplayName("Transfer of leadership")
class TransferTest {

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anUpToDateTargetLeadsAtOnce(boolean leases) {
        Group group = leases ? Group.withLeases(3) : Group.of(3);
        group.elect(1);
        group.ticks(3);
        group.node(1).transferLeader(3, group.nowNs);
        group.settle();
        assertEquals(3, group.leader());
        assertEquals(3, group.node(1).leader());
    }

    @Test
    void aSlowTargetIsCaughtUpFirst() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        group.isolate(3);
        leader.propose("a");
        group.settle();
        boolean[] told = new boolean[1];
        group.filter(message -> {
            told[0] |= message.type() == MessageType.TIMEOUT_NOW;
            return message.type() != MessageType.APP || message.to() != 3;
        });
        leader.node.transferLeader(3, group.nowNs);
        group.settle();
        assertFalse(told[0], "it lacks an entry");
        group.heal();
        group.ticks(2);
        assertEquals(3, group.leader());
        assertEquals(leader.log(), group.peer(3).log());
    }

    @Test
    void proposalsAreRefusedWhileATransferIsUnderWay() {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        group.isolate(3);
        leader.node.transferLeader(3, group.nowNs);
        assertThrows(ProposalDroppedException.class, () -> leader.propose("x"));
    }

    @Test
    void aTransferToAnAbsentTargetIsGivenUpAfterAnElectionTimeout() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        group.isolate(3);
        leader.node.transferLeader(3, group.nowNs);
        group.ticks(11);
        leader.propose("x");
        group.settle();
        assertTrue(leader.node.isLeader());
        assertTrue(leader.applied.contains("x"));
    }

    @Test
    void aTransfersElectionTimeoutBeginsWithIt() {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        group.ticks(8);
        group.isolate(3);
        leader.node.transferLeader(3, group.nowNs);
        group.ticks(9);
        assertEquals(3, leader.node.status().transferTo());
        group.ticks(1);
        assertEquals(0, leader.node.status().transferTo());
    }

    @Test
    void aTransferToItselfOrAStrangerDoesNothing() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        leader.node.transferLeader(1, group.nowNs);
        leader.node.transferLeader(99, group.nowNs);
        leader.propose("x");
        group.settle();
        assertTrue(leader.applied.contains("x"));
    }

    @Test
    void aNewTransferReplacesTheOldOne() {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        group.isolate(3);
        leader.node.transferLeader(3, group.nowNs);
        leader.node.transferLeader(2, group.nowNs);
        group.settle();
        assertEquals(2, group.leader());
    }

    @Test
    void aTransferAskedForTwiceIsOneTransfer() {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        long term = leader.node.term();
        leader.node.transferLeader(3, group.nowNs);
        leader.node.transferLeader(3, group.nowNs);
        group.settle();
        assertEquals(3, group.leader());
        assertEquals(term + 1, group.node(3).term());
    }

    @Test
    void aFollowerPassesTheWishOn() {
        Group group = Group.of(3);
        group.elect(1);
        group.node(2).transferLeader(2, group.nowNs);
        group.settle();
        assertEquals(2, group.leader());
    }

    @Test
    void leadershipCanGoRound() {
        Group group = Group.withLeases(3);
        group.elect(1);
        for (long to : new long[] {2, 3, 1, 2}) {
            group.node(group.leader()).transferLeader(to, group.nowNs);
            group.settle();
            assertEquals(to, group.leader());
        }
    }

    @Test
    void theLeaderAfterASplitDoesNotWaitForPromises() {
        Group group = Group.of(3, builder -> builder.leases(Group.PROMISE_NS, Group.RATE_ERROR, Group.MARGIN_NS));
        group.node(2).campaignAfterSplit(group.nowNs);
        group.settle();
        assertEquals(2, group.leader());
    }

    @Test
    void aLeaderWhoseTransferHasFailedDoesNotStayWithoutALease() {
        Group group = Group.withLeases(3);
        group.elect(1);
        group.ticks(3);
        group.filter(message -> message.type() != MessageType.TIMEOUT_NOW);
        group.node(1).transferLeader(3, group.nowNs);
        group.settle();
        long term = group.node(1).term();
        assertEquals(1, group.leader());
        assertTrue(group.node(1).leaseUntilNs() < group.nowNs);
        group.ticks(100);
        long leader = group.leader();
        assertTrue(group.node(leader).term() > term, "still term " + term);
        assertTrue(group.node(leader).leaseUntilNs() > group.nowNs);
    }
}
