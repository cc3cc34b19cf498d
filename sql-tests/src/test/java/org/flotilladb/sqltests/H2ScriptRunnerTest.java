package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.sqltests.scripts.Script;
import org.flotilladb.sqltests.scripts.ScriptResult;
import org.junit.jupiter.api.Test;

class H2ScriptRunnerTest {

    private static final String SCRIPT = """
            -- a comment
            CREATE TABLE t (id INT PRIMARY KEY,
            -- inside a statement too

            v VARCHAR);
            > ok

            INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'b  c');
            > update count: 3

            INSERT INTO t VALUES (1, 'x');
            > exception DUPLICATE_KEY_1

            SELECT * FROM t;
            > ID V
            > -- ----
            > 1  a
            > 2  null
            > 3  b c
            > rows: 3

            SELECT v FROM t ORDER BY id DESC;
            > V
            > ----
            > b c
            > null
            > a
            > rows (ordered): 3

            SELECT COUNT(*) FROM t;
            >> 3

            SELECT id FROM t WHERE id > 5;
            > ID
            > --
            > rows: 0

            @reconnect

            @autocommit off

            UPDATE t SET v = ? WHERE id = ?;
            {
            "x, y",1
            null,2
            z,7
            };
            > update count: 2

            ROLLBACK;
            > ok

            @autocommit on

            SELECT v FROM t WHERE id = ?;
            {
            1
            > V
            > -
            > a
            > rows: 1
            };
            > update count: 0

            EXPLAIN SELECT * FROM t;
            >> whatever the plan is

            SELECT X'00ff', CAST(X'00112233445566778899aabbccddeeff' AS UUID);
            > X'00ff' UUID '00112233-4455-6677-8899-aabbccddeeff'
            > ------- -------------------------------------------
            > X'00ff' 00112233-4455-6677-8899-aabbccddeeff
            > rows: 1
            """;

    private static ScriptResult run(List<String> lines) throws InterruptedException {
        H2ScriptRunner runner = new H2ScriptRunner("jdbc:h2:mem:runnertest", H2ScriptRunner.H2_DRIVER, Path.of("."));
        return runner.run(Script.parse("test", lines));
    }

    @Test
    void aScriptThatIsRightPassesAsAWhole() throws Exception {
        ScriptResult result = run(SCRIPT.lines().toList());
        assertEquals(List.of(), result.mismatches());
        assertEquals(null, result.broken());
        assertEquals(12, result.statements());
        assertEquals(12, result.passed());
    }

    @Test
    void eachExpectedLineThatIsChangedFailsItsStatementAlone() throws Exception {
        List<String> lines = SCRIPT.lines().toList();
        int changed = 0;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (!line.startsWith(">") || line.contains("whatever the plan is")) {
                continue;
            }
            List<String> copy = new ArrayList<>(lines);
            copy.set(i, line.startsWith("> exception") ? "> exception SYNTAX_ERROR_1" : line + "1");
            ScriptResult result = run(copy);
            assertEquals(1, result.mismatches().size(), "after changing line " + (i + 1) + ": " + line);
            assertEquals(11, result.passed());
            changed++;
        }
        assertEquals(30, changed);
    }

    @Test
    void rowsInAnotherOrderFailOnlyWhereTheOrderIsExpected() throws Exception {
        assertEquals(1, run(swap("> b c", "> null")).mismatches().size());
        assertEquals(0, run(swap("> 1  a", "> 2  null")).mismatches().size());
    }

    @Test
    void anUnknownErrorNameOrDirectiveIsAFaultOfTheScript() throws Exception {
        assertEquals(
                true,
                run(List.of("BROKEN;", "> exception NO_SUCH_NAME")).broken().contains("NO_SUCH_NAME"));
        assertEquals(true, run(List.of("@sink")).broken().contains("@sink"));
        assertThrows(IllegalArgumentException.class, () -> Script.parse("x", List.of("SELECT 1")));
        assertThrows(IllegalArgumentException.class, () -> Script.parse("x", List.of("> ok")));
    }

    private static List<String> swap(String one, String other) {
        List<String> lines = new ArrayList<>(SCRIPT.lines().toList());
        java.util.Collections.swap(lines, lines.indexOf(one), lines.indexOf(other));
        return lines;
    }
}
