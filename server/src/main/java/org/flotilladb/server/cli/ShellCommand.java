package org.flotilladb.server.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import org.flotilladb.server.cli.shell.InteractiveShell;
import org.flotilladb.server.cli.shell.SqlRunner;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code shell}: SQL from a person, a command line, a file or a pipe. */
@Command(
        name = "shell",
        description = "Run SQL: from -c, from -f, or from standard input, which may be you at a terminal.",
        footer = {
            "",
            "Where input or output is no terminal, rows are printed with a header line, then one row a line,",
            "a tab between columns and NULL for null; a backslash, tab or line break inside a value is",
            "written as \\\\, \\t, \\n or \\r. The first error stops it, with exit code 1."
        })
final class ShellCommand implements Callable<Integer> {

    @Parameters(paramLabel = "URL", description = "For example jdbc:flotilla:file:./data or jdbc:flotilla:mem:test.")
    private String url;

    @ArgGroup
    private Source source;

    @Mixin
    private Connections connections;

    /** Where the SQL comes from, if not from standard input. */
    private static final class Source {
        @Option(
                names = {"-c", "--command"},
                paramLabel = "SQL",
                description = "Run these statements, then exit.")
        private String command;

        @Option(
                names = {"-f", "--file"},
                paramLabel = "FILE",
                description = "Run the statements of this file (UTF-8), then exit.")
        private Path file;
    }

    @Override
    public Integer call() throws IOException, SQLException {
        try (Connection connection = connections.open(url)) {
            if (source == null) {
                return runStandardInput(connection, url);
            }
            SqlRunner runner = new SqlRunner(connection, System.out, System.err, Terminals.isInteractive());
            if (source.command != null) {
                return exitCode(runner.runScript(new StringReader(source.command), null));
            }
            try (Reader file = Files.newBufferedReader(source.file)) {
                return exitCode(runner.runScript(file, source.file.toString()));
            }
        }
    }

    /** The shell on an open connection: at a terminal with line editing, else the statements of standard input. */
    static int runStandardInput(Connection connection, String url) throws IOException, SQLException {
        PrintStream out = System.out;
        boolean interactive = Terminals.isInteractive();
        SqlRunner runner = new SqlRunner(connection, out, System.err, interactive);
        if (interactive) {
            String product = connection.getMetaData().getDriverName();
            new InteractiveShell(
                            runner,
                            "Flotilla shell " + Main.ownVersion() + ", connected to " + url + " (" + product + ").")
                    .run(out);
            return 0;
        }
        Reader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        return exitCode(runner.runScript(in, "standard input"));
    }

    private static int exitCode(boolean well) {
        return well ? 0 : 1;
    }
}
