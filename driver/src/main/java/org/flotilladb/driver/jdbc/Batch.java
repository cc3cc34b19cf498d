package org.flotilladb.driver.jdbc;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.Optional;

/**
 * Counts and failures of a batch's statements, run many at once where that is possible, else each by itself. One that fails does not keep the others from being
 * run, unless it took the transaction or the connection with it: what followed would be a transaction of its own. Not
 * thread-safe.
 */
final class Batch {
    private final long[] counts;
    private int at;
    private SQLException failure;
    private boolean over;

    Batch(int size) {
        counts = new long[size];
    }

    /** One statement; its update count. */
    @FunctionalInterface
    interface Item {
        long run() throws SQLException;
    }

    void run(Item item) {
        if (over) {
            return;
        }
        try {
            counts[at] = item.run();
            at++;
        } catch (SQLException e) {
            failed(e);
            String state = String.valueOf(e.getSQLState());
            over = state.startsWith("40") || state.startsWith("08") || state.equals("57014");
        }
    }

    /** Many of its statements at once; their update counts, or empty if they are to be run one by one. */
    @FunctionalInterface
    interface Items {
        Optional<long[]> run() throws SQLException;
    }

    /**
     * Runs many at once.
     *
     * @return false if they are to be run one by one
     */
    boolean runTogether(Items items) {
        if (over) {
            return true;
        }
        try {
            Optional<long[]> done = items.run();
            done.ifPresent(these -> {
                System.arraycopy(these, 0, counts, at, these.length);
                at += these.length;
            });
            return done.isPresent();
        } catch (SQLException e) {
            failed(e);
            over = true;
            return true;
        }
    }

    private void failed(SQLException e) {
        counts[at++] = Statement.EXECUTE_FAILED;
        if (failure == null) {
            failure = e;
        } else {
            failure.setNextException(e);
        }
    }

    /** The update counts, if all went well. */
    long[] counts() throws BatchUpdateException {
        if (failure != null) {
            BatchUpdateException all = new BatchUpdateException(
                    failure.getMessage(),
                    failure.getSQLState(),
                    failure.getErrorCode(),
                    Arrays.copyOf(counts, at),
                    failure);
            all.setNextException(failure);
            throw all;
        }
        return counts;
    }
}
