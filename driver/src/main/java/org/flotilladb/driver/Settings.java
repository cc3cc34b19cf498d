package org.flotilladb.driver;

import java.sql.SQLException;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** The settings a URL may have: our own, and those of H2 that make sense here. */
final class Settings {
    /** Ours; the rest goes to H2. */
    private static final Set<String> OWN = Set.of("NODES", "DB_CLOSE_DELAY", "LISTEN", "JOIN", "OPERATION_TIMEOUT_MS");

    /** What belongs to the whole database in H2, and must be there when its mirror is made. */
    private static final Set<String> DATABASE = Set.of(
            "IFEXISTS",
            "MODE",
            "CASE_INSENSITIVE_IDENTIFIERS",
            "DATABASE_TO_UPPER",
            "DATABASE_TO_LOWER",
            "DEFAULT_NULL_ORDERING",
            "IGNORECASE",
            "COLLATION",
            "ZERO_BASED_ENUMS",
            "DEFAULT_ESCAPE",
            "OPTIMIZE_REUSE_RESULTS");

    private static final Set<String> SESSION = Set.of(
            "LOCK_TIMEOUT",
            "SCHEMA",
            "SCHEMA_SEARCH_PATH",
            "NON_KEYWORDS",
            "TIME ZONE",
            "QUERY_TIMEOUT",
            "LAZY_QUERY_EXECUTION",
            "VARIABLE_BINARY",
            "OLD_INFORMATION_SCHEMA",
            "AUTOCOMMIT");

    /** Settings that people bring along from H2, and what to do instead. */
    private static final Map<String, String> REFUSED = new TreeMap<>(Map.of(
            "AUTO_SERVER",
            "several processes open one database as clients of a server: start ./flotilla server and use"
                    + " jdbc:flotilla://host:port/NAME",
            "INIT",
            "run the statements after connecting",
            "CIPHER",
            "keep the directory on an encrypted file system",
            "FILE_LOCK",
            "the data directory is always locked",
            "CACHE_SIZE",
            "leave it out",
            "DEFAULT_TABLE_ENGINE",
            "tables always are key ranges here",
            "ACCESS_MODE_DATA",
            "leave it out",
            "AUTO_RECONNECT",
            "connections to a cluster find its nodes again by themselves",
            "TRACE_LEVEL_FILE",
            "use slf4j"));

    private Settings() {}

    static void check(Set<String> keys) throws SQLException {
        for (String key : keys) {
            String instead = REFUSED.get(key);
            if (instead != null || key.startsWith("TRACE_")) {
                throw new SQLException(
                        "The setting " + key + " of H2 does not exist here: "
                                + (instead == null ? "use slf4j" : instead) + ".",
                        "08001",
                        90113);
            }
            if (!OWN.contains(key) && !DATABASE.contains(key) && !SESSION.contains(key)) {
                throw new SQLException(
                        "There is no setting " + key + "; the nearest is " + nearest(key) + ".", "08001", 90113);
            }
        }
    }

    private static String nearest(String key) {
        TreeSet<String> all = new TreeSet<>(OWN);
        all.addAll(DATABASE);
        all.addAll(SESSION);
        String best = "";
        int least = Integer.MAX_VALUE;
        for (String known : all) {
            int distance = distance(key, known);
            if (distance < least) {
                least = distance;
                best = known;
            }
        }
        return best;
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j <= b.length(); j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j <= b.length(); j++) {
                int above = row[j];
                int cost = a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1;
                row[j] = Math.min(Math.min(row[j] + 1, row[j - 1] + 1), diagonal + cost);
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    static Map<String, String> forDatabase(Map<String, String> settings) {
        return only(settings, DATABASE);
    }

    static Map<String, String> forSession(Map<String, String> settings) {
        return only(settings, SESSION);
    }

    private static Map<String, String> only(Map<String, String> settings, Set<String> keys) {
        Map<String, String> result = new TreeMap<>(settings);
        result.keySet().retainAll(keys);
        return result;
    }
}
