package org.flotilladb.sqltests;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.flotilladb.sqltests.scripts.Script;
import org.flotilladb.sqltests.scripts.ScriptResult;
import org.flotilladb.sqltests.scripts.ScriptSession;

/**
 * Runs H2's own SQL scripts against a URL and counts the statements that do what the scripts say. Each file starts on a
 * fresh database: the URL must be of one that vanishes with its last connection, such as {@code jdbc:flotilla:mem:}.
 */
public final class H2ScriptRunner {

    /** The name that the scripts expect of their database. */
    public static final String OURS = "jdbc:flotilla:mem:script";

    public static final String OUR_DRIVER = "org.flotilladb.Driver";
    public static final String PLAIN_H2 = "jdbc:h2:mem:script";
    public static final String H2_DRIVER = "org.h2.Driver";

    /** A file that takes longer hangs; what it has not reached counts as failed. */
    private static final long FILE_LIMIT_S = Long.getLong("flotilla.conformance.fileLimitS", 300);

    private final String url;
    private final Driver driver;
    private final Path folder;

    public H2ScriptRunner(String url, String driverClass, Path folder) {
        this.url = url;
        this.folder = folder;
        try {
            this.driver = Class.forName(driverClass)
                    .asSubclass(Driver.class)
                    .getDeclaredConstructor()
                    .newInstance();
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("there is no JDBC driver " + driverClass, e);
        }
    }

    /**
     * Where the scripts are, if they are here: {@code flotilla.conformance.h2} names their folder itself, {@code
     * flotilla.conformance} (or the variable FLOTILLA_CONFORMANCE) the one above; else {@code ../shared/conformance}
     * beside the project is tried.
     */
    public static Optional<Path> findFolder() {
        String own = System.getProperty("flotilla.conformance.h2", "");
        String above = System.getProperty("flotilla.conformance", System.getenv("FLOTILLA_CONFORMANCE"));
        Path root = Path.of(System.getProperty("flotilla.root", "."));
        Path folder;
        if (!own.isEmpty()) {
            folder = root.resolve(own);
        } else if (above != null && !above.isEmpty()) {
            folder = root.resolve(above).resolve("h2-scripts");
        } else {
            folder = root.resolve("../shared/conformance/h2-scripts");
        }
        return Files.isDirectory(folder) ? Optional.of(folder.toAbsolutePath().normalize()) : Optional.empty();
    }

    /** Runs all files whose path contains {@code part}, in the order of their names. */
    public List<ScriptResult> run(String part) throws IOException, InterruptedException {
        List<Path> files;
        try (Stream<Path> all = Files.walk(folder)) {
            files = all.filter(file -> file.toString().endsWith(".sql"))
                    .filter(file -> file.toString().contains(part))
                    .sorted()
                    .toList();
        }
        List<ScriptResult> results = new ArrayList<>();
        for (Path file : files) {
            String name = folder.relativize(file).toString().replace('\\', '/');
            results.add(run(Script.read(file, name)));
        }
        return results;
    }

    /** Runs one script on a database of its own. */
    public ScriptResult run(Script script) throws InterruptedException {
        ScriptResult result = new ScriptResult(script);
        ExecutorService thread = Executors.newSingleThreadExecutor(work -> {
            Thread daemon = new Thread(work, "script " + script.name());
            daemon.setDaemon(true);
            return daemon;
        });
        try (ScriptSession session = new ScriptSession(this::open)) {
            Future<?> running = thread.submit(() -> {
                session.run(script, result);
                return null;
            });
            try {
                running.get(FILE_LIMIT_S, TimeUnit.SECONDS);
            } catch (ExecutionException e) {
                result.breakOff(String.valueOf(e.getCause()));
            } catch (TimeoutException e) {
                result.breakOff("not done after " + FILE_LIMIT_S + " s");
                session.abandon();
            }
        } catch (SQLException e) {
            result.breakOff("cannot open or close " + url + ": " + e.getMessage());
        } finally {
            thread.shutdownNow();
        }
        return result;
    }

    private Connection open() throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "sa");
        properties.setProperty("password", "123");
        Connection connection = driver.connect(url, properties);
        if (connection == null) {
            throw new SQLException("the driver does not understand " + url);
        }
        return connection;
    }

    /**
     * Prints one table of both: per file how many statements there are, how many plain H2 passes, and how many of those
     * passed here.
     *
     * @return the share of the statements plain H2 passes that pass here, from 0 to 1
     */
    public static double printTable(List<ScriptResult> ours, List<ScriptResult> plain, PrintStream out) {
        String format = "%-52s %10s %10s %10s %8s%n";
        out.printf(Locale.ROOT, format, "file", "statements", "plain H2", "Flotilla", "of H2's");
        long statements = 0;
        long passedPlain = 0;
        long passedHere = 0;
        for (int i = 0; i < plain.size(); i++) {
            ScriptResult there = plain.get(i);
            int both = ours.get(i).passedLike(there);
            statements += there.statements();
            passedPlain += there.passed();
            passedHere += both;
            out.printf(
                    Locale.ROOT,
                    format,
                    there.name(),
                    there.statements(),
                    there.passed(),
                    both,
                    percent(both, there.passed()));
            String broken = ours.get(i).broken();
            if (broken != null) {
                out.println("    broke off: " + broken);
            }
        }
        out.printf(
                Locale.ROOT,
                format,
                "all " + plain.size() + " files",
                statements,
                passedPlain,
                passedHere,
                percent(passedHere, passedPlain));
        out.printf(
                Locale.ROOT,
                "Share of all statements that pass: plain H2 %s, Flotilla %s.%n",
                percent(passedPlain, statements),
                percent(ours.stream().mapToLong(ScriptResult::passed).sum(), statements));
        return passedPlain == 0 ? 0 : (double) passedHere / passedPlain;
    }

    /** Prints the first mismatches of each file. */
    public static void printMismatches(List<ScriptResult> results, int perFile, PrintStream out) {
        for (ScriptResult result : results) {
            if (result.broken() != null) {
                out.println(result.name() + " broke off: " + result.broken());
            }
            result.mismatches().stream()
                    .limit(perFile)
                    .forEach(mismatch -> out.println(result.name() + ":" + mismatch.line() + ": " + mismatch.sql()
                            + "\n  expected " + mismatch.expected().replace("\n", "\n           ") + "\n  got      "
                            + mismatch.got().replace("\n", "\n           ")));
        }
    }

    private static String percent(long part, long all) {
        return all == 0 ? "-" : String.format(Locale.ROOT, "%.2f%%", 100.0 * part / all);
    }

    /**
     * Arguments: {@code [--folder DIR] [--url URL --driver CLASS] [--show N] [PART OF A FILE NAME]}. Without a URL ours;
     * plain H2 always beside it.
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        String url = OURS;
        String driverClass = OUR_DRIVER;
        String part = "";
        int show = 0;
        Path folder = findFolder().orElse(null);
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--folder" -> folder = Path.of(args[++i]);
                case "--url" -> url = args[++i];
                case "--driver" -> driverClass = args[++i];
                case "--show" -> show = Integer.parseInt(args[++i]);
                default -> part = args[i];
            }
        }
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        if (folder == null || !Files.isDirectory(folder)) {
            out.println("No scripts: name their folder with --folder (arguments were " + Arrays.toString(args) + ").");
            System.exit(2);
        }
        List<ScriptResult> plain = new H2ScriptRunner(PLAIN_H2, H2_DRIVER, folder).run(part);
        List<ScriptResult> ours = new H2ScriptRunner(url, driverClass, folder).run(part);
        printMismatches(ours, show, out);
        printTable(ours, plain, out);
        System.exit(0);
    }
}
