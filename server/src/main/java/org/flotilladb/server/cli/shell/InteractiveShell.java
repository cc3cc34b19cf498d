package org.flotilladb.server.cli.shell;

import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jline.reader.CompletingParsedLine;
import org.jline.reader.EOFError;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** The shell at a terminal: line editing, history, input over several lines until the semicolon. */
public final class InteractiveShell {

    private static final String HELP = """
            End a statement with ';', over as many lines as you like. Also:
              help            this text
              exit, quit      leave (or Ctrl-D)
              Ctrl-C          drop the input, or cancel the statement that runs
            To look around: SHOW TABLES; SHOW COLUMNS FROM table; EXPLAIN SELECT ...; SCRIPT NODATA;
            """;

    private final SqlRunner runner;
    private final String greeting;

    public InteractiveShell(SqlRunner runner, String greeting) {
        this.runner = runner;
        this.greeting = greeting;
    }

    /** Runs until the person leaves. The history is kept in {@code ~/.flotilla_history}. */
    public void run(PrintStream out) throws IOException {
        try (Terminal terminal = TerminalBuilder.builder()
                .system(true)
                .encoding(StandardCharsets.UTF_8)
                .build()) {
            terminal.handle(Terminal.Signal.INT, signal -> runner.cancel());
            LineReader reader = LineReaderBuilder.builder()
                    .terminal(terminal)
                    .appName("flotilla")
                    .parser(new SemicolonParser())
                    .variable(LineReader.HISTORY_FILE, Path.of(System.getProperty("user.home"), ".flotilla_history"))
                    .variable(LineReader.SECONDARY_PROMPT_PATTERN, "     ...> ")
                    .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                    .build();
            out.println(greeting);
            out.println("'help' for help, 'exit' to leave.");
            loop(reader, out);
            if (runner.inTransaction()) {
                out.println("Autocommit is off: what was not committed is rolled back.");
            }
        }
    }

    private void loop(LineReader reader, PrintStream out) throws IOException {
        while (true) {
            String text;
            try {
                text = reader.readLine("flotilla> ").strip();
            } catch (UserInterruptException e) {
                continue;
            } catch (EndOfFileException e) {
                return;
            }
            switch (command(text)) {
                case "" -> {}
                case "exit", "quit" -> {
                    return;
                }
                case "help", "?" -> out.print(HELP);
                default -> runner.runScript(new StringReader(text), null);
            }
        }
    }

    private static String command(String text) {
        String word = text.endsWith(";") ? text.substring(0, text.length() - 1) : text;
        return word.strip().toLowerCase(Locale.ROOT);
    }

    private static boolean isCommand(String text) {
        return List.of("", "exit", "quit", "help", "?").contains(command(text));
    }

    /** Keeps reading lines until each statement has its semicolon. */
    private static final class SemicolonParser implements Parser {
        @Override
        public ParsedLine parse(String line, int cursor, ParseContext context) {
            if (context != ParseContext.COMPLETE && !isCommand(line) && !StatementSplitter.isComplete(line)) {
                throw new EOFError(-1, -1, "a statement ends with ;");
            }
            return new WholeLine(line, cursor);
        }

        @Override
        public boolean isEscapeChar(char c) {
            return false;
        }
    }

    /** One word; as a {@link CompletingParsedLine}, since JLine warns of any other. */
    private record WholeLine(String line, int cursor) implements CompletingParsedLine {
        @Override
        public CharSequence escape(CharSequence candidate, boolean complete) {
            return candidate;
        }

        @Override
        public int rawWordCursor() {
            return cursor;
        }

        @Override
        public int rawWordLength() {
            return line.length();
        }

        @Override
        public String word() {
            return line;
        }

        @Override
        public int wordCursor() {
            return cursor;
        }

        @Override
        public int wordIndex() {
            return 0;
        }

        @Override
        public List<String> words() {
            return List.of(line);
        }
    }
}
