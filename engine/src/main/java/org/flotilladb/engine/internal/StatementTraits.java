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
 */
record StatementTraits(boolean changesDataInQuery, boolean callsFunctions, boolean restarts, boolean defines) {
    static final StatementTraits NONE = new StatementTraits(false, false, false, false);

    /** At the beginning of a statement, or anywhere behind a comment, where it cannot be told. */
    private static final Pattern DEFINITION = Pattern.compile(
            "(^\\s*|;\\s*|(^|;)\\s*(--|/\\*|//).*\\b)"
                    + "(ALTER|ANALYZE|COMMENT|CREATE|DROP|EXECUTE|GRANT|RENAME|REVOKE|RUNSCRIPT|TRUNCATE)\\b",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

    /** Set while this thread runs a statement that restarts sequences: H2 writes their position in another session. */
    private static final ThreadLocal<Boolean> RESTARTS = new ThreadLocal<>();

    private static final Pattern DATA_CHANGE_IN_QUERY =
            Pattern.compile("\\b(FINAL|NEW|OLD)\\s+TABLE\\s*\\(", Pattern.CASE_INSENSITIVE);

    static StatementTraits of(String sql) {
        if (sql == null) {
            return NONE;
        }
        boolean calls = contains(sql, FunctionSchema.FUNCTION_PREFIX);
        boolean changes =
                contains(sql, "TABLE") && DATA_CHANGE_IN_QUERY.matcher(sql).find();
        boolean restarts = contains(sql, "RESTART");
        boolean defines = DEFINITION.matcher(sql).find();
        return calls || changes || restarts || defines ? new StatementTraits(changes, calls, restarts, defines) : NONE;
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

    private static boolean contains(String text, String word) {
        int last = text.length() - word.length();
        for (int i = 0; i <= last; i++) {
            if (text.regionMatches(true, i, word, 0, word.length())) {
                return true;
            }
        }
        return false;
    }
}
