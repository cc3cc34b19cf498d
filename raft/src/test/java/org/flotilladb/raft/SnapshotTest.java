package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.tracker.Progress;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Snapshots and compaction")
class SnapshotTest {

    /** Peer 3 is behind, and what it needs is compacted on the leader. */
    private static Group behind() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L, 3L), 3, builder -> builder.checkQuorum(false));
        group.elect(1);
        group.filter(message -> message.to() != 3);
        for (int i = 0; i < 10; i++) {
            group.peer(1).propose("c" + i);
        }
        group.settle();
        Group.Peer leader = group.peer(1);
        leader.storage.createSnapshot(leader.node.appliedIndex(), group.members(1), new byte[] {1});
        leader.storage.compact(leader.node.appliedIndex());
        group.filter(message -> message.type() != MessageType.SNAP);
        return group;
    }

    private static PeerStatus third(Group group) {
        return group.node(1).status().peers().get(2);
    }

    @Test
    void aPeerWhoseEntriesAreCompactedGetsASnapshot() throws Exception {
        Group group = behind();
        group.heal();
        group.ticks(3);
        assertEquals(group.node(1).lastIndex(), group.node(3).lastIndex());
        assertEquals(group.node(1).appliedIndex(), group.node(3).appliedIndex());
        assertEquals(Progress.State.REPLICATE, third(group).state());
        group.peer(1).propose("more");
        group.settle();
        group.ticks(2);
        assertTrue(group.peer(3).applied.contains("more"));
    }

    @Test
    void nothingElseIsSentWhileASnapshotIsUnderWay() throws Exception {
        Group group = behind();
        group.ticks(3);
        assertEquals(Progress.State.SNAPSHOT, third(group).state());
        assertTrue(third(group).pendingSnapshot() > 0);
        int[] appends = new int[1];
        group.filter(message -> {
            appends[0] += message.type() == MessageType.APP && message.to() == 3 ? 1 : 0;
            return message.type() != MessageType.SNAP;
        });
        group.peer(1).propose("x");
        group.ticks(5);
        assertEquals(0, appends[0]);
    }

    @Test
    void aFailedSnapshotIsSentAgain() throws Exception {
        Group group = behind();
        group.ticks(3);
        group.node(1).reportSnapshot(3, false);
        assertEquals(Progress.State.PROBE, third(group).state());
        assertTrue(third(group).paused(), "until the next answer to a heartbeat");
        assertEquals(third(group).match() + 1, third(group).next(), "it has not taken the snapshot");
        group.heal();
        group.ticks(3);
        assertEquals(group.node(1).lastIndex(), group.node(3).lastIndex());
    }

    @Test
    void aSnapshotThatDoesNotKnowItsReceiverIsNotSent() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 3, builder -> {});
        group.elect(1);
        Group.Peer leader = group.peer(1);
        long before = leader.node.appliedIndex();
        ConfState without = group.members(1);
        int[] sent = new int[1];
        group.filter(message -> {
            sent[0] += message.type() == MessageType.SNAP ? 1 : 0;
            return true;
        });
        group.node(1).proposeConfChange(ConfChange.one(ConfChange.Kind.ADD_LEARNER, 3));
        leader.handle();
        leader.storage.createSnapshot(before, without, null);
        leader.storage.compact(before);
        MemoryStorage storage = leader.storage;
        group.peer(2).handleAll();
        group.takeWire().forEach(group::deliver);
        group.peer(2).handleAll();
        group.takeWire().forEach(group::deliver);
        while (leader.node.hasReady()) {
            Ready ready = leader.node.ready();
            ready.messagesBeforePersist().forEach(group::send);
            leader.persist(ready);
            ready.messagesAfterPersist().forEach(group::send);
            for (Entry entry : ready.committedEntries()) {
                if (entry.type() != EntryType.NORMAL) {
                    leader.node.applyConfChange(ConfChange.decode(entry));
                }
            }
            leader.node.advance();
        }
        assertEquals(List.of(3L), group.members(1).learners());
        // It refuses what it is probed with, and only a snapshot can help; there is but the one from before it joined.
        for (Message message : group.takeWire()) {
            if (message.to() == 3) {
                group.deliver(message);
            }
        }
        group.peer(3).handleAll();
        group.takeWire().forEach(group::deliver);
        assertEquals(0, sent[0]);
        storage.createSnapshot(leader.node.appliedIndex(), group.members(1), null);
        group.ticks(4);
        assertTrue(sent[0] > 0);
        assertEquals(group.node(1).lastIndex(), group.node(3).lastIndex());
    }

    @Test
    void aSnapshotThatArrivedUnnoticedIsProbedAfter() throws Exception {
        Group group = behind();
        group.filter(message -> message.type() != MessageType.APP_RESP || message.from() != 3 || message.reject());
        group.ticks(2);
        assertEquals(Progress.State.SNAPSHOT, third(group).state());
        group.heal();
        group.node(1).reportSnapshot(3, true);
        assertEquals(Progress.State.PROBE, third(group).state());
        group.ticks(3);
        assertEquals(Progress.State.REPLICATE, third(group).state());
    }

    @Test
    void aSnapshotInTheMakingIsAskedForAgain() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 2, builder -> {});
        group.elect(1);
        Busy busy = new Busy(group.peer(1).storage, new boolean[] {true});
        assertThrows(SnapshotTemporarilyUnavailableException.class, busy::snapshot);
        group.peer(1).storage.createSnapshot(group.node(1).appliedIndex(), group.members(1), null);
        group.peer(1).storage.compact(group.node(1).appliedIndex());
        RawNode leader = new RawNode(
                Config.builder(1, busy)
                        .applied(group.node(1).appliedIndex())
                        .preVote(false)
                        .build(),
                0);
        leader.campaign(0);
        leader.ready();
        leader.advance();
        leader.step(
                Message.to(1, MessageType.VOTE_RESP).from(2).term(leader.term()).build(), 0);
        leader.step(
                Message.to(1, MessageType.APP_RESP)
                        .from(2)
                        .term(leader.term())
                        .log(0, leader.lastIndex() - 1)
                        .reject(true, 0)
                        .build(),
                0);
        assertEquals(Progress.State.PROBE, leader.status().peers().get(1).state());
        busy.making[0] = false;
        leader.step(
                Message.to(1, MessageType.HEARTBEAT_RESP)
                        .from(2)
                        .term(leader.term())
                        .build(),
                0);
        assertEquals(Progress.State.SNAPSHOT, leader.status().peers().get(1).state());
    }

    private record Busy(MemoryStorage storage, boolean[] making) implements Storage {
        @Override
        public RaftState initialState() {
            return storage.initialState();
        }

        @Override
        public List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
            return storage.entries(low, highExclusive, maxSizeBytes);
        }

        @Override
        public long term(long index) {
            return storage.term(index);
        }

        @Override
        public long firstIndex() {
            return storage.firstIndex();
        }

        @Override
        public long lastIndex() {
            return storage.lastIndex();
        }

        @Override
        public Snapshot snapshot() {
            if (making[0]) {
                throw new SnapshotTemporarilyUnavailableException();
            }
            return storage.snapshot();
        }
    }

    private static Message snapshot(ConfState members, long index) {
        return Message.to(3, MessageType.SNAP)
                .from(1)
                .term(5)
                .snapshot(new Snapshot(index, 4, members, null))
                .build();
    }

    @Test
    void aSnapshotBringsTheMembershipWithItsOutgoingVoters() {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L), 3, builder -> {});
        ConfState joint = new ConfState(List.of(1L, 4L, 5L), List.of(1L, 2L, 3L), List.of(), List.of(3L), true);
        group.deliver(snapshot(joint, 20));
        group.settle();
        assertEquals(joint, group.members(3));
        assertEquals(20, group.node(3).appliedIndex());
    }

    @Test
    void aSnapshotThatIsOldOrNotForThisPeerChangesNothing() {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L, 3L), 3, builder -> {});
        group.deliver(snapshot(ConfState.ofVoters(1L, 2L), 20));
        Ready ready = group.node(3).ready();
        assertNull(ready.snapshot());
        group.peer(3).persist(ready);
        group.peer(3).finish(ready);
        group.deliver(snapshot(ConfState.ofVoters(1L, 2L, 3L), 1));
        assertNull(group.node(3).ready().snapshot());
    }

    @Test
    void aSnapshotOfWhatTheLogHoldsOnlyMovesTheCommitIndex() throws Exception {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L, 3L), 3, builder -> builder.eagerCommit(false));
        group.elect(1);
        group.peer(1).propose("x");
        group.settle();
        long last = group.node(3).lastIndex();
        assertTrue(group.node(3).commitIndex() < last);
        group.deliver(Message.to(3, MessageType.SNAP)
                .from(1)
                .term(group.node(1).term())
                .snapshot(new Snapshot(last, group.node(3).termOf(last), group.members(3), null))
                .build());
        assertEquals(last, group.node(3).commitIndex());
        assertNull(group.node(3).ready().snapshot());
    }

    @Test
    void aSnapshotWaitsUntilTheEntriesBeforeItAreApplied() {
        MemoryStorage storage = new MemoryStorage();
        ConfState members = ConfState.ofVoters(1L, 2L, 3L);
        storage.applySnapshot(new Snapshot(1, 1, members, null));
        RawNode node = new RawNode(
                Config.builder(3, storage).applied(1).asyncStorageWrites(true).build(), 0);
        Entry entry = new Entry(EntryType.NORMAL, 5, 2, new byte[] {1});
        node.step(
                Message.to(3, MessageType.APP)
                        .from(1)
                        .term(5)
                        .log(1, 1)
                        .entries(List.of(entry))
                        .commit(2)
                        .build(),
                0);
        store(node, storage, node.ready());
        Message apply = node.ready().messagesBeforePersist().stream()
                .filter(message -> message.type() == MessageType.STORAGE_APPLY)
                .findFirst()
                .orElseThrow();
        node.step(snapshot(members, 20), 0);
        assertTrue(!node.hasReady() || node.ready().snapshot() == null, "entry 2 is being applied");
        node.step(apply.responses().get(0), 0);
        assertEquals(20, node.ready().snapshot().index());
    }

    @Test
    void aSnapshotIsTakenInInTheBackgroundWhileThePeerStoresAnswersAndVotes() throws Exception {
        Group group = behind();
        List<Message> sent = new ArrayList<>();
        group.filter(message -> message.type() != MessageType.SNAP || !sent.add(message));
        group.ticks(3);
        group.heal();
        Group.Peer third = group.peer(3);
        group.deliver(sent.get(0));
        Ready ready = third.node.ready();
        long index = ready.snapshot().index();
        third.persist(ready);
        third.node.holdApplying(true, group.nowNs);
        ready.messagesAfterPersist().forEach(group::send);
        third.finish(ready);

        group.peer(1).propose("while it takes in");
        group.settle();
        group.ticks(3);
        assertEquals(index, third.node.appliedIndex());
        assertEquals(index + 1, third.node.lastIndex(), "it stores");
        assertEquals(index + 1, third.node.commitIndex());
        assertEquals(Progress.State.REPLICATE, third(group).state(), "it answers");
        third.node.campaign(group.nowNs);
        assertEquals(Role.FOLLOWER, third.node.role());
        // A newer one waits until the older one is in.
        group.deliver(Message.to(3, MessageType.SNAP)
                .from(1)
                .term(third.node.term())
                .snapshot(new Snapshot(index + 50, third.node.term(), group.members(3), null))
                .build());
        assertTrue(!third.node.hasReady() || third.node.ready().snapshot() == null);
        third.node.holdApplying(false, group.nowNs);
        assertEquals(index + 50, third.node.ready().snapshot().index());
    }

    @Test
    void nobodyCampaignsWithASnapshotThatIsNotStored() {
        Group group = Group.joinable(ConfState.ofVoters(1L, 2L, 3L), 3, builder -> {});
        group.deliver(snapshot(ConfState.ofVoters(1L, 2L, 3L), 20));
        group.node(3).campaign(group.nowNs);
        assertEquals(Role.FOLLOWER, group.node(3).role());
        group.settle();
        group.node(3).campaign(group.nowNs);
        assertEquals(Role.PRE_CANDIDATE, group.node(3).role());
    }

    @Test
    void onceASnapshotIsInWhatCameMeanwhileIsApplied() throws Exception {
        Group group = Group.of(3);
        group.elect(1);
        group.node(3).holdApplying(true, group.nowNs);
        group.peer(1).propose("x");
        group.settle();
        group.ticks(3);
        assertEquals(
                List.of(), group.peer(3).applied.stream().filter("x"::equals).toList());
        group.node(3).holdApplying(false, group.nowNs);
        group.settle();
        assertEquals(
                List.of("x"), group.peer(3).applied.stream().filter("x"::equals).toList());
    }

    private static void store(RawNode node, MemoryStorage storage, Ready ready) {
        storage.append(ready.entries());
        ready.messagesBeforePersist().stream()
                .filter(message -> message.type() == MessageType.STORAGE_APPEND)
                .flatMap(message -> message.responses().stream())
                .filter(message -> message.to() == node.id())
                .forEach(message -> node.step(message, 0));
    }

    /** A whole log, of which the storage says that its beginning is not for everybody. */
    private record Grown(MemoryStorage log) implements Storage {
        @Override
        public RaftState initialState() {
            return log.initialState();
        }

        @Override
        public List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
            return log.entries(low, highExclusive, maxSizeBytes);
        }

        @Override
        public long term(long index) {
            return index == 0 ? -1 : log.term(index);
        }

        @Override
        public long firstIndex() {
            return log.firstIndex();
        }

        @Override
        public long lastIndex() {
            return log.lastIndex();
        }

        @Override
        public Snapshot snapshot() {
            return log.snapshot();
        }
    }

    @Test
    void whoLacksTheBeginningOfAGroupWhoseMembershipHasChangedGetsASnapshot() {
        MemoryStorage log = new MemoryStorage();
        ConfState members = ConfState.of(List.of(1L), List.of(2L));
        for (long i = 1; i <= 3; i++) {
            log.append(List.of(new Entry(EntryType.NORMAL, 1, i, null)));
        }
        log.setHardState(new HardState(1, 0, 3));
        log.createSnapshot(3, members, null);
        RawNode leader = new RawNode(
                Config.builder(1, new Grown(log)).applied(3).leases(0, 0.05, 1).build(), 0);
        leader.campaign(0);
        Message sent = null;
        for (int round = 0; round < 5; round++) {
            if (!leader.hasReady()) {
                leader.step(
                        Message.to(1, MessageType.APP_RESP)
                                .from(2)
                                .term(leader.term())
                                .log(0, sent.index())
                                .reject(true, 0)
                                .build(),
                        0);
            }
            Ready ready = leader.ready();
            log.append(ready.entries());
            List<Message> messages = new ArrayList<>(ready.messagesBeforePersist());
            messages.addAll(ready.messagesAfterPersist());
            for (Message message : messages) {
                sent = message.to() == 2 ? message : sent;
            }
            leader.advance();
        }
        assertEquals(MessageType.SNAP, sent.type());
        assertEquals(3, sent.snapshot().index());
    }
}
