package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

@DisplayName("Asynchronous storage writes")
class AsyncStorageTest {
    private final MemoryStorage storage = new MemoryStorage();
    private final RawNode node;

    AsyncStorageTest() {
        storage.applySnapshot(new Snapshot(1, 1, ConfState.ofVoters(1L, 2L, 3L), null));
        node = new RawNode(
                Config.builder(1, storage)
                        .applied(1)
                        .asyncStorageWrites(true)
                        .preVote(false)
                        .build(),
                0);
    }

    private Message append(long from, long term, long previousTerm, Entry... entries) {
        return Message.to(1, MessageType.APP)
                .from(from)
                .term(term)
                .log(previousTerm, entries[0].index() - 1)
                .entries(List.of(entries))
                .build();
    }

    private static Entry entry(long term, long index) {
        return new Entry(EntryType.NORMAL, term, index, new byte[] {(byte) term});
    }

    /** The message to the append thread in the next Ready. */
    private Message nextWrite() {
        return node.ready().messagesBeforePersist().stream()
                .filter(message -> message.type() == MessageType.STORAGE_APPEND)
                .findFirst()
                .orElseThrow();
    }

    /** The append thread does its work; returns what leaves for other peers. */
    private List<Message> done(Message write) {
        if (write.term() != 0) {
            storage.setHardState(write.hardState());
        }
        storage.append(write.entries());
        List<Message> sent = new ArrayList<>();
        for (Message response : write.responses()) {
            if (response.to() == 1) {
                node.step(response, 0);
            } else {
                sent.add(response);
            }
        }
        return sent;
    }

    private long unstable() {
        return node.lastIndex() - storage.lastIndex();
    }

    @Test
    void writesOfSeveralReadiesAreUnderWayAtOnce() {
        node.step(append(2, 2, 1, entry(2, 2)), 0);
        Message first = nextWrite();
        node.step(append(2, 2, 2, entry(2, 3)), 0);
        Message second = nextWrite();
        assertEquals(List.of(entry(2, 2)), first.entries());
        assertEquals(List.of(entry(2, 3)), second.entries());
        assertEquals(2, unstable());
        List<Message> answers = done(first);
        assertEquals(2, answers.get(answers.size() - 1).index());
        answers = done(second);
        assertEquals(3, answers.get(0).index());
        assertFalse(node.hasReady());
    }

    @Test
    void anEntryThatWasLostAndCameBackIsNotStableByItsFirstWrite() {
        // Entry 2 of term 2 is appended, replaced by that of term 3, and comes back with the leader of term 4.
        node.step(append(2, 2, 1, entry(2, 2)), 0);
        Message first = nextWrite();
        node.step(append(3, 3, 1, entry(3, 2)), 0);
        Message second = nextWrite();
        node.step(append(2, 4, 1, entry(2, 2)), 0);
        Message third = nextWrite();
        done(first);
        done(second);
        assertEquals(3, storage.term(2), "what the disk holds now");
        assertEquals(2, node.termOf(2), "what the log holds: still in memory, for the disk has something else");
        done(third);
        assertEquals(2, storage.term(2));
        assertEquals(2, node.termOf(2));
    }

    @Test
    void anEntryThatWasReplacedInTheTermOfTheAnswerIsNotStable() {
        node.step(append(2, 2, 1, entry(2, 2)), 0);
        Message first = nextWrite();
        // Term 3 is stored; that write names the last entry, which the leader of the term replaces.
        node.step(Message.to(1, MessageType.APP_RESP).from(3).term(3).build(), 0);
        Message newTerm = nextWrite();
        node.step(append(3, 3, 1, entry(3, 2)), 0);
        Message replacing = nextWrite();
        assertEquals(List.of(entry(3, 2)), replacing.entries(), "it is to be stored again");
        done(first);
        done(newTerm);
        assertEquals(2, storage.term(2), "what the disk holds");
        assertEquals(3, node.termOf(2), "what the log holds");
        done(replacing);
        assertEquals(3, node.termOf(2));
    }

    @Test
    void whatReplacesAnEntryThatIsBeingStoredIsStoredToo() {
        node.step(append(2, 2, 1, entry(2, 2), entry(2, 3)), 0);
        Message first = nextWrite();
        node.step(append(3, 3, 2, entry(3, 3)), 0);
        Message second = nextWrite();
        assertEquals(List.of(entry(3, 3)), second.entries());
        done(first);
        done(second);
        assertEquals(3, storage.term(3));
    }

    @Test
    void aLeaderDoesNotCountItsOwnWriteOfAnEarlierTerm() throws Exception {
        node.campaign(0);
        done(nextWrite());
        node.step(Message.to(1, MessageType.VOTE_RESP).from(2).term(1).build(), 0);
        assertTrue(node.isLeader());
        Message write = nextWrite();
        node.step(Message.to(1, MessageType.APP_RESP).from(2).term(2).build(), 0);
        assertFalse(node.isLeader());
        done(write);
        assertEquals(1, node.commitIndex());
    }

    @Test
    void voteRequestsWaitForTheCandidatesOwnVote() {
        node.campaign(0);
        Ready ready = node.ready();
        assertEquals(1, ready.messagesBeforePersist().size(), "only the write");
        Message write = ready.messagesBeforePersist().get(0);
        List<Message> sent = done(write);
        assertEquals(2, sent.size());
        assertEquals(MessageType.VOTE, sent.get(0).type());
    }

    @Test
    void aNewLeadersAppendsWaitUntilItsVoteIsDurable() {
        node.campaign(0);
        Message newTerm = nextWrite();
        // The others' votes are enough, and its own is still being written.
        node.step(Message.to(1, MessageType.VOTE_RESP).from(2).term(1).build(), 0);
        node.step(Message.to(1, MessageType.VOTE_RESP).from(3).term(1).build(), 0);
        assertTrue(node.isLeader());
        Ready ready = node.ready();
        assertTrue(ready.messagesBeforePersist().stream().noneMatch(message -> message.type() == MessageType.APP));
        done(newTerm);
        Message write = ready.messagesBeforePersist().get(0);
        assertTrue(done(write).stream().anyMatch(message -> message.type() == MessageType.APP));
    }

    @Test
    void noMoreIsHandedOutToBeAppliedThanFitsUntilSomeIsReportedApplied() {
        RawNode bounded = new RawNode(
                Config.builder(1, storage)
                        .applied(1)
                        .asyncStorageWrites(true)
                        .maxCommittedPerReadyBytes(2 * entry(2, 2).sizeBytes())
                        .build(),
                0);
        List<Entry> entries = List.of(entry(2, 2), entry(2, 3), entry(2, 4), entry(2, 5), entry(2, 6));
        bounded.step(
                Message.to(1, MessageType.APP)
                        .from(2)
                        .term(2)
                        .log(1, 1)
                        .entries(entries)
                        .commit(6)
                        .build(),
                0);
        List<Integer> handedOut = new ArrayList<>();
        Message applying = null;
        for (int round = 0; round < 10; round++) {
            while (bounded.hasReady()) {
                for (Message message : bounded.ready().messagesBeforePersist()) {
                    storage.append(message.type() == MessageType.STORAGE_APPEND ? message.entries() : List.of());
                    if (message.type() == MessageType.STORAGE_APPLY) {
                        handedOut.add(message.entries().size());
                        assertNull(applying, "the last part is not reported applied yet");
                        applying = message;
                    } else {
                        message.responses().stream()
                                .filter(response -> response.to() == 1)
                                .forEach(response -> bounded.step(response, 0));
                    }
                }
            }
            if (applying != null) {
                Message done = applying.responses().get(0);
                applying = null;
                bounded.step(done, 0);
            }
        }
        assertEquals(List.of(2, 2, 1), handedOut);
        assertEquals(6, bounded.appliedIndex());
    }

    @Test
    void thereIsNoAdvance() {
        node.campaign(0);
        node.ready();
        assertThrows(IllegalStateException.class, node::advance);
    }

    @Test
    void localMessagesFromTheNetworkAreRefused() {
        Message forged =
                Message.to(1, MessageType.STORAGE_APPEND_RESP).from(2).log(1, 1).build();
        assertEquals(Stepped.LOCAL_MESSAGE, node.step(forged, 0));
    }

    @Test
    void answersOfStrangersAreRefused() {
        Message strange = Message.to(1, MessageType.APP_RESP).from(9).term(1).build();
        assertEquals(Stepped.UNKNOWN_PEER, node.step(strange, 0));
        assertEquals(0, node.term());
    }
}
