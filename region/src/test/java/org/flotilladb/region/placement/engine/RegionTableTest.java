package org.flotilladb.region.placement.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.junit.jupiter.api.Test;

/** What is known of all Regions. */
class RegionTableTest {
    private static final int KEYS = 12;

    private static ByteString key(int number) {
        return number <= 0 || number >= KEYS ? ByteString.EMPTY : ByteString.copyFrom(new byte[] {(byte) number});
    }

    private static RegionHeartbeat report(long id, int start, int end, long version, boolean led) {
        return RegionHeartbeat.newBuilder()
                .setRegion(Region.newBuilder()
                        .setId(id)
                        .setStart(key(start))
                        .setEnd(key(end))
                        .setEpoch(RegionEpoch.newBuilder().setRangeVersion(version))
                        .addPeers(Peer.newBuilder().setId(id).setStoreId(1)))
                .setLeaderStoreId(led ? 1 : 0)
                .build();
    }

    /** From one end of the key space to the other without a gap, and all of them are led. */
    private static boolean isComplete(RegionTable table) {
        ByteString next = ByteString.EMPTY;
        boolean ended = false;
        for (RegionView view : table.from(new byte[0])) {
            if (ended || !view.region().getStart().equals(next) || view.leaderStoreId() == 0) {
                return false;
            }
            next = view.region().getEnd();
            ended = next.isEmpty();
        }
        return ended;
    }

    @Test
    void it_is_complete_when_a_walk_finds_no_gap_whatever_was_reported() {
        long seed = Long.getLong("flotilla.seed", 3);
        RandomSource random = new SeededRandom(seed);
        RegionTable table = new RegionTable();
        int complete = 0;
        for (int round = 0; round < 20_000; round++) {
            int start = random.nextInt(KEYS);
            int end = random.nextInt(3) == 0 ? KEYS : start + 1 + random.nextInt(KEYS - start);
            long id = 1 + random.nextInt(20);
            // Versions fall back now and then, so that not everything is refused in the end.
            long version = round / 4 + random.nextInt(50);
            table.report(report(id, start, end, version, random.nextInt(10) > 0), round);
            assertEquals(isComplete(table), table.complete(), "seed " + seed + ", round " + round);
            complete += table.complete() ? 1 : 0;
        }
        assertTrue(complete > 100 && complete < 19_900, "complete in " + complete + " rounds of 20,000");
    }
}
