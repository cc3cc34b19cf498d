package org.flotilladb.raft.tracker;

import java.util.Arrays;

/** Appends under way to one peer, oldest first, bounded by their count and by their bytes. */
public final class Inflights {
    private static final int FIRST_CAPACITY = 8;

    private final int maxCount;
    /** 0 for no limit. */
    private final long maxBytes;

    private long[] lastIndexes = new long[0];
    private long[] sizes = lastIndexes;
    private int start;
    private int count;
    private long bytes;

    public Inflights(int maxCount, long maxBytes) {
        this.maxCount = maxCount;
        this.maxBytes = maxBytes;
    }

    /** Notes an append by its last entry. The last one may pass the limit of bytes. */
    public void add(long lastIndex, long sizeBytes) {
        if (full()) {
            throw new IllegalStateException("the window of " + maxCount + " appends is full");
        }
        if (count == lastIndexes.length) {
            grow();
        }
        int at = (start + count) % lastIndexes.length;
        lastIndexes[at] = lastIndex;
        sizes[at] = sizeBytes;
        count++;
        bytes += sizeBytes;
    }

    private void grow() {
        int capacity = Math.min(maxCount, Math.max(FIRST_CAPACITY, count * 2));
        long[] indexes = new long[capacity];
        long[] newSizes = new long[capacity];
        for (int i = 0; i < count; i++) {
            indexes[i] = lastIndexes[(start + i) % lastIndexes.length];
            newSizes[i] = sizes[(start + i) % lastIndexes.length];
        }
        lastIndexes = indexes;
        sizes = newSizes;
        start = 0;
    }

    /** Everything up to this index has arrived. */
    public void freeUpTo(long index) {
        while (count > 0 && lastIndexes[start] <= index) {
            bytes -= sizes[start];
            start = (start + 1) % lastIndexes.length;
            count--;
        }
    }

    public boolean full() {
        return count == maxCount || (maxBytes > 0 && bytes >= maxBytes);
    }

    public int count() {
        return count;
    }

    public long bytes() {
        return bytes;
    }

    public void clear() {
        start = 0;
        count = 0;
        bytes = 0;
    }

    @Override
    public String toString() {
        long[] all = new long[count];
        Arrays.setAll(all, i -> lastIndexes[(start + i) % lastIndexes.length]);
        return Arrays.toString(all);
    }
}
