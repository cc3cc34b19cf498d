package org.flotilladb.engine.keyspace;

/** Rows of a scan. Starts before the first row. */
public interface KeyCursor {
    /** Moves to the next row; false at the end. */
    boolean next();

    /** The key of the row stood on. */
    byte[] key();

    /** The value of the row stood on. */
    byte[] value();
}
