package org.flotilladb.region.store;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Parser;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.SnapshotInstall;
import org.flotilladb.proto.Tombstone;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.mvcc.Keys;

/** Where a Region's rows are, and what a Store notes about it: its record, a tombstone, a snapshot being taken in. */
final class RegionData {
    /** The families that hold rows, in the order in which snapshots send them. */
    static final List<Family> ROWS = List.of(Family.LOCK, Family.WRITE, Family.ROLLBACK, Family.DEFAULT);

    private static final byte[] NO_KEY = {};
    /** Above every row. */
    private static final byte[] LAST_KEY = new byte[64];

    static {
        Arrays.fill(LAST_KEY, (byte) 0xff);
    }

    private RegionData() {}

    static byte[] key(char kind, long regionId) {
        return ByteBuffer.allocate(9).put((byte) kind).putLong(regionId).array();
    }

    /** Whether a family holds rows. */
    static boolean isRows(org.flotilladb.proto.Family family) {
        return switch (family) {
            case FAMILY_LOCK, FAMILY_WRITE, FAMILY_ROLLBACK, FAMILY_DEFAULT -> true;
            case FAMILY_META, UNRECOGNIZED -> false;
        };
    }

    // ---- rows ---------------------------------------------------------------------------------------------------

    static byte[] lower(Region region) {
        return Keys.lowerBound(region.getStart().toByteArray());
    }

    /** Null: no bound. */
    static byte[] upper(Region region) {
        return Keys.upperBound(region.getEnd().toByteArray());
    }

    /** Deletes all rows of a Region's range. */
    static void delete(KvBatch batch, Region region) {
        byte[] lower = lower(region);
        byte[] upper = upper(region);
        for (Family family : ROWS) {
            batch.deleteRange(family, lower == null ? NO_KEY : lower, upper == null ? LAST_KEY : upper);
        }
    }

    /** Whether there is any row in a Region's range. */
    static boolean hasRows(KvReader data, Region region) {
        byte[] lower = lower(region);
        for (Family family : ROWS) {
            if (data.first(family, lower == null ? NO_KEY : lower, upper(region)) != null) {
                return true;
            }
        }
        return false;
    }

    static boolean overlap(Region one, Region other) {
        return startsBeforeEnd(one, other) && startsBeforeEnd(other, one);
    }

    private static boolean startsBeforeEnd(Region one, Region other) {
        return other.getEnd().isEmpty()
                || Arrays.compareUnsigned(
                                one.getStart().toByteArray(), other.getEnd().toByteArray())
                        < 0;
    }

    // ---- notes --------------------------------------------------------------------------------------------------

    /** All records. */
    static List<Region> regions(KvReader data) {
        return all(data, 'r', Region.parser());
    }

    /** Snapshots that were being taken in when the Store stopped. */
    static List<SnapshotInstall> installs(KvReader data) {
        return all(data, 'i', SnapshotInstall.parser());
    }

    /** The tombstone of a Region's peer, or null. */
    static Tombstone tombstone(KvReader data, long regionId) {
        byte[] value = data.get(Family.META, key('t', regionId));
        return value == null ? null : parse(value, Tombstone.parser());
    }

    private static <T> List<T> all(KvReader data, char kind, Parser<T> parser) {
        List<T> result = new ArrayList<>();
        byte[] lower = {(byte) kind};
        byte[] upper = {(byte) (kind + 1)};
        try (KvCursor cursor = data.cursor(Family.META, lower, upper)) {
            for (boolean more = cursor.seek(lower); more; more = cursor.next()) {
                result.add(parse(cursor.value(), parser));
            }
        }
        return result;
    }

    private static <T> T parse(byte[] value, Parser<T> parser) {
        try {
            return parser.parseFrom(value);
        } catch (InvalidProtocolBufferException e) {
            throw new StorageException(StorageException.Kind.CORRUPT, "a Region's record is damaged", e);
        }
    }
}
