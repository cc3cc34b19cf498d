package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.flotilladb.sqltests.processes.FreePorts;
import org.flotilladb.sqltests.processes.JavaProcess;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a person at the command line reads when something is wrong. */
class CommandLineErrorsTest {

    private static final String MAIN = "org.flotilladb.server.cli.Main";
    private static final long TIMEOUT_MS = 90_000;

    @TempDir
    private Path folder;

    /** Expects one sentence that contains all {@code words}, whatever their case, and a non-zero exit code. */
    private void assertSentence(List<String> arguments, String... words) throws Exception {
        assertSentence(JavaProcess.command(List.of("-Xmx512m"), MAIN, arguments), arguments, words);
    }

    private void assertSentence(List<String> command, List<String> shown, String... words) throws Exception {
        try (JavaProcess process = JavaProcess.start(folder, command, line -> {})) {
            assertNotEquals(0, process.waitFor(TIMEOUT_MS), shown + process.toString());
            List<String> errors = process.errors();
            assertEquals(1, errors.size(), shown + process.toString());
            String sentence = errors.get(0);
            System.out.println(String.join(" ", shown) + "\n  -> " + sentence);
            assertFalse(sentence.contains("Exception") || sentence.contains("\tat "), sentence);
            for (String word : words) {
                assertTrue(
                        sentence.toLowerCase(Locale.ROOT).contains(word.toLowerCase(Locale.ROOT)),
                        sentence + " does not say " + word);
            }
        }
    }

    private static List<String> shell(String url) {
        return List.of("shell", url, "-c", "SELECT 1");
    }

    private List<String> server(Path data, int port, List<Integer> others) {
        List<String> peers = new ArrayList<>(List.of("127.0.0.1:" + port));
        others.forEach(other -> peers.add("127.0.0.1:" + other));
        return List.of(
                "server",
                "--data",
                data.toString(),
                "--listen",
                "127.0.0.1:" + port,
                "--peers",
                String.join(",", peers));
    }

    @ParameterizedTest
    @CsvSource({
        "jdbc:flotilla:tape:x, tape",
        "jdbc:flotilla:, jdbc:flotilla:",
        "jdbc:flotilla://127.0.0.1:notaport/main, notaport",
        "jdbc:flotilla:mem:x;=1, ;",
        "jdbc:flotilla:mem:x;LOCK_TIMEOUTS=5, LOCK_TIMEOUT",
        "jdbc:flotilla:mem:x;AUTO_SERVER=TRUE, AUTO_SERVER"
    })
    void aMalformedUrlOrAnUnknownSettingIsNamed(String url, String word) throws Exception {
        assertSentence(shell(url), word);
    }

    @Test
    void aDatabaseThatMustExistAndDoesNotIsNamed() throws Exception {
        assertSentence(shell("jdbc:flotilla:file:" + folder.resolve("absent") + ";IFEXISTS=TRUE"), "absent");
        assertFalse(Files.exists(folder.resolve("absent")), "it was created");
    }

    @Test
    void aClusterThatIsNotThereIsNamed() throws Exception {
        String address = "127.0.0.1:" + FreePorts.find(1).get(0);
        assertSentence(shell("jdbc:flotilla://" + address + "/main"), address);
    }

    @Test
    void aPortInUseIsNamed() throws Exception {
        List<Integer> ports = FreePorts.find(3);
        try (ServerSocket taken = new ServerSocket()) {
            taken.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), ports.get(0)));
            assertSentence(
                    server(folder.resolve("node"), ports.get(0), ports.subList(1, 3)),
                    "127.0.0.1:" + ports.get(0),
                    "in use");
        }
    }

    @Test
    void anAddressThatIsNotLoopbackIsRefused() throws Exception {
        assertSentence(
                List.of(
                        "server",
                        "--data",
                        folder.resolve("node").toString(),
                        "--listen",
                        "0.0.0.0:7411",
                        "--peers",
                        "0.0.0.0:7411,127.0.0.1:7412,127.0.0.1:7413"),
                "0.0.0.0",
                "loopback");
    }

    @Test
    void aDataDirectoryInUseByAnotherProcessIsNamedAndStaysUsable() throws Exception {
        Path data = folder.resolve("busy");
        String url = "jdbc:flotilla:file:" + data;
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
            assertSentence(shell(url), "busy", "another process");
            List<Integer> ports = FreePorts.find(3);
            assertSentence(server(data, ports.get(0), ports.subList(1, 3)), "busy", "another process");
            statement.execute("INSERT INTO t VALUES (1)");
        }
        assertEquals(1, count(url));
    }

    @Test
    void aDataDirectoryOfANewerFormatIsRefusedAndNotTouched() throws Exception {
        Path data = folder.resolve("newer");
        String url = "jdbc:flotilla:file:" + data;
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
            statement.execute("INSERT INTO t VALUES (1)");
        }
        Path marker = data.resolve("FLOTILLA");
        byte[] before = Files.readAllBytes(marker);
        String text = new String(before, StandardCharsets.ISO_8859_1);
        String newer = text.replaceFirst("(?i)(format\\D*)\\d+", "$199");
        assertNotEquals(text, newer, "the file FLOTILLA does not tell the format: " + text);
        Files.write(marker, newer.getBytes(StandardCharsets.ISO_8859_1));
        assertSentence(shell(url), "newer", "99");
        assertEquals(newer, Files.readString(marker, StandardCharsets.ISO_8859_1));
        Files.write(marker, before);
        assertEquals(1, count(url));
    }

    @ParameterizedTest
    @ValueSource(strings = {"FLOTILLA", "log/CURRENT", "data/CURRENT", "log/MANIFEST", "data/MANIFEST"})
    void aDamagedDataDirectoryIsNamed(String damaged) throws Exception {
        Path data = folder.resolve("damaged");
        String url = "jdbc:flotilla:file:" + data;
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
        }
        Path file = data.resolve(damaged);
        try (Stream<Path> files = Files.list(file.getParent())) {
            file = files.filter(each ->
                            each.toString().startsWith(data.resolve(damaged).toString()))
                    .findFirst()
                    .orElseThrow();
        }
        byte[] bytes = Files.readAllBytes(file);
        Arrays.fill(bytes, (byte) 'x');
        Files.write(file, bytes);
        assertSentence(shell(url), "damaged", "restore");
        List<Integer> ports = FreePorts.find(1);
        assertSentence(server(data, ports.get(0), List.of()), "damaged", "restore");
    }

    @Test
    void aFileThatIsNoDirectoryIsNamed() throws Exception {
        Files.writeString(folder.resolve("plain"), "");
        assertSentence(shell("jdbc:flotilla:file:" + folder.resolve("plain")), "plain", "is a file");
    }

    @Test
    void aMistakeOnTheCommandLineIsNamed() throws Exception {
        assertSentence(List.of("serve"), "serve", "--help");
        assertSentence(List.of("server", "--data", "x"), "--listen", "--help");
        assertSentence(List.of("shell"), "URL", "--help");
        assertSentence(List.of("shell", "jdbc:nowhere:x"), "jdbc:flotilla:");
        assertSentence(List.of("shell", "jdbc:flotilla:mem:x", "-f", "absent.sql"), "absent.sql");
        assertSentence(List.of("status", "127.0.0.1"), "HOST:PORT");
        assertSentence(List.of("bench"), "URL");
        assertSentence(List.of(), "demo", "--help");
    }

    /** A file system of a few megabytes, in a name space of its own; where none can be had, this is skipped. */
    @Test
    void aFullDiskIsOneSentenceAndWhatWasCommittedIsKept() throws Exception {
        Path disk = Files.createDirectories(folder.resolve("disk"));
        Path saved = folder.resolve("saved");
        List<String> fill = JavaProcess.command(
                List.of("-Xmx512m"),
                MAIN,
                List.of(
                        "shell",
                        "jdbc:flotilla:file:" + disk.resolve("full"),
                        "-f",
                        folder.resolve("fill.sql").toString()));
        StringBuilder sql = new StringBuilder("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR);\n");
        for (int i = 1; i <= 1000; i++) {
            sql.append("INSERT INTO t VALUES (").append(i).append(", REPEAT(RANDOM_UUID(), 10000));\n");
            sql.append("SELECT ").append(i).append(" AS done;\n");
        }
        Files.writeString(folder.resolve("fill.sql"), sql);
        // The copy is taken inside the name space: outside the small file system cannot be seen.
        String script = "mount -t tmpfs -o size=256m none '" + disk + "' || exit 77; " + quoted(fill)
                + "; code=$?; cp -r '" + disk + "' '" + saved + "'; exit $code";
        List<String> space = nameSpace(disk);
        Assumptions.assumeFalse(space.isEmpty(), "no small file system can be mounted here");
        List<String> command = new ArrayList<>(space);
        command.addAll(List.of("bash", "-c", script));
        int done;
        try (JavaProcess process = JavaProcess.start(folder, command, line -> {})) {
            assertNotEquals(0, process.waitFor(TIMEOUT_MS), process.toString());
            assertEquals(1, process.errors().size(), process.toString());
            String sentence = process.errors().get(0);
            System.out.println("a full disk\n  -> " + sentence);
            assertTrue(sentence.toLowerCase(Locale.ROOT).matches(".*(disk is full|no space|space left).*"), sentence);
            List<String> out = process.output();
            done = Integer.parseInt(out.get(out.size() - 1));
        }
        int kept = count("jdbc:flotilla:file:" + saved.resolve("full"));
        assertTrue(kept == done || kept == done + 1, done + " rows were committed, " + kept + " are there");
    }

    /** The command before a command that may then mount: as anybody, or as root where that is not allowed; or nothing. */
    private static List<String> nameSpace(Path disk) throws Exception {
        for (List<String> space :
                List.of(List.of("unshare", "--user", "--map-root-user", "--mount"), List.of("unshare", "--mount"))) {
            List<String> trial = new ArrayList<>(space);
            trial.addAll(List.of("mount", "-t", "tmpfs", "none", disk.toString()));
            try {
                Process process =
                        new ProcessBuilder(trial).redirectErrorStream(true).start();
                process.getInputStream().readAllBytes();
                if (process.waitFor() == 0) {
                    return space;
                }
            } catch (IOException e) {
                // There is no such command: then no other form of it either.
                return List.of();
            }
        }
        return List.of();
    }

    private static String quoted(List<String> command) {
        StringBuilder line = new StringBuilder();
        command.forEach(
                word -> line.append(" '").append(word.replace("'", "'\\''")).append('\''));
        return line.toString();
    }

    private static int count(String url) throws Exception {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM t")) {
            rows.next();
            return rows.getInt(1);
        }
    }
}
