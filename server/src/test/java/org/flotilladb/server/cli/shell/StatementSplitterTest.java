package org.flotilladb.server.cli.shell;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.server.cli.shell.StatementSplitter.Statement;
import org.junit.jupiter.api.Test;

class StatementSplitterTest {

    private static List<String> split(String script) throws IOException {
        StatementSplitter splitter = new StatementSplitter(new StringReader(script));
        List<String> statements = new ArrayList<>();
        for (Statement next = splitter.next(); next != null; next = splitter.next()) {
            statements.add(next.sql());
        }
        return statements;
    }

    @Test
    void statementsEndAtSemicolonsAndTheLastOneNeedsNone() throws IOException {
        assertEquals(List.of("SELECT 1", "SELECT\n 2", "SELECT 3"), split("SELECT 1;\nSELECT\n 2 ;; SELECT 3"));
    }

    @Test
    void semicolonsInStringsAndQuotedNamesDoNotEndAStatement() throws IOException {
        assertEquals(
                List.of("SELECT 'a;''b;' AS \"x;\"\"y;\"", "SELECT 2"),
                split("SELECT 'a;''b;' AS \"x;\"\"y;\"; SELECT 2;"));
    }

    @Test
    void semicolonsAndQuotesInCommentsDoNotCount() throws IOException {
        assertEquals(
                List.of("SELECT 1 -- it's; one\n+ 1", "SELECT /* ; ' /* \" ; */ ; */ 2", "SELECT 4 / 2 - 1 // ;"),
                split("SELECT 1 -- it's; one\n+ 1; SELECT /* ; ' /* \" ; */ ; */ 2; SELECT 4 / 2 - 1 // ;"));
    }

    @Test
    void dollarQuotedTextIsOnePieceButADollarInANameIsNot() throws IOException {
        assertEquals(
                List.of("CREATE ALIAS f AS $$ int f() { return 1; } $$", "SELECT 1 AS a$$b", "SELECT $$x;'$$"),
                split("CREATE ALIAS f AS $$ int f() { return 1; } $$; SELECT 1 AS a$$b; SELECT $$x;'$$"));
    }

    @Test
    void whatIsOnlyCommentsIsNoStatement() throws IOException {
        assertEquals(List.of("-- first\nSELECT 1"), split("-- first\nSELECT 1;\n-- the end;\n/* really */"));
        assertEquals(List.of(), split(" ;; -- nothing\n ; "));
    }

    @Test
    void aStatementKnowsTheLineWhereItBegins() throws IOException {
        StatementSplitter splitter = new StatementSplitter(new StringReader("\n-- x\nSELECT\n1;\n\n SELECT 'a\nb'; c"));
        assertEquals(3, splitter.next().line());
        assertEquals(6, splitter.next().line());
        assertEquals(7, splitter.next().line());
    }

    @Test
    void nothingIsReadPastTheStatementThatIsReturned() throws IOException {
        Reader answering = new Reader() {
            private final String text = "SELECT 1;";
            private int at;

            @Override
            public int read() throws IOException {
                if (at == text.length()) {
                    throw new IOException("read on before the first statement was run");
                }
                return text.charAt(at++);
            }

            @Override
            public int read(char[] buffer, int offset, int length) throws IOException {
                buffer[offset] = (char) read();
                return 1;
            }

            @Override
            public void close() {}
        };
        assertEquals("SELECT 1", new StatementSplitter(answering).next().sql());
    }

    @Test
    void inputIsCompleteWhenNoStatementQuoteOrCommentIsOpen() {
        for (String complete :
                List.of("", "SELECT 1;", "SELECT 1; SELECT ';' ; ", "SELECT 1; -- done", "-- only this")) {
            assertTrue(StatementSplitter.isComplete(complete), complete);
        }
        for (String open : List.of(
                "SELECT 1", "SELECT ';", "SELECT 1; SELECT", "/* ;", "SELECT $$ ; ", "SELECT \"a;", "SELECT 1 -- ;")) {
            assertFalse(StatementSplitter.isComplete(open), open);
        }
    }
}
