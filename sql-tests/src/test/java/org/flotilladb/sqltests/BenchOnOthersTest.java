package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import org.flotilladb.sqltests.processes.JavaProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchOnOthersTest {

    @Test
    void derbyRunsAllWorkloadsThroughADriverFromItsOwnClassPath(@TempDir Path folder) throws Exception {
        String derby = List.of(JavaProcess.classPath().split(File.pathSeparator)).stream()
                .filter(entry -> entry.contains("derby"))
                .reduce((one, other) -> one + File.pathSeparator + other)
                .orElseThrow();
        List<String> arguments = List.of(
                "bench",
                "jdbc:derby:" + folder.resolve("db") + ";create=true",
                "--driver",
                "org.apache.derby.iapi.jdbc.AutoloadedDriver",
                "--classpath",
                derby,
                "--rows",
                "200",
                "--branches",
                "2",
                "--seconds",
                "0.1",
                "--warmup",
                "0.1",
                "--clients",
                "1,4");
        try (JavaProcess process = JavaProcess.start(folder, "org.flotilladb.server.cli.Main", arguments)) {
            assertEquals(0, process.waitFor(120_000), process.toString());
            assertEquals(2 + 4 * 2, process.output().size(), process.toString());
            assertTrue(process.output().get(0).contains("Derby"), process.toString());
        }
    }
}
