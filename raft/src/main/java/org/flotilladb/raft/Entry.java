package org.flotilladb.raft;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

/** One entry of a log. Immutable: the data array is shared and must not be changed by anybody. */
public final class Entry {
    private static final byte[] NO_DATA = new byte[0];
    private static final int OVERHEAD_BYTES = 16;

    private final EntryType type;
    private final long term;
    private final long index;
    private final byte[] data;

    /** @param data the command; null means empty */
    public Entry(EntryType type, long term, long index, byte[] data) {
        this.type = Objects.requireNonNull(type, "type");
        this.term = term;
        this.index = index;
        this.data = data == null ? NO_DATA : data;
    }

    public EntryType type() {
        return type;
    }

    public long term() {
        return term;
    }

    public long index() {
        return index;
    }

    /** Never null. */
    public byte[] data() {
        return data;
    }

    /** What it counts for where bytes are limited: its data and a little for the rest. */
    public long sizeBytes() {
        return (long) data.length + OVERHEAD_BYTES;
    }

    static long sizeBytes(List<Entry> entries) {
        long size = 0;
        // By index: this runs for each message, and an iterator each time would be garbage.
        for (int i = 0; i < entries.size(); i++) {
            size += entries.get(i).sizeBytes();
        }
        return size;
    }

    /** The application's bytes alone. */
    static long dataBytes(List<Entry> entries) {
        long size = 0;
        for (int i = 0; i < entries.size(); i++) {
            size += entries.get(i).data.length;
        }
        return size;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Entry entry
                && type == entry.type
                && term == entry.term
                && index == entry.index
                && Arrays.equals(data, entry.data);
    }

    @Override
    public int hashCode() {
        return Objects.hash(type, term, index, Arrays.hashCode(data));
    }

    @Override
    public String toString() {
        return term + "/" + index + " " + type + " " + data.length + " bytes";
    }
}
