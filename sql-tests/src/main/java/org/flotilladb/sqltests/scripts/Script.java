package org.flotilladb.sqltests.scripts;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A script file cut into steps. */
public record Script(String name, List<Step> steps) {

    /** A directive or a statement. */
    public sealed interface Step permits Directive, SqlStep {
        /** The line where it ends, counted from 1. */
        int line();
    }

    /** A line that begins with {@code @}. */
    public record Directive(int line, String text) implements Step {}

    /**
     * A statement.
     *
     * @param runs for a statement with parameters one for each line of values, else empty
     * @param expected lines that follow, with their {@code >}, which is all there is for one without parameters
     */
    public record SqlStep(int line, String sql, List<ParameterRun> runs, List<String> expected) implements Step {}

    /** A line of values between braces and what is expected of the statement with them. */
    public record ParameterRun(String values, List<String> expected) {}

    public static Script read(Path file, String name) throws IOException {
        return parse(name, Files.readAllLines(file));
    }

    /** Lines that begin with {@code --} and empty ones are dropped, inside statements too, as H2 does. */
    public static Script parse(String name, List<String> lines) {
        List<Step> steps = new ArrayList<>();
        StringBuilder sql = new StringBuilder();
        List<String> expected = null;
        List<ParameterRun> runs = null;
        boolean inBraces = false;
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i);
            if (line.startsWith("--") || line.isBlank()) {
                continue;
            }
            line = line.trim();
            if (line.startsWith(">")) {
                if (expected == null || sql.length() > 0) {
                    throw new IllegalArgumentException(name + ":" + (i + 1) + " expects a result of no statement");
                }
                expected.add(line);
            } else if (inBraces) {
                if (line.startsWith("}")) {
                    inBraces = false;
                    expected = ((SqlStep) steps.get(steps.size() - 1)).expected();
                } else {
                    expected = new ArrayList<>();
                    runs.add(new ParameterRun(line, expected));
                }
            } else if (line.equals("{") && runs != null && runs.isEmpty() && sql.length() == 0) {
                inBraces = true;
            } else if (line.startsWith("@") && sql.length() == 0) {
                steps.add(new Directive(i + 1, line));
                expected = null;
            } else if (line.endsWith(";")) {
                sql.append(line, 0, line.length() - 1);
                expected = new ArrayList<>();
                runs = new ArrayList<>();
                steps.add(new SqlStep(i + 1, sql.toString(), runs, expected));
                sql.setLength(0);
            } else {
                sql.append(line).append('\n');
            }
        }
        if (sql.length() > 0) {
            throw new IllegalArgumentException(name + " ends in the middle of a statement");
        }
        return new Script(name, steps);
    }
}
