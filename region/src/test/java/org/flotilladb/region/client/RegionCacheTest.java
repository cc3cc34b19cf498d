package org.flotilladb.region.client;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.region.client.RegionCache.Route;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RegionCacheTest {
    private final RegionCache cache = new RegionCache(null, null);

    /** {@code id:start-end@version}, an empty end is the end of the key space. */
    private static Route route(String text) {
        String[] parts = text.split("[:@]");
        String[] range = parts[1].split("-", -1);
        return Route.of(
                Region.newBuilder()
                        .setId(Long.parseLong(parts[0]))
                        .setStart(ByteString.copyFromUtf8(range[0]))
                        .setEnd(ByteString.copyFromUtf8(range[1]))
                        .setEpoch(RegionEpoch.newBuilder().setRangeVersion(Long.parseLong(parts[2])))
                        .build(),
                1);
    }

    private static String text(Route route) {
        return route == null
                ? "?"
                : route.region().getId() + "@" + route.region().getEpoch().getRangeVersion();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @CsvSource({
        // what was inserted; keys; the Regions found for them
        "1:-@1, a z, 1@1 1@1",
        "1:-m@2 2:m-@2, a m z, 1@2 2@2 2@2",
        "1:-@1 1:-m@2, a m z, 1@2 ? ?",
        "1:-@1 2:m-@2, a m z, ? 2@2 2@2",
        // something older than what is known has no effect, whatever it overlaps
        "1:-m@2 1:-@1, a z, 1@2 ?",
        "2:m-@2 1:-@1, a z, ? 2@2",
        "1:-c@3 2:c-m@3 3:m-@2 2:c-@2, a d n, 1@3 2@3 3@2",
        // the same again, with another leader say
        "1:-m@2 1:-m@2, a, 1@2",
        // a Region replaces all that it overlaps and nothing beside it
        "1:-c@2 2:c-m@2 3:m-@2 4:c-@5, b d n, 1@2 4@5 4@5",
    })
    void what_is_newer_replaces_what_it_overlaps(String inserted, String keys, String found) {
        for (String each : inserted.split(" ")) {
            cache.insert(route(each));
        }
        StringBuilder seen = new StringBuilder();
        for (String key : keys.split(" ")) {
            seen.append(text(cache.find(bytes(key)))).append(' ');
        }
        assertEquals(found, seen.toString().trim());
    }

    @ParameterizedTest
    @CsvSource({
        "1:-m@2 2:m-@2, m, 1@2",
        "1:-m@2 2:m-@2, n, 2@2",
        "1:-m@2 2:m-@2, '', 2@2",
        "1:-m@2, n, ?",
        "1:-m@2, '', ?",
    })
    void the_region_before_a_key_is_found_for_scans_backwards(String inserted, String end, String found) {
        for (String each : inserted.split(" ")) {
            cache.insert(route(each));
        }
        assertEquals(found, text(cache.findBefore(bytes(end))));
    }

    @ParameterizedTest
    @CsvSource({"1:-m@2, ?", "7:-m@2, 1@2"})
    void only_the_region_itself_is_forgotten(String forgotten, String left) {
        cache.insert(route("1:-m@2"));
        cache.forget(route(forgotten));
        assertEquals(left, text(cache.find(bytes("a"))));
    }
}
