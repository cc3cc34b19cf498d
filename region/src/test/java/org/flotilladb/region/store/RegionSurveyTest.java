package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import org.flotilladb.proto.Region;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.store.RegionLoad.Size;
import org.flotilladb.region.store.mvcc.Keys;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.junit.jupiter.api.Test;

/** Where a Region is to be split. */
class RegionSurveyTest {
    private static final int VALUE_BYTES = 100;
    /** Of a row here: a key of six bytes with its end and its timestamp, and the value. */
    private static final int ROW_BYTES = 6 + 2 + 8 + VALUE_BYTES;

    private final KvStore data = new MemoryKvStore();

    private static byte[] key(int number) {
        return String.format("k%05d", number).getBytes(StandardCharsets.UTF_8);
    }

    private void write(int from, int to, int versions) {
        KvBatch batch = data.batch();
        for (int i = from; i < to; i++) {
            for (int version = 1; version <= versions; version++) {
                batch.put(Family.WRITE, Keys.write(key(i), version), new byte[VALUE_BYTES]);
            }
        }
        data.write(batch);
    }

    private static Region region(int from, int to) {
        return Region.newBuilder()
                .setStart(ByteString.copyFrom(key(from)))
                .setEnd(ByteString.copyFrom(key(to)))
                .build();
    }

    private RegionSurvey.Found survey(Region region, long maxBytes, long maxKeys) {
        RegionSurvey survey = new RegionSurvey(data, region, new SplitSettings(maxBytes, maxKeys, 1000));
        int steps = 1;
        while (survey.step()) {
            steps++;
            assertTrue(steps < 10_000, "no end after " + steps + " steps");
        }
        return survey.found();
    }

    @Test
    void pieces_have_about_half_of_the_limit_and_begin_at_keys() {
        write(0, 9000, 1);
        RegionSurvey.Found found = survey(region(1000, 5000), 1000 * ROW_BYTES, 1_000_000);
        assertTrue(found.complete());
        assertEquals(new Size(4000L * ROW_BYTES, 4000), found.total());
        assertEquals(7, found.borders().size());
        for (int i = 0; i < 7; i++) {
            assertEquals(
                    ByteString.copyFrom(key(1500 + 500 * i)), found.borders().get(i));
            assertEquals(500, found.pieces().get(i).keys());
        }
        assertEquals(8, survey(region(0, 9000), 1L << 40, 2000).borders().size(), "by keys: 9000 in pieces of 1000");
    }

    @Test
    void a_small_end_stays_with_what_is_before_it() {
        write(0, 1100, 1);
        RegionSurvey.Found found = survey(region(0, 2000), 1000 * ROW_BYTES, 1_000_000);
        assertEquals(1, found.borders().size());
        assertEquals(500, found.pieces().get(0).keys());
        assertEquals(600, found.pieces().get(1).keys());
    }

    @Test
    void one_within_the_limits_has_no_border() {
        write(0, 1000, 1);
        RegionSurvey.Found found = survey(region(0, 2000), 1000 * ROW_BYTES, 1000);
        assertEquals(0, found.borders().size());
        assertEquals(new Size(1000L * ROW_BYTES, 1000), found.total());
    }

    @Test
    void versions_of_one_key_stay_together() {
        write(0, 1, 5000);
        assertEquals(
                0, survey(region(0, 1), 100 * ROW_BYTES, 1_000_000).borders().size());
        write(1, 2, 5000);
        RegionSurvey.Found found = survey(region(0, 2), 100 * ROW_BYTES, 1_000_000);
        assertEquals(1, found.borders().size());
        assertEquals(ByteString.copyFrom(key(1)), found.borders().get(0));
        assertEquals(5000, found.pieces().get(0).keys());
    }

    @Test
    void large_values_are_counted_with_their_keys() {
        write(0, 10, 1);
        KvBatch batch = data.batch();
        for (int i = 0; i < 10; i++) {
            batch.put(Family.DEFAULT, Keys.large(key(i), 7), new byte[100_000]);
        }
        // Of a transaction that has not committed: there is no version yet.
        batch.put(Family.DEFAULT, Keys.large(key(50), 7), new byte[100_000]);
        data.write(batch);
        RegionSurvey.Found found = survey(region(0, 100), 600_000, 1_000_000);
        assertEquals(11, found.pieces().stream().mapToLong(Size::bytes).sum() / 100_000);
        assertEquals(10, found.total().keys());
        assertEquals(3, found.borders().size());
        assertEquals(ByteString.copyFrom(key(3)), found.borders().get(0));
    }

    @Test
    void a_walk_ends_after_some_pieces_and_says_so() {
        write(0, 5000, 1);
        RegionSurvey.Found found = survey(region(0, 9000), 100 * ROW_BYTES, 1_000_000);
        assertFalse(found.complete());
        assertEquals(16, found.borders().size());
        assertEquals(17, found.pieces().size());
    }

    @Test
    void an_estimate_is_near_what_there_is() {
        write(0, 9000, 1);
        Size size = RegionSurvey.estimate(data, region(1000, 5000));
        assertEquals(4000.0 * ROW_BYTES, size.bytes(), 400.0 * ROW_BYTES);
        assertEquals(4000, size.keys(), 400);
        assertEquals(Size.NONE, RegionSurvey.estimate(data, region(9500, 9900)));
    }
}
