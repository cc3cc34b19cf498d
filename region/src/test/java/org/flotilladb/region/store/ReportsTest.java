package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionHeartbeatResponse;
import org.flotilladb.region.store.RegionLoad.Size;
import org.flotilladb.region.store.Reports.Said;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who is told what, and when. */
class ReportsTest {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final long SMALL_BYTES = 1000;

    /** A question that waits for its answer. */
    private record Asked(
            String address, PlacementRequest request, Consumer<PlacementResponse> answer, Runnable failed) {
        private List<Long> ids() {
            return request.getRegionHeartbeat().getRegionsList().stream()
                    .map(report -> report.getRegion().getId())
                    .toList();
        }
    }

    private final List<String> addresses = new ArrayList<>(List.of("a", "b"));
    private final TreeSet<Long> led = new TreeSet<>();
    private final List<Asked> asked = new ArrayList<>();
    private final List<PlacementResponse> told = new ArrayList<>();
    private final Reports reports = new Reports(
            new Reports.Audience() {
                @Override
                public List<String> addresses() {
                    return addresses;
                }

                @Override
                public void ask(
                        String address, PlacementRequest request, Consumer<PlacementResponse> answer, Runnable failed) {
                    asked.add(new Asked(address, request, answer, failed));
                }
            },
            new Reports.Source() {
                @Override
                public List<Long> led() {
                    return List.copyOf(led);
                }

                @Override
                public RegionHeartbeat describe(long regionId) {
                    return led.contains(regionId)
                            ? RegionHeartbeat.newBuilder()
                                    .setRegion(Region.newBuilder().setId(regionId))
                                    .build()
                            : null;
                }
            },
            SMALL_BYTES,
            told::add);

    private Asked next(String address) {
        Asked found = asked.stream()
                .filter(each -> each.address.equals(address))
                .findFirst()
                .orElseThrow(() -> new AssertionError(address + " is asked nothing"));
        asked.remove(found);
        return found;
    }

    private static void answer(Asked question, long table) {
        question.answer.accept(PlacementResponse.newBuilder()
                .setRegionHeartbeat(RegionHeartbeatResponse.newBuilder().setTableId(table))
                .build());
    }

    /** Both know what there is: nothing. */
    @BeforeEach
    void greet() {
        reports.send(true);
        answer(next("a"), 1);
        answer(next("b"), 2);
        told.clear();
    }

    private void due(long... ids) {
        for (long id : ids) {
            led.add(id);
            reports.due(id);
        }
    }

    @Test
    void nothing_is_sent_when_there_is_nothing_to_say() {
        reports.send(false);
        assertEquals(List.of(), asked);
        reports.send(true);
        assertEquals(List.of(), next("a").ids(), "a greeting");
    }

    @Test
    void each_is_told_in_batches_and_the_next_one_only_when_it_has_answered() {
        for (long id = 1; id <= 1000; id++) {
            due(id);
        }
        reports.send(false);
        reports.send(true);
        Asked first = next("a");
        next("b");
        assertEquals(512, first.ids().size());
        assertEquals(List.of(), asked);
        answer(first, 1);
        assertEquals(488, next("a").ids().size());
        assertEquals(List.of(), asked, "b has not answered");
        assertEquals(1, told.size());
    }

    @Test
    void what_did_not_arrive_is_said_again_as_it_is_then() {
        due(1, 2);
        reports.send(false);
        Asked lost = next("a");
        assertEquals(List.of(1L, 2L), lost.ids());
        led.remove(2L);
        led.add(3L);
        reports.due(3);
        lost.failed.run();
        assertEquals(1, asked.size(), "not at once");
        reports.send(false);
        assertEquals(List.of(1L, 3L), next("a").ids());
    }

    @Test
    void an_error_is_no_answer() {
        due(1);
        reports.send(false);
        next("a")
                .answer
                .accept(PlacementResponse.newBuilder()
                        .setError(PlacementError.newBuilder().setMessage("not now"))
                        .build());
        assertEquals(List.of(), told);
        reports.send(false);
        assertEquals(List.of(1L), next("a").ids());
    }

    @Test
    void who_has_forgotten_is_told_everything() {
        due(1, 2, 3);
        reports.send(false);
        answer(next("a"), 1);
        answer(next("b"), 2);
        assertEquals(List.of(), asked);
        reports.send(true);
        answer(next("a"), 99);
        answer(next("b"), 2);
        assertEquals(List.of(1L, 2L, 3L), next("a").ids());
        assertEquals(List.of(), asked);
    }

    @Test
    void who_comes_later_is_told_everything() {
        due(1, 2);
        reports.send(false);
        answer(next("a"), 1);
        answer(next("b"), 2);
        addresses.add("c");
        addresses.remove("a");
        reports.send(true);
        next("b");
        answer(next("c"), 3);
        assertEquals(List.of(1L, 2L), next("c").ids());
        assertEquals(List.of(), asked);
    }

    @Test
    void a_region_at_rest_is_worth_a_report_once_a_minute() {
        Said said = new Said(0, new Size(10_000, 10), 0, false);
        assertTrue(reports.isWorth(null, said, false));
        assertFalse(reports.isWorth(said, new Said(59 * SECOND_NS, new Size(10_900, 10), 99, false), false));
        assertTrue(reports.isWorth(said, new Said(60 * SECOND_NS, said.size(), 0, false), false));
    }

    @Test
    void a_member_that_falls_behind_or_comes_back_is_worth_one_at_once() {
        Said well = new Said(0, Size.NONE, 0, false);
        Said ill = new Said(1, Size.NONE, 0, true);
        assertTrue(reports.isWorth(well, ill, false));
        assertTrue(reports.isWorth(ill, well, false));
    }

    @Test
    void a_change_by_a_good_part_is_worth_one_after_a_second() {
        Said said = new Said(0, new Size(80_000, 10), 8000, false);
        assertFalse(reports.isWorth(said, new Said(SECOND_NS, new Size(90_000, 10), 9000, false), false));
        assertTrue(reports.isWorth(said, new Said(SECOND_NS, new Size(90_001, 10), 8000, false), false));
        assertTrue(reports.isWorth(said, new Said(SECOND_NS, new Size(69_999, 10), 8000, false), false));
        assertTrue(reports.isWorth(said, new Said(SECOND_NS, new Size(80_000, 10), 6999, false), false));
        assertFalse(reports.isWorth(said, new Said(SECOND_NS - 1, new Size(990_000, 10), 8000, false), false));
        assertTrue(reports.isWorth(said, new Said(SECOND_NS, said.size(), 8000, false), true), "it asks for something");
    }
}
