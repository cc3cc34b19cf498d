package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/**
 * The data-driven suites of another Raft library, read from the folder {@code -Dflotilla.conformance.raft=DIR} with the
 * subfolders quorum, confchange and interaction. Quorum and confchange are to match exactly, interaction all but the log
 * lines.
 */
@DisplayName("Conformance with another library's cases")
class ConformanceTest {

    private record Suite(
            String folder,
            Supplier<Function<ConformanceFile.Case, String>> handler,
            Function<String, String> comparable) {

        int run(ConformanceFile file) {
            return file.run(handler.get(), comparable);
        }
    }

    private static final Suite QUORUM = new Suite("quorum", () -> ConformanceQuorum::handle, Function.identity());
    private static final Suite CONFCHANGE =
            new Suite("confchange", () -> new ConformanceConfChange()::handle, Function.identity());
    private static final Suite INTERACTION = new Suite(
            "interaction", () -> new ConformanceInteraction()::handle, ConformanceInteraction::withoutLogLines);

    @TestFactory
    List<DynamicTest> quorum() {
        return tests(QUORUM);
    }

    @TestFactory
    List<DynamicTest> confchange() {
        return tests(CONFCHANGE);
    }

    @TestFactory
    List<DynamicTest> interaction() {
        return tests(INTERACTION);
    }

    private static List<DynamicTest> tests(Suite suite) {
        String folder = System.getProperty(ConformanceFile.FOLDER_PROPERTY);
        if (folder == null || !Files.isDirectory(Path.of(folder))) {
            throw skipped(suite.folder + ": -D" + ConformanceFile.FOLDER_PROPERTY + " names no folder: " + folder);
        }
        Path root = Path.of(folder);
        if (!Files.isDirectory(root.resolve("quorum"))
                && !Files.isDirectory(root.resolve("confchange"))
                && !Files.isDirectory(root.resolve("interaction"))) {
            throw new AssertionError(root + " has none of the folders quorum, confchange, interaction");
        }
        Path files = root.resolve(suite.folder);
        if (!Files.isDirectory(files)) {
            throw skipped(files + " is absent");
        }
        List<DynamicTest> tests = new ArrayList<>();
        for (Path path : ConformanceFile.in(files)) {
            tests.add(DynamicTest.dynamicTest(path.getFileName().toString(), () -> {
                int count = suite.run(ConformanceFile.read(path));
                System.out.println("Raft conformance: run " + suite.folder + "/" + path.getFileName() + ", " + count
                        + " directives");
            }));
        }
        return tests;
    }

    private static TestAbortedException skipped(String why) {
        System.out.println("Raft conformance: skipped " + why);
        return new TestAbortedException(why);
    }

    // ---- the runner itself ---------------------------------------------------------------------------------------

    private static final String SINGLE_NODE = """
            add-nodes 1 voters=(1) index=3
            ----
            INFO 1 switched to configuration voters=(1)

            campaign 1
            ----
            ok

            # A comment.
            stabilize
            ----
            > 1 handling Ready
              Ready MustSync=true:
              Lead:0 State:StateCandidate
              HardState Term:1 Vote:1 Commit:3
            > 1 handling Ready
              Ready MustSync=true:
              Lead:1 State:StateLeader
              Entries:
              1/4 EntryNormal ""
            > 1 handling Ready
              Ready MustSync=false:
              HardState Term:1 Vote:1 Commit:4
              CommittedEntries:
              1/4 EntryNormal ""
            """;

    private static int run(Suite suite, String script) {
        return suite.run(ConformanceFile.parse(Path.of("script"), script.lines().toList()));
    }

    @Test
    void theRunnerTakesAScriptThatHolds() {
        assertEquals(3, run(INTERACTION, SINGLE_NODE));
    }

    @Test
    void aFalsifiedLineFails() {
        List<String> lines = SINGLE_NODE.lines().toList();
        for (String line : lines) {
            if (line.contains("Ready") || line.contains("State") || line.contains("1/4") || line.equals("ok")) {
                String falsified = SINGLE_NODE.replaceFirst(java.util.regex.Pattern.quote(line), line + "x");
                assertThrows(AssertionError.class, () -> run(INTERACTION, falsified), line);
            }
        }
        assertThrows(AssertionError.class, () -> run(QUORUM, "vote cfg=(1) votes=(y)\n----\nVoteLost\n"));
        assertThrows(AssertionError.class, () -> run(CONFCHANGE, "simple\nv1\n----\nvoters=(2)\n"));
    }

    @Test
    void anUnknownDirectiveOrOptionFailsAndIsNamed() {
        for (Suite suite : List.of(QUORUM, CONFCHANGE, INTERACTION)) {
            AssertionError error = assertThrows(AssertionError.class, () -> run(suite, "dance\n----\nok\n"));
            assertTrue(error.getMessage().contains("dance"), error.getMessage());
        }
        AssertionError error = assertThrows(
                AssertionError.class, () -> run(INTERACTION, "add-nodes 1 voters=(1) index=3 wings=two\n----\nok\n"));
        assertTrue(error.getMessage().contains("wings"), error.getMessage());
    }

    /** What the format knows and the files at hand do not use must not be passed over either. */
    @Test
    void nothingInAFileIsPassedOver() {
        String group = "add-nodes 2 voters=(1,2) index=3\n----\nok\n\n";
        for (String script : List.of(
                group + "campaign 1 2\n----\nok\n",
                group + "raft-state 1\n----\nok\n",
                group + "stabilize\ndance\n----\nok\n",
                group + "campaign 1\n----\n",
                group + "deliver-msgs 1 type=MsgDance\n----\nno messages\n",
                group + "deliver-msgs 1 drop=(1)\n----\nno messages\n",
                "add-nodes 1 voters=(1) index=3 wings=()\n----\nok\n",
                "add-nodes 1 voters=(1) index=3 prevote=(true,false)\n----\nok\n")) {
            assertThrows(AssertionError.class, () -> run(INTERACTION, script), script);
        }
        for (String script : List.of(
                "vote cfg=(1) votes=(y)\ninput\n----\nVoteWon\n",
                "vote word cfg=(1) votes=(y)\n----\nVoteWon\n",
                "vote cfg=(1,2) votes=(y)\n----\nVotePending\n")) {
            assertThrows(AssertionError.class, () -> run(QUORUM, script), script);
        }
        assertThrows(
                AssertionError.class,
                () -> run(
                        CONFCHANGE,
                        "simple\nv1\n----\nvoters=(1)\n1: StateProbe match=0 next=1\n\n"
                                + "enter-joint autoleave=maybe\nv2\n----\nok\n"));
    }

    @Test
    void linesUnderADirectiveAreFurtherDirectives() {
        assertEquals(2, run(INTERACTION, """
                add-nodes 1 voters=(1) index=3
                ----
                ok

                campaign 1
                process-ready 1
                ----
                Ready MustSync=true:
                Lead:0 State:StateCandidate
                HardState Term:1 Vote:1 Commit:3
                """));
    }

    /** Nodes have their turns in the order given, not in that of their numbers. */
    @Test
    void stabilizeKeepsTheOrderOfItsNodes() {
        assertEquals(2, run(INTERACTION, """
                add-nodes 2 voters=(1,2) index=3
                campaign 1
                campaign 2
                ----
                ok

                stabilize 2 1
                ----
                > 2 handling Ready
                  Ready MustSync=true:
                  Lead:0 State:StateCandidate
                  HardState Term:1 Vote:2 Commit:3
                  Messages:
                  2->1 MsgVote Term:1 Log:1/3
                > 1 handling Ready
                  Ready MustSync=true:
                  Lead:0 State:StateCandidate
                  HardState Term:1 Vote:1 Commit:3
                  Messages:
                  1->2 MsgVote Term:1 Log:1/3
                > 2 receiving messages
                  1->2 MsgVote Term:1 Log:1/3
                > 1 receiving messages
                  2->1 MsgVote Term:1 Log:1/3
                > 2 handling Ready
                  Ready MustSync=false:
                  Messages:
                  2->1 MsgVoteResp Term:1 Log:0/0 Rejected (Hint: 0)
                > 1 handling Ready
                  Ready MustSync=false:
                  Messages:
                  1->2 MsgVoteResp Term:1 Log:0/0 Rejected (Hint: 0)
                > 2 receiving messages
                  1->2 MsgVoteResp Term:1 Log:0/0 Rejected (Hint: 0)
                > 1 receiving messages
                  2->1 MsgVoteResp Term:1 Log:0/0 Rejected (Hint: 0)
                > 2 handling Ready
                  Ready MustSync=false:
                  Lead:0 State:StateFollower
                > 1 handling Ready
                  Ready MustSync=false:
                  Lead:0 State:StateFollower
                """));
    }

    @Test
    void anEmptyFolderFails(@TempDir Path folder) {
        assertThrows(AssertionError.class, () -> ConformanceFile.in(folder));
    }

    @Test
    void outputWithBlankLinesStandsBetweenTwoFences() {
        ConformanceFile file = ConformanceFile.parse(
                Path.of("script"),
                "echo\n----\n----\na\n\nb\n----\n----\n\necho\n----\n----\na\n\nb\n----\n----\n"
                        .lines()
                        .toList());
        assertEquals(2, file.run(test -> "a\n\nb\n", Function.identity()));
    }
}
