package org.flotilladb.server.cli;

import java.io.FileNotFoundException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.sql.SQLException;
import java.util.Locale;
import java.util.regex.Pattern;

/** Turns a failure into the one sentence that a person reads. */
public final class Sentences {

    /** What H2 appends to a message: the statement, its own code and build. */
    private static final Pattern STATEMENT_TAIL =
            Pattern.compile("; SQL statement:\\R.*\\[\\d+-\\d+]\\s*$", Pattern.DOTALL);

    private static final Pattern CODE_TAIL = Pattern.compile("\\s*\\[\\d+-\\d+]\\s*$");

    private Sentences() {}

    public static String of(Throwable failure) {
        if (failure instanceof CliException) {
            return oneLine(String.valueOf(failure.getMessage()));
        }
        if (failure instanceof SQLException sql) {
            return of(sql);
        }
        if (failure instanceof NoSuchFileException || failure instanceof FileNotFoundException) {
            return "there is no file " + oneLine(String.valueOf(failure.getMessage()));
        }
        if (failure instanceof AccessDeniedException) {
            return "not allowed to read or write " + oneLine(String.valueOf(failure.getMessage()));
        }
        String name = failure.getClass().getSimpleName().replaceFirst("(Exception|Error)$", "");
        String message = failure.getMessage();
        String what = name.isEmpty() ? failure.getClass().getName() : words(name);
        return message == null || message.isBlank() ? what : oneLine(message) + " (" + what + ")";
    }

    /** The message without the statement it repeats, with the SQLState at the end. */
    private static String of(SQLException failure) {
        String message = String.valueOf(failure.getMessage());
        message = STATEMENT_TAIL.matcher(message).replaceFirst("");
        message = oneLine(CODE_TAIL.matcher(message).replaceFirst(""));
        String state = failure.getSQLState();
        if (message.startsWith("No suitable driver")) {
            return "no driver understands this URL; one of ours begins with jdbc:flotilla:, for others give --driver and"
                    + " --classpath [08001]";
        }
        return state == null || state.isEmpty() ? message : message + " [" + state + "]";
    }

    /** All white space folded, so that it fits one line. */
    public static String oneLine(String text) {
        return text.strip().replaceAll("\\s*\\R\\s*", " ");
    }

    private static String words(String camelCase) {
        return camelCase.replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
    }
}
