package org.flotilladb.driver.jdbc;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;

/**
 * Counts and failures of a batch's statements, each run by itself. One that fails does not keep the others from being
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
        } catch (SQLException e) {
            counts[at] = Statement.EXECUTE_FAILED;
            if (failure == null) {
                failure = e;
            } else {
                failure.setNextException(e);
            }
            String state = String.valueOf(e.getSQLState());
            over = state.startsWith("40") || state.startsWith("08") || state.equals("57014");
        }
        at++;
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
