package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.ConfChange.Kind;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Replica leases")
class ReplicaLeaseTest {
    /** Peer 1 leads, peer 3 holds a lease. */
    private static Group withHolder() {
        Group group = Group.joinable(
                ConfState.ofVoters(1L, 2L, 3L),
                4,
                builder -> builder.leases(Group.PROMISE_NS, Group.RATE_ERROR, Group.MARGIN_NS)
                        .promiseAtStart(false));
        group.elect(1);
        group.node(3).wantReplicaLease(true);
        group.ticks(4);
        assertTrue(holds(group, 3), "peer 3 holds a lease");
        return group;
    }

    private static boolean holds(Group group, long id) {
        return group.nowNs < group.node(id).replicaLeaseUntilNs();
    }

    @Test
    void whoDoesNotAskGetsNone() {
        Group group = withHolder();
        assertEquals(Long.MIN_VALUE, group.node(2).replicaLeaseUntilNs());
        assertEquals(Long.MIN_VALUE, group.node(1).replicaLeaseUntilNs(), "the leader has its own");
    }

    @Test
    void itLapsesOnceTheReplicaNoLongerAsks() {
        Group group = withHolder();
        group.node(3).wantReplicaLease(false);
        group.ticks(12);
        assertFalse(holds(group, 3));
    }

    @Test
    void itEndsNoLaterThanTheLeadersOwn() {
        Group group = withHolder();
        assertTrue(group.node(3).replicaLeaseUntilNs() <= group.node(1).leaseUntilNs());
    }

    @Test
    void aLeaderThatDecidesAloneGrantsNoLongerThanItsOwnPromiseReachesAfterARestart() {
        Group group = Group.joinable(
                ConfState.of(List.of(1L), List.of(2L)),
                2,
                builder -> builder.leases(Group.PROMISE_NS, Group.RATE_ERROR, Group.MARGIN_NS)
                        .promiseAtStart(false));
        group.elect(1);
        group.node(2).wantReplicaLease(true);
        long[] longestNs = new long[1];
        group.filter(message -> {
            if (message.type() == MessageType.HEARTBEAT && message.replicaLease() != null) {
                longestNs[0] = Math.max(longestNs[0], message.replicaLease().durationNs());
            }
            return true;
        });
        group.ticks(6);
        assertTrue(group.nowNs < group.node(2).replicaLeaseUntilNs());
        // A learner that asks just before it is granted, on the slowest clock; a leader that restarts just after, on
        // the
        // fastest.
        double lastsNs = longestNs[0] / (1 - Group.RATE_ERROR);
        assertTrue(lastsNs <= Group.PROMISE_NS / (1 + Group.RATE_ERROR), longestNs[0] + " ns granted");
    }

    @Test
    void nothingCommitsThatAHolderLacksUntilItsLeaseHasEnded() throws Exception {
        Group group = withHolder();
        long committed = group.node(1).commitIndex();
        group.isolate(3);
        group.peer(1).propose("x");
        group.settle();
        assertEquals(committed, group.node(1).commitIndex(), "peers 1 and 2 have it, the holder has not");
        int ticks = 0;
        while (group.node(1).commitIndex() == committed) {
            assertTrue(ticks++ < 20, "a silent holder delays writes no longer than its lease");
            assertTrue(ticks > 10 || !holds(group, 3) || group.node(1).commitIndex() == committed);
            group.tick();
        }
        assertFalse(holds(group, 3));
    }

    @Test
    void aLeaseGivenBackNoLongerDelaysWrites() throws Exception {
        Group group = withHolder();
        group.node(3).wantReplicaLease(false);
        group.node(3).giveBackReplicaLease(group.nowNs);
        group.settle();
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
        long committed = group.node(1).commitIndex();
        group.isolate(3);
        group.peer(1).propose("x");
        group.settle();
        assertEquals(committed + 1, group.node(1).commitIndex());
    }

    @Test
    void aLateGrantDoesNotCountAfterTheLeaseWasGivenBack() {
        Group group = withHolder();
        Message[] late = new Message[1];
        group.filter(message -> {
            boolean grant =
                    message.replicaLease() != null && message.replicaLease().kind() == ReplicaLease.Kind.GRANT;
            late[0] = grant ? message : late[0];
            return !grant;
        });
        group.ticks(4);
        group.node(3).giveBackReplicaLease(group.nowNs);
        group.deliver(late[0]);
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
    }

    @Test
    void aRepeatedGrantDoesNotCountTwice() {
        Group group = withHolder();
        Message[] grant = new Message[1];
        group.filter(message -> {
            if (message.replicaLease() != null && message.replicaLease().kind() == ReplicaLease.Kind.GRANT) {
                grant[0] = message;
            }
            return true;
        });
        group.ticks(4);
        long untilNs = group.node(3).replicaLeaseUntilNs();
        group.nowNs += 100;
        group.deliver(grant[0]);
        assertEquals(untilNs, group.node(3).replicaLeaseUntilNs());
    }

    @Test
    void aGrantToAnEarlierLifeDoesNotCount() {
        Group group = withHolder();
        Message[] grant = new Message[1];
        group.filter(message -> {
            if (message.replicaLease() != null && message.replicaLease().kind() == ReplicaLease.Kind.GRANT) {
                grant[0] = message;
                return false;
            }
            return true;
        });
        group.ticks(4);
        RawNode again = new RawNode(
                Config.builder(3, group.peer(3).storage)
                        .applied(group.node(3).appliedIndex())
                        .leases(Group.PROMISE_NS, Group.RATE_ERROR, Group.MARGIN_NS)
                        .seed(77)
                        .build(),
                group.nowNs);
        again.wantReplicaLease(true);
        again.step(grant[0], group.nowNs);
        assertEquals(Long.MIN_VALUE, again.replicaLeaseUntilNs());
    }

    @Test
    void aQuestionThatComesLateDoesNotLetAnOldGivingBackEndANewerLease() throws Exception {
        Group group = withHolder();
        List<Message> asked = new ArrayList<>();
        group.filter(message -> {
            if (message.from() == 3 && message.replicaLease() != null) {
                asked.add(message);
            }
            return true;
        });
        group.ticks(2);
        group.node(3).giveBackReplicaLease(group.nowNs);
        group.settle();
        Message oldQuestion = asked.get(0);
        Message givenBack = asked.get(asked.size() - 1);
        assertEquals(ReplicaLease.Kind.GIVE_BACK, givenBack.replicaLease().kind());
        group.ticks(4);
        assertTrue(holds(group, 3));
        // Both are repeated by the network, with a round between them that answers the old question.
        group.deliver(oldQuestion);
        group.filter(message -> message.from() != 3);
        group.ticks(2);
        group.deliver(givenBack);
        group.isolate(3);
        long committed = group.node(1).commitIndex();
        group.peer(1).propose("x");
        group.settle();
        assertTrue(holds(group, 3));
        assertEquals(committed, group.node(1).commitIndex());
    }

    @Test
    void aReplicaThatLagsGetsNone() throws Exception {
        Group group = withHolder();
        group.node(3).wantReplicaLease(false);
        group.ticks(12);
        group.node(3).wantReplicaLease(true);
        // Appends do not reach it, heartbeats do.
        group.filter(message -> message.type() != MessageType.APP || message.to() != 3);
        for (int i = 0; i < 20; i++) {
            group.peer(1).propose("x" + i);
            group.tick();
        }
        assertFalse(holds(group, 3));
        group.heal();
        group.ticks(6);
        assertTrue(holds(group, 3));
    }

    @Test
    void itIsNotUsedWhileASnapshotIsTakenIn() {
        Group group = withHolder();
        group.node(3).holdApplying(true, group.nowNs);
        assertFalse(holds(group, 3));
        group.node(3).holdApplying(false, group.nowNs);
        assertTrue(holds(group, 3));
    }

    @Test
    void aVoteEndsIt() {
        Group group = withHolder();
        group.nowNs += 1;
        group.deliver(Message.to(3, MessageType.VOTE)
                .from(2)
                .term(group.node(3).term() + 1)
                .log(99, 99)
                .transferMark(true)
                .build());
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
    }

    @Test
    void aNewerTermEndsIt() {
        Group group = withHolder();
        group.deliver(Message.to(3, MessageType.HEARTBEAT)
                .from(2)
                .term(group.node(3).term() + 1)
                .build());
        assertEquals(Role.FOLLOWER, group.node(3).role());
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
    }

    @Test
    void aVoteInTheSameTermEndsItToo() {
        Group group = Group.joinable(
                ConfState.of(List.of(1L, 2L), List.of(3L)),
                3,
                builder -> builder.leases(Group.PROMISE_NS, Group.RATE_ERROR, Group.MARGIN_NS)
                        .promiseAtStart(false));
        group.elect(1);
        group.node(3).wantReplicaLease(true);
        group.ticks(4);
        assertTrue(holds(group, 3));
        long term = group.node(3).term();
        group.node(3).forgetLeader();
        group.deliver(Message.to(3, MessageType.VOTE)
                .from(2)
                .term(term)
                .log(99, 99)
                .transferMark(true)
                .build());
        assertEquals(2, group.node(3).status().hardState().vote());
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
    }

    @Test
    void aTransferTakesItBackFirst() {
        Group group = withHolder();
        boolean[] handedOver = new boolean[1];
        group.filter(message -> {
            handedOver[0] |= message.type() == MessageType.TIMEOUT_NOW;
            return message.type() != MessageType.HEARTBEAT_RESP || message.from() != 3;
        });
        group.node(1).transferLeader(2, group.nowNs);
        group.settle();
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs(), "taken back");
        assertFalse(handedOver[0], "but the leader does not know it yet");
        group.heal();
        group.ticks(3);
        assertEquals(2, group.leader());
    }

    @Test
    void aChangeOfMembershipTakesItBackFirst() throws Exception {
        Group group = withHolder();
        ConfChange change = ConfChange.one(Kind.ADD_LEARNER, 4);
        assertThrows(ProposalDroppedException.class, () -> group.node(1).proposeConfChange(change));
        group.settle();
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
        group.node(1).proposeConfChange(change);
        group.settle();
        assertEquals(java.util.List.of(4L), group.members(1).learners());
    }

    @Test
    void aSuspectedClockEndsAllLeasesAndPromisesAnew() {
        Group group = withHolder();
        group.node(3).suspectClock(group.nowNs);
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
        group.node(1).suspectClock(group.nowNs);
        assertEquals(Long.MIN_VALUE, group.node(1).leaseUntilNs());
        group.node(2).suspectClock(group.nowNs);
        group.isolate(1);
        group.node(2).campaign(group.nowNs);
        assertEquals(Role.FOLLOWER, group.node(2).role());
    }

    @Test
    void aRenewalDoesNotWaitForWhatWasAppendedMeanwhile() throws Exception {
        Group group = withHolder();
        group.peer(1).propose("x");
        group.settle();
        group.ticks(2);
        assertTrue(holds(group, 3));
        assertTrue(group.peer(3).applied.contains("x"));
    }
}
