package org.flotilladb.driver;

import java.sql.DriverPropertyInfo;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.flotilladb.driver.Setting.Scope;

/** The settings of one URL, checked; and what can be said about all of them. */
final class Settings {
    private static final int UNSUPPORTED_SETTING = 90113;
    private static final int URL_FORMAT = 90046;

    /** Settings that people bring along from H2, and what to do instead. */
    private static final Map<String, String> REFUSED = new TreeMap<>(Map.ofEntries(
            Map.entry(
                    "AUTO_SERVER",
                    "several processes open one database as clients of a server: start ./flotilla server and use"
                            + " jdbc:flotilla://host:port/NAME"),
            Map.entry("INIT", "run the statements after connecting"),
            Map.entry("CIPHER", "keep the directory on an encrypted file system"),
            Map.entry("FILE_LOCK", "the data directory is always locked"),
            Map.entry("CACHE_SIZE", "leave it out"),
            Map.entry("DEFAULT_TABLE_ENGINE", "tables always are key ranges here"),
            Map.entry("ACCESS_MODE_DATA", "leave it out"),
            Map.entry("AUTO_RECONNECT", "connections to a cluster find its nodes again by themselves"),
            Map.entry("WRITE_DELAY", "every commit is durable when it returns"),
            Map.entry("LOCK_MODE", "rows are locked, and readers never wait"),
            Map.entry("FORBID_CREATION", "use IFEXISTS=TRUE"),
            Map.entry("NETWORK_TIMEOUT", "use OPERATION_TIMEOUT_MS, or Connection.setNetworkTimeout"),
            Map.entry("DATABASE_EVENT_LISTENER", "a database runs no Java of its users"),
            Map.entry("JAVA_OBJECT_SERIALIZER", "a database runs no Java of its users"),
            Map.entry("AUTHENTICATOR", "users and passwords are kept in the database"),
            Map.entry("RECOVER", "a Store recovers by itself when it is opened"),
            Map.entry("MV_STORE", "leave it out"),
            Map.entry("MULTI_THREADED", "leave it out"),
            Map.entry("PAGE_SIZE", "leave it out")));

    private Settings() {}

    static SQLException error(String sentence) {
        return new SQLException(sentence, "08001", URL_FORMAT);
    }

    /**
     * The setting of this key, in any case.
     *
     * @throws SQLException that says what to write instead
     */
    static Setting find(String key) throws SQLException {
        String upper = key.trim().toUpperCase(Locale.ROOT);
        String instead = upper.startsWith("TRACE_") ? "use slf4j" : REFUSED.get(upper);
        if (instead != null) {
            throw new SQLException(
                    "The setting " + upper + " of H2 does not exist here: " + instead + ".",
                    "08001",
                    UNSUPPORTED_SETTING);
        }
        Setting nearest = null;
        int least = Integer.MAX_VALUE;
        for (Setting setting : Setting.values()) {
            int distance = distance(upper, setting.key());
            if (distance < least) {
                least = distance;
                nearest = setting;
            }
        }
        if (least == 0) {
            return nearest;
        }
        // Where half of it would have to change, the nearest one is no help.
        String help = least <= Math.max(1, upper.length() / 2)
                ? "did you mean " + nearest.key() + "?"
                : "there are "
                        + Stream.of(Setting.values()).map(Setting::key).sorted().collect(Collectors.joining(", "))
                        + ".";
        throw new SQLException("There is no setting " + upper + "; " + help, "08001", UNSUPPORTED_SETTING);
    }

    /** Checks that each setting makes sense for this form of URL. */
    static void checkForm(Map<Setting, String> settings, String form) throws SQLException {
        for (Setting setting : settings.keySet()) {
            if (!setting.scope().fits(form)) {
                throw error("The setting " + setting.key() + " is for "
                        + setting.scope().forms("jdbc:flotilla:", "") + " URLs only: leave it out.");
            }
        }
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

    /** What the SQL layer gets of these, by H2's key. */
    static Map<String, String> of(Map<Setting, String> settings, Scope scope) {
        Map<String, String> result = new TreeMap<>();
        settings.forEach((setting, value) -> {
            if (setting.scope() == scope) {
                result.put(setting.key(), value);
            }
        });
        return result;
    }

    /** All settings as JDBC describes them, with the values given so far. */
    static DriverPropertyInfo[] propertyInfo(Map<Setting, String> given, String form) {
        List<DriverPropertyInfo> all = new ArrayList<>();
        for (Setting setting : Setting.values()) {
            if (form == null || setting.scope().fits(form)) {
                String value = given.getOrDefault(setting, setting.otherwise());
                // By convention these two are written in lower case in Properties.
                boolean login = setting.scope() == Scope.CONNECTION;
                DriverPropertyInfo info =
                        new DriverPropertyInfo(login ? setting.key().toLowerCase(Locale.ROOT) : setting.key(), value);
                info.description = setting.description();
                info.choices =
                        setting.choices().isEmpty() ? null : setting.choices().toArray(new String[0]);
                all.add(info);
            }
        }
        return all.toArray(new DriverPropertyInfo[0]);
    }

    /** The table of the README, line by line. */
    static List<String> table() {
        List<String> lines = new ArrayList<>(List.of("| setting | default | what it does |", "| --- | --- | --- |"));
        for (Setting setting : Setting.values()) {
            String only = setting.scope().forms("`", "`");
            String otherwise = setting.otherwise().isEmpty() ? "" : "`" + setting.otherwise() + "`";
            lines.add("| `" + setting.key() + "` | " + otherwise + " | " + setting.description()
                    + (only.isEmpty() ? "" : " (" + only + " only)") + " |");
        }
        return lines;
    }
}
