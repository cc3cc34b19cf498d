package org.flotilladb.driver.jdbc;

import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Statements of H2 that would do something to the database of this process alone, and to everybody in it: its mirror of the
 * catalog closed under all connections, or locked against them.
 */
final class Refusals {
    private static final int FEATURE_NOT_SUPPORTED = 50100;

    /** First words of a statement, and what to do instead. */
    private static final Map<List<String>, String> REFUSED = Map.of(
            List.of("SHUTDOWN"),
            "a database in this process is closed with its last connection, a node is stopped by SIGTERM",
            List.of("SET", "EXCLUSIVE"),
            "nobody is kept out of a database; use transactions and locks",
            List.of("SET", "CLUSTER"),
            "a cluster is made of servers: start ./flotilla server");

    private Refusals() {}

    /** Throws if a statement in the text is one of them; looks at the first words of each. */
    static void check(String sql) throws SQLException {
        if (sql == null || !(contains(sql, "SHUTDOWN") || contains(sql, "EXCLUSIVE") || contains(sql, "CLUSTER"))) {
            return;
        }
        Scanner scanner = new Scanner(sql);
        while (!scanner.atEnd()) {
            String first = scanner.word();
            String second = scanner.word();
            for (Map.Entry<List<String>, String> refused : REFUSED.entrySet()) {
                List<String> words = refused.getKey();
                if (words.get(0).equals(first)
                        && (words.size() == 1 || words.get(1).equals(second))) {
                    throw new SQLException(
                            String.join(" ", words) + " does not exist here: " + refused.getValue() + ".",
                            "HYC00",
                            FEATURE_NOT_SUPPORTED);
                }
            }
            scanner.skipStatement();
        }
    }

    private static boolean contains(String text, String word) {
        for (int i = 0; i <= text.length() - word.length(); i++) {
            if (text.regionMatches(true, i, word, 0, word.length())) {
                return true;
            }
        }
        return false;
    }

    /** Goes through a text of SQL by words and statements; knows quotes and comments. */
    private static final class Scanner {
        private final String sql;
        private int at;

        Scanner(String sql) {
            this.sql = sql;
        }

        boolean atEnd() {
            return at >= sql.length();
        }

        /** The next word in upper case; empty if something else comes. */
        String word() {
            while (at < sql.length() && (Character.isWhitespace(sql.charAt(at)) || skipComment())) {
                at++;
            }
            int start = at;
            while (at < sql.length() && Character.isLetter(sql.charAt(at))) {
                at++;
            }
            return sql.substring(start, at).toUpperCase(Locale.ROOT);
        }

        /** Goes behind the next semicolon. */
        void skipStatement() {
            while (at < sql.length()) {
                char c = sql.charAt(at);
                if (c == ';') {
                    at++;
                    return;
                }
                if (c == '\'' || c == '"') {
                    skipTo(String.valueOf(c), at + 1);
                } else if (sql.startsWith("$$", at)) {
                    skipTo("$$", at + 2);
                } else {
                    skipComment();
                }
                at++;
            }
        }

        /** Moves to the last character of a comment, if one begins here. */
        private boolean skipComment() {
            if (sql.startsWith("--", at) || sql.startsWith("//", at)) {
                skipTo("\n", at);
                return true;
            }
            if (sql.startsWith("/*", at)) {
                skipTo("*/", at + 2);
                return true;
            }
            return false;
        }

        private void skipTo(String end, int from) {
            int found = sql.indexOf(end, from);
            at = found < 0 ? sql.length() - 1 : found + end.length() - 1;
        }
    }
}
