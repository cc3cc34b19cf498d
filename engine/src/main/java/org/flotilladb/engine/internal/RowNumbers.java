package org.flotilladb.engine.internal;

/** Numbers for the rows of one table, taken from the key space in blocks. Safe for many threads. */
final class RowNumbers {
    private static final long FIRST_BLOCK = 256;
    private static final long MAX_BLOCK = 65_536;

    private final FlotillaDatabase database;
    private final byte[] counterKey;
    private long next = 1;
    private long end = 1;
    private long block = FIRST_BLOCK;

    RowNumbers(FlotillaDatabase database, byte[] counterKey) {
        this.database = database;
        this.counterKey = counterKey;
    }

    synchronized long next() {
        if (next == end) {
            long size = block;
            block = Math.min(MAX_BLOCK, block * 4);
            next = database.advance(counterKey, 1, size);
            end = next + size;
        }
        return next++;
    }

    /** Numbers up to this one are not handed out from here on. */
    synchronized void skip(long last) {
        if (last >= next) {
            database.raise(counterKey, last + 1);
            next = 1;
            end = 1;
        }
    }
}
