package org.flotilladb.driver;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import org.flotilladb.driver.keyspace.RegionKeySpace;
import org.flotilladb.engine.keyspace.KeySpace;

/** Connections and counters for the driver class and for tools. */
public final class Databases {
    private Databases() {}

    /** Opens a connection. */
    public static Connection connect(String url, Properties properties) throws SQLException {
        String user = property(properties, "user");
        String password = property(properties, "password");
        return OpenDatabases.connect(JdbcUrl.parse(url, properties), user, password.toCharArray());
    }

    private static String property(Properties properties, String key) {
        String value = properties == null ? null : properties.getProperty(key);
        return value == null ? "" : value;
    }

    /** How the transactions of this process on a database were committed. */
    public record CommitCounts(long onePhase, long twoPhase) {}

    /** The counts of an open database, zeros when it is not open. */
    public static CommitCounts commitCounts(String url) throws SQLException {
        KeySpace keySpace = OpenDatabases.keySpace(JdbcUrl.parse(url, null).plain());
        return keySpace instanceof RegionKeySpace regions
                ? new CommitCounts(
                        regions.client().onePhaseCommits(), regions.client().twoPhaseCommits())
                : new CommitCounts(0, 0);
    }
}
