package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.LongAdder;
import org.flotilladb.proto.Family;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRequest;

/**
 * How large a Region is and how much is asked of it, as far as its peer here knows. The loop calls everything except
 * {@link #readLocally}, which readers call on their own threads.
 *
 * <p>The size is that of a measurement and what was applied since. Before the first measurement it is a guess.
 */
final class RegionLoad {
    /** A change of the rate shows by half after so long. */
    private static final long SETTLES_NS = 5_000_000_000L;

    private static final int SAMPLES = 64;
    private static final int SAMPLED_OF = 16;

    /** Bytes of keys and values, and versions of keys. */
    record Size(long bytes, long keys) {
        static final Size NONE = new Size(0, 0);

        Size plus(Size other) {
            return new Size(bytes + other.bytes, keys + other.keys);
        }

        Size minus(Size other) {
            return new Size(Math.max(0, bytes - other.bytes), Math.max(0, keys - other.keys));
        }

        /** Of so many equal parts. */
        Size part(int parts) {
            return new Size(bytes / parts, keys / parts);
        }
    }

    /** Something per second, as an average that forgets. */
    private static final class Rate {
        private long counted;
        private double perSecond;

        void roll(long total, long elapsedNs) {
            // No exp(): its last bit differs between JVMs.
            double weight = (double) elapsedNs / (elapsedNs + SETTLES_NS);
            perSecond += weight * ((total - counted) * 1e9 / elapsedNs - perSecond);
            counted = total;
        }

        void halve() {
            perSecond /= 2;
        }

        long perSecond() {
            return Math.round(perSecond);
        }
    }

    private final LongAdder localReads = new LongAdder();
    private final Rate reads = new Rate();
    private final Rate writes = new Rate();
    private final Rate requests = new Rate();
    private long readRequests;
    private long writeRequests;
    private long rolledNs;
    /** The last keys of which every so many-th was kept; null before the first. */
    private ByteString[] samples;

    private int sampled;

    private Size size = Size.NONE;
    private Size written = Size.NONE;
    private boolean measured;
    private Size rest = Size.NONE;
    private boolean waiting;
    private long dividesAfterNs;

    RegionLoad(long nowNs) {
        rolledNs = nowNs;
        dividesAfterNs = nowNs;
    }

    // ---- size ------------------------------------------------------------------------------------------------------

    /** These writes are being applied. */
    void wrote(List<KeyWrite> applied) {
        long bytes = 0;
        long keys = 0;
        for (KeyWrite write : applied) {
            boolean version = write.getFamily() == Family.FAMILY_WRITE;
            if (!write.getDelete() && (version || write.getFamily() == Family.FAMILY_DEFAULT)) {
                bytes += write.getKey().size() + write.getValue().size();
                keys += version ? 1 : 0;
            }
        }
        if (bytes > 0) {
            Size more = new Size(bytes, keys);
            size = size.plus(more);
            written = written.plus(more);
        }
    }

    Size size() {
        return size;
    }

    /** Everything that was applied here; for {@link #measured}. */
    Size written() {
        return written;
    }

    boolean isMeasured() {
        return measured;
    }

    /** @param writtenBefore what {@link #written} was when the measurement began */
    void measured(Size found, Size writtenBefore) {
        size = found.plus(written.minus(writtenBefore));
        measured = true;
    }

    /** The Region has become another; unless the size is measured, it is a guess. */
    void becomes(Size other, boolean isMeasured) {
        size = other;
        measured = isMeasured;
        rest = Size.NONE;
    }

    /** However large it is, nothing is to be done about it before it has grown by that, and by a good part of what it has. */
    void restsUntilGrownBy(Size more) {
        Size half = size.part(2);
        rest = size.plus(new Size(Math.max(more.bytes, half.bytes), Math.max(more.keys, half.keys)));
    }

    boolean rests() {
        return size.bytes <= rest.bytes && size.keys <= rest.keys;
    }

    /** Whether it waits to be measured. */
    boolean isWaiting() {
        return waiting;
    }

    void waits(boolean now) {
        waiting = now;
    }

    // ---- what is asked ---------------------------------------------------------------------------------------------

    /** A read on the caller's thread was served. Any thread. */
    void readLocally() {
        localReads.increment();
    }

    /** A request has arrived. */
    void asked(RegionRequest request) {
        switch (request.getCommandCase()) {
            case GET -> read(1, request.getGet().getKey());
            case SCAN -> read(1, request.getScan().getStart());
            case BATCH_GET -> {
                int keys = request.getBatchGet().getKeysCount();
                if (keys > 0) {
                    read(keys, request.getBatchGet().getKeys(keys / 2));
                }
            }
            case PREWRITE -> {
                int keys = request.getPrewrite().getMutationsCount();
                if (keys > 0) {
                    writeRequests += keys;
                    sample(request.getPrewrite().getMutations(keys / 2).getKey());
                }
            }
            default -> {
                // The others are few, or follow a write.
            }
        }
    }

    private void read(int keys, ByteString key) {
        readRequests += keys;
        sample(key);
    }

    private void sample(ByteString key) {
        if (sampled++ % SAMPLED_OF == 0) {
            if (samples == null) {
                samples = new ByteString[SAMPLES];
            }
            samples[sampled / SAMPLED_OF % SAMPLES] = key;
        }
    }

    /** Time has passed: the averages follow. */
    void roll(long nowNs) {
        long elapsedNs = nowNs - rolledNs;
        if (elapsedNs > 0) {
            rolledNs = nowNs;
            reads.roll(readRequests + localReads.sum(), elapsedNs);
            writes.roll(writeRequests, elapsedNs);
            requests.roll(readRequests + writeRequests, elapsedNs);
        }
    }

    /** The Region has lost about half of what was asked of it to another. */
    void halve() {
        reads.halve();
        writes.halve();
        requests.halve();
        samples = null;
        sampled = 0;
    }

    /** Whether it is time to look for a border that halves what is asked. */
    boolean mayDivide(long nowNs) {
        return nowNs - dividesAfterNs >= 0;
    }

    void divideAgainAfter(long ns) {
        dividesAfterNs = ns;
    }

    /** Reads and writes per second that came as requests. */
    long requestsPerSecond() {
        return requests.perSecond();
    }

    /** Reads and writes per second. */
    long perSecond() {
        return reads.perSecond() + writes.perSecond();
    }

    /** Keys of the last requests, ascending; few when not much was asked. */
    List<ByteString> samples() {
        List<ByteString> keys = new ArrayList<>();
        for (int i = 0; samples != null && i < SAMPLES; i++) {
            if (samples[i] != null) {
                keys.add(samples[i]);
            }
        }
        keys.sort(ByteString.unsignedLexicographicalComparator());
        return keys;
    }

    /** Adds the numbers to a report. */
    void report(RegionHeartbeat.Builder report) {
        report.setSizeBytes(size.bytes)
                .setKeys(size.keys)
                .setReadsPerSecond(reads.perSecond())
                .setWritesPerSecond(writes.perSecond());
    }
}
