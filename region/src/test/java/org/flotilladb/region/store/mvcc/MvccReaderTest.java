package org.flotilladb.region.store.mvcc;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.proto.MutationKind;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LocalReads.Page;
import org.flotilladb.region.runtime.LocalReads.Read;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Reading at a timestamp: rules 2 and 3 of reading, point by point and in pages. */
class MvccReaderTest {
    private final KvStore store = new MemoryKvStore();

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /**
     * What stands on keys: {@code k:put@10/5=v} is a version of key k committed at 10 by the transaction with start 5,
     * {@code k:del@..}, {@code k:lockrec@..} likewise; {@code k!put/5>7} is a lock of the transaction with start 5 and
     * min_commit_ts 7 ({@code !del}, {@code !lock}, {@code !shared}).
     */
    private void given(String things) {
        KvBatch batch = store.batch();
        for (String thing : things.split(" ")) {
            int at = thing.indexOf(':');
            if (at > 0) {
                byte[] key = bytes(thing.substring(0, at));
                String[] parts = thing.substring(at + 1).split("[@/=]");
                long commitTs = Long.parseLong(parts[1]);
                long startTs = Long.parseLong(parts[2]);
                byte[] record = switch (parts[0]) {
                    case "put" -> WriteRecord.put(startTs, bytes(parts[3]));
                    case "large" -> {
                        batch.put(Family.DEFAULT, Keys.large(key, startTs), bytes(parts[3]));
                        yield WriteRecord.largePut(startTs);
                    }
                    case "del" -> WriteRecord.delete(startTs);
                    default -> WriteRecord.lock(startTs);
                };
                batch.put(Family.WRITE, Keys.write(key, commitTs), record);
            } else if (thing.indexOf('!') > 0) {
                String[] parts = thing.split("[!/>]");
                byte[] key = bytes(parts[0]);
                long startTs = Long.parseLong(parts[2]);
                MutationKind kind = switch (parts[1]) {
                    case "put" -> MutationKind.PUT;
                    case "insert" -> MutationKind.INSERT;
                    case "del" -> MutationKind.DELETE;
                    case "shared" -> MutationKind.SHARED_LOCK;
                    default -> MutationKind.LOCK;
                };
                LockRecord lock =
                        new LockRecord(kind, bytes("p"), startTs, 100, 0, Long.parseLong(parts[3]), bytes("locked"));
                batch.put(
                        Family.LOCK,
                        kind == MutationKind.SHARED_LOCK ? Keys.sharedLock(key, startTs) : Keys.prefix(key),
                        lock.encode());
            }
        }
        store.write(batch);
    }

    private static String text(Read read) {
        if (read.locked() != null) {
            return "locked by " + read.locked().getStartTs();
        }
        return read.value() == null ? "none" : new String(read.value(), StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource({
        // nothing, and the newest at or below the timestamp
        "'', 10, none",
        "k:put@10/5=a, 9, none",
        "k:put@10/5=a, 10, a",
        "k:put@10/5=a, 11, a",
        "k:put@10/5=a k:put@20/15=b, 19, a",
        "k:put@10/5=a k:put@20/15=b, 20, b",
        "k:put@10/5=a k:del@20/15, 20, none",
        "k:put@10/5=a k:del@20/15, 19, a",
        "k:large@10/5=big, 10, big",
        // records of keys that were only locked are looked through
        "k:put@10/5=a k:lockrec@20/15 k:lockrec@30/25, 40, a",
        "k:lockrec@20/15, 40, none",
        "k:del@10/5 k:lockrec@20/15, 40, none",
        // a neighbour is another key
        "k0:put@10/5=a j:put@10/5=b, 20, none",
        // locks: only those that may commit at or below the timestamp and change something
        "k:put@10/5=a k!put/15>16, 14, a",
        "k:put@10/5=a k!put/15>16, 15, a",
        "k:put@10/5=a k!put/15>15, 15, locked by 15",
        "k:put@10/5=a k!put/15>16, 16, locked by 15",
        "k:put@10/5=a k!del/15>16, 20, locked by 15",
        "k!insert/15>16, 20, locked by 15",
        "k:put@10/5=a k!put/15>31, 30, a",
        "k:put@10/5=a k!put/15>31, 31, locked by 15",
        "k:put@10/5=a k!lock/15>16, 20, a",
        "k:put@10/5=a k!shared/15>16, 20, a",
    })
    void a_point_read_sees_the_newest_that_is_committed_or_the_lock_in_its_way(String given, long readTs, String seen) {
        given(given);
        assertEquals(seen, text(MvccReader.get(store, bytes("k"), readTs)));
    }

    @Test
    void a_lock_of_a_transaction_known_to_commit_later_is_read_past() {
        given("k:put@10/5=a k!put/15>16");
        assertEquals("a", text(MvccReader.get(store, bytes("k"), 20, new long[] {15})));
        assertEquals("locked by 15", text(MvccReader.get(store, bytes("k"), 20, new long[] {14, 16})));
    }

    /** All pages of a scan of so many rows each: rows, then the lock that ended it, if one did. */
    private String scan(String start, String end, boolean reverse, int limit, long readTs) {
        StringBuilder seen = new StringBuilder();
        byte[] from = bytes(start);
        byte[] to = end == null ? null : bytes(end);
        while (true) {
            Page page = MvccReader.scan(store, from, to, reverse, limit, 1 << 20, readTs, new long[0], false);
            for (Pair row : page.rows()) {
                seen.append(new String(row.key(), StandardCharsets.UTF_8))
                        .append('=')
                        .append(new String(row.value(), StandardCharsets.UTF_8))
                        .append(' ');
            }
            if (page.locked() != null) {
                return seen.append('!')
                        .append(page.locked().getKey().toStringUtf8())
                        .toString();
            }
            if (page.resumeKey() == null) {
                return seen.toString().trim();
            }
            if (reverse) {
                to = page.resumeKey();
            } else {
                from = page.resumeKey();
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "a:put@10/5=1 b:put@10/5=2 c:put@10/5=3, a=1 b=2 c=3, c=3 b=2 a=1",
        "a:put@10/5=1 b:del@10/5 b:put@8/3=x c:put@90/85=3, a=1, a=1",
        "a:put@10/5=1 a:put@12/11=2 a:put@14/13=3 a:put@16/15=4 a:put@18/17=5 a:put@60/59=6 b:put@10/5=7,"
                + " a=5 b=7, b=7 a=5",
        // a lock on a key without any version stands between two rows
        "a:put@10/5=1 b!insert/15>16 c:put@10/5=3, a=1 !b, c=3 !b",
        "a:put@10/5=1 b:put@10/5=2 b!put/15>16 c:put@10/5=3, a=1 !b, c=3 !b",
        "a!insert/15>16 b:put@10/5=2, !a, b=2 !a",
        "b:put@10/5=2 c!insert/15>16, b=2 !c, !c",
        "b:put@10/5=2 c!lock/15>16 c!shared/16>17, b=2, b=2",
    })
    void a_scan_stops_at_the_first_lock_in_its_way_however_large_its_pages(
            String given, String forward, String backward) {
        given(given);
        for (int limit = 1; limit <= 4; limit++) {
            assertEquals(forward, scan("a", "z", false, limit, 50), "forward, pages of " + limit);
            assertEquals(backward, scan("a", null, true, limit, 50), "backward, pages of " + limit);
        }
    }

    @Test
    void pages_end_by_size() {
        given("a:put@10/5=1 b:put@10/5=2 c:put@10/5=3");
        Page page = MvccReader.scan(store, bytes("a"), null, false, 100, 3, 50, new long[0], false);
        assertEquals(2, page.rows().size());
        assertEquals("c", new String(page.resumeKey(), StandardCharsets.UTF_8));
    }

    /** Random versions: a scan in either direction, in pages of any size, equals point reads of every key. */
    @Test
    void a_scan_agrees_with_point_reads() {
        long seed = Long.getLong("flotilla.seed", 5);
        RandomSource random = new SeededRandom(seed);
        TreeMap<String, Boolean> keys = new TreeMap<>();
        List<String> things = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            String key = "k" + (char) ('a' + random.nextInt(26)) + (random.nextInt(3) == 0 ? "\0x" : "");
            keys.put(key, true);
            int commit = 2 + random.nextInt(200);
            String kind = List.of("put", "put", "large", "del", "lockrec").get(random.nextInt(5));
            things.add(key + ":" + kind + "@" + commit + "/" + (commit - 1) + "=v" + i);
        }
        given(String.join(" ", things));
        for (int round = 0; round < 100; round++) {
            long readTs = random.nextInt(210);
            List<String> expected = new ArrayList<>();
            for (String key : keys.keySet()) {
                Read read = MvccReader.get(store, bytes(key), readTs);
                if (read.value() != null) {
                    expected.add(key + "=" + text(read));
                }
            }
            int limit = 1 + random.nextInt(30);
            assertEquals(String.join(" ", expected), scan("k", null, false, limit, readTs), "seed " + seed);
            Collections.reverse(expected);
            assertEquals(String.join(" ", expected), scan("k", null, true, limit, readTs), "seed " + seed);
        }
    }

    @Test
    void keys_keep_their_order_when_escaped() {
        byte[][] keys = {{}, {0}, {0, 0}, {0, 1}, {0, (byte) 0xff}, {1}, {1, 0}, {1, 1}, {(byte) 0xff}, {(byte) 0xff, 0}
        };
        for (int i = 0; i < keys.length; i++) {
            for (int j = 0; j < keys.length; j++) {
                int stored = Arrays.compareUnsigned(Keys.write(keys[i], 5), Keys.write(keys[j], 3));
                assertEquals(Integer.signum(i == j ? -1 : Integer.compare(i, j)), Integer.signum(stored), i + ", " + j);
            }
            assertEquals(0, Arrays.compareUnsigned(keys[i], Keys.userKey(Keys.write(keys[i], 77))));
            assertEquals(77, Keys.commitTs(Keys.write(keys[i], 77)));
            assertEquals(Keys.prefix(keys[i]).length, Keys.prefixLength(Keys.sharedLock(keys[i], 9)));
        }
    }
}
