package org.flotilladb.region.runtime;

import org.flotilladb.region.runtime.KvStore.Family;

/** Reads of a {@link KvStore} (its newest state) or of a snapshot. Arrays returned must not be changed. */
public interface KvReader {
    /** The value, or null. */
    byte[] get(Family family, byte[] key);

    /**
     * A cursor over {@code [lower, upper)} of one family; a null {@code upper} means no bound. Not positioned. Close it.
     */
    KvCursor cursor(Family family, byte[] lower, byte[] upper);

    /** The first entry at or after {@code key} and below {@code upper}, or null: one point look-up without a cursor. */
    Pair first(Family family, byte[] key, byte[] upper);

    /** A key and its value. */
    record Pair(byte[] key, byte[] value) {}

    /** A position in a family. */
    interface KvCursor extends AutoCloseable {
        /** Moves to the first key at or after {@code key}. */
        boolean seek(byte[] key);

        /** Moves to the last key strictly below {@code key}; null: to the last key of all. */
        boolean seekBefore(byte[] key);

        boolean next();

        boolean previous();

        byte[] key();

        byte[] value();

        @Override
        void close();
    }
}
