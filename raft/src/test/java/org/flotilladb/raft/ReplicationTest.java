package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.flotilladb.raft.tracker.Progress;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Replication")
class ReplicationTest {

    @Test
    void whatAQuorumHasIsAppliedEverywhereInOrder() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(2);
        for (int i = 0; i < 100; i++) {
            leader.propose("c" + i);
        }
        group.settle();
        group.ticks(3);
        for (Group.Peer peer : group.all()) {
            assertEquals(101, peer.applied.size(), "and the leader's own first entry");
            assertEquals("c0", peer.applied.get(1));
            assertEquals("c99", peer.applied.get(100));
        }
    }

    @Test
    void aLeaderCommitsOnlyEntriesOfItsOwnTermByCounting() {
        // Figure 8 of the paper: the entry of term 2 is on a majority and yet not committed.
        Group group = Group.withLogs(
                builder -> builder.preVote(false).maxSizePerMessageBytes(0),
                new long[] {1, 2},
                new long[] {1},
                new long[] {1});
        // The others get entry 2, and not the one with which the leader begins its term.
        group.filter(message -> message.type() != MessageType.APP
                || message.index() != 2
                || group.peer(message.to()).storage.lastIndex() < 2);
        group.elect(1);
        assertEquals(2, group.node(1).status().peers().get(1).match());
        assertEquals(2, group.node(1).status().peers().get(2).match());
        assertEquals(0, group.node(1).commitIndex(), "all have entry 2 of term 2, which is not this term");
        group.heal();
        group.ticks(3);
        assertEquals(3, group.node(1).commitIndex(), "with its own entry, all before it");
    }

    @Test
    void aLeaderOverwritesConflictingEntriesEvenNewerOnes() {
        Group group = Group.withLogs(
                builder -> builder.preVote(false),
                new long[] {1, 1, 4, 4, 5, 5, 6, 6, 6},
                new long[] {1, 1, 4, 4, 5, 5, 6, 6, 6},
                new long[] {1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 3});
        group.elect(1);
        group.ticks(3);
        assertEquals("1/1 1/2 4/3 4/4 5/5 5/6 6/7 6/8 6/9 7/10", group.peer(3).log());
        assertEquals(group.peer(1).log(), group.peer(3).log());
    }

    @Test
    void backtrackingNeedsOneRoundForEachTermNotForEachEntry() {
        long[] longTail = new long[200];
        java.util.Arrays.fill(longTail, 3);
        longTail[0] = 1;
        long[] good = new long[200];
        java.util.Arrays.fill(good, 5);
        good[0] = 1;
        Group group = Group.withLogs(builder -> builder.preVote(false), good, good, longTail);
        List<Message> refusals = new ArrayList<>();
        group.filter(message -> {
            if (message.type() == MessageType.APP_RESP && message.reject()) {
                refusals.add(message);
            }
            return true;
        });
        group.elect(1);
        group.ticks(2);
        assertEquals(group.peer(1).log(), group.peer(3).log());
        assertTrue(refusals.size() <= 2, refusals.size() + " refusals");
    }

    @Test
    void theOwnCopyCountsOnlyOnceItIsDurable() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        leader.propose("x");
        Ready ready = leader.node.ready();
        long index = ready.entries().get(0).index();
        ready.messagesBeforePersist().forEach(group::send);
        for (Message message : group.takeWire()) {
            if (message.to() == 2) {
                group.deliver(message);
                group.peer(2).handleAll();
            }
        }
        for (Message answer : group.takeWire()) {
            group.deliver(answer);
        }
        assertEquals(index - 1, leader.node.commitIndex(), "one durable copy of three");
        leader.persist(ready);
        leader.finish(ready);
        assertEquals(index, leader.node.commitIndex());
    }

    @Test
    void theOwnAcknowledgementAfterAChangeOfTermDoesNotCount() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        long term = leader.node.term();
        leader.propose("lost");
        Ready ready = leader.node.ready();
        group.deliver(Message.to(1, MessageType.HEARTBEAT)
                .from(2)
                .term(term + 1)
                .context(new byte[8])
                .build());
        leader.persist(ready);
        leader.finish(ready);
        assertEquals(ready.entries().get(0).index() - 1, leader.node.commitIndex());
        assertFalse(leader.node.isLeader());
    }

    @Test
    void repeatedAndReorderedAppendsLeaveTheSameLog() throws Exception {
        for (long seed = 1; seed <= 20; seed++) {
            Group group = Group.of(2);
            Group.Peer leader = group.elect(1);
            List<Message> appends = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                leader.propose("c" + i);
                leader.handleAll();
                appends.addAll(group.takeWire());
            }
            appends.addAll(List.copyOf(appends));
            Collections.shuffle(appends, new java.util.Random(seed));
            for (Message append : appends) {
                group.deliver(append);
                group.peer(2).handleAll();
            }
            group.settle();
            group.ticks(4);
            assertEquals(leader.log(), group.peer(2).log(), "seed " + seed);
            assertEquals(leader.applied, group.peer(2).applied, "seed " + seed);
        }
    }

    @Test
    void anOldAppendDoesNotShortenALog() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        leader.propose("a");
        leader.handleAll();
        List<Message> first = group.takeWire();
        first.forEach(group::deliver);
        leader.propose("b");
        group.settle();
        String log = group.peer(2).log();
        first.forEach(group::deliver);
        group.settle();
        assertEquals(log, group.peer(2).log());
    }

    @Test
    void aFollowerCommitsOnlyWhatTheAppendHasShownToMatch() {
        Group group = Group.withLogs(builder -> {}, new long[] {1, 1, 1}, new long[] {1, 1, 1}, new long[] {1, 1, 1});
        // The leader's entry 2 may be another one than this peer's.
        group.deliver(Message.to(2, MessageType.APP)
                .from(1)
                .term(5)
                .log(1, 1)
                .commit(3)
                .build());
        assertEquals(1, group.node(2).commitIndex());
    }

    @Test
    void anAppendBelowWhatIsCompactedIsAnsweredWithWhatIsCommitted() throws Exception {
        Group group = Group.of(3);
        group.elect(1);
        for (int i = 0; i < 5; i++) {
            group.peer(1).propose("x" + i);
        }
        group.settle();
        group.ticks(3);
        group.peer(2).storage.compact(5);
        group.deliver(Message.to(2, MessageType.APP)
                .from(1)
                .term(group.node(1).term())
                .log(group.node(1).term(), 3)
                .build());
        group.peer(2).handleAll();
        Message answer = group.takeWire().get(0);
        assertFalse(answer.reject());
        assertEquals(6, answer.index());
    }

    @Test
    void anAnswerToAnOldMessageIsNotTakenForOneToAProbe() {
        Group group =
                Group.withLogs(builder -> builder.preVote(false), new long[] {1, 1}, new long[] {}, new long[] {});
        group.filter(message -> message.type() != MessageType.APP);
        group.elect(1);
        PeerStatus before = group.node(1).status().peers().get(1);
        assertEquals(Progress.State.PROBE, before.state());
        // Such as a peer sends to a leader of an older term: it names no entry.
        group.deliver(Message.to(1, MessageType.APP_RESP)
                .from(2)
                .term(group.node(1).term())
                .build());
        assertEquals(Progress.State.PROBE, group.node(1).status().peers().get(1).state());
    }

    @Test
    void aLostWindowIsSentAgain() throws Exception {
        Group group = Group.of(3, builder -> builder.maxInflightMessages(4));
        Group.Peer leader = group.elect(1);
        group.filter(message -> message.to() != 3);
        for (int i = 0; i < 20; i++) {
            leader.propose("c" + i);
            group.settle();
        }
        group.heal();
        group.ticks(10);
        assertEquals(leader.log(), group.peer(3).log());
    }

    @Test
    void theWindowBoundsWhatIsUnderWay() throws Exception {
        Group group = Group.of(2, builder -> builder.maxInflightMessages(4));
        Group.Peer leader = group.elect(1);
        group.settle();
        int sent = 0;
        for (int i = 0; i < 20; i++) {
            leader.propose("c" + i);
            leader.handleAll();
            sent += group.takeWire().size();
        }
        assertEquals(4, sent);
    }

    @Test
    void theWindowBoundsTheBytesUnderWayAndOpensWithEachAnswer() throws Exception {
        Group group = Group.of(2, builder -> builder.maxSizePerMessageBytes(100).maxInflightBytes(300));
        Group.Peer leader = group.elect(1);
        List<Message> sent = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            leader.node.propose(new byte[100]);
            leader.handleAll();
            sent.addAll(group.takeWire());
        }
        assertEquals(3, sent.size());
        sent.forEach(group::deliver);
        group.peer(2).handleAll();
        for (Message answer : group.takeWire()) {
            group.deliver(answer);
            leader.handleAll();
            assertEquals(
                    1,
                    group.takeWire().stream()
                            .filter(message -> !message.entries().isEmpty())
                            .count());
        }
    }

    @Test
    void committedEntriesAreHandedOutInPartsOfABoundedSize() throws Exception {
        long boundBytes = 500;
        Group group = Group.of(1, builder -> builder.maxCommittedPerReadyBytes(boundBytes));
        Group.Peer leader = group.elect(1);
        for (int i = 0; i < 20; i++) {
            leader.node.propose(new byte[100]);
        }
        int parts = 0;
        while (leader.node.hasReady()) {
            List<Entry> part = leader.handle().committedEntries();
            assertTrue(Entry.sizeBytes(part) <= boundBytes);
            parts += part.isEmpty() ? 0 : 1;
        }
        assertTrue(parts >= 5, "parts: " + parts);
        assertEquals(leader.node.lastIndex(), leader.node.appliedIndex());
    }

    @Test
    void uncommittedProposalsAreBoundedInAPartition() throws Exception {
        Group group = Group.of(3, builder -> builder.maxUncommittedBytes(1000).checkQuorum(false));
        Group.Peer leader = group.elect(1);
        group.isolate(1);
        int taken = 0;
        int refused = 0;
        for (int i = 0; i < 100; i++) {
            try {
                leader.node.propose(new byte[100]);
                taken++;
            } catch (ProposalDroppedException e) {
                refused++;
            }
            leader.handleAll();
        }
        assertEquals(10, taken);
        assertEquals(90, refused);
        group.heal();
        group.ticks(3);
        leader.node.propose(new byte[100]);
        group.settle();
        assertEquals(12, leader.applied.size());
    }

    @Test
    void oneProposalFitsHoweverLargeItIs() throws Exception {
        Group group = Group.of(3, builder -> builder.maxUncommittedBytes(1000));
        Group.Peer leader = group.elect(1);
        leader.node.propose(new byte[5000]);
        assertThrows(ProposalDroppedException.class, () -> leader.propose("another"));
        group.settle();
        leader.propose("another");
    }

    @Test
    void aProposalIsRefusedByWhoeverDoesNotLeadWhereItIsNotForwarded() {
        Group group = Group.of(3, builder -> builder.proposalForwarding(false));
        group.elect(1);
        assertThrows(ProposalDroppedException.class, () -> group.node(2).propose(new byte[1]));
    }

    @Test
    void aFollowerForwardsProposals() throws Exception {
        Group group = Group.of(3);
        group.elect(1);
        group.peer(2).propose("by way of the leader");
        group.settle();
        group.ticks(2);
        for (Group.Peer peer : group.all()) {
            assertTrue(peer.applied.contains("by way of the leader"), peer.applied.toString());
        }
    }

    @Test
    void withoutALeaderNothingIsForwarded() {
        Group group = Group.of(3);
        assertThrows(ProposalDroppedException.class, () -> group.peer(2).propose("x"));
    }

    @Test
    void committedEntriesAreHandedOutOnlyOnce() throws Exception {
        Group group = Group.of(1);
        Group.Peer leader = group.elect(1);
        leader.propose("a");
        group.settle();
        leader.propose("b");
        group.settle();
        assertEquals(List.of("", "a", "b"), leader.applied);
    }

    @Test
    void noPeerAppliesAnEntryBeforeItsOwnLogHoldsIt() throws Exception {
        Group group = Group.of(3);
        Group.Peer leader = group.elect(1);
        leader.propose("x");
        group.filter(message -> message.to() != 3);
        group.settle();
        group.heal();
        leader.propose("y");
        leader.handleAll();
        for (Message message : group.takeWire()) {
            group.deliver(message);
        }
        Ready ready = group.node(3).ready();
        for (Entry entry : ready.committedEntries()) {
            assertTrue(entry.index() <= group.peer(3).storage.lastIndex()
                    || ready.entries().contains(entry));
        }
    }

    @Test
    void aPeerThatRestartsAppliesFromWhereItsUserSays() throws Exception {
        Group group = Group.of(1);
        Group.Peer leader = group.elect(1);
        leader.propose("a");
        leader.propose("b");
        group.settle();
        RawNode again = new RawNode(Config.builder(1, leader.storage).applied(2).build(), 0);
        Ready ready = again.ready();
        assertEquals(1, ready.committedEntries().size());
        assertEquals(3, ready.committedEntries().get(0).index());
    }

    @Test
    void aCommitIndexPastTheLogIsAnInvariantBroken() {
        MemoryStorage storage = new MemoryStorage();
        storage.setHardState(new HardState(3, 0, 9));
        Config config = Config.builder(1, storage).build();
        RaftInvariantException thrown = assertThrows(RaftInvariantException.class, () -> new RawNode(config, 0));
        assertTrue(thrown.getMessage().contains("9"), thrown.getMessage());
    }

    @Test
    void aSecondLeaderOfOneTermIsAnInvariantBroken() {
        Group group = Group.of(3);
        group.elect(1);
        Message impossible = Message.to(1, MessageType.HEARTBEAT)
                .from(2)
                .term(group.node(1).term())
                .build();
        assertThrows(RaftInvariantException.class, () -> group.deliver(impossible));
    }
}
