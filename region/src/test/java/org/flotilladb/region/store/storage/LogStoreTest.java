package org.flotilladb.region.store.storage;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.raft.HardState;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.LogStore.GroupState;
import org.flotilladb.region.runtime.LogStore.LogBatch;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.simulation.FaultCounts;
import org.flotilladb.region.simulation.SimLogStore;
import org.flotilladb.region.store.rocks.RocksLogStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One suite over every implementation of {@link LogStore}. */
class LogStoreTest {
    private static final long GROUP = 7;
    private static final long NO_LIMIT = Long.MAX_VALUE;

    enum Kind {
        MEMORY,
        ROCKS,
        SIMULATED
    }

    @TempDir
    Path directory;

    private LogStore store;

    private void open(Kind kind) {
        store = switch (kind) {
            case MEMORY -> new MemoryLogStore();
            case ROCKS -> new RocksLogStore(directory);
            case SIMULATED -> new SimLogStore(new FaultCounts());
        };
    }

    @AfterEach
    void close() {
        store.close();
    }

    /** As after a restart; what is in memory only stays as it is. */
    private void reopen(Kind kind) {
        if (kind == Kind.ROCKS) {
            store.close();
            open(kind);
        } else if (store instanceof SimLogStore simulated) {
            simulated.crash(new SeededRandom(1));
        }
    }

    private static List<Entry> entries(long first, long last, long term) {
        List<Entry> entries = new ArrayList<>();
        for (long i = first; i <= last; i++) {
            entries.add(new Entry(EntryType.NORMAL, term, i, ("e" + i + "t" + term).getBytes(StandardCharsets.UTF_8)));
        }
        return entries;
    }

    private interface Changes {
        void addTo(LogBatch batch);
    }

    private void write(Changes changes) {
        LogBatch batch = store.batch();
        changes.addTo(batch);
        store.write(batch, true);
    }

    private String read(long low, long highExclusive) {
        StringBuilder text = new StringBuilder();
        for (Entry entry : store.entries(GROUP, low, highExclusive, NO_LIMIT)) {
            text.append(new String(entry.data(), StandardCharsets.UTF_8)).append(' ');
            assertEquals(low, entry.index());
            low++;
        }
        return text.toString().trim();
    }

    @ParameterizedTest
    @EnumSource
    void a_group_that_has_nothing_is_unknown(Kind kind) {
        open(kind);
        assertNull(store.load(GROUP));
        assertEquals(List.of(), store.groups());
        assertTrue(store.batch().isEmpty());
        assertThrows(StorageException.class, () -> store.entries(GROUP, 1, 2, NO_LIMIT));
    }

    @ParameterizedTest
    @EnumSource
    void what_was_written_is_there_after_a_restart(Kind kind) {
        open(kind);
        write(batch -> {
            batch.append(GROUP, entries(1, 5, 1));
            batch.setHardState(GROUP, new HardState(3, 2, 4, 5_000_000_000L));
        });
        for (int i = 0; i < 2; i++) {
            assertEquals(new GroupState(new HardState(3, 2, 4, 5_000_000_000L), 1, 5, 0, 0), store.load(GROUP));
            assertEquals("e1t1 e2t1 e3t1 e4t1 e5t1", read(1, 6));
            assertEquals("e3t1", read(3, 4));
            reopen(kind);
        }
    }

    @ParameterizedTest
    @EnumSource
    void one_batch_serves_many_groups_and_they_do_not_mix(Kind kind) {
        open(kind);
        write(batch -> {
            batch.append(1, entries(1, 3, 1));
            batch.append(GROUP, entries(1, 2, 9));
            batch.append(Long.MAX_VALUE, entries(1, 1, 4));
            batch.setHardState(0, new HardState(8, 0, 0));
        });
        assertEquals(List.of(0L, 1L, GROUP, Long.MAX_VALUE), store.groups());
        assertEquals("e1t9 e2t9", read(1, 3));
        assertEquals(0, store.load(0).lastIndex());
        assertEquals(3, store.load(1).lastIndex());
        write(batch -> batch.delete(1));
        assertNull(store.load(1));
        assertEquals(List.of(0L, GROUP, Long.MAX_VALUE), store.groups());
        assertEquals("e1t9 e2t9", read(1, 3));
    }

    @ParameterizedTest
    @EnumSource
    void a_conflicting_tail_is_replaced_and_what_was_longer_is_gone(Kind kind) {
        open(kind);
        write(batch -> batch.append(GROUP, entries(1, 9, 1)));
        write(batch -> batch.append(GROUP, entries(4, 5, 2)));
        for (int i = 0; i < 2; i++) {
            assertEquals(5, store.load(GROUP).lastIndex());
            assertEquals("e1t1 e2t1 e3t1 e4t2 e5t2", read(1, 6));
            assertThrows(StorageException.class, () -> store.entries(GROUP, 6, 7, NO_LIMIT));
            reopen(kind);
        }
        write(batch -> batch.append(GROUP, entries(6, 6, 2)));
        assertEquals("e5t2 e6t2", read(5, 7));
    }

    @ParameterizedTest
    @EnumSource
    void a_tail_is_replaced_within_one_batch_too(Kind kind) {
        open(kind);
        write(batch -> {
            batch.append(GROUP, entries(1, 6, 1));
            batch.append(GROUP, entries(3, 4, 2));
        });
        assertEquals(4, store.load(GROUP).lastIndex());
        assertEquals("e1t1 e2t1 e3t2 e4t2", read(1, 5));
    }

    @ParameterizedTest
    @EnumSource
    void truncation_drops_the_front_and_keeps_its_term(Kind kind) {
        open(kind);
        write(batch -> batch.append(GROUP, entries(1, 9, 3)));
        write(batch -> batch.truncate(GROUP, 4, 3));
        for (int i = 0; i < 2; i++) {
            GroupState state = store.load(GROUP);
            assertEquals(5, state.firstIndex());
            assertEquals(9, state.lastIndex());
            assertEquals(4, state.truncatedIndex());
            assertEquals(3, state.truncatedTerm());
            assertEquals("e5t3 e6t3", read(5, 7));
            assertThrows(StorageException.class, () -> store.entries(GROUP, 4, 6, NO_LIMIT));
            reopen(kind);
        }
        write(batch -> batch.truncate(GROUP, 9, 3));
        assertEquals(10, store.load(GROUP).firstIndex());
        assertEquals(9, store.load(GROUP).lastIndex());
        write(batch -> batch.append(GROUP, entries(10, 10, 4)));
        assertEquals("e10t4", read(10, 11));
    }

    @ParameterizedTest
    @EnumSource
    void truncation_beyond_the_end_begins_an_empty_log_after_it(Kind kind) {
        open(kind);
        write(batch -> batch.append(GROUP, entries(1, 3, 1)));
        write(batch -> batch.truncate(GROUP, 20, 5));
        for (int i = 0; i < 2; i++) {
            assertEquals(new GroupState(new HardState(0, 0, 0), 21, 20, 20, 5), store.load(GROUP));
            reopen(kind);
        }
        write(batch -> batch.append(GROUP, entries(21, 22, 6)));
        assertEquals("e21t6 e22t6", read(21, 23));
    }

    @ParameterizedTest
    @EnumSource
    void a_log_that_begins_after_a_snapshot_keeps_nothing_of_what_stood_there(Kind kind) {
        open(kind);
        write(batch -> {
            batch.append(GROUP, entries(1, 9, 1));
            batch.setHardState(GROUP, new HardState(1, 2, 3));
        });
        write(batch -> {
            batch.beginAfter(GROUP, 5, 2);
            batch.append(GROUP, entries(6, 7, 2));
        });
        for (int life = 0; life < 2; life++) {
            GroupState state = store.load(GROUP);
            assertEquals(new GroupState(new HardState(1, 2, 3), 6, 7, 5, 2), state);
            assertEquals("e6t2 e7t2", read(6, 8));
            reopen(kind);
        }
        write(batch -> batch.beginAfter(GROUP, 20, 3));
        assertEquals(21, store.load(GROUP).firstIndex());
        assertEquals(20, store.load(GROUP).lastIndex());
    }

    @ParameterizedTest
    @EnumSource
    void a_page_of_entries_ends_by_size_and_has_at_least_one(Kind kind) {
        open(kind);
        write(batch -> batch.append(GROUP, entries(1, 9, 1)));
        assertEquals(1, store.entries(GROUP, 2, 9, 0).size());
        int few = store.entries(GROUP, 2, 9, 13).size();
        assertTrue(few >= 1 && few < 7, few + " entries");
        assertEquals(7, store.entries(GROUP, 2, 9, NO_LIMIT).size());
        assertEquals(0, store.entries(GROUP, 2, 2, NO_LIMIT).size());
    }

    @ParameterizedTest
    @EnumSource
    void waiting_for_the_disk_is_counted(Kind kind) {
        open(kind);
        LogBatch batch = store.batch();
        batch.append(GROUP, entries(1, 1, 1));
        store.write(batch, false);
        assertEquals(0, store.syncCount());
        LogBatch second = store.batch();
        second.append(GROUP, entries(2, 2, 1));
        store.write(second, true);
        assertEquals(1, store.syncCount());
    }
}
