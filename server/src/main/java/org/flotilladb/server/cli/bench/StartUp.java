package org.flotilladb.server.cli.bench;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.flotilladb.server.cli.CliException;

/**
 * How long a fresh JVM needs until its first database has answered its first query, and how long each further database
 * in that JVM needs. Everything is measured in new processes with this process's class path.
 */
public final class StartUp {

    private static final int FURTHER = 10;
    private static final String READY = "first answer";

    private StartUp() {}

    /**
     * @param urlPrefix to which a database name is appended, for example {@code jdbc:flotilla:mem:}
     * @param mainClass the class of the command line, whose {@code child} arguments lead to {@link #child}
     */
    public static void measure(
            String urlPrefix, int runs, boolean json, Class<?> mainClass, List<String> childArguments, PrintStream out)
            throws IOException, InterruptedException {
        double[] firstMs = new double[runs];
        List<Double> furtherMs = new ArrayList<>();
        for (int run = 0; run < runs; run++) {
            firstMs[run] = oneJvm(mainClass, childArguments, furtherMs);
        }
        Arrays.sort(firstMs);
        double[] further =
                furtherMs.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        String format = json
                ? "{\"url\":%s,\"runs\":%d,\"firstMs\":{\"median\":%.0f,\"max\":%.0f},"
                        + "\"furtherMs\":{\"median\":%.1f,\"max\":%.1f}}%n"
                : "%s, %d fresh JVMs%n"
                        + "from the start of the JVM to the first answer:  median %.0f ms, at most %.0f ms%n"
                        + "a further database in it, to its first answer:  median %.1f ms, at most %.1f ms%n";
        out.print(String.format(
                Locale.ROOT,
                format,
                json ? Benchmark.quote(urlPrefix) : urlPrefix,
                runs,
                firstMs[runs / 2],
                firstMs[runs - 1],
                further[further.length / 2],
                further[further.length - 1]));
    }

    private static double oneJvm(Class<?> mainClass, List<String> childArguments, List<Double> furtherMs)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                System.getProperty("java.home") + File.separator + "bin" + File.separator + "java",
                "-cp",
                System.getProperty("java.class.path"),
                mainClass.getName()));
        command.addAll(childArguments);
        long startNs = System.nanoTime();
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        double firstMs = -1;
        try (BufferedReader in =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                if (line.equals(READY)) {
                    firstMs = (System.nanoTime() - startNs) / 1e6;
                } else {
                    furtherMs.add(Double.valueOf(line));
                }
            }
        } finally {
            process.destroy();
        }
        int code = process.waitFor();
        if (code != 0 || firstMs < 0) {
            throw new CliException("the measured JVM ended with exit code " + code + " and no answer");
        }
        return firstMs;
    }

    /** Runs inside the fresh JVM. */
    public static void child(String urlPrefix, ConnectionOpener opener, PrintStream out) throws SQLException {
        try (Connection first = opener.open(urlPrefix + "startup0")) {
            firstQuery(first);
            out.println(READY);
            out.flush();
            for (int i = 1; i <= FURTHER; i++) {
                long startNs = System.nanoTime();
                try (Connection further = opener.open(urlPrefix + "startup" + i)) {
                    firstQuery(further);
                    out.println((System.nanoTime() - startNs) / 1e6);
                }
            }
        }
    }

    private static void firstQuery(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM INFORMATION_SCHEMA.SCHEMATA")) {
            if (!rows.next() || rows.getInt(1) < 1) {
                throw new SQLException("the first query got no answer");
            }
        }
    }

    /** Opens a connection to a URL. */
    @FunctionalInterface
    public interface ConnectionOpener {
        Connection open(String url) throws SQLException;
    }
}
