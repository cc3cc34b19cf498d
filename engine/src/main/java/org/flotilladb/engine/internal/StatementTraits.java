package org.flotilladb.engine.internal;

import java.util.regex.Pattern;

/**
 * What a session must know of a statement before H2 parses it, found in its text; too much is found rather than too
 * little. Immutable.
 *
 * @param changesDataInQuery a query may change data: H2 has no statement rollback for it
 * @param callsFunctions it may call one of the functions that every database has
 * @param restarts it may let sequences begin anew
 * @param defines it may change the catalog
 * @param asksSequences it asks sequences for values, in its own text
 * @param onlyInserts it is one INSERT, and fails where a row is there
 */
record StatementTraits(
        boolean changesDataInQuery,
        boolean callsFunctions,
        boolean restarts,
        boolean defines,
        boolean asksSequences,
        boolean onlyInserts) {
    static final StatementTraits NONE = new StatementTraits(false, false, false, false, false, false);

    private static final Pattern INSERT = Pattern.compile("^\\s*INSERT\\s+INTO\\b", Pattern.CASE_INSENSITIVE);

    /** At the beginning of a statement, or anywhere behind a comment, where it cannot be told. */
    private static final Pattern DEFINITION = Pattern.compile(
            "(^\\s*|;\\s*|(^|;)\\s*(--|/\\*|//).*\\b)"
                    + "(ALTER|ANALYZE|COMMENT|CREATE|DROP|EXECUTE|GRANT|RENAME|REVOKE|RUNSCRIPT|TRUNCATE)\\b",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** Set while this thread runs a statement that restarts sequences: H2 writes their position in another session. */
    private static final ThreadLocal<Boolean> RESTARTS = new ThreadLocal<>();

    private static final Pattern DATA_CHANGE_IN_QUERY =
            Pattern.compile("\\b(FINAL|NEW|OLD)\\s+TABLE\\s*\\(", Pattern.CASE_INSENSITIVE);

    /** MySQL's way to let a table's sequence begin anew. */
    private static final Pattern RESTART =
            Pattern.compile("\\bRESTART\\b|\\bAUTO_INCREMENT\\s*=?\\s*\\d", Pattern.CASE_INSENSITIVE);

    private static final Pattern ASKS_SEQUENCES =
            Pattern.compile("\\bNEXT\\s+VALUE\\s+FOR\\b|\\bNEXTVAL\\b", Pattern.CASE_INSENSITIVE);

    /** A name in escapes, or one that is computed. */
    private static final Pattern HIDES_NAMES =
            Pattern.compile("\\bU&|\\bNEXTVAL\\s*\\((?!\\s*'[^']*'\\s*[,)])", Pattern.CASE_INSENSITIVE);

    static StatementTraits of(String sql) {
        if (sql == null) {
            return NONE;
        }
        boolean calls = contains(sql, FunctionSchema.FUNCTION_PREFIX);
        boolean changes =
                contains(sql, "TABLE") && DATA_CHANGE_IN_QUERY.matcher(sql).find();
        boolean restarts = (contains(sql, "RESTART") || contains(sql, "AUTO_INCREMENT"))
                && RESTART.matcher(sql).find();
        boolean asks = contains(sql, "NEXT") && ASKS_SEQUENCES.matcher(sql).find();
        boolean defines = DEFINITION.matcher(sql).find();
        boolean inserts = !changes && !defines && onlyInserts(sql);
        return calls || changes || restarts || defines || asks || inserts
                ? new StatementTraits(changes, calls, restarts, defines, asks, inserts)
                : NONE;
    }

    /** Not told of texts in which something else may hide: other statements, or what to do about duplicates. */
    private static boolean onlyInserts(String sql) {
        return INSERT.matcher(sql).find()
                && sql.indexOf(';') < 0
                && !contains(sql, "DUPLICATE")
                && !contains(sql, "CONFLICT")
                && !contains(sql, "IGNORE");
    }

    /** Whether a sequence may be asked for a value whose name does not stand in the text. */
    static boolean hidesNames(String sql) {
        return HIDES_NAMES.matcher(sql).find();
    }

    static boolean restartsNow() {
        return RESTARTS.get() != null;
    }

    void begin() {
        if (restarts) {
            RESTARTS.set(true);
        }
    }

    void end() {
        if (restarts) {
            RESTARTS.remove();
        }
    }

    static boolean contains(String text, String word) {
        int last = text.length() - word.length();
        for (int i = 0; i <= last; i++) {
            if (text.regionMatches(true, i, word, 0, word.length())) {
                return true;
            }
        }
        return false;
    }
}
