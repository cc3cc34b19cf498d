package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.flotilladb.sqltests.processes.JavaProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Prints how long the start takes; no bound is asserted, since a busy machine would break it. */
class StartUpTest {

    @Test
    void aFreshJvmOpensDatabasesInMemoryAndItsTimesArePrinted(@TempDir Path folder) throws Exception {
        try (JavaProcess process = JavaProcess.start(
                folder, "org.flotilladb.server.cli.Main", List.of("bench", "--startup", "--runs", "1"))) {
            assertEquals(0, process.waitFor(120_000), process.toString());
            process.output().forEach(System.out::println);
            assertTrue(process.output().stream().anyMatch(line -> line.contains("to the first answer")));
        }
    }
}
