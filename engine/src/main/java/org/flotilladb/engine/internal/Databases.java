package org.flotilladb.engine.internal;

import java.sql.SQLException;
import java.util.Map;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.keyspace.KeySpace;

/** Opens databases. */
public final class Databases {
    private Databases() {}

    public static SqlDatabase open(KeySpace keySpace, String name, Map<String, String> settings) throws SQLException {
        throw new SQLException("The SQL layer is not built yet.", "0A000");
    }
}
