package org.flotilladb.driver;

import java.nio.file.Path;
import java.sql.SQLException;
import org.flotilladb.engine.keyspace.KeySpace;

/**
 * Opens nodes inside this process; flotilla-server implements it and is found by {@link java.util.ServiceLoader}. Safe
 * for many threads.
 */
public interface EmbeddedNodeProvider {

    /** A database in memory, gone when it is closed. */
    KeySpace openMemory(String name, int nodes) throws SQLException;

    /**
     * A durable database in a directory, which it locks.
     *
     * @param mustExist refuse a directory without a database
     */
    KeySpace openFile(Path directory, boolean mustExist) throws SQLException;
}
