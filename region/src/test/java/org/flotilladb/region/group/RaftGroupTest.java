package org.flotilladb.region.group;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.runtime.system.SystemClock;
import org.flotilladb.region.store.storage.MemoryLogStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A group opens only where log and data fit together. */
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
                new long[] {1, 2, 3},
                applied,
                false,
                GroupSettings.DEFAULT,
                7,
                logs,
                new Nothing(),
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
}
