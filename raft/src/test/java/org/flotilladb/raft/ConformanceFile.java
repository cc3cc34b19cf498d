package org.flotilladb.raft;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Function;

/**
 * A data-driven test file: directives with arguments and input, each with the output that it must have.
 *
 * <p>A directive is one line (a backslash at its end goes on with the next), then input lines, then {@code ----}, then
 * the expected output up to a blank line; output that itself has blank lines stands between {@code ----} twice at both
 * ends. {@code #} begins a comment line.
 */
final class ConformanceFile {
    /** The folder with the subfolders quorum, confchange and interaction. */
    static final String FOLDER_PROPERTY = "flotilla.conformance.raft";

    private static final String SEPARATOR = "----";

    private final Path path;
    private final List<Case> cases = new ArrayList<>();

    /** One argument: a word, whose values are null, or a key with values, perhaps none. */
    record Argument(String key, List<String> values) {
        boolean isWord() {
            return values == null;
        }
    }

    /** One directive with what it must print. */
    record Case(int line, String directive, List<Argument> arguments, List<String> input, String expected) {

        /** The values of an argument; null when it is absent. */
        List<String> values(String key) {
            for (Argument argument : arguments) {
                if (argument.key.equals(key)) {
                    return argument.values;
                }
            }
            return null;
        }

        String value(String key, String otherwise) {
            List<String> values = values(key);
            if (values != null && values.size() != 1) {
                throw new UnknownDirective(directive + " " + key + "=" + values);
            }
            return values == null ? otherwise : values.get(0);
        }

        /** A value that is true or false; false when it is absent. */
        boolean flag(String key) {
            return switch (value(key, "false")) {
                case "true" -> true;
                case "false" -> false;
                default -> throw new UnknownDirective(directive + " " + key + "=" + value(key, ""));
            };
        }

        /** Arguments that are mere words. */
        List<String> words() {
            return arguments.stream()
                    .filter(Argument::isWord)
                    .map(Argument::key)
                    .toList();
        }

        /** Refuses arguments that this runner does not know. */
        void onlyKeys(String... known) {
            for (Argument argument : arguments) {
                if (!argument.isWord() && !List.of(known).contains(argument.key)) {
                    throw new UnknownDirective(directive + " " + argument.key + "=");
                }
            }
        }

        /** Refuses any other number of words. */
        void wordCount(int least, int most) {
            int count = words().size();
            if (count < least || count > most) {
                throw new UnknownDirective(directive + " " + words());
            }
        }

        /** The lines under a directive, each a directive of its own. */
        List<Case> further() {
            return input.stream()
                    .map(text -> parseCase(line, text.strip(), List.of(), ""))
                    .toList();
        }
    }

    /** Something in a file that the runner does not know. */
    static final class UnknownDirective extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnknownDirective(String what) {
            super("unknown directive: " + what);
        }
    }

    private ConformanceFile(Path path) {
        this.path = path;
    }

    /** The files of a folder, in order. */
    static List<Path> in(Path folder) {
        TreeSet<Path> files = new TreeSet<>();
        try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
            for (Path file : stream) {
                if (Files.isRegularFile(file)) {
                    files.add(file);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (files.isEmpty()) {
            throw new AssertionError("no files in " + folder);
        }
        return List.copyOf(files);
    }

    static ConformanceFile read(Path path) {
        try {
            return parse(path, Files.readAllLines(path));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ConformanceFile parse(Path path, List<String> lines) {
        ConformanceFile file = new ConformanceFile(path);
        int at = 0;
        while (at < lines.size()) {
            String line = lines.get(at).strip();
            if (line.isEmpty() || line.startsWith("#")) {
                at++;
                continue;
            }
            int start = at + 1;
            StringBuilder directive = new StringBuilder(line);
            at++;
            while (directive.charAt(directive.length() - 1) == '\\') {
                directive.setLength(directive.length() - 1);
                directive.append(lines.get(at++).strip());
            }
            List<String> input = new ArrayList<>();
            while (at < lines.size() && !lines.get(at).strip().equals(SEPARATOR)) {
                if (lines.get(at).isBlank()) {
                    throw new AssertionError(path + ":" + start + ": no " + SEPARATOR + " after " + line);
                }
                input.add(lines.get(at++));
            }
            if (at == lines.size()) {
                throw new AssertionError(path + ":" + start + ": no " + SEPARATOR + " after " + line);
            }
            at++;
            StringBuilder expected = new StringBuilder();
            boolean fenced = at < lines.size() && lines.get(at).equals(SEPARATOR);
            if (fenced) {
                at++;
                while (!(lines.get(at).equals(SEPARATOR)
                        && at + 1 < lines.size()
                        && lines.get(at + 1).equals(SEPARATOR))) {
                    expected.append(lines.get(at++)).append('\n');
                }
                at += 2;
            } else {
                while (at < lines.size() && !lines.get(at).isBlank()) {
                    expected.append(lines.get(at++)).append('\n');
                }
            }
            file.cases.add(parseCase(start, directive.toString(), input, expected.toString()));
        }
        if (file.cases.isEmpty()) {
            throw new AssertionError(path + " holds no directives");
        }
        return file;
    }

    private static Case parseCase(int line, String text, List<String> input, String expected) {
        List<String> tokens = new ArrayList<>();
        StringBuilder token = new StringBuilder();
        int depth = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            depth += c == '(' ? 1 : c == ')' ? -1 : 0;
            if (c == ' ' && depth == 0) {
                if (!token.isEmpty()) {
                    tokens.add(token.toString());
                    token.setLength(0);
                }
            } else {
                token.append(c);
            }
        }
        if (!token.isEmpty()) {
            tokens.add(token.toString());
        }
        List<Argument> arguments = new ArrayList<>();
        for (String each : tokens.subList(1, tokens.size())) {
            int equals = each.indexOf('=');
            if (equals < 0) {
                arguments.add(new Argument(each, null));
                continue;
            }
            String value = each.substring(equals + 1);
            List<String> values = new ArrayList<>();
            if (value.startsWith("(")) {
                for (String part : value.substring(1, value.length() - 1).split("[, ]+", -1)) {
                    if (!part.isBlank()) {
                        values.add(part.strip());
                    }
                }
            } else {
                values.add(value);
            }
            arguments.add(new Argument(each.substring(0, equals), values));
        }
        return new Case(line, tokens.get(0), arguments, input, expected);
    }

    /** Runs each directive; the first difference fails. {@code comparable} makes both outputs alike where they may differ. */
    int run(Function<Case, String> handler, Function<String, String> comparable) {
        for (Case each : cases) {
            String actual;
            try {
                actual = handler.apply(each);
            } catch (RuntimeException e) {
                throw new AssertionError(path + ":" + each.line + ": " + each.directive + ": " + e.getMessage(), e);
            }
            String wanted = comparable.apply(each.expected);
            String got = comparable.apply(actual);
            if (!wanted.equals(got)) {
                throw new AssertionError(path + ":" + each.line + ": " + each.directive + " " + each.arguments
                        + " must print\n" + wanted + "\nand prints\n" + got);
            }
        }
        return cases.size();
    }
}
