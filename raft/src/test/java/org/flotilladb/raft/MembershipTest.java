package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.flotilladb.raft.ConfChange.Kind;
import org.flotilladb.raft.ConfChange.Single;
import org.flotilladb.raft.ConfChange.Transition;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

@DisplayName("Changes of membership")
class MembershipTest {
    private static Group three() {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L, 3L), 5, builder -> {});
        group.elect(1);
        return group;
    }

    @Test
    void aNewPeerCatchesUpAsALearnerAndBecomesAVoter() throws Exception {
        Group group = three();
        group.peer(1).propose("a");
        group.change(ConfChange.one(Kind.ADD_LEARNER, 4));
        assertEquals(ConfState.of(List.of(1L, 2L, 3L), List.of(4L)), group.members(4));
        assertEquals(group.node(1).lastIndex(), group.node(4).lastIndex());
        group.change(ConfChange.one(Kind.ADD_VOTER, 4));
        assertEquals(ConfState.ofVoters(1L, 2L, 3L, 4L), group.members(4));
        group.isolate(3);
        group.peer(1).propose("b");
        group.settle();
        assertTrue(group.peer(1).applied.contains("b"), "three of four are a majority");
    }

    @Test
    void aLearnerDoesNotCountAndDoesNotCampaign() throws Exception {
        Group group = Group.joinable(ConfState.of(List.of(1L, 2L), List.of(3L)), 3, builder -> {});
        group.elect(1);
        group.isolate(2);
        long committed = group.node(1).commitIndex();
        group.peer(1).propose("x");
        group.settle();
        assertEquals(committed, group.node(1).commitIndex());
        group.node(3).campaign(group.nowNs);
        assertEquals(Role.FOLLOWER, group.node(3).role());
        group.isolate(3);
        group.ticks(60);
        assertEquals(Role.FOLLOWER, group.node(3).role());
    }

    @ParameterizedTest
    @EnumSource(Transition.class)
    void severalPeersAreReplacedThroughAJointConfiguration(Transition transition) throws Exception {
        Group group = three();
        group.change(ConfChange.of(
                transition,
                List.of(
                        new Single(Kind.ADD_VOTER, 4),
                        new Single(Kind.ADD_VOTER, 5),
                        new Single(Kind.REMOVE, 2),
                        new Single(Kind.REMOVE, 3))));
        if (transition == Transition.JOINT_EXPLICIT) {
            assertEquals(List.of(1L, 2L, 3L), group.members(1).votersOutgoing());
            group.change(ConfChange.leaveJoint());
        }
        assertEquals(ConfState.ofVoters(1L, 4L, 5L), group.members(1));
        assertEquals(ConfState.ofVoters(1L, 4L, 5L), group.members(5));
    }

    @Test
    void inAJointConfigurationBothMajoritiesMustAgree() throws Exception {
        Group group = three();
        group.change(ConfChange.of(
                Transition.JOINT_EXPLICIT, List.of(new Single(Kind.ADD_VOTER, 4), new Single(Kind.ADD_VOTER, 5))));
        group.filter(message -> message.to() != 2 && message.to() != 3);
        long committed = group.node(1).commitIndex();
        group.peer(1).propose("x");
        group.settle();
        assertEquals(committed, group.node(1).commitIndex(), "1, 4 and 5 are a majority of the new voters only");
        group.heal();
        group.ticks(3);
        assertEquals(committed + 1, group.node(1).commitIndex());
    }

    @Test
    void aSecondChangeWhileOneIsPendingHasNoEffect() throws Exception {
        Group group = three();
        group.node(1).proposeConfChange(ConfChange.one(Kind.ADD_LEARNER, 4));
        group.node(1).proposeConfChange(ConfChange.one(Kind.ADD_LEARNER, 5));
        group.settle();
        group.ticks(3);
        assertEquals(List.of(4L), group.members(1).learners());
    }

    @Test
    void aNewLeaderRefusesChangesUntilItHasAppliedWhatTheLogMayHold() throws Exception {
        Group group = three();
        group.node(1).proposeConfChange(ConfChange.one(Kind.ADD_LEARNER, 4));
        group.peer(1).handle();
        group.takeWire().stream().filter(message -> message.to() == 2).forEach(group::deliver);
        group.peer(2).handleAll();
        group.takeWire();
        // Peer 2 has the change in its log, takes over, and is asked for another one at once.
        group.filter(message -> message.type() != MessageType.APP);
        group.deliver(Message.to(2, MessageType.TIMEOUT_NOW)
                .from(1)
                .term(group.node(1).term())
                .build());
        group.settle();
        assertTrue(group.node(2).isLeader());
        group.node(2).proposeConfChange(ConfChange.one(Kind.ADD_LEARNER, 5));
        group.heal();
        group.ticks(5);
        assertEquals(List.of(4L), group.members(1).learners());
    }

    @Test
    void nobodyCampaignsWhileACommittedChangeIsUnapplied() throws Exception {
        Group group = three();
        group.node(1).proposeConfChange(ConfChange.one(Kind.ADD_LEARNER, 4));
        group.peer(1).handleAll();
        group.takeWire().stream().filter(message -> message.to() == 2).forEach(group::deliver);
        group.peer(2).handleAll();
        long term = group.node(1).term();
        long index = group.node(1).lastIndex();
        group.deliver(Message.to(2, MessageType.HEARTBEAT)
                .from(1)
                .term(term)
                .commit(index)
                .build());
        group.node(2).campaign(group.nowNs);
        assertEquals(Role.FOLLOWER, group.node(2).role(), "entry " + index + " is committed and not applied");
        group.peer(2).handleAll();
        group.node(2).campaign(group.nowNs);
        assertNotEquals(Role.FOLLOWER, group.node(2).role());
    }

    @Test
    void aRemovedLeaderStepsDownAndOneWhoStaysTakesOver() throws Exception {
        Group group = three();
        group.node(1).proposeConfChange(ConfChange.one(Kind.REMOVE, 1));
        assertThrows(ProposalDroppedException.class, () -> group.peer(1).propose("after my own removal"));
        group.settle();
        group.ticks(3);
        assertFalse(group.node(1).isLeader());
        long leader = group.leader();
        assertTrue(leader == 2 || leader == 3, "without waiting for an election timeout: " + group);
        group.peer(leader).propose("goes on");
        group.settle();
        assertEquals(ConfState.ofVoters(2L, 3L), group.members(leader));
        assertTrue(group.peer(leader).applied.contains("goes on"));
    }

    @Test
    void aVoterOfTheOutgoingHalfBecomesALearnerOnlyWhenItIsLeft() throws Exception {
        Group group = three();
        group.change(ConfChange.of(Transition.JOINT_EXPLICIT, List.of(new Single(Kind.ADD_LEARNER, 3))));
        assertEquals(List.of(3L), group.members(1).learnersNext());
        assertEquals(List.of(), group.members(1).learners());
        group.change(ConfChange.leaveJoint());
        assertEquals(ConfState.of(List.of(1L, 2L), List.of(3L)), group.members(3));
    }

    @Test
    void aRestartedPeerGoesOnWithTheMembershipThatItStored() throws Exception {
        Group group = three();
        group.change(ConfChange.one(Kind.REMOVE, 3));
        group.peer(2).storage.createSnapshot(group.node(2).appliedIndex(), group.members(2), null);
        RawNode again = new RawNode(
                Config.builder(2, group.peer(2).storage)
                        .applied(group.node(2).appliedIndex())
                        .build(),
                group.nowNs);
        assertEquals(ConfState.ofVoters(1L, 2L), again.status().confState());
    }

    @Test
    void aChangeThatNoMajorityCouldFollowIsRefusedUnlessForced() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L, 3L), 3, builder -> {});
        group.elect(1);
        group.isolate(3);
        group.ticks(25);
        ConfChange remove = ConfChange.one(Kind.REMOVE, 2);
        ProposalDroppedException refused =
                assertThrows(ProposalDroppedException.class, () -> group.node(1).proposeConfChange(remove));
        assertTrue(refused.getMessage().contains("(1 3)"), refused.getMessage());
        group.node(1).forceConfChange(remove);
        group.settle();
        assertEquals(ConfState.ofVoters(1L, 3L), group.members(1));
    }

    @Test
    void twoVotersOneRemovedWhileTheOtherDoesNotKnowIsRecoveredByAnOperator() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 2, builder -> {});
        group.elect(1);
        group.node(1).proposeConfChange(ConfChange.one(Kind.REMOVE, 1));
        // Peer 2 has the entry and never learns that it is committed; peer 1, which does, is thrown away.
        group.filter(message -> message.from() != 1 || !message.entries().isEmpty());
        group.settle();
        assertEquals(ConfState.ofVoters(2L), group.members(1));
        group.isolate(1);
        group.ticks(100);
        assertFalse(group.node(2).isLeader(), "it cannot know: peer 1 may still lead");
        assertEquals(ConfState.ofVoters(1L, 2L), group.members(2));

        RecoveryReport report = group.node(2).declareLost(List.of(1L));
        assertEquals(group.node(2).commitIndex(), report.committed());
        assertTrue(report.toString().contains("lost"), report.toString());
        group.elect(2);
        group.ticks(2);
        assertEquals(ConfState.ofVoters(2L), group.members(2), "the change in the log has taken effect");
        group.peer(2).propose("alive");
        group.settle();
        assertTrue(group.peer(2).applied.contains("alive"));
    }

    @Test
    void aVoterLearnsFromARefusalThatTheRefuserIsNoVoterAnyMore() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 2, builder -> builder.handOverOnRemoval(false));
        group.elect(1);
        group.node(1).proposeConfChange(ConfChange.one(Kind.REMOVE, 1));
        // Peer 2 has the change, not that it is committed, and lacks the entry after it.
        group.peer(1).handle();
        group.takeWire().forEach(group::deliver);
        group.peer(1).propose("one more");
        group.filter(message -> message.from() != 1);
        group.settle();
        assertEquals(ConfState.ofVoters(2L), group.members(1));
        assertTrue(group.node(1).lastIndex() > group.node(2).lastIndex());
        group.heal();
        group.ticks(60);
        assertTrue(group.node(2).isLeader(), group.toString());
        assertEquals(ConfState.ofVoters(2L), group.members(2));
    }

    @Test
    void aCandidateThatLearnsOfACommittedChangeStopsCountingVotesOfTheOldMembership() throws Exception {
        Group group = three();
        group.node(1).proposeConfChange(ConfChange.one(Kind.ADD_VOTER, 4));
        // Peer 2 has the change, not that it is committed.
        group.filter(message -> message.to() != 2 || !message.entries().isEmpty());
        group.settle();
        long index = group.node(2).lastIndex();
        assertTrue(group.node(2).commitIndex() < index);
        group.node(2).campaign(group.nowNs);
        group.peer(2).handleAll();
        assertEquals(Role.PRE_CANDIDATE, group.node(2).role());
        Message.Builder refusal = Message.to(2, MessageType.PRE_VOTE_RESP)
                .from(3)
                .term(group.node(2).term())
                .reject(true, 0);
        group.deliver(refusal.log(group.node(2).termOf(index) - 1, index).build());
        assertTrue(group.node(2).commitIndex() < index, "another entry is committed there");
        group.deliver(refusal.log(group.node(2).termOf(index), index).build());
        assertEquals(index, group.node(2).commitIndex());
        assertEquals(Role.FOLLOWER, group.node(2).role());
    }

    @Test
    void nobodyCanDeclareEverybodyOrItselfLost() {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 2, builder -> {});
        assertThrows(IllegalArgumentException.class, () -> group.node(1).declareLost(List.of(1L)));
        assertThrows(IllegalArgumentException.class, () -> group.node(1).declareLost(List.of(1L, 2L)));
    }

    @Test
    void anEncodedChangeIsReadBack() {
        ConfChange change = ConfChange.of(
                        Transition.JOINT_EXPLICIT,
                        List.of(new Single(Kind.ADD_VOTER, 7), new Single(Kind.ADD_LEARNER, Long.MAX_VALUE)))
                .withContext(new byte[] {1, 2, 3});
        ConfChange read = ConfChange.decode(new Entry(change.entryType(), 1, 1, change.encode()));
        assertEquals(change.toString(), read.toString());
        assertEquals(3, read.context().length);
        Entry garbage = new Entry(EntryType.CONF_CHANGE, 1, 1, new byte[] {9, 9});
        assertThrows(IllegalArgumentException.class, () -> ConfChange.decode(garbage));
    }

    @Test
    void aTransferToALearnerDoesNothingAndOneToARemovedPeerIsGivenUp() throws Exception {
        Group group = Group.joinable(ConfState.of(List.of(1L, 2L, 3L), List.of(4L)), 4, builder -> {});
        group.elect(1);
        group.node(1).transferLeader(4, group.nowNs);
        assertEquals(0, group.node(1).status().transferTo());
        group.node(1).proposeConfChange(ConfChange.one(Kind.REMOVE, 3));
        group.peer(1).handle();
        group.isolate(3);
        group.node(1).transferLeader(3, group.nowNs);
        assertEquals(3, group.node(1).status().transferTo());
        group.filter(message -> message.from() != 3 && message.to() != 3);
        group.node(1).announceCommit();
        group.ticks(4);
        assertEquals(1, group.leader());
        assertEquals(0, group.node(1).status().transferTo());
    }

    @Test
    void aVoterOfHigherPriorityRefusesUnlessTheCandidateHasALongerLog() {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 2, builder -> builder.preVote(false));
        Group favoured = Group.joinable(
                ConfState.ofVoters(1L, 2L), 2, builder -> builder.preVote(false).priority(5));
        group.elect(1);
        Message equal = Message.to(2, MessageType.VOTE)
                .from(1)
                .term(9)
                .log(1, 1)
                .priority(4)
                .build();
        favoured.deliver(equal);
        favoured.peer(2).handleAll();
        assertTrue(favoured.takeWire().get(0).reject());
        favoured.deliver(Message.to(2, MessageType.VOTE)
                .from(1)
                .term(9)
                .log(1, 2)
                .priority(4)
                .build());
        favoured.peer(2).handleAll();
        assertFalse(favoured.takeWire().get(0).reject());
    }

    @Test
    void aChangeThatWasDroppedForLackOfRoomIsNotPending() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 3, builder -> builder.maxUncommittedBytes(1000));
        group.elect(1);
        group.node(1).propose(new byte[1000]);
        ConfChange change = ConfChange.one(Kind.ADD_LEARNER, 3);
        assertThrows(ProposalDroppedException.class, () -> group.node(1).proposeConfChange(change));
        group.settle();
        group.change(change);
        assertEquals(List.of(3L), group.members(1).learners());
    }

    static List<ConfChange> changesThatDoNotFit() {
        return List.of(
                ConfChange.one(Kind.REMOVE, 1),
                ConfChange.one(Kind.ADD_LEARNER, 1),
                ConfChange.of(Transition.JOINT_IMPLICIT, List.of(new Single(Kind.REMOVE, 1))));
    }

    /** Applied, it would stop every peer of the group, again after each restart. */
    @ParameterizedTest
    @MethodSource("changesThatDoNotFit")
    void aChangeThatWouldLeaveNoVoterTakesNoEffect(ConfChange change) throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L), 2, builder -> {});
        Group.Peer leader = group.elect(1);
        leader.node.forceConfChange(change);
        group.settle();
        leader.propose("goes on");
        group.settle();
        assertEquals(ConfState.ofVoters(1L), group.members(1));
        assertTrue(leader.applied.contains("goes on"));
        leader.node.proposeConfChange(ConfChange.one(Kind.ADD_LEARNER, 2));
        group.settle();
        assertEquals(ConfState.of(List.of(1L), List.of(2L)), group.members(1));
    }

    /** Else its new life would be left out of majorities here and be counted by everybody else. */
    @Test
    void aVoterThatWasLostAndRemovedCountsOnceItIsAddedAnew() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L, 3L), 5, builder -> {});
        group.filter(message -> message.to() == 3 || message.to() == 4);
        group.node(3).declareLost(List.of(1L, 2L));
        group.elect(3);
        for (long lost : new long[] {1, 2}) {
            group.node(3).forceConfChange(ConfChange.one(Kind.REMOVE, lost));
            group.settle();
        }
        assertEquals(ConfState.ofVoters(3L), group.members(3));
        for (long anew : new long[] {1, 2}) {
            group.node(3).forceConfChange(ConfChange.one(Kind.ADD_VOTER, anew));
            group.settle();
        }
        long committed = group.node(3).commitIndex();
        group.peer(3).propose("alone");
        group.settle();
        assertEquals(committed, group.node(3).commitIndex(), "nobody else has it: " + group);
    }

    /** It could not lead itself for now, and its group would stay without a leader. */
    @Test
    void aVoterThatMayNotCampaignDoesNotRefuseForItsPriority() {
        Group group = Group.of(3, builder -> builder.preVote(false).priority(5));
        group.node(2).holdApplying(true, 0);
        group.isolate(1);
        Message request = Message.to(2, MessageType.VOTE)
                .from(3)
                .term(1)
                .log(0, 0)
                .priority(4)
                .build();
        group.deliver(request);
        group.peer(2).handleAll();
        Message answer = group.takeWire().get(0);
        assertEquals(MessageType.VOTE_RESP, answer.type());
        assertFalse(answer.reject());
    }

    @Test
    void aTransferToAPeerOfLowerPriorityIsNotRefusedForIt() {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 2, builder -> builder.priority(5));
        group.elect(1);
        group.node(1).transferLeader(2, group.nowNs);
        group.peer(1).handleAll();
        group.takeWire().forEach(group::deliver);
        group.peer(2).handleAll();
        for (Message m : group.takeWire()) {
            group.deliver(Message.to(1, m.type())
                    .from(2)
                    .term(m.term())
                    .log(m.logTerm(), m.index())
                    .priority(4)
                    .transferMark(m.transferMark())
                    .build());
        }
        group.settle();
        assertTrue(group.node(2).isLeader(), group.toString());
    }
}
