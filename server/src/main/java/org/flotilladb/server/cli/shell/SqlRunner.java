package org.flotilladb.server.cli.shell;

import java.io.IOException;
import java.io.PrintStream;
import java.io.Reader;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLWarning;
import java.sql.Statement;
import java.util.Locale;
import org.flotilladb.server.cli.Sentences;

/** Runs statements on one connection and prints what comes back. Not thread-safe, except {@link #cancel}. */
public final class SqlRunner {

    private final Connection connection;
    private final PrintStream out;
    private final PrintStream err;
    private final boolean forPeople;
    private volatile Statement running;

    /**
     * @param forPeople aligned tables, and after each statement what it did and how long it took; otherwise rows alone,
     *     with tabs
     */
    public SqlRunner(Connection connection, PrintStream out, PrintStream err, boolean forPeople) {
        this.connection = connection;
        this.out = out;
        this.err = err;
        this.forPeople = forPeople;
    }

    /**
     * Runs a script's statements in order and stops at the first that fails.
     *
     * @param source what to name before the line number of a failing statement, or null to name none
     * @return whether all went well
     */
    public boolean runScript(Reader script, String source) throws IOException {
        StatementSplitter statements = new StatementSplitter(script);
        for (StatementSplitter.Statement next = statements.next(); next != null; next = statements.next()) {
            String where = source == null ? "" : source + ", line " + next.line() + ": ";
            if (!run(next.sql(), where)) {
                return false;
            }
            if (out.checkError()) {
                err.println("Error: standard output was closed; the statements from line " + next.line()
                        + " on were not run");
                return false;
            }
        }
        return true;
    }

    /** Whether there may be changes that are not committed. */
    public boolean inTransaction() {
        try {
            return !connection.getAutoCommit();
        } catch (SQLException e) {
            // The connection is gone, and the transaction with it.
            return false;
        }
    }

    /** Runs one statement; false if it failed, and then the error is printed. */
    public boolean run(String sql) {
        return run(sql, "");
    }

    private boolean run(String sql, String where) {
        long startNs = System.nanoTime();
        try (Statement statement = connection.createStatement()) {
            running = statement;
            boolean rows = statement.execute(sql);
            if (rows) {
                try (ResultSet result = statement.getResultSet()) {
                    long count = (forPeople ? RowPrinter.TABLE : RowPrinter.TABS).print(result, out);
                    tell(count == 1 ? "1 row" : count + " rows", startNs);
                }
            } else {
                long count = statement.getLargeUpdateCount();
                tell(count <= 0 ? "Done" : count == 1 ? "1 row changed" : count + " rows changed", startNs);
            }
            printWarnings(statement);
            return true;
        } catch (SQLException e) {
            out.flush();
            err.println("Error: " + where + Sentences.of(e));
            return false;
        } finally {
            running = null;
        }
    }

    /** Cancels the statement that runs, if any; from any thread. */
    public void cancel() {
        Statement statement = running;
        if (statement != null) {
            try {
                statement.cancel();
            } catch (SQLException e) {
                err.println("Error: the statement could not be cancelled: " + Sentences.of(e));
            }
        }
    }

    private void tell(String what, long startNs) {
        if (forPeople) {
            double ms = (System.nanoTime() - startNs) / 1e6;
            out.println("(" + what + ", " + String.format(Locale.ROOT, ms < 100 ? "%.1f ms" : "%.0f ms", ms) + ")");
        }
    }

    private void printWarnings(Statement statement) throws SQLException {
        for (SQLWarning w = statement.getWarnings(); w != null; w = w.getNextWarning()) {
            err.println("Warning: " + Sentences.of(w));
        }
    }
}
