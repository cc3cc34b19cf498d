package org.flotilladb.server.cli.shell;

import java.io.PrintStream;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** Prints the rows of a result. */
public enum RowPrinter {
    /** For programs: a header line, then a row a line, tabs between columns, {@code NULL} for null. */
    TABS {
        @Override
        public long print(ResultSet rows, PrintStream out) throws SQLException {
            ResultSetMetaData meta = rows.getMetaData();
            int columns = meta.getColumnCount();
            StringBuilder line = new StringBuilder();
            for (int i = 1; i <= columns; i++) {
                line.append(i > 1 ? "\t" : "").append(escape(meta.getColumnLabel(i)));
            }
            emit(line, out);
            long count = 0;
            while (rows.next()) {
                for (int i = 1; i <= columns; i++) {
                    String value = text(rows, meta, i);
                    line.append(i > 1 ? "\t" : "").append(value == null ? "NULL" : escape(value));
                }
                emit(line, out);
                count++;
            }
            out.flush();
            return count;
        }
    },

    /** For people: aligned columns, numbers to the right. Aligns each {@value #WINDOW} rows anew, so memory is bounded. */
    TABLE {
        @Override
        public long print(ResultSet rows, PrintStream out) throws SQLException {
            ResultSetMetaData meta = rows.getMetaData();
            int columns = meta.getColumnCount();
            String[] header = new String[columns];
            boolean[] right = new boolean[columns];
            for (int i = 0; i < columns; i++) {
                header[i] = escape(meta.getColumnLabel(i + 1));
                right[i] = isNumber(meta.getColumnType(i + 1));
            }
            List<String[]> window = new ArrayList<>();
            long count = 0;
            while (rows.next()) {
                String[] row = new String[columns];
                for (int i = 0; i < columns; i++) {
                    String value = text(rows, meta, i + 1);
                    row[i] = value == null ? "NULL" : escape(value);
                }
                window.add(row);
                count++;
                if (window.size() == WINDOW) {
                    printWindow(header, right, window, out);
                    window.clear();
                }
            }
            if (count == 0 || !window.isEmpty()) {
                printWindow(header, right, window, out);
            }
            return count;
        }

        private void printWindow(String[] header, boolean[] right, List<String[]> rows, PrintStream out) {
            int[] widths = new int[header.length];
            for (int i = 0; i < header.length; i++) {
                widths[i] = width(header[i]);
                for (String[] row : rows) {
                    widths[i] = Math.max(widths[i], width(row[i]));
                }
            }
            StringBuilder line = new StringBuilder();
            appendRow(line, header, new boolean[header.length], widths);
            emit(line, out);
            for (int i = 0; i < header.length; i++) {
                line.append(i > 0 ? "-+-" : "").append("-".repeat(widths[i]));
            }
            emit(line, out);
            for (String[] row : rows) {
                appendRow(line, row, right, widths);
                emit(line, out);
            }
            out.flush();
        }

        private void appendRow(StringBuilder line, String[] row, boolean[] right, int[] widths) {
            for (int i = 0; i < row.length; i++) {
                String padding = " ".repeat(widths[i] - width(row[i]));
                boolean last = i == row.length - 1;
                line.append(i > 0 ? " | " : "")
                        .append(right[i] ? padding : "")
                        .append(row[i])
                        .append(right[i] || last ? "" : padding);
            }
        }
    };

    private static final int WINDOW = 1000;

    /** Prints all rows and returns their number; flushes. */
    public abstract long print(ResultSet rows, PrintStream out) throws SQLException;

    private static void emit(StringBuilder line, PrintStream out) {
        // Not println: that flushes for every row.
        out.append(line).append('\n');
        line.setLength(0);
    }

    /** A value's text: binary values in hexadecimal, all others as the driver writes them; null for null. */
    private static String text(ResultSet rows, ResultSetMetaData meta, int column) throws SQLException {
        switch (meta.getColumnType(column)) {
            case Types.BINARY, Types.VARBINARY, Types.LONGVARBINARY, Types.BLOB -> {
                byte[] bytes = rows.getBytes(column);
                return bytes == null ? null : HexFormat.of().formatHex(bytes);
            }
            default -> {
                return rows.getString(column);
            }
        }
    }

    private static boolean isNumber(int type) {
        return switch (type) {
            case Types.TINYINT,
                    Types.SMALLINT,
                    Types.INTEGER,
                    Types.BIGINT,
                    Types.REAL,
                    Types.FLOAT,
                    Types.DOUBLE,
                    Types.DECIMAL,
                    Types.NUMERIC -> true;
            default -> false;
        };
    }

    /** Keeps a value in its line and column: backslash, tab and line breaks are written as two characters. */
    private static String escape(String value) {
        StringBuilder escaped = null;
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            String replacement = switch (c) {
                case '\\' -> "\\\\";
                case '\t' -> "\\t";
                case '\n' -> "\\n";
                case '\r' -> "\\r";
                default -> null;
            };
            if (replacement != null && escaped == null) {
                escaped = new StringBuilder(value.length() + 8).append(value, 0, i);
            }
            if (escaped != null) {
                if (replacement != null) {
                    escaped.append(replacement);
                } else {
                    escaped.append(c);
                }
            }
        }
        return escaped == null ? value : escaped.toString();
    }

    /** Columns of a terminal that a text fills: none for combining marks, two for wide East Asian letters. */
    private static int width(String text) {
        int width = 0;
        for (int i = 0; i < text.length(); ) {
            int c = text.codePointAt(i);
            width += Math.max(0, org.jline.utils.WCWidth.wcwidth(c));
            i += Character.charCount(c);
        }
        return width;
    }
}
