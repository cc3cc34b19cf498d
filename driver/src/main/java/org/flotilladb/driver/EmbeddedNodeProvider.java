package org.flotilladb.driver;

import java.nio.file.Path;
import java.sql.SQLException;
import org.flotilladb.engine.keyspace.KeySpace;

/**
 * Opens nodes inside this process; flotilla-server implements it and is found by {@link java.util.ServiceLoader}. Safe
 * for many threads.
 */
public interface EmbeddedNodeProvider {
    /** The most Stores of one database in one process. */
    int MAX_NODES = 5;

    /** Below it a Region would hold a few rows only. */
    long MIN_REGION_SPLIT_BYTES = 64 << 10;

    /**
     * A database in memory, gone when it is closed.
     *
     * @param nodes how many Stores keep it, from 1 to {@link #MAX_NODES}
     * @param regionSplitBytes of rows in a Region, past which it is split; 0: as the provider thinks best
     */
    KeySpace openMemory(String name, int nodes, long regionSplitBytes) throws SQLException;

    /**
     * A durable database in a directory, which it locks.
     *
     * @param nodes how many Stores keep it, fixed when it is made; 0: as many as there are, one for a new database
     * @param regionSplitBytes of rows in a Region, past which it is split; 0: as the provider thinks best
     * @param mustExist refuse a directory without a database
     */
    KeySpace openFile(Path directory, int nodes, long regionSplitBytes, boolean mustExist) throws SQLException;
}
