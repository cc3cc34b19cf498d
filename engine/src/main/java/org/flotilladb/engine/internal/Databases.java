package org.flotilladb.engine.internal;

import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.keyspace.KeyCursor;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;

/** Opens databases. */
public final class Databases {
    private static final long LOCK_TIMEOUT_MS = 5000;
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

    /** The names of all databases of a key space, in order. */
    public static List<String> names(KeySpace keySpace) throws SQLException {
        byte[] prefix = CatalogKeys.databaseNames();
        byte[] end = prefix.clone();
        end[end.length - 1]++;
        KeyTransaction reader =
                keySpace.begin(new TransactionMode(TransactionMode.Isolation.SNAPSHOT, false, LOCK_TIMEOUT_MS));
        try {
            List<String> names = new ArrayList<>();
            KeyCursor cursor = reader.scan(prefix, end, false, 0);
            while (cursor.next()) {
                byte[] key = cursor.key();
                names.add(new String(key, prefix.length, key.length - prefix.length, StandardCharsets.UTF_8));
            }
            return names;
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
        } finally {
            reader.rollback();
        }
    }

    public static SqlDatabase open(KeySpace keySpace, String name, Map<String, String> settings) throws SQLException {
        Map<String, String> rest = new TreeMap<>(settings);
        String ifExists = rest.remove("IFEXISTS");
        return new FlotillaDatabase(keySpace, name, rest, "TRUE".equalsIgnoreCase(ifExists));
    }
}
