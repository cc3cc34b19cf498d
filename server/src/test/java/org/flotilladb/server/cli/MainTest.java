package org.flotilladb.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.util.List;
import org.flotilladb.region.simulation.Simulation;
import org.flotilladb.region.simulation.SimulationSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

    @ParameterizedTest
    @ValueSource(strings = {"", "server", "shell", "demo", "bench", "classpath", "status", "cluster", "simulate"})
    void everyCommandHasHelpAndAVersion(String command) {
        List<String> prefix = command.isEmpty() ? List.of() : List.of(command);
        for (String option : List.of("--help", "--version")) {
            String[] args = java.util.stream.Stream.concat(prefix.stream(), java.util.stream.Stream.of(option))
                    .toArray(String[]::new);
            CapturedMain run = CapturedMain.run(args);
            assertEquals(0, run.code(), run.err());
            assertTrue(run.out().contains(option.equals("--help") ? "Usage: flotilla" : "flotilla 0."), run.out());
            assertEquals("", run.err());
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "sail",
                "shell",
                "shell jdbc:h2:mem: --colour",
                "shell jdbc:nobody:knows -c X",
                "shell jdbc:h2:mem: -f /no/such/file",
                "shell jdbc:h2:mem: -c BROKEN",
                "shell jdbc:h2:mem: -c A -f B",
                "shell jdbc:h2:mem: --driver no.such.Class -c X",
                "shell jdbc:x:y --driver org.h2.Driver -c X",
                "shell jdbc:x:y --classpath /no/such.jar -c X",
                "shell jdbc:x:y --driver org.h2.Driver --classpath /no/such.jar -c X",
                "server --data d --listen here --peers here",
                "server --data d",
                "bench",
                "bench jdbc:h2:mem: --workload tpcc",
                "bench jdbc:h2:mem: --pids 999999999",
                "bench jdbc:h2:mem: --clients 0",
                "demo --customers 0",
                "simulate --seeds 0",
                "simulate --minutes 0",
                "simulate --faults EARTHQUAKE",
                "cluster",
                "cluster nowhere",
                "cluster nowhere stores",
                "cluster jdbc:h2:mem: stores",
                "status nowhere"
            })
    void aFailureIsOneSentenceOnStandardErrorAndANonZeroExitCode(String line) {
        CapturedMain run = CapturedMain.run(line.isEmpty() ? new String[0] : line.split(" "));
        assertTrue(run.code() != 0, run.out());
        assertEquals("", run.out());
        assertEquals(1, run.err().lines().count(), run.err());
        assertFalse(run.err().contains("Exception"), run.err());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "''                              | flotilla: say what to do: demo, server, shell, status, cluster, bench, classpath or simulate (see 'flotilla --help')",
                "serve                           | flotilla: there is no command 'serve'; did you mean server? See 'flotilla --help'.",
                "sail                            | flotilla: there is no command 'sail'; there are demo, server, shell, status, cluster, bench, classpath, simulate. See 'flotilla --help'.",
                "shell jdbc:h2:mem: SELECT       | flotilla: 'SELECT' is one argument too many; quote what belongs together. See 'flotilla shell --help'.",
                "shell jdbc:h2:mem: -c A -f B    | flotilla: --command=SQL, --file=FILE are mutually exclusive (specify only one). See 'flotilla shell --help'.",
                "server --data d --listen here --peers here | flotilla: --listen wants HOST:PORT with a port from 1 to 65535, for example 127.0.0.1:7411, but got 'here'"
            })
    void aWrongCommandLineSaysWhatIsRightAndExitsWith2(String line, String sentence) {
        CapturedMain run = CapturedMain.run(line.isEmpty() ? new String[0] : line.split(" "));
        assertEquals(sentence + "\n", run.err());
        assertEquals(2, run.code());
    }

    @Test
    void verboseAddsTheStackTrace() {
        CapturedMain run = CapturedMain.run("shell", "jdbc:h2:mem:", "-f", "/no/such/file", "--verbose");
        assertEquals(1, run.code());
        assertTrue(run.err().contains("\tat org.flotilladb.server.cli."), run.err());
    }

    @Test
    void aSimulatedWorldIsTheOneOfItsSeed() {
        CapturedMain run = CapturedMain.run("simulate", "--seed", "7");
        assertEquals(0, run.code(), run.err());
        // What is logged comes before it here; the process itself logs nothing.
        List<String> lines = run.out().lines().toList();
        assertEquals(Simulation.run(SimulationSettings.of(7)).toString(), lines.get(lines.size() - 1));
    }

    @Test
    void theClassPathIsOneLineOfAbsolutePaths() {
        CapturedMain run = CapturedMain.run("classpath");
        assertEquals(0, run.code());
        assertEquals(1, run.out().lines().count());
        for (String entry : run.out().strip().split(File.pathSeparator)) {
            assertTrue(new File(entry).isAbsolute() && new File(entry).exists(), entry);
        }
    }

    @Test
    void theMessageOfH2ComesWithoutTheStatementItRepeats() {
        CapturedMain run =
                CapturedMain.run("shell", "jdbc:h2:mem:", "-c", "CREATE TABLE t (x INT); SELECT *\nFROM nowhere");
        assertEquals("Error: Table \"NOWHERE\" not found [42S02]\n", run.err());
    }
}
