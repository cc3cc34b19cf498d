package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.flotilladb.sqltests.scripts.ScriptResult;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** The scripts are not part of this project; where they are not beside it, this says so and is skipped. */
class H2ScriptsTest {
    /** What is missing are spatial indexes and listings that show the schema of our functions. */
    private static final double LEAST_SHARE = 0.9975;

    @Test
    void nearlyAllOfWhatPlainH2PassesPassesHere() throws Exception {
        Optional<Path> folder = H2ScriptRunner.findFolder();
        if (folder.isEmpty()) {
            System.out.println("H2's scripts are not here; -Dflotilla.conformance.h2=DIR names their folder. Skipped.");
        }
        Assumptions.assumeTrue(folder.isPresent(), "H2's scripts are not here");
        List<ScriptResult> plain =
                new H2ScriptRunner(H2ScriptRunner.PLAIN_H2, H2ScriptRunner.H2_DRIVER, folder.get()).run("");
        List<ScriptResult> ours =
                new H2ScriptRunner(H2ScriptRunner.OURS, H2ScriptRunner.OUR_DRIVER, folder.get()).run("");
        double share = H2ScriptRunner.printTable(ours, plain, System.out);
        long statements = plain.stream().mapToLong(ScriptResult::statements).sum();
        long passedPlain = plain.stream().mapToLong(ScriptResult::passed).sum();
        assertTrue(
                passedPlain >= 0.99 * statements,
                "the runner passes only " + passedPlain + " of " + statements + " statements on plain H2");
        assertTrue(share >= LEAST_SHARE, "only " + share + " of the statements that plain H2 passes pass here");
    }
}
