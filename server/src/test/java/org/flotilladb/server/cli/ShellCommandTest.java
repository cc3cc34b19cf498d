package org.flotilladb.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ShellCommandTest {

    private static final String MEMORY = "jdbc:h2:mem:";

    @Test
    void rowsComeWithAHeaderAndTabsAndNullSpelledOut() {
        CapturedMain run =
                CapturedMain.run("shell", MEMORY, "-c", "SELECT 1 AS a, NULL AS b, 'é' AS c; SELECT X'00ff' AS d");
        assertEquals("A\tB\tC\n1\tNULL\té\nD\n00ff\n", run.out());
        assertEquals("", run.err());
        assertEquals(0, run.code());
    }

    @Test
    void whatWouldBreakALineOrAColumnIsWrittenAsTwoCharacters() {
        CapturedMain run = CapturedMain.run("shell", MEMORY, "-c", "SELECT U&'a\\0009b\\000ac\\\\d' AS v");
        assertEquals("V\na\\tb\\nc\\\\d\n", run.out());
    }

    @Test
    void standardInputIsReadInUtf8AndStopsAtTheFirstError() {
        String script = """
                CREATE TABLE t (v VARCHAR);
                INSERT INTO t VALUES ('Łódź;'), -- two
                    ('b');
                SELECT * FROM t ORDER BY v;
                SELECT * FROM missing;
                SELECT 'never';
                """;
        CapturedMain run = CapturedMain.runWithInput(script, "shell", MEMORY);
        assertEquals("V\nb\nŁódź;\n", run.out());
        assertEquals("Error: standard input, line 5: Table \"MISSING\" not found [42S02]\n", run.err());
        assertEquals(1, run.code());
    }

    @Test
    void aFileIsRunToItsEnd(@TempDir Path folder) throws Exception {
        Path file = Files.writeString(folder.resolve("x.sql"), "SELECT 1 AS x;\n/* ; */ SELECT '$' AS y");
        CapturedMain run = CapturedMain.run("shell", MEMORY, "-f", file.toString());
        assertEquals("X\n1\nY\n$\n", run.out());
        assertEquals(0, run.code());
    }

    @Test
    void aQueryWithoutRowsStillPrintsItsHeader() {
        assertEquals(
                "X\n",
                CapturedMain.run("shell", MEMORY, "-c", "SELECT 1 AS x WHERE FALSE")
                        .out());
    }
}
