package org.flotilladb.engine.internal;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import org.h2.schema.Sequence;

/**
 * Values of a sequence from {@code start} up to the one before {@code end}, in the sequence's direction. What stands in
 * the key space is where the next block begins and a number that changes when the sequence is created or begun anew: a
 * block of an earlier number is no longer good. Guarded by {@link SequenceBlocks}.
 */
final class SequenceBlock {
    private static final int STORED_BYTES = Long.BYTES + 1 + Long.BYTES;

    final Sequence sequence;
    final long start;
    final long generation;
    long end;
    /** The end is beyond the numbers. */
    boolean overflows;

    /** An empty block. */
    SequenceBlock(Sequence sequence, long start, long generation) {
        this.sequence = sequence;
        this.start = start;
        this.end = start;
        this.generation = generation;
    }

    /** At least one value, and no more than {@code count}. */
    static SequenceBlock of(Sequence sequence, long start, BigInteger count, long generation) {
        SequenceBlock block = new SequenceBlock(sequence, start, generation);
        BigInteger length = count.min(block.toTheLast()).max(BigInteger.ZERO);
        BigInteger end = BigInteger.valueOf(start).add(length.multiply(BigInteger.valueOf(sequence.getIncrement())));
        block.overflows = end.bitLength() >= Long.SIZE;
        block.end = block.overflows ? last(sequence) : end.longValueExact();
        return block;
    }

    /** What is left of another mirror's block, for this mirror's sequence, which is the same. */
    static SequenceBlock rest(SequenceBlock other, Sequence sequence) {
        SequenceBlock block = new SequenceBlock(sequence, other.start, other.generation);
        block.end = other.end;
        block.overflows = other.overflows;
        return block;
    }

    static long last(Sequence sequence) {
        return sequence.getIncrement() > 0 ? sequence.getMaxValue() : sequence.getMinValue();
    }

    static long first(Sequence sequence) {
        return sequence.getIncrement() > 0 ? sequence.getMinValue() : sequence.getMaxValue();
    }

    boolean empty() {
        return start == end && !overflows;
    }

    /** Values from the start to the sequence's last. */
    BigInteger toTheLast() {
        return BigInteger.valueOf(last(sequence))
                .subtract(BigInteger.valueOf(start))
                .divide(BigInteger.valueOf(sequence.getIncrement()))
                .add(BigInteger.ONE);
    }

    boolean holds(long value) {
        boolean up = sequence.getIncrement() > 0;
        return up ? start <= value && (overflows || value < end) : start >= value && (overflows || value > end);
    }

    /** Values from this one on. */
    BigInteger left(long value) {
        BigInteger to = BigInteger.valueOf(overflows ? last(sequence) : end);
        return to.subtract(BigInteger.valueOf(value)).divide(BigInteger.valueOf(sequence.getIncrement()));
    }

    /** Whether a value lies behind its end. */
    boolean isBefore(long value) {
        return !overflows && ahead(sequence, value, end);
    }

    static boolean ahead(Sequence sequence, long value, long of) {
        return sequence.getIncrement() > 0 ? value > of : value < of;
    }

    /** Whether the sequence has no values behind it. */
    boolean isLast() {
        return overflows || ahead(sequence, end, last(sequence));
    }

    boolean sameOptions(Sequence other) {
        return sequence.getIncrement() == other.getIncrement()
                && sequence.getMinValue() == other.getMinValue()
                && sequence.getMaxValue() == other.getMaxValue();
    }

    /** H2's object goes on at the beginning; where nothing is left, it says so when it is asked. */
    void moveTo() {
        // H2 computes an impossible cache for descending sequences, which it would refuse here.
        Long cache = sequence.getCacheSize() < 1 ? 1L : null;
        if (empty()) {
            sequence.modify(null, null, null, null, null, Sequence.Cycle.EXHAUSTED, cache);
        } else {
            sequence.modify(start, null, null, null, null, null, cache);
        }
    }

    // ---- as stored: the next block's start, whether that is beyond the numbers, the generation ----------------------

    byte[] stored() {
        return stored(end, overflows, generation);
    }

    static byte[] stored(long next, boolean overflows, long generation) {
        return ByteBuffer.allocate(STORED_BYTES)
                .putLong(next)
                .put((byte) (overflows ? 1 : 0))
                .putLong(generation)
                .array();
    }

    static boolean storedOverflows(byte[] stored) {
        return stored.length > Long.BYTES && stored[Long.BYTES] != 0;
    }

    static long storedGeneration(byte[] stored) {
        return stored == null || stored.length < STORED_BYTES
                ? 0
                : ByteBuffer.wrap(stored).getLong(Long.BYTES + 1);
    }
}
