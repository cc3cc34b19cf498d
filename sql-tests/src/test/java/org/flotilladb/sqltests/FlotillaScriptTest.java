package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script where Java or Maven is missing or too old; that it builds and runs is seen wherever it is used. */
class FlotillaScriptTest {

    private static final Path ROOT =
            Path.of(System.getProperty("flotilla.root", "..")).toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    @Test
    void withoutJavaItSaysTheCommandThatInstallsIt() throws Exception {
        tools();
        assertFails("there is no Java here", "apt-get install -y openjdk-17-jdk");
    }

    @Test
    void anOldJavaIsNamedWithWhatIsNeeded() throws Exception {
        fake("java", "echo 'openjdk version \"11.0.2\" 2019-01-15' >&2");
        tools();
        assertFails("Java 11.0.2 is too old", "JDK 17 or newer");
    }

    @Test
    void withoutMavenItSaysTheCommandThatInstallsIt() throws Exception {
        fake("java", "echo 'openjdk version \"21\" 2023-09-19' >&2");
        tools();
        assertFails("there is no Maven here", "apt-get install -y maven");
    }

    @Test
    void anOldMavenIsNamedWithWhatIsNeeded() throws Exception {
        fake("java", "echo 'openjdk version \"21\" 2023-09-19' >&2");
        fake("mvn", "echo 'Apache Maven 3.6.3'");
        tools();
        assertFails("Maven 3.6.3 is too old", "Maven 3.8 or newer");
    }

    private void assertFails(String... words) throws Exception {
        // A copy in an empty folder: nothing is built there.
        Path script = Files.copy(ROOT.resolve("flotilla"), folder.resolve("flotilla"));
        ProcessBuilder builder = new ProcessBuilder(find("bash"), script.toString(), "--version");
        builder.environment().clear();
        builder.environment().put("PATH", folder.resolve("bin").toString());
        Process process = builder.directory(folder.toFile()).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes());
        String err = new String(process.getErrorStream().readAllBytes());
        assertEquals(1, process.waitFor(), err);
        assertEquals("", out);
        List<String> said =
                err.lines().filter(line -> !line.contains("building")).toList();
        assertEquals(1, said.size(), err);
        for (String word : words) {
            assertTrue(said.get(0).contains(word), err);
        }
    }

    private void fake(String name, String body) throws IOException {
        Path file = Files.createDirectories(folder.resolve("bin")).resolve(name);
        Files.writeString(file, "#!" + find("bash") + "\n" + body + "\n");
        assertTrue(file.toFile().setExecutable(true));
    }

    /** What the script uses, and an installer; neither Java nor Maven. */
    private void tools() throws IOException {
        for (String tool : List.of(
                "bash", "sed", "dirname", "readlink", "find", "mkdir", "touch", "flock", "head", "sort", "cat")) {
            fake(tool, "exec " + find(tool) + " \"$@\"");
        }
        fake("id", "echo 0");
        fake("apt-get", "exit 1");
    }

    private static String find(String tool) throws IOException {
        for (String directory : System.getenv("PATH").split(":")) {
            Path file = Path.of(directory, tool);
            if (Files.isExecutable(file)) {
                return file.toString();
            }
        }
        throw new IOException("there is no " + tool + " here");
    }
}
