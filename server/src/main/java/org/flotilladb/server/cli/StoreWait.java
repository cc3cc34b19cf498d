package org.flotilladb.server.cli;

import java.io.PrintStream;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** Waits until a Store has given away what it should, and says how far it is whenever that changes. */
final class StoreWait {
    private static final long PAUSE_NS = 500_000_000L;

    /** What is waited for. */
    enum Goal {
        /** It holds no peer of any Region. */
        EMPTY("is empty: its node can be stopped for good", Set.of("DRAINING", "REMOVED")),
        /** It leads no Region. */
        LEADS_NOTHING("leads nothing: its node can be restarted", Set.of("WITHOUT_LEADERS"));

        private final String words;
        private final Set<String> states;

        Goal(String words, Set<String> states) {
            this.words = words;
            this.states = states;
        }
    }

    private final Connection connection;
    private final String storeId;
    private final PrintStream out;

    StoreWait(Connection connection, String storeId, PrintStream out) {
        this.connection = connection;
        this.storeId = storeId;
        this.out = out;
    }

    /** Returns when it is so; fails when somebody has called it off, or when this thread is interrupted. */
    void until(Goal goal) throws SQLException {
        String said = "";
        while (true) {
            Progress progress = look();
            if (!goal.states.contains(progress.state)) {
                throw new CliException(
                        "somebody has called it off: Store " + storeId + " is " + progress.state + " now");
            }
            if (goal == Goal.EMPTY ? progress.regions == 0 : progress.leaders == 0) {
                out.println("Store " + storeId + " " + goal.words + ".");
                return;
            }
            String line = "Store " + storeId + " holds " + progress.regions
                    + (progress.regions == 1 ? " Region" : " Regions") + " and leads " + progress.leaders
                    + (progress.alive ? "." : "; it is not heard of.");
            if (!line.equals(said)) {
                out.println(line);
                said = line;
            }
            LockSupport.parkNanos(PAUSE_NS);
            if (Thread.currentThread().isInterrupted()) {
                throw new CliException("interrupted; the Store goes on giving away what it has");
            }
        }
    }

    private record Progress(String state, boolean alive, long regions, long leaders) {}

    private Progress look() throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                "SELECT STATE, ALIVE, REGIONS, LEADERS FROM FLOTILLA.STORES WHERE STORE_ID = ?")) {
            statement.setString(1, storeId);
            try (ResultSet rows = statement.executeQuery()) {
                // Stores that have left may be forgotten.
                return rows.next()
                        ? new Progress(rows.getString(1), rows.getBoolean(2), rows.getLong(3), rows.getLong(4))
                        : new Progress("REMOVED", false, 0, 0);
            }
        }
    }
}
