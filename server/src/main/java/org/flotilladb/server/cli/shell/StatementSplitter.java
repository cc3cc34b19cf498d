package org.flotilladb.server.cli.shell;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;

/**
 * Cuts a script into statements at each {@code ;} outside of strings, quoted names, comments ({@code --}, {@code //},
 * nested {@code /* *}{@code /}) and {@code $$} text. Reads only as far as the statement it returns, so that a person or
 * a program at the other end of a pipe gets its answer before the next statement. Not thread-safe.
 */
public final class StatementSplitter {

    private static final int NONE = -2;

    private final Reader in;
    private final StringBuilder text = new StringBuilder();
    private int peeked = NONE;
    private int line = 1;
    private int startLine;
    private boolean content;
    private boolean open;

    public StatementSplitter(Reader in) {
        this.in = in;
    }

    /** A statement without its semicolon, and the line where it begins, counted from 1. */
    public record Statement(String sql, int line) {}

    /** True if nothing of {@code text} waits for more: no statement without its {@code ;}, no open quote or comment. */
    public static boolean isComplete(String text) {
        StatementSplitter splitter = new StatementSplitter(new StringReader(text));
        try {
            while (splitter.next() != null) {
                if (splitter.open) {
                    return false;
                }
            }
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return !splitter.open;
    }

    /** The next statement with more in it than white space and comments, or null at the end. */
    public Statement next() throws IOException {
        while (true) {
            text.setLength(0);
            content = false;
            open = false;
            startLine = line;
            boolean terminated = readStatement();
            if (content) {
                open |= !terminated;
                return new Statement(text.toString().strip(), startLine);
            }
            if (!terminated) {
                return null;
            }
        }
    }

    /** Reads up to and without the semicolon; false if the input ended before one. */
    private boolean readStatement() throws IOException {
        int previous = ' ';
        for (int c = read(); c >= 0; c = read()) {
            if (c == ';') {
                return true;
            }
            if (c == '-' && peek() == '-' || c == '/' && peek() == '/') {
                text.append((char) c);
                lineComment();
                previous = ' ';
                continue;
            }
            if (c == '/' && peek() == '*') {
                text.append((char) c).append((char) read());
                blockComment();
                previous = ' ';
                continue;
            }
            if (!Character.isWhitespace(c) && !content) {
                content = true;
                startLine = line;
            }
            text.append((char) c);
            if (c == '\'' || c == '"') {
                quoted(c);
            } else if (c == '$' && peek() == '$' && !Character.isJavaIdentifierPart(previous)) {
                text.append((char) read());
                dollarQuoted();
                // What follows the closing marks is not the beginning of another text.
                previous = 'x';
                continue;
            }
            previous = c;
        }
        return false;
    }

    private void lineComment() throws IOException {
        for (int c = read(); c >= 0; c = read()) {
            text.append((char) c);
            if (c == '\n') {
                return;
            }
        }
    }

    private void blockComment() throws IOException {
        int depth = 1;
        for (int c = read(); c >= 0; c = read()) {
            text.append((char) c);
            if (c == '*' && peek() == '/') {
                text.append((char) read());
                if (--depth == 0) {
                    return;
                }
            } else if (c == '/' && peek() == '*') {
                text.append((char) read());
                depth++;
            }
        }
        open = true;
    }

    /** A doubled quote inside closes and opens again, which comes to the same. */
    private void quoted(int quote) throws IOException {
        for (int c = read(); c >= 0; c = read()) {
            text.append((char) c);
            if (c == quote) {
                return;
            }
        }
        open = true;
    }

    private void dollarQuoted() throws IOException {
        for (int c = read(); c >= 0; c = read()) {
            text.append((char) c);
            if (c == '$' && peek() == '$') {
                text.append((char) read());
                return;
            }
        }
        open = true;
    }

    private int peek() throws IOException {
        if (peeked == NONE) {
            peeked = in.read();
        }
        return peeked;
    }

    private int read() throws IOException {
        int c = peek();
        peeked = NONE;
        if (c == '\n') {
            line++;
        }
        return c;
    }
}
