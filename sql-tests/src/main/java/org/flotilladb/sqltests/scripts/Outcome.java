package org.flotilladb.sqltests.scripts;

import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/** What a statement did, and whether that is what a script's lines say. */
sealed interface Outcome {

    /** Null if {@code expected} says just this, else what came instead. */
    String differenceFrom(List<String> expected);

    /** Changed {@code count} rows, or none, or is no statement that changes rows. */
    record Update(long count) implements Outcome {
        @Override
        public String differenceFrom(List<String> expected) {
            String got = count < 1 ? "> ok" : "> update count: " + count;
            boolean same = expected.size() == 1
                    && (expected.get(0).equals(got)
                            || count == 0 && expected.get(0).equals("> update count: 0"));
            return same ? null : got;
        }
    }

    /** Failed with an error code. */
    record Failure(int errorCode, String message) implements Outcome {
        @Override
        public String differenceFrom(List<String> expected) {
            String prefix = "> exception ";
            boolean same = expected.size() == 1
                    && expected.get(0).startsWith(prefix)
                    && ErrorNames.codeOf(expected.get(0).substring(prefix.length())) == errorCode;
            return same ? null : prefix + ErrorNames.nameOf(errorCode) + ": " + message;
        }
    }

    /** Gave rows; texts folded to one line, as the format wants. */
    record Rows(List<String> header, List<List<String>> rows) implements Outcome {

        static Rows read(ResultSet result) throws SQLException {
            ResultSetMetaData meta = result.getMetaData();
            int columns = meta.getColumnCount();
            List<String> header = new ArrayList<>();
            for (int i = 1; i <= columns; i++) {
                header.add(fold(meta.getColumnLabel(i)));
            }
            List<List<String>> rows = new ArrayList<>();
            while (result.next()) {
                List<String> row = new ArrayList<>();
                for (int i = 1; i <= columns; i++) {
                    row.add(fold(value(result, meta, i)));
                }
                rows.add(row);
            }
            return new Rows(header, rows);
        }

        @Override
        public String differenceFrom(List<String> expected) {
            if (expected.size() == 1 && expected.get(0).startsWith(">> ")) {
                String got = ">> " + single();
                return got.trim().equals(expected.get(0)) ? null : got;
            }
            String last = expected.isEmpty() ? "" : expected.get(expected.size() - 1);
            boolean inOrder = last.startsWith("> rows (ordered): ");
            List<String> got = lines();
            List<String> wanted = expected.isEmpty() ? List.of() : expected.subList(0, expected.size() - 1);
            if (wanted.size() == got.size() && !inOrder && got.size() > 2) {
                got = sortedAfterHeader(got);
                wanted = sortedAfterHeader(wanted);
            }
            boolean same = got.equals(wanted) && last.matches("> rows( \\([a-z ]+\\))?: " + rows.size());
            return same ? null : String.join("\n", got) + "\n> rows: " + rows.size();
        }

        private String single() {
            if (rows.size() != 1) {
                return rows.isEmpty() ? "<no result>" : "<" + rows.size() + " rows>";
            }
            List<String> row = rows.get(0);
            return row.size() == 1 ? row.get(0) : "<row with " + row.size() + " values>";
        }

        /** Header, dashes and rows, columns padded to their widest value. */
        private List<String> lines() {
            int[] widths = new int[header.size()];
            for (int i = 0; i < widths.length; i++) {
                widths[i] = header.get(i).length();
                for (List<String> row : rows) {
                    widths[i] = Math.max(widths[i], row.get(i).length());
                }
            }
            List<String> lines = new ArrayList<>();
            lines.add(line(header, widths));
            List<String> dashes = new ArrayList<>();
            for (int width : widths) {
                dashes.add("-".repeat(width));
            }
            lines.add(line(dashes, widths));
            rows.forEach(row -> lines.add(line(row, widths)));
            return lines;
        }

        private static String line(List<String> values, int[] widths) {
            StringBuilder line = new StringBuilder(">");
            for (int i = 0; i < widths.length; i++) {
                String value = values.get(i);
                line.append(' ').append(value).append(" ".repeat(widths[i] - value.length()));
            }
            return line.toString().trim();
        }

        private static List<String> sortedAfterHeader(List<String> lines) {
            List<String> sorted = new ArrayList<>(lines);
            Collections.sort(sorted.subList(2, sorted.size()));
            return sorted;
        }

        private static String value(ResultSet result, ResultSetMetaData meta, int column) throws SQLException {
            if (meta.getColumnTypeName(column).equals("UUID")) {
                return result.getString(column);
            }
            switch (meta.getColumnType(column)) {
                case Types.BINARY, Types.VARBINARY, Types.LONGVARBINARY, Types.BLOB -> {
                    byte[] bytes = result.getBytes(column);
                    return bytes == null
                            ? null
                            : "X'" + HexFormat.of().formatHex(bytes).toLowerCase(Locale.ROOT) + "'";
                }
                default -> {
                    return result.getString(column);
                }
            }
        }

        private static String fold(String text) {
            return text == null
                    ? "null"
                    : text.replace("\r\n", " ").replace('\n', ' ').replaceAll(" {2,}", " ");
        }
    }
}
