package org.flotilladb.region.store.storage;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Collection;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.KvStore.KvSnapshot;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.simulation.FaultCounts;
import org.flotilladb.region.simulation.SimKvStore;
import org.flotilladb.region.store.rocks.RocksKvStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** One suite over every implementation of {@link KvStore}. */
class KvStoreTest {
    enum Kind {
        MEMORY,
        ROCKS,
        SIMULATED
    }

    @TempDir
    Path directory;

    private KvStore store;

    private void open(Kind kind) {
        store = switch (kind) {
            case MEMORY -> new MemoryKvStore();
            case ROCKS -> new RocksKvStore(directory.resolve("data"), 8 << 20);
            case SIMULATED -> new SimKvStore(MemoryKvStore::new, new FaultCounts());
        };
    }

    @AfterEach
    void close() {
        store.close();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    private void put(Family family, String... keys) {
        KvBatch batch = store.batch();
        for (String key : keys) {
            batch.put(family, bytes(key), bytes("v" + key));
        }
        store.write(batch);
    }

    private static List<String> forward(KvReader reader, String lower, String upper, String from) {
        List<String> keys = new ArrayList<>();
        try (KvCursor cursor =
                reader.cursor(Family.WRITE, lower == null ? null : bytes(lower), upper == null ? null : bytes(upper))) {
            for (boolean more = cursor.seek(bytes(from)); more; more = cursor.next()) {
                keys.add(text(cursor.key()));
                assertEquals("v" + text(cursor.key()), text(cursor.value()));
            }
        }
        return keys;
    }

    private static List<String> backward(KvReader reader, String lower, String upper, String before) {
        List<String> keys = new ArrayList<>();
        try (KvCursor cursor =
                reader.cursor(Family.WRITE, lower == null ? null : bytes(lower), upper == null ? null : bytes(upper))) {
            for (boolean more = cursor.seekBefore(before == null ? null : bytes(before));
                    more;
                    more = cursor.previous()) {
                keys.add(text(cursor.key()));
            }
        }
        return keys;
    }

    @ParameterizedTest
    @EnumSource
    void families_are_key_spaces_of_their_own(Kind kind) {
        open(kind);
        put(Family.WRITE, "a");
        put(Family.LOCK, "b");
        assertEquals("va", text(store.get(Family.WRITE, bytes("a"))));
        assertNull(store.get(Family.LOCK, bytes("a")));
        assertNull(store.get(Family.META, bytes("a")));
    }

    @ParameterizedTest
    @EnumSource
    void a_batch_is_applied_in_order_and_at_once(Kind kind) {
        open(kind);
        put(Family.WRITE, "a", "b", "c", "d");
        KvBatch batch = store.batch();
        assertTrue(batch.isEmpty());
        batch.put(Family.WRITE, bytes("b2"), bytes("vb2"));
        batch.deleteRange(Family.WRITE, bytes("b"), bytes("d"));
        batch.put(Family.WRITE, bytes("c"), bytes("vc"));
        batch.put(Family.LOCK, bytes("l"), bytes("1"));
        batch.delete(Family.LOCK, bytes("l"));
        assertFalse(batch.isEmpty());
        assertEquals(List.of("a", "b", "c", "d"), forward(store, null, null, ""));
        store.write(batch);
        assertEquals(List.of("a", "c", "d"), forward(store, null, null, ""));
        assertNull(store.get(Family.LOCK, bytes("l")));
    }

    @ParameterizedTest
    @EnumSource
    void an_empty_value_is_a_value(Kind kind) {
        open(kind);
        KvBatch batch = store.batch();
        batch.put(Family.ROLLBACK, bytes("k"), new byte[0]);
        store.write(batch);
        assertArrayEquals(new byte[0], store.get(Family.ROLLBACK, bytes("k")));
    }

    @ParameterizedTest
    @EnumSource
    void cursors_keep_within_their_bounds_in_both_directions(Kind kind) {
        open(kind);
        put(Family.WRITE, "a", "b", "c", "d", "e");
        assertEquals(List.of("b", "c", "d"), forward(store, "b", "e", ""));
        assertEquals(List.of("c", "d"), forward(store, "b", "e", "c"));
        assertEquals(List.of("d", "c", "b"), backward(store, "b", "e", null));
        assertEquals(List.of("b"), backward(store, "b", "e", "c"));
        assertEquals(List.of("d", "c", "b"), backward(store, "b", "e", "z"));
        assertEquals(List.of(), backward(store, "b", "e", "b"));
        assertEquals(List.of(), forward(store, "b", "e", "e"));
        assertEquals(List.of("e", "d", "c", "b", "a"), backward(store, null, null, null));
        assertEquals(List.of(), forward(store, "x", null, "x"));
    }

    @ParameterizedTest
    @EnumSource
    void the_first_entry_from_a_key_on_is_found_without_a_cursor(Kind kind) {
        open(kind);
        put(Family.WRITE, "b", "d");
        assertEquals("b", text(store.first(Family.WRITE, bytes("a"), null).key()));
        assertEquals("b", text(store.first(Family.WRITE, bytes("b"), bytes("c")).key()));
        assertEquals("vd", text(store.first(Family.WRITE, bytes("c"), null).value()));
        assertNull(store.first(Family.WRITE, bytes("c"), bytes("d")));
        assertNull(store.first(Family.WRITE, bytes("e"), null));
    }

    @ParameterizedTest
    @EnumSource
    void a_snapshot_does_not_change(Kind kind) {
        open(kind);
        put(Family.WRITE, "a", "b");
        try (KvSnapshot snapshot = store.snapshot()) {
            KvBatch batch = store.batch();
            batch.delete(Family.WRITE, bytes("a"));
            batch.put(Family.WRITE, bytes("b"), bytes("other"));
            batch.put(Family.WRITE, bytes("c"), bytes("vc"));
            store.write(batch);
            assertEquals("va", text(snapshot.get(Family.WRITE, bytes("a"))));
            assertEquals(List.of("a", "b"), forward(snapshot, null, null, ""));
            assertEquals(
                    "b", text(snapshot.first(Family.WRITE, bytes("aa"), null).key()));
            assertNull(store.get(Family.WRITE, bytes("a")));
        }
    }

    @ParameterizedTest
    @EnumSource
    void the_size_of_a_range_grows_with_what_is_in_it(Kind kind) {
        open(kind);
        KvBatch batch = store.batch();
        for (int i = 0; i < 2000; i++) {
            batch.put(Family.WRITE, bytes(String.format("k%05d", i)), new byte[500]);
        }
        store.write(batch);
        long all = store.approximateSizeBytes(bytes("k"), bytes("l"));
        assertTrue(all > 100_000, all + " bytes");
        assertTrue(store.approximateSizeBytes(bytes("x"), bytes("y")) < all);
    }

    /** Random batches, compared with a sorted map: the same keys come out in both directions, for every bound. */
    @ParameterizedTest
    @EnumSource
    void any_sequence_of_batches_leaves_what_a_sorted_map_would_hold(Kind kind) {
        open(kind);
        long seed = Long.getLong("flotilla.seed", 11);
        RandomSource random = new SeededRandom(seed);
        TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);
        for (int round = 0; round < 300; round++) {
            KvBatch batch = store.batch();
            for (int i = random.nextInt(8); i >= 0; i--) {
                byte[] key = key(random);
                switch (random.nextInt(8)) {
                    case 0, 1 -> {
                        batch.delete(Family.WRITE, key);
                        model.remove(key);
                    }
                    case 2 -> {
                        byte[] end = key(random);
                        if (Arrays.compareUnsigned(key, end) < 0) {
                            batch.deleteRange(Family.WRITE, key, end);
                            model.subMap(key, end).clear();
                        }
                    }
                    default -> {
                        byte[] value = bytes("v" + round);
                        batch.put(Family.WRITE, key, value);
                        model.put(key, value);
                    }
                }
            }
            store.write(batch);
            compare(model, key(random), key(random), "seed " + seed + ", round " + round);
        }
    }

    private static byte[] key(RandomSource random) {
        byte[] key = new byte[1 + random.nextInt(2)];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) random.nextInt(256);
        }
        return key;
    }

    private void compare(TreeMap<byte[], byte[]> model, byte[] one, byte[] other, String where) {
        boolean ordered = Arrays.compareUnsigned(one, other) <= 0;
        byte[] lower = ordered ? one : other;
        byte[] upper = ordered ? other : one;
        NavigableMap<byte[], byte[]> expected = model.subMap(lower, true, upper, false);
        List<Pair> found = new ArrayList<>();
        List<Pair> reversed = new ArrayList<>();
        try (KvCursor cursor = store.cursor(Family.WRITE, lower, upper)) {
            for (boolean more = cursor.seek(lower); more; more = cursor.next()) {
                found.add(new Pair(cursor.key(), cursor.value()));
            }
            for (boolean more = cursor.seekBefore(null); more; more = cursor.previous()) {
                reversed.add(0, new Pair(cursor.key(), cursor.value()));
            }
        }
        assertEquals(expected.size(), found.size(), where);
        assertEquals(expected.size(), reversed.size(), where);
        int at = 0;
        for (Map.Entry<byte[], byte[]> each : expected.entrySet()) {
            assertArrayEquals(each.getKey(), found.get(at).key(), where);
            assertArrayEquals(each.getValue(), found.get(at).value(), where);
            assertArrayEquals(each.getKey(), reversed.get(at).key(), where);
            at++;
        }
        Pair first = store.first(Family.WRITE, lower, null);
        Map.Entry<byte[], byte[]> ceiling = model.ceilingEntry(lower);
        assertEquals(ceiling == null, first == null, where);
        if (first != null) {
            assertArrayEquals(ceiling.getKey(), first.key(), where);
        }
    }

    @ParameterizedTest
    @EnumSource
    void what_was_synced_is_there_after_a_restart(Kind kind) {
        open(kind);
        put(Family.WRITE, "a", "b");
        store.sync();
        if (kind == Kind.ROCKS) {
            store.close();
            open(kind);
        } else if (store instanceof SimKvStore simulated) {
            put(Family.WRITE, "c");
            simulated.crash(new SeededRandom(3));
        }
        assertEquals("va", text(store.get(Family.WRITE, bytes("a"))));
        assertEquals("vb", text(store.get(Family.WRITE, bytes("b"))));
    }

    private List<Pair> rowsOf(Family family) {
        List<Pair> rows = new ArrayList<>();
        try (KvCursor cursor = store.cursor(family, null, null)) {
            for (boolean more = cursor.seek(new byte[0]); more; more = cursor.next()) {
                rows.add(new Pair(cursor.key(), cursor.value()));
            }
        }
        return rows;
    }

    private void collect(String name, String... keys) {
        try (Collection rows = store.collect(name)) {
            for (String key : keys) {
                rows.put(Family.WRITE, bytes(key), bytes("v" + key));
            }
            rows.put(Family.LOCK, bytes("l" + name), bytes("1"));
            rows.finish();
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_collection_is_taken_in_over_what_was_written_before(Kind kind) {
        open(kind);
        KvBatch batch = store.batch();
        batch.put(Family.WRITE, bytes("b"), bytes("old"));
        batch.put(Family.WRITE, bytes("c"), bytes("old"));
        batch.deleteRange(Family.WRITE, bytes("a"), bytes("c"));
        batch.put(Family.WRITE, bytes("x"), bytes("vx"));
        store.write(batch);
        collect("one", "a", "b", "c");
        assertEquals(List.of("one"), store.collections());
        assertNull(store.get(Family.WRITE, bytes("a")));
        store.ingest("one");
        assertEquals(List.of("a", "b", "c", "x"), forward(store, null, null, ""));
        assertEquals("1", text(store.get(Family.LOCK, bytes("lone"))));
        put(Family.WRITE, "d");
        assertEquals(List.of("a", "b", "c", "d", "x"), forward(store, null, null, ""));
    }

    @ParameterizedTest
    @EnumSource
    void a_collection_can_be_taken_in_again_until_it_is_dropped(Kind kind) {
        open(kind);
        collect("one", "a", "b");
        store.ingest("one");
        KvBatch batch = store.batch();
        batch.deleteRange(Family.WRITE, bytes("a"), bytes("z"));
        store.write(batch);
        assertEquals(List.of(), forward(store, null, null, ""));
        store.ingest("one");
        assertEquals(List.of("a", "b"), forward(store, null, null, ""));
        store.dropCollection("one");
        store.dropCollection("one");
        assertEquals(List.of(), store.collections());
        assertThrows(StorageException.class, () -> store.ingest("one"));
        assertEquals(List.of("a", "b"), forward(store, null, null, ""));
    }

    @ParameterizedTest
    @EnumSource
    void a_collection_begins_anew_under_its_name(Kind kind) {
        open(kind);
        try (Collection rows = store.collect("one")) {
            rows.put(Family.WRITE, bytes("lost"), bytes("lost"));
        }
        collect("one", "a");
        store.ingest("one");
        assertEquals(List.of("a"), forward(store, null, null, ""));
    }

    @ParameterizedTest
    @EnumSource
    void a_finished_collection_survives_a_crash_and_so_does_what_was_taken_in(Kind kind) {
        open(kind);
        collect("one", "a", "b");
        collect("two", "c");
        store.ingest("two");
        if (kind == Kind.ROCKS) {
            store.close();
            open(kind);
        } else if (store instanceof SimKvStore simulated) {
            simulated.crash(new SeededRandom(3));
        }
        assertEquals(List.of("one", "two"), store.collections());
        assertEquals(List.of("c"), forward(store, null, null, ""));
        store.ingest("one");
        assertEquals(List.of("a", "b", "c"), forward(store, null, null, ""));
        assertEquals(2, rowsOf(Family.LOCK).size());
    }
}
