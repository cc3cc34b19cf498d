package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.List;
import org.flotilladb.proto.Family;
import org.flotilladb.proto.GetRequest;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.PrewriteRequest;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.region.store.RegionLoad.Size;
import org.junit.jupiter.api.Test;

/** What a peer counts of its Region. */
class RegionLoadTest {
    private static final long SECOND_NS = 1_000_000_000L;

    private final RegionLoad load = new RegionLoad(0);

    private static KeyWrite write(Family family, int keyBytes, int valueBytes, boolean delete) {
        return KeyWrite.newBuilder()
                .setFamily(family)
                .setKey(ByteString.copyFrom(new byte[keyBytes]))
                .setValue(ByteString.copyFrom(new byte[valueBytes]))
                .setDelete(delete)
                .build();
    }

    private static RegionRequest get(String key) {
        return RegionRequest.newBuilder()
                .setGet(GetRequest.newBuilder().setKey(ByteString.copyFromUtf8(key)))
                .build();
    }

    @Test
    void versions_and_large_values_are_counted_and_locks_are_not() {
        load.wrote(List.of(
                write(Family.FAMILY_WRITE, 10, 100, false),
                write(Family.FAMILY_DEFAULT, 10, 1000, false),
                write(Family.FAMILY_LOCK, 10, 50, false),
                write(Family.FAMILY_LOCK, 10, 0, true)));
        assertEquals(new Size(1120, 1), load.size());
        assertFalse(load.isMeasured());
    }

    @Test
    void a_measurement_is_added_to_by_what_was_applied_since_it_began() {
        load.wrote(List.of(write(Family.FAMILY_WRITE, 10, 90, false)));
        Size before = load.written();
        load.wrote(List.of(write(Family.FAMILY_WRITE, 10, 40, false)));
        load.measured(new Size(5000, 70), before);
        assertEquals(new Size(5050, 71), load.size());
        assertTrue(load.isMeasured());
        load.becomes(new Size(7, 1), false);
        assertEquals(new Size(7, 1), load.size());
        assertFalse(load.isMeasured());
    }

    @Test
    void one_that_cannot_be_split_is_left_alone_until_it_has_grown_by_a_good_part() {
        load.becomes(new Size(1000, 10), true);
        assertFalse(load.rests());
        load.restsUntilGrownBy(new Size(100, 1));
        load.wrote(List.of(write(Family.FAMILY_WRITE, 0, 499, false)));
        assertTrue(load.rests());
        load.wrote(List.of(write(Family.FAMILY_WRITE, 0, 2, false)));
        assertFalse(load.rests());
    }

    @Test
    void rates_follow_what_is_asked_and_forget_it() {
        RegionRequest prewrite = RegionRequest.newBuilder()
                .setPrewrite(PrewriteRequest.newBuilder()
                        .addMutations(Mutation.getDefaultInstance())
                        .addMutations(Mutation.getDefaultInstance()))
                .build();
        long nowNs = 0;
        for (int second = 0; second < 60; second++) {
            for (int i = 0; i < 50; i++) {
                load.asked(get("k"));
                load.asked(prewrite);
                load.readLocally();
            }
            nowNs += SECOND_NS;
            load.roll(nowNs);
        }
        RegionHeartbeat.Builder report = RegionHeartbeat.newBuilder();
        load.report(report);
        assertEquals(100, report.getReadsPerSecond(), 2, "requests and local reads");
        assertEquals(100, report.getWritesPerSecond(), 2, "one for each key");
        assertEquals(150, load.requestsPerSecond(), 3, "local reads are no requests");
        load.roll(nowNs + 300 * SECOND_NS);
        assertTrue(load.perSecond() < 10, load.perSecond() + " per second after five minutes of rest");
    }

    @Test
    void samples_are_a_part_of_the_last_keys_in_order() {
        assertEquals(List.of(), load.samples());
        for (int i = 0; i < 5000; i++) {
            load.asked(get(i % 2 == 0 ? "b" : "a"));
        }
        List<ByteString> samples = load.samples();
        assertEquals(64, samples.size());
        assertEquals(
                samples.stream()
                        .sorted(ByteString.unsignedLexicographicalComparator())
                        .toList(),
                samples);
    }
}
