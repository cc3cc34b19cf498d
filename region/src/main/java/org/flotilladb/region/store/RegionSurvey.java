package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.flotilladb.proto.Region;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.store.RegionLoad.Size;
import org.flotilladb.region.store.mvcc.Keys;

/**
 * Counts the rows of a Region and finds where to split it, in small steps. Each step reads the newest state, so nothing is
 * held open between two of them, and what is written meanwhile may be counted or not. One thread at a time.
 */
final class RegionSurvey {
    /** Of one step: about a millisecond. */
    private static final int STEP_ROWS = 1024;

    private static final int STEP_BYTES = 256 << 10;
    /** Borders found in one walk; what lies behind them is another walk's. */
    private static final int MAX_BORDERS = 16;

    private static final int SAMPLED_ROWS = 64;

    private final KvStore data;
    private final byte[] lower;
    private final byte[] upper;
    private final SplitSettings limits;
    private final List<ByteString> borders = new ArrayList<>();
    private final List<Size> pieces = new ArrayList<>();
    /** Where the next step begins in WRITE and in DEFAULT; null: nothing is left there. */
    private byte[] versionsFrom;

    private byte[] largeFrom;
    private byte[] last;
    private int lastPrefix;
    private long bytes;
    private long keys;

    /**
     * What a walk has found.
     *
     * @param borders keys that begin the second piece and those after it
     * @param pieces what lies before the first border, between two, and behind the last one
     * @param complete whether the end was reached; else the last piece is larger
     */
    record Found(List<ByteString> borders, List<Size> pieces, boolean complete) {
        Size total() {
            Size sum = Size.NONE;
            for (Size piece : pieces) {
                sum = sum.plus(piece);
            }
            return sum;
        }
    }

    /** @param limits pieces have about half of what they allow */
    RegionSurvey(KvStore data, Region region, SplitSettings limits) {
        this.data = data;
        this.limits = limits;
        lower = RegionData.lower(region);
        upper = RegionData.upper(region);
        versionsFrom = lower;
        largeFrom = lower;
    }

    /** How large a Region is, roughly, from what the store knows and a look at its first rows. */
    static Size estimate(KvStore data, Region region) {
        byte[] lower = RegionData.lower(region);
        long sizeBytes = data.approximateSizeBytes(lower, RegionData.upper(region));
        long sampledBytes = 0;
        int rows = 0;
        try (KvCursor cursor = data.cursor(Family.WRITE, lower, RegionData.upper(region))) {
            for (boolean more = cursor.seek(lower); more && rows < SAMPLED_ROWS; more = cursor.next()) {
                sampledBytes += cursor.key().length + cursor.value().length;
                rows++;
            }
        }
        return new Size(sizeBytes, rows == 0 ? 0 : sizeBytes / (sampledBytes / rows));
    }

    /** Reads on; false when the walk is over. */
    boolean step() {
        int rows = 0;
        int read = 0;
        try (KvCursor versions = data.cursor(Family.WRITE, lower, upper);
                KvCursor large = data.cursor(Family.DEFAULT, lower, upper)) {
            boolean more = versionsFrom != null && versions.seek(versionsFrom);
            boolean moreLarge = largeFrom != null && large.seek(largeFrom);
            while (more || moreLarge) {
                if (rows++ >= STEP_ROWS || read >= STEP_BYTES) {
                    versionsFrom = more ? versions.key() : null;
                    largeFrom = moreLarge ? large.key() : null;
                    return true;
                }
                boolean version = more && (!moreLarge || Arrays.compareUnsigned(versions.key(), large.key()) <= 0);
                KvCursor next = version ? versions : large;
                int valueBytes = next.value().length;
                if (!take(next.key(), valueBytes, version)) {
                    return false;
                }
                read += next.key().length + valueBytes;
                if (version) {
                    more = versions.next();
                } else {
                    moreLarge = large.next();
                }
            }
        }
        versionsFrom = null;
        largeFrom = null;
        return false;
    }

    /** Counts a row; false when it would begin one piece too many. */
    private boolean take(byte[] key, int valueBytes, boolean version) {
        boolean newKey = last == null || !Keys.sameKey(last, lastPrefix, key);
        if (newKey) {
            if (last != null && (bytes >= limits.maxBytes() / 2 || keys >= limits.maxKeys() / 2)) {
                if (borders.size() == MAX_BORDERS) {
                    return false;
                }
                borders.add(ByteString.copyFrom(Keys.userKey(key)));
                endPiece();
            }
            last = key;
            lastPrefix = Keys.prefixLength(key);
        }
        bytes += key.length + valueBytes;
        keys += version ? 1 : 0;
        return true;
    }

    private void endPiece() {
        pieces.add(new Size(bytes, keys));
        bytes = 0;
        keys = 0;
    }

    /** What was found, once the walk is over. No borders: the Region is not too large, or has one key that is. */
    Found found() {
        boolean complete = versionsFrom == null && largeFrom == null;
        endPiece();
        Found all = new Found(List.copyOf(borders), List.copyOf(pieces), complete);
        Size total = all.total();
        if (complete && total.bytes() <= limits.maxBytes() && total.keys() <= limits.maxKeys()) {
            return new Found(List.of(), List.of(total), true);
        }
        Size end = pieces.get(pieces.size() - 1);
        boolean small = end.bytes() < limits.maxBytes() / 4 && end.keys() < limits.maxKeys() / 4;
        if (!complete || !small || borders.size() < 2) {
            return all;
        }
        // Not worth a Region of its own.
        List<Size> joined = new ArrayList<>(pieces.subList(0, pieces.size() - 2));
        joined.add(pieces.get(pieces.size() - 2).plus(end));
        return new Found(List.copyOf(borders.subList(0, borders.size() - 1)), joined, true);
    }
}
