package org.flotilladb.driver.jdbc;

import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.Statement;

/** Counts and failures of a batch's statements, each run by itself. Not thread-safe. */
final class Batch {
    private final long[] counts;
    private int at;
    private SQLException failure;

    Batch(int size) {
        counts = new long[size];
    }

    /** One statement; its update count. */
    @FunctionalInterface
    interface Item {
        long run() throws SQLException;
    }

    void run(Item item) {
        try {
            counts[at] = item.run();
        } catch (SQLException e) {
            counts[at] = Statement.EXECUTE_FAILED;
            if (failure == null) {
                failure = e;
            } else {
                failure.setNextException(e);
            }
        }
        at++;
    }

    long[] counts() throws BatchUpdateException {
        if (failure != null) {
            BatchUpdateException all = new BatchUpdateException(
                    failure.getMessage(), failure.getSQLState(), failure.getErrorCode(), counts, failure);
            all.setNextException(failure);
            throw all;
        }
        return counts;
    }
}
