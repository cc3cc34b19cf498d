package org.flotilladb.driver;

import java.sql.Connection;
import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.Map;
import java.util.Properties;
import org.flotilladb.driver.keyspace.RegionKeySpace;
import org.flotilladb.engine.keyspace.KeySpace;

/** Connections and counters for the driver class and for tools. */
public final class Databases {
    private Databases() {}

    /**
     * Opens a connection.
     *
     * @param properties user, password and settings; may be null
     */
    public static Connection connect(String url, Properties properties) throws SQLException {
        return OpenDatabases.connect(JdbcUrl.parse(url, properties));
    }

    /** Whether a URL is one of ours, right or wrong. */
    public static boolean accepts(String url) {
        return url.startsWith(JdbcUrl.PREFIX);
    }

    /** What can be set in a URL of this form, or in any when the URL is null or not whole yet. */
    public static DriverPropertyInfo[] propertyInfo(String url, Properties properties) {
        try {
            JdbcUrl parsed = JdbcUrl.parse(url, properties);
            return Settings.propertyInfo(parsed.settings(), parsed.kind().form);
        } catch (SQLException e) {
            // Tools ask while a person is still typing.
            return Settings.propertyInfo(Map.of(), null);
        }
    }

    /**
     * How the transactions of this process on a database were committed.
     *
     * @param retries requests that were sent again, because a Region had split, moved or lost its leader
     */
    public record CommitCounts(long onePhase, long twoPhase, long retries) {}

    /** The counts of an open database, zeros when it is not open. */
    public static CommitCounts commitCounts(String url) throws SQLException {
        KeySpace keySpace = OpenDatabases.keySpace(JdbcUrl.parse(url, null).plain());
        return keySpace instanceof RegionKeySpace regions
                ? new CommitCounts(
                        regions.client().onePhaseCommits(),
                        regions.client().twoPhaseCommits(),
                        regions.client().retries())
                : new CommitCounts(0, 0, 0);
    }
}
