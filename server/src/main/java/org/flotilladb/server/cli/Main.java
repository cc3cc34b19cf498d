package org.flotilladb.server.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.UnmatchedArgumentException;

/** The entry point of {@code ./flotilla}. */
@Command(
        name = "flotilla",
        description = "A SQL database for Java: JDBC over Regions over Raft over RocksDB.",
        versionProvider = Main.Version.class,
        subcommands = {
            DemoCommand.class,
            ServerCommand.class,
            ShellCommand.class,
            StatusCommand.class,
            ClusterCommand.class,
            BenchCommand.class,
            ClasspathCommand.class,
            SimulateCommand.class
        })
public final class Main implements Runnable {

    private static final String LOG_CONFIGURATION = "logback.configurationFile";
    private static final String LOG_LEVEL = "FLOTILLA_LOG_LEVEL";

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            scope = ScopeType.INHERIT,
            description = "Show this help and exit.")
    private boolean help;

    @Option(
            names = {"-V", "--version"},
            versionHelp = true,
            scope = ScopeType.INHERIT,
            description = "Print the version and exit.")
    private boolean version;

    @Option(names = "--verbose", scope = ScopeType.INHERIT, description = "Print the stack trace of a failure too.")
    private boolean verbose;

    public static void main(String[] args) {
        // Applications that embed the server configure logging themselves; only our own process takes this file.
        if (System.getProperty(LOG_CONFIGURATION) == null) {
            System.setProperty(LOG_CONFIGURATION, "org/flotilladb/server/cli/logback-cli.xml");
        }
        // A node's log is what its operator reads; everywhere else what matters arrives as one sentence.
        if (System.getenv(LOG_LEVEL) == null && !(args.length > 0 && args[0].equals("server"))) {
            System.setProperty(LOG_LEVEL, "OFF");
        }
        System.setOut(utf8(FileDescriptor.out));
        System.setErr(utf8(FileDescriptor.err));
        int code = run(System.out, System.err, args);
        System.out.flush();
        System.err.flush();
        System.exit(code);
    }

    /** Runs one command line and returns its exit code; prints to these streams only. */
    static int run(PrintStream out, PrintStream err, String... args) {
        CommandLine line = new CommandLine(new Main());
        // A subcommand has --version from here, but its own provider.
        line.getSubcommands().values().forEach(sub -> sub.getCommandSpec().versionProvider(new Version()));
        line.setOut(new PrintWriter(out, true, StandardCharsets.UTF_8));
        line.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpWidth(100);
        line.setParameterExceptionHandler(Main::wrongCommandLine);
        line.setExecutionExceptionHandler((e, command, parsed) -> {
            err.println("flotilla: " + Sentences.of(e));
            if (line.<Main>getCommand().verbose) {
                e.printStackTrace(err);
            }
            return e instanceof UsageException ? CommandLine.ExitCode.USAGE : CommandLine.ExitCode.SOFTWARE;
        });
        return line.execute(args);
    }

    private static int wrongCommandLine(ParameterException e, String[] args) {
        String message = e instanceof UnmatchedArgumentException unmatched && !unmatched.isUnknownOption()
                ? unmatched(unmatched)
                : Sentences.oneLine(String.valueOf(e.getMessage())).replaceFirst("^Error: ", "");
        String end = message.endsWith(".") || message.endsWith("?") ? "" : ".";
        e.getCommandLine()
                .getErr()
                .println("flotilla: " + message + end + " See '"
                        + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'.");
        return CommandLine.ExitCode.USAGE;
    }

    private static String unmatched(UnmatchedArgumentException e) {
        String argument = e.getUnmatched().get(0);
        CommandLine command = e.getCommandLine();
        if (command.getSubcommands().isEmpty()) {
            return "'" + argument + "' is one argument too many; quote what belongs together";
        }
        List<String> near = e.getSuggestions();
        return "there is no command '" + argument + "'; "
                + (near.isEmpty()
                        ? "there are "
                                + String.join(", ", command.getSubcommands().keySet())
                        : "did you mean " + near.get(0) + "?");
    }

    @Override
    public void run() {
        throw new UsageException(
                "say what to do: demo, server, shell, status, cluster, bench, classpath or simulate (see 'flotilla --help')");
    }

    private static PrintStream utf8(FileDescriptor descriptor) {
        OutputStream file = new FileOutputStream(descriptor);
        return new PrintStream(new java.io.BufferedOutputStream(file, 8192), true, StandardCharsets.UTF_8);
    }

    /** Our version and that of Java, one line. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"flotilla " + ownVersion() + " (Java " + Runtime.version() + ")"};
        }
    }

    /** The version that the build wrote into the jar. */
    static String ownVersion() {
        Properties properties = new Properties();
        try (InputStream in = Main.class.getResourceAsStream("version.properties")) {
            if (in != null) {
                properties.load(in);
            }
        } catch (java.io.IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        return properties.getProperty("version", "unknown");
    }
}
