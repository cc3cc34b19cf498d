package org.flotilladb.engine.keyspace;

/**
 * How a transaction behaves.
 *
 * @param isolation its isolation level
 * @param explicit true for a transaction of several statements, which locks what it writes; false for a single
 *     statement under autocommit, which runs optimistically and may be run again by the caller after a
 *     {@link KeySpaceException.Kind#CONFLICT}
 * @param lockTimeoutMs how long one lock may be waited for
 */
public record TransactionMode(Isolation isolation, boolean explicit, long lockTimeoutMs) {

    /** Isolation levels that the key space knows. */
    public enum Isolation {
        /** Every statement reads at a fresh timestamp. */
        READ_COMMITTED,
        /** The whole transaction reads at one timestamp; a write to a newer version is a conflict. */
        SNAPSHOT
    }
}
