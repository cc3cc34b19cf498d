package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StoreWatchTest {
    private static final long OTHER = 7;
    private static final long LIFE = 1;

    private final List<String> told = new ArrayList<>();
    private final StoreWatch watch = new StoreWatch(3, new StoreWatch.Listener() {
        @Override
        public void leadsNoMore(long storeId) {
            told.add("leads no more: " + storeId);
        }

        @Override
        public void back(long storeId) {
            told.add("back: " + storeId);
        }
    });

    private void ticks(int count) {
        for (int i = 0; i < count; i++) {
            watch.tick(List.of(OTHER));
        }
    }

    @Test
    void a_store_that_gives_signs_of_life_is_not_silent() {
        for (int i = 0; i < 10; i++) {
            watch.heard(OTHER, LIFE);
            ticks(3);
        }
        assertFalse(watch.isSilent(OTHER));
        assertEquals(List.of(), told);
    }

    @Test
    void silence_is_told_once_and_its_end_too() {
        watch.heard(OTHER, LIFE);
        ticks(20);
        assertTrue(watch.isSilent(OTHER));
        assertEquals(List.of("leads no more: 7"), told);
        watch.heard(OTHER, LIFE);
        watch.heard(OTHER, LIFE);
        assertFalse(watch.isSilent(OTHER));
        assertEquals(List.of("leads no more: 7", "back: 7"), told);
    }

    @Test
    void a_store_that_was_never_heard_falls_silent() {
        ticks(3);
        assertFalse(watch.isSilent(OTHER));
        ticks(2);
        assertTrue(watch.isSilent(OTHER));
    }

    @Test
    void a_new_life_ends_what_the_one_before_led_though_nobody_missed_it() {
        watch.heard(OTHER, LIFE);
        ticks(1);
        watch.heard(OTHER, LIFE + 1);
        assertEquals(List.of("leads no more: 7", "back: 7"), told);
    }

    @Test
    void a_store_that_is_not_known_is_not_silent() {
        ticks(20);
        assertFalse(watch.isSilent(OTHER + 1));
    }
}
