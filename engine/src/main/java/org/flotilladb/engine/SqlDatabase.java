package org.flotilladb.engine;

import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.flotilladb.engine.keyspace.KeySpace;

/** One database of the key space, open in this process. Safe for many threads. */
public interface SqlDatabase extends AutoCloseable {

    /**
     * Opens the database called {@code name}, creating it if allowed.
     *
     * @param settings H2's own settings that pass through ({@code MODE}, {@code SCHEMA}, ...), keys in upper case, and
     *     {@code IFEXISTS}
     */
    static SqlDatabase open(KeySpace keySpace, String name, Map<String, String> settings) throws SQLException {
        return org.flotilladb.engine.internal.Databases.open(keySpace, name, settings);
    }

    /** The names of all databases of a key space, in order. */
    static List<String> names(KeySpace keySpace) throws SQLException {
        return org.flotilladb.engine.internal.Databases.names(keySpace);
    }

    /**
     * Opens a session. The first session of a new database makes its user the administrator, with this password.
     *
     * @param settings session settings of the URL, keys in upper case
     */
    SqlSession connect(String user, char[] password, Map<String, String> settings) throws SQLException;

    String name();

    /** Closes all sessions and the mirrors of the catalog; the key space stays open. */
    @Override
    void close();
}
