package org.flotilladb.engine.internal;

import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.keyspace.KeySpace;

/** Opens databases. */
public final class Databases {
    private static final String MAX_OPEN_TRANSACTIONS = "65535";

    static {
        // Before any class of H2 is loaded: these are read once.
        setDefault("h2.maxOpenTransactions", MAX_OPEN_TRANSACTIONS);
        setDefault("h2.objectCache", "false");
    }

    private Databases() {}

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    public static SqlDatabase open(KeySpace keySpace, String name, Map<String, String> settings) throws SQLException {
        Map<String, String> rest = new TreeMap<>(settings);
        String ifExists = rest.remove("IFEXISTS");
        return new FlotillaDatabase(keySpace, name, rest, "TRUE".equalsIgnoreCase(ifExists));
    }
}
