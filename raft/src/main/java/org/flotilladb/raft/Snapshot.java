package org.flotilladb.raft;

import java.util.Objects;

/**
 * The state of the application after an entry, in place of the log up to there. Immutable; the data array is shared and
 * must not be changed by anybody. The data may be a mere reference to files that travel another way.
 */
public final class Snapshot {
    private static final byte[] NO_DATA = new byte[0];

    private final long index;
    private final long term;
    private final ConfState confState;
    private final byte[] data;

    /** @param data null means empty */
    public Snapshot(long index, long term, ConfState confState, byte[] data) {
        this.index = index;
        this.term = term;
        this.confState = Objects.requireNonNull(confState, "confState");
        this.data = data == null ? NO_DATA : data;
    }

    /** The last entry whose effects it holds. */
    public long index() {
        return index;
    }

    public long term() {
        return term;
    }

    /** The membership after that entry. */
    public ConfState confState() {
        return confState;
    }

    /** Never null. */
    public byte[] data() {
        return data;
    }

    @Override
    public String toString() {
        return "snapshot " + term + "/" + index + " " + confState + " " + data.length + " bytes";
    }
}
