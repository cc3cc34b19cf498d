package org.flotilladb.sqltests.scripts;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.List;
import java.util.Locale;
import org.flotilladb.sqltests.scripts.Script.Directive;
import org.flotilladb.sqltests.scripts.Script.ParameterRun;
import org.flotilladb.sqltests.scripts.Script.SqlStep;
import org.flotilladb.sqltests.scripts.ScriptResult.Mismatch;

/** Runs one script on a connection that it opens and closes. Not thread-safe, except {@link #abandon}. */
public final class ScriptSession implements AutoCloseable {

    /** Opens a connection to the script's database. */
    @FunctionalInterface
    public interface Opener {
        Connection open() throws SQLException;
    }

    private final Opener opener;
    private volatile Connection connection;
    private volatile boolean abandoned;

    public ScriptSession(Opener opener) throws SQLException {
        this.opener = opener;
        this.connection = opener.open();
    }

    /** Runs all steps, whatever fails, and notes into {@code result}. */
    public void run(Script script, ScriptResult result) throws SQLException {
        int index = 0;
        for (Script.Step step : script.steps()) {
            if (abandoned) {
                return;
            }
            if (step instanceof Directive directive) {
                follow(directive);
            } else if (step instanceof SqlStep sql) {
                result.note(index++, check(sql));
            }
        }
    }

    private void follow(Directive directive) throws SQLException {
        switch (directive.text()) {
            // The new connection first: a database in memory lives while one is open.
            case "@reconnect" -> {
                try (Connection old = connection) {
                    Connection next = opener.open();
                    next.setAutoCommit(old.getAutoCommit());
                    connection = next;
                }
            }
            case "@autocommit on" -> connection.setAutoCommit(true);
            case "@autocommit off" -> connection.setAutoCommit(false);
            // They only allow or forbid reconnects at random, which we never do.
            case "@reconnect on", "@reconnect off" -> {}
            default -> throw new IllegalArgumentException("line " + directive.line() + ": unknown " + directive.text());
        }
    }

    /** Null if all is as expected. */
    private Mismatch check(SqlStep step) {
        if (step.runs().isEmpty()) {
            return compare(step, step.expected(), execute(step.sql()));
        }
        long changed = 0;
        Mismatch first = null;
        try (PreparedStatement statement = connection.prepareStatement(step.sql())) {
            for (ParameterRun run : step.runs()) {
                Outcome outcome = execute(statement, run);
                if (outcome instanceof Outcome.Update update) {
                    changed += update.count();
                } else {
                    Mismatch mismatch = compare(step, run.expected(), outcome);
                    first = first == null ? mismatch : first;
                }
            }
        } catch (SQLException e) {
            return compare(step, step.expected(), failure(e));
        }
        return first != null ? first : compare(step, step.expected(), new Outcome.Update(changed));
    }

    private static Mismatch compare(SqlStep step, List<String> expected, Outcome outcome) {
        boolean plan = step.sql().toUpperCase(Locale.ROOT).startsWith("EXPLAIN");
        boolean expectsRows = expected.isEmpty() || !expected.get(0).startsWith("> exception ");
        if (plan && expectsRows && outcome instanceof Outcome.Rows) {
            return null;
        }
        String got = outcome.differenceFrom(expected);
        return got == null ? null : new Mismatch(step.line(), step.sql(), String.join("\n", expected), got);
    }

    private Outcome execute(String sql) {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            return execute(statement);
        } catch (SQLException e) {
            return failure(e);
        }
    }

    private static Outcome execute(PreparedStatement statement, ParameterRun run) {
        try {
            int index = 0;
            for (String value : values(run.values())) {
                statement.setString(++index, value);
            }
            return execute(statement);
        } catch (SQLException e) {
            return failure(e);
        }
    }

    private static Outcome execute(PreparedStatement statement) throws SQLException {
        if (statement.execute()) {
            try (ResultSet rows = statement.getResultSet()) {
                return Outcome.Rows.read(rows);
            }
        }
        return new Outcome.Update(statement.getLargeUpdateCount());
    }

    private static Outcome failure(SQLException e) {
        return new Outcome.Failure(e.getErrorCode(), e.getMessage());
    }

    /** Values between commas, without white space unless between double quotes; {@code null} is a null. */
    static List<String> values(String line) {
        List<String> values = new java.util.ArrayList<>();
        StringBuilder value = new StringBuilder();
        boolean quoted = false;
        for (char c : (line + ",").toCharArray()) {
            if (c == '"') {
                quoted = !quoted;
            } else if (c == ',' && !quoted) {
                String text = value.toString();
                values.add(text.equalsIgnoreCase("null") ? null : text);
                value.setLength(0);
            } else if (quoted || c > ' ') {
                value.append(c);
            }
        }
        if (line.endsWith(",")) {
            values.remove(values.size() - 1);
        }
        return values;
    }

    /** Gives the script up from another thread: it ends after the statement that runs, if that ever ends. */
    public void abandon() {
        abandoned = true;
        try {
            connection.abort(Runnable::run);
        } catch (SQLException e) {
            // The thread stays with its statement; nothing waits for it.
        }
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
