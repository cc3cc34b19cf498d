package org.flotilladb.server.cli.bench;

import java.sql.Connection;
import java.sql.SQLException;

/** Opens connections to the database under test; each client thread has its own. Safe for many threads. */
@FunctionalInterface
public interface ConnectionSource {
    Connection open() throws SQLException;
}
