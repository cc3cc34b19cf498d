package org.flotilladb.driver;

import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * One definition per setting of a URL: it makes the parser, {@code Driver.getPropertyInfo}, the table in the README and
 * the error for an unknown key.
 */
enum Setting {
    USER(Scope.CONNECTION, Type.TEXT, "", "The user. The first one of a new database becomes its administrator"),
    PASSWORD(Scope.CONNECTION, Type.TEXT, "", "That user's password"),
    IFEXISTS(Scope.DATABASE, Type.FLAG, "FALSE", "Refuse to create a database that does not exist"),
    NODES(
            Scope.EMBEDDED,
            Type.NUMBER,
            "1",
            "How many Stores the process runs, from 1 to 5; of a directory the first connection decides for good"),
    REGION_SPLIT_BYTES(
            Scope.EMBEDDED,
            Type.NUMBER,
            "0",
            "Bytes of rows in a Region, past which it is split; 0: 1 GB. The first connection decides"),
    DB_CLOSE_DELAY(
            Scope.OPEN,
            Type.NUMBER,
            "0",
            "Seconds that a database stays open after its last connection; -1: until the process ends"),
    DB_CLOSE_ON_EXIT(Scope.OPEN, Type.FLAG, "TRUE", "Close the database when the process ends in an orderly way"),
    OPERATION_TIMEOUT_MS(
            Scope.CLUSTER,
            Type.NUMBER,
            "20000",
            "After this time without an answer from the cluster a statement fails; the first connection decides"),
    LISTEN(Scope.NODE, Type.TEXT, "", "Where the node listens, host:port"),
    JOIN(Scope.NODE, Type.TEXT, "", "Nodes of the cluster to join: host:port, with commas between them"),

    MODE(
            Scope.DATABASE,
            Type.TEXT,
            "REGULAR",
            "Whose SQL is understood beside the standard",
            "REGULAR",
            "STRICT",
            "LEGACY",
            "DB2",
            "DERBY",
            "HSQLDB",
            "MARIADB",
            "MSSQLSERVER",
            "MYSQL",
            "ORACLE",
            "POSTGRESQL"),
    CASE_INSENSITIVE_IDENTIFIERS(Scope.DATABASE, Type.FLAG, "FALSE", "Names are compared without regard to case"),
    DATABASE_TO_UPPER(Scope.DATABASE, Type.FLAG, "TRUE", "Names without quotes become upper case"),
    DATABASE_TO_LOWER(Scope.DATABASE, Type.FLAG, "FALSE", "Names without quotes become lower case"),
    DEFAULT_NULL_ORDERING(
            Scope.DATABASE, Type.TEXT, "LOW", "Where NULL sorts by default", "LOW", "HIGH", "FIRST", "LAST"),
    IGNORECASE(Scope.DATABASE, Type.FLAG, "FALSE", "VARCHAR columns of new tables ignore case"),
    COLLATION(Scope.DATABASE, Type.TEXT, "OFF", "How texts of a new database are compared"),
    ZERO_BASED_ENUMS(Scope.DATABASE, Type.FLAG, "FALSE", "Values of ENUM count from 0"),
    DEFAULT_ESCAPE(Scope.DATABASE, Type.TEXT, "\\", "The escape character of LIKE"),
    OPTIMIZE_REUSE_RESULTS(Scope.DATABASE, Type.FLAG, "TRUE", "The same query on the same data may reuse its result"),

    LOCK_TIMEOUT(Scope.SESSION, Type.NUMBER, "2000", "Milliseconds that a statement waits for a lock"),
    QUERY_TIMEOUT(Scope.SESSION, Type.NUMBER, "0", "Milliseconds after which a statement is cancelled; 0: never"),
    SCHEMA(Scope.SESSION, Type.TEXT, "PUBLIC", "The schema of names without one"),
    SCHEMA_SEARCH_PATH(Scope.SESSION, Type.TEXT, "", "Schemas where such names are looked for, in this order"),
    NON_KEYWORDS(Scope.SESSION, Type.TEXT, "", "Keywords that may be names, with commas between them"),
    TIME_ZONE(Scope.SESSION, Type.TEXT, "", "The session's time zone; the JVM's by default"),
    AUTOCOMMIT(Scope.SESSION, Type.FLAG, "TRUE", "Whether a connection begins in autocommit mode"),
    LAZY_QUERY_EXECUTION(Scope.SESSION, Type.FLAG, "FALSE", "Rows are read as the result is"),
    VARIABLE_BINARY(Scope.SESSION, Type.FLAG, "FALSE", "BINARY means BINARY VARYING"),
    OLD_INFORMATION_SCHEMA(Scope.SESSION, Type.FLAG, "FALSE", "INFORMATION_SCHEMA as in H2 1.x");

    /** What a setting belongs to. */
    enum Scope {
        CONNECTION,
        /** When the database is closed again. */
        OPEN,
        EMBEDDED("mem:", "file:"),
        NODE("node:"),
        CLUSTER("//"),
        /** Needed when H2's mirror of the catalog is made; H2's own but for IFEXISTS. */
        DATABASE,
        /** H2's own, of one session. */
        SESSION;

        /** The forms of URL that it makes sense for; empty: all. */
        private final List<String> forms;

        Scope(String... forms) {
            this.forms = List.of(forms);
        }

        /** Whether it makes sense for URLs of this form. */
        boolean fits(String form) {
            return forms.isEmpty() || forms.contains(form);
        }

        /** Its forms in words, each in these quotes; empty: all. */
        String forms(String before, String after) {
            return forms.stream().map(form -> before + form + after).collect(Collectors.joining(" and "));
        }
    }

    /** What values look like. */
    enum Type {
        TEXT,
        NUMBER,
        FLAG
    }

    private final Scope scope;
    private final Type type;
    private final String otherwise;
    private final String description;
    private final List<String> choices;

    Setting(Scope scope, Type type, String otherwise, String description, String... choices) {
        this.scope = scope;
        this.type = type;
        this.otherwise = otherwise;
        this.description = description;
        this.choices = type == Type.FLAG ? List.of("FALSE", "TRUE") : List.of(choices);
    }

    /** As it is written in a URL; H2 has one with a blank. */
    String key() {
        return this == TIME_ZONE ? "TIME ZONE" : name();
    }

    Scope scope() {
        return scope;
    }

    /** The value when none is given. */
    String otherwise() {
        return otherwise;
    }

    String description() {
        return description;
    }

    /** The possible values; empty: any. */
    List<String> choices() {
        return choices;
    }

    /** A value in the form that everybody below expects. */
    String checked(String value) throws SQLException {
        String plain = value.trim();
        String upper = plain.toUpperCase(Locale.ROOT);
        switch (type) {
            case FLAG -> {
                String flag = upper.equals("1") ? "TRUE" : upper.equals("0") ? "FALSE" : upper;
                if (!choices.contains(flag)) {
                    throw Settings.error("The setting " + key() + " must be TRUE or FALSE, it is '" + plain + "'.");
                }
                return flag;
            }
            case NUMBER -> {
                try {
                    return Long.toString(Long.parseLong(plain));
                } catch (NumberFormatException e) {
                    throw Settings.error("The setting " + key() + " must be a whole number, it is '" + plain + "'.");
                }
            }
            default -> {
                if (!choices.isEmpty() && !choices.contains(upper)) {
                    throw Settings.error("The setting " + key() + " must be one of " + String.join(", ", choices)
                            + ", it is '" + plain + "'.");
                }
                return choices.isEmpty() ? plain : upper;
            }
        }
    }
}
