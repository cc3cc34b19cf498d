package org.flotilladb.region.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.runtime.system.SystemClock;
import org.flotilladb.region.store.storage.MemoryLogStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a group makes of what it finds on disk: log and data must fit together, and promises are kept. */
class RaftGroupTest {
    private static final long GROUP = 5;

    /** Wants nothing. */
    private static final class Nothing implements StateMachine {
        @Override
        public void apply(Entry entry, KvBatch batch) {}

        @Override
        public void applied() {}

        @Override
        public void leadershipChanged() {}

        @Override
        public void readProven(long index, byte[] context) {}
    }

    private static final class TestClock implements Clock {
        long nowNs = 77;

        @Override
        public long nanoTime() {
            return nowNs;
        }

        @Override
        public long wallMs() {
            return 1_700_000_000_000L + nowNs / 1_000_000L;
        }
    }

    /** Over a log of entries 1 to 20, of which those up to {@code truncated} are dropped. */
    private static RaftGroup open(long truncated, long applied) {
        LogStore logs = new MemoryLogStore();
        List<Entry> entries = new ArrayList<>();
        for (long index = 1; index <= 20; index++) {
            entries.add(new Entry(EntryType.NORMAL, 1, index, new byte[0]));
        }
        LogStore.LogBatch batch = logs.batch();
        batch.append(GROUP, entries);
        if (truncated > 0) {
            batch.truncate(GROUP, truncated, 1);
        }
        logs.write(batch, true);
        LeaseClock leases = new LeaseClock(new SystemClock(), GroupSettings.DEFAULT, FailPoints.OFF);
        return new RaftGroup(
                GROUP,
                1,
                new RaftGroup.Start(ConfState.ofVoters(1L, 2L, 3L), false, applied, false),
                GroupSettings.DEFAULT,
                7,
                logs,
                new Nothing(),
                index -> null,
                leases);
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "0, 20", "10, 10", "10, 15", "20, 20"})
    void what_is_not_applied_yet_stands_in_the_log(long truncated, long applied) {
        assertEquals(applied, open(truncated, applied).applied());
    }

    @ParameterizedTest
    @CsvSource({"10, 0", "10, 9", "20, 19"})
    void entries_that_are_neither_applied_nor_in_the_log_are_missed(long truncated, long applied) {
        StorageException refused = assertThrows(StorageException.class, () -> open(truncated, applied));
        assertEquals(StorageException.Kind.CORRUPT, refused.kind());
        assertTrue(refused.getMessage().contains("the data directory is older"), refused.getMessage());
    }

    @Test
    void a_log_that_ends_before_what_is_applied_is_noticed() {
        StorageException refused = assertThrows(StorageException.class, () -> open(10, 21));
        assertEquals(StorageException.Kind.CORRUPT, refused.kind());
        assertTrue(refused.getMessage().contains("the log directory is older"), refused.getMessage());
    }

    /** Whether a vote is granted, and stored, when somebody with a long log asks for it. */
    private static boolean votes(RaftGroup group, LogStore logs, long nowNs) {
        group.step(Message.to(1, MessageType.VOTE).from(2).term(50).log(40, 40).build(), nowNs);
        boolean granted = false;
        List<Message> sent = new ArrayList<>();
        while (group.hasReady()) {
            LogStore.LogBatch batch = logs.batch();
            boolean sync = group.collect(batch, (from, message) -> sent.add(message));
            logs.write(batch, sync);
            group.persisted((from, message) -> sent.add(message));
            group.finish();
        }
        for (Message message : sent) {
            granted |= message.type() == MessageType.VOTE_RESP && message.to() == 2 && !message.reject();
        }
        return granted;
    }

    @ParameterizedTest(name = "log {0}, after a split {1}, promised {2} ms before, {3} ms since: votes {4}")
    @CsvSource({
        // Nothing was stored, so nobody was answered.
        "false, false, 0, 0, true",
        // The promise of the old Region's peer is kept by the new one's.
        "false, true, 0, 0, false",
        "false, true, 0, 999, false",
        "false, true, 0, 1000, true",
        // Who has stored anything may have answered a leader.
        "true, false, 0, 999, false",
        "true, false, 0, 1000, true",
        // A longer promise was stored with it.
        "true, false, 5000, 1000, false",
        "true, false, 5000, 4999, false",
        "true, false, 5000, 5000, true",
    })
    void a_peer_keeps_after_a_restart_what_it_may_have_promised_before(
            boolean stored, boolean afterSplit, long promisedMs, long passedMs, boolean granted) {
        LogStore logs = new MemoryLogStore();
        if (stored) {
            LogStore.LogBatch batch = logs.batch();
            batch.setHardState(GROUP, new HardState(3, 2, 0, promisedMs * 1_000_000L));
            logs.write(batch, true);
        }
        TestClock clock = new TestClock();
        LeaseClock leases = new LeaseClock(clock, GroupSettings.DEFAULT, FailPoints.OFF);
        RaftGroup group = new RaftGroup(
                GROUP,
                1,
                new RaftGroup.Start(ConfState.ofVoters(1L, 2L, 3L), false, 0, afterSplit),
                GroupSettings.DEFAULT,
                7,
                logs,
                new Nothing(),
                index -> null,
                leases);
        clock.nowNs += passedMs * 1_000_000L;
        assertEquals(granted, votes(group, logs, leases.nowNs()));
    }
}
