package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.flotilladb.sqltests.processes.FreePorts;
import org.flotilladb.sqltests.processes.JavaProcess;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The script {@code ./flotilla}, in a checkout of its own whose Maven is a stand-in: it notes each call and hands out the
 * class path of this test. All else is real.
 */
@Timeout(300)
class CommandScriptTest {
    private static final long TIMEOUT_MS = 120_000;

    @TempDir
    private Path folder;

    private Path root;
    private Path bin;
    private Path calls;

    @BeforeEach
    void checkOut() throws Exception {
        root = Files.createDirectory(folder.resolve("check out"));
        bin = Files.createDirectory(folder.resolve("bin"));
        calls = folder.resolve("calls");
        Files.copy(
                Path.of(System.getProperty("flotilla.root"), "flotilla"),
                root.resolve("flotilla"),
                StandardCopyOption.COPY_ATTRIBUTES);
        for (String file : List.of("pom.xml", "server/pom.xml", "server/src/main/A.java", "server/src/test/T.java")) {
            Path path = root.resolve(file);
            Files.createDirectories(path.getParent());
            Files.writeString(path, "");
        }
        try (OutputStream file = Files.newOutputStream(folder.resolve("empty.jar"));
                JarOutputStream jar = new JarOutputStream(file)) {
            jar.finish();
        }
        Files.writeString(folder.resolve("classpath"), JavaProcess.classPath());
        mvn("3.9.9", "");
    }

    /** The stand-in: its version, and what else it does. */
    private void mvn(String version, String more) throws Exception {
        executable("mvn", """
                #!/usr/bin/env bash
                set -e
                if [ "$1" = -version ]; then echo 'Apache Maven VERSION (x)'; exit; fi
                echo called >>'FOLDER/calls'
                echo 'the build talks'
                MORE
                mkdir -p server/target
                cp 'FOLDER/empty.jar' server/target/flotilla-server-0.1.jar
                cp 'FOLDER/classpath' server/target/flotilla.classpath
                """.replace("VERSION", version)
                .replace("FOLDER", folder.toString())
                .replace("MORE", more));
    }

    private void executable(String name, String text) throws Exception {
        Path file = Files.writeString(bin.resolve(name), text);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** The command of this name that a shell would run, or null. */
    private static Path onPath(String name) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
                .map(directory -> Path.of(directory, name))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    private List<String> command(String... arguments) {
        List<String> command = new ArrayList<>(List.of(
                "env",
                "PATH=" + bin + File.pathSeparator + System.getenv("PATH"),
                "JAVA_HOME=" + System.getProperty("java.home"),
                root.resolve("flotilla").toString()));
        command.addAll(List.of(arguments));
        return command;
    }

    private JavaProcess run(int expectedCode, List<String> command) throws Exception {
        JavaProcess process = JavaProcess.start(folder, command, line -> {});
        assertEquals(expectedCode, process.waitFor(TIMEOUT_MS), process.toString());
        return process;
    }

    private int builds() throws Exception {
        return Files.exists(calls) ? Files.readAllLines(calls).size() : 0;
    }

    private void touch(String file) throws Exception {
        Files.setLastModifiedTime(root.resolve(file), FileTime.fromMillis(System.currentTimeMillis() + 5000));
    }

    @Test
    void itBuildsWhatIsMissingAndOnlyWhenASourceOrPomIsNewer() throws Exception {
        JavaProcess first = run(0, command("--version"));
        assertEquals(1, builds());
        assertEquals(1, first.output().size(), "the build's output is not the command's" + first);
        assertTrue(first.output().get(0).startsWith("flotilla "), first.toString());
        assertTrue(first.errors().contains("the build talks"), first.toString());

        JavaProcess second = run(0, command("--version"));
        assertEquals(List.of(), second.errors());
        touch("server/src/test/T.java");
        run(0, command("--version"));
        assertEquals(1, builds(), "nothing that is run had changed");

        touch("server/src/main/A.java");
        run(0, command("--version"));
        assertEquals(2, builds());
    }

    @Test
    void aNewerPomIsBuiltToo() throws Exception {
        run(0, command("--version"));
        touch("server/pom.xml");
        run(0, command("--version"));
        assertEquals(2, builds());
    }

    @Test
    void callsAtTheSameTimeBuildOnce() throws Exception {
        // The build ends when every call has asked for the lock: the first one has it, the others stand before it.
        Path arrivals = folder.resolve("arrivals");
        run(0, List.of("mkfifo", arrivals.toString()));
        executable("flock", """
                #!/usr/bin/env bash
                (echo arrived >'ARRIVALS' 9>&- &)
                exec 'FLOCK' "$@"
                """.replace("ARRIVALS", arrivals.toString())
                .replace("FLOCK", onPath("flock").toString()));
        mvn("3.9.9", "exec 3<>'" + arrivals + "'; read -r <&3; read -r <&3; read -r <&3");
        List<JavaProcess> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(JavaProcess.start(folder, command("--version"), line -> {}));
        }
        for (JavaProcess process : processes) {
            assertEquals(0, process.waitFor(TIMEOUT_MS), process.toString());
        }
        assertEquals(1, builds());
    }

    @Test
    void aBuildThatFailsSaysSoAndIsTriedAgain() throws Exception {
        mvn("3.9.9", "echo 'cannot compile'; exit 1");
        JavaProcess failed = run(1, command("--version"));
        assertEquals(List.of(), failed.output());
        assertTrue(failed.errors().contains("cannot compile"), failed.toString());
        assertTrue(
                failed.errors().contains("flotilla: the build failed; its output above says why"), failed.toString());
        mvn("3.9.9", "");
        run(0, command("--version"));
    }

    @Test
    void withoutJavaOrWithAnOldMavenItSaysWhatToInstall() throws Exception {
        mvn("3.6.3", "");
        JavaProcess oldMaven = run(1, command("--version"));
        assertEquals(
                1,
                oldMaven.errors().stream()
                        .filter(line -> line.contains("Maven 3.6.3 is too old"))
                        .count());
        assertTrue(oldMaven.toString().contains("install it with: "), oldMaven.toString());

        Path tools = Files.createDirectory(folder.resolve("tools"));
        for (String tool : List.of("bash", "env", "dirname", "readlink", "id", "sed", "head", "apt-get")) {
            Path found = onPath(tool);
            if (found != null) {
                Files.createSymbolicLink(tools.resolve(tool), found);
            }
        }
        JavaProcess noJava = run(
                1,
                List.of(
                        "env",
                        "-u",
                        "JAVA_HOME",
                        "PATH=" + tools,
                        root.resolve("flotilla").toString(),
                        "demo"));
        assertEquals(1, noJava.errors().size(), noJava.toString());
        assertTrue(
                noJava.errors().get(0).startsWith("flotilla: there is no Java here; Flotilla needs a JDK 17 or newer"),
                noJava.toString());
    }

    @Test
    void theClassPathIsOneLineOfAbsolutePathsThatExist() throws Exception {
        JavaProcess process = run(0, command("classpath"));
        assertEquals(1, process.output().size(), process.toString());
        for (String entry : process.output().get(0).split(File.pathSeparator, -1)) {
            assertTrue(Path.of(entry).isAbsolute() && Files.exists(Path.of(entry)), entry);
        }
    }

    @Test
    void valuesAreUtf8WhateverTheLocale() throws Exception {
        List<String> command = command("shell", "jdbc:flotilla:mem:utf8", "-c", "SELECT 'Łódź 船' AS \"città\"");
        command.add(1, "LC_ALL=C");
        JavaProcess process = run(0, command);
        assertEquals(List.of("città", "Łódź 船"), process.output(), process.toString());
    }

    @Test
    void aServersPidIsTheNodesAndSigtermStopsItAndTheSameCommandStartsItAgain() throws Exception {
        String address = "127.0.0.1:" + FreePorts.find(1).get(0);
        List<String> command =
                command("server", "--data", folder.resolve("n1").toString(), "--listen", address, "--peers", address);
        for (int round = 1; round <= 2; round++) {
            try (JavaProcess server = JavaProcess.start(folder, command, line -> {})) {
                server.awaitOutput(line -> line.contains("listens on " + address), TIMEOUT_MS);
                String running = ProcessHandle.of(server.pid())
                        .orElseThrow()
                        .info()
                        .command()
                        .orElse("");
                assertTrue(running.endsWith("/java"), "the process is " + running);
                run(0, command("shell", "jdbc:flotilla://" + address, "-c", "CREATE TABLE IF NOT EXISTS t (id INT)"));
                server.terminate();
                assertEquals(0, server.waitFor(TIMEOUT_MS), server.toString());
                assertEquals(1, server.output().size(), server.toString());
            }
        }
    }
}
