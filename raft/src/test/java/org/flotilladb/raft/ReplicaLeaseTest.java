package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Predicate;
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
        // It has asked as often as the earlier life had.
        Message heartbeat = Message.to(3, MessageType.HEARTBEAT)
                .from(1)
                .term(grant[0].term())
                .build();
        for (long number = 0; number < grant[0].replicaLease().number(); number++) {
            again.step(heartbeat, group.nowNs);
        }
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
        assertEquals(group.node(1).lastIndex(), group.node(1).commitIndex(), "it holds up no writes");
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

    /** What the leader grants to peer 3 from now on; the grants themselves arrive, or not. */
    private static List<Message> grantsTo3(Group group, boolean arrive, Predicate<Message> also) {
        List<Message> grants = new ArrayList<>();
        group.filter(message -> {
            boolean grant = message.to() == 3
                    && message.replicaLease() != null
                    && message.replicaLease().kind() == ReplicaLease.Kind.GRANT;
            if (grant) {
                grants.add(message);
            }
            return also.test(message) && (arrive || !grant);
        });
        return grants;
    }

    @Test
    void aReplicaThatIsProbedGetsNone() {
        Group group = withHolder();
        group.node(1).reportUnreachable(3);
        List<Message> grants = grantsTo3(group, true, message -> message.type() != MessageType.APP);
        group.ticks(20);
        assertEquals(List.of(), grants);
        group.heal();
        group.ticks(4);
        assertTrue(holds(group, 3));
    }

    @Test
    void nothingIsGrantedInAJointConfiguration() throws Exception {
        Group group = withHolder();
        group.node(3).giveBackReplicaLease(group.nowNs);
        group.settle();
        group.node(1)
                .proposeConfChange(ConfChange.of(
                        ConfChange.Transition.JOINT_EXPLICIT, List.of(new ConfChange.Single(Kind.ADD_VOTER, 4))));
        List<Message> grants = grantsTo3(group, true, message -> true);
        group.settle();
        group.ticks(20);
        assertEquals(List.of(1L, 2L, 3L), group.members(1).votersOutgoing());
        assertEquals(List.of(), grants);
        group.node(1).proposeConfChange(ConfChange.leaveJoint());
        group.settle();
        group.ticks(6);
        assertTrue(holds(group, 3));
    }

    @Test
    void aLeaderWithoutALeaseGrantsNone() {
        Group group = withHolder();
        List<Message> grants = grantsTo3(group, true, message -> true);
        // Peer 3 has asked, and the next heartbeat would grant; but now the leader's own lease is gone.
        group.node(1).suspectClock(group.nowNs);
        assertEquals(Long.MIN_VALUE, group.node(1).leaseUntilNs());
        group.node(1).tick(group.nowNs);
        group.node(1).tick(group.nowNs);
        group.peer(1).handleAll();
        assertTrue(group.takeWire().stream().anyMatch(message -> message.type() == MessageType.HEARTBEAT));
        assertEquals(List.of(), grants);
    }

    @Test
    void itIsCountedByTheLeaderForAsLongAsTheSlowestClockMayUseIt() throws Exception {
        Group group = Group.joinable(
                ConfState.ofVoters(1L, 2L, 3L),
                3,
                builder -> builder.leases(Group.PROMISE_NS, Group.RATE_ERROR, 0).promiseAtStart(false));
        group.clock(1, ns -> (long) (ns * (1 + Group.RATE_ERROR)));
        group.clock(3, ns -> (long) (ns * (1 - Group.RATE_ERROR)));
        group.elect(1);
        group.node(3).wantReplicaLease(true);
        group.ticks(3);
        // Its question arrives at once, and is answered by the next heartbeat at the same moment.
        for (int i = 0; i < 4; i++) {
            group.node(1).tick(group.clock(1));
            group.settle();
        }
        long holdsUntilNs = (long) (group.node(3).replicaLeaseUntilNs() / (1 - Group.RATE_ERROR));
        assertTrue(group.nowNs < holdsUntilNs);
        group.isolate(3);
        group.peer(1).propose("x");
        group.settle();
        group.nowNs = holdsUntilNs - 1000;
        long index = group.node(1).lastIndex();
        group.node(1).tick(group.clock(1));
        group.settle();
        assertTrue(group.node(1).commitIndex() < index, "peer 3 may still read");
        group.nowNs = holdsUntilNs + Group.PROMISE_NS;
        group.node(1).tick(group.clock(1));
        group.settle();
        assertEquals(index, group.node(1).commitIndex());
    }

    @Test
    void itIsCountedByTheReplicaFromItsQuestionAndOneMarginLess() {
        Group group = withHolder();
        group.node(3).giveBackReplicaLease(group.nowNs);
        group.settle();
        TreeMap<Long, Long> askedNs = new TreeMap<>();
        List<Message> grants = grantsTo3(group, false, message -> {
            ReplicaLease lease = message.replicaLease();
            if (lease != null && lease.kind() == ReplicaLease.Kind.ASK) {
                askedNs.put(lease.number(), group.nowNs);
            }
            return true;
        });
        group.ticks(6);
        Message grant = grants.get(grants.size() - 1);
        group.nowNs += 77;
        group.deliver(grant);
        ReplicaLease lease = grant.replicaLease();
        assertEquals(
                askedNs.get(lease.number()) + lease.durationNs() - Group.MARGIN_NS,
                group.node(3).replicaLeaseUntilNs());
    }

    @Test
    void aGrantIsUsedOnlyOnceWhatItNamesIsApplied() {
        Group group = withHolder();
        group.node(3).giveBackReplicaLease(group.nowNs);
        group.settle();
        List<Message> grants = grantsTo3(group, false, message -> true);
        group.ticks(4);
        Message grant = grants.get(grants.size() - 1);
        ReplicaLease lease = grant.replicaLease();
        group.deliver(Message.to(3, MessageType.HEARTBEAT)
                .from(1)
                .term(grant.term())
                .commit(grant.commit())
                .replicaLease(new ReplicaLease(
                        lease.kind(), lease.incarnation(), lease.number(), lease.durationNs(), lease.index() + 1))
                .build());
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
    }

    @Test
    void aLateGrantDoesNotCountAfterTheLeaseWasTakenBack() {
        Group group = withHolder();
        List<Message> grants = grantsTo3(group, false, message -> true);
        group.ticks(4);
        Message grant = grants.get(grants.size() - 1);
        ReplicaLease lease = grant.replicaLease();
        group.deliver(Message.to(3, MessageType.HEARTBEAT)
                .from(1)
                .term(grant.term())
                .replicaLease(ReplicaLease.of(ReplicaLease.Kind.TAKE_BACK, lease.incarnation(), lease.number()))
                .build());
        group.deliver(grant);
        assertEquals(Long.MIN_VALUE, group.node(3).replicaLeaseUntilNs());
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
