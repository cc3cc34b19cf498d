package org.flotilladb.driver.jdbc;

import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.flotilladb.driver.keyspace.WaitGuard;
import org.flotilladb.engine.SqlSession;
import org.h2.engine.Session;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.h2.message.DbException;

/**
 * What runs on a connection: one thing at a time, within its time limits, and ended from outside where somebody asks for
 * that. {@link #cancel} and {@link #breakOff} may be called by any thread at any time.
 */
final class Running {
    private final SqlSession session;
    private final WaitGuard waits = new WaitGuard();
    private final ReentrantLock turn = new ReentrantLock();

    /** Guards what follows: a cancellation must meet the statement it is meant for, or none. */
    private final Object state = new Object();

    private Object owner;
    private boolean cancelled;
    private String broken;

    Running(SqlSession session) {
        this.session = session;
    }

    /** Something to run. */
    @FunctionalInterface
    interface Work<T> {
        T run() throws SQLException;
    }

    /**
     * Runs it in its turn.
     *
     * @param by whom {@link #cancel} will name; null if nobody can
     * @param timeoutSeconds after which it is cancelled; 0: never
     * @param networkTimeoutMs after which {@code onBreak} is called; 0: never
     */
    <T> T run(Object by, int timeoutSeconds, int networkTimeoutMs, Runnable onBreak, Work<T> work) throws SQLException {
        turn.lock();
        try {
            synchronized (state) {
                // Before anybody can cancel it: a cancellation must not be forgotten here.
                waits.enter();
                owner = by == null ? this : by;
                cancelled = false;
            }
            Future<?> limit = timeoutSeconds == 0
                    ? null
                    : Timers.after(TimeUnit.SECONDS.toMillis(timeoutSeconds), () -> cancel(by == null ? this : by));
            Future<?> networkLimit = networkTimeoutMs == 0 ? null : Timers.after(networkTimeoutMs, onBreak);
            try {
                return work.run();
            } catch (SQLException e) {
                throw surfaced(e);
            } finally {
                waits.leave();
                stop(limit);
                stop(networkLimit);
                over();
            }
        } finally {
            turn.unlock();
        }
    }

    /** Whatever a statement fails with when its connection is broken off, that is the reason. */
    private SQLException surfaced(SQLException e) {
        synchronized (state) {
            return broken == null || "08007".equals(e.getSQLState())
                    ? SqlErrors.surfaced(e)
                    : new SQLTransientConnectionException(broken + ": open another connection.", "08006", 90067, e);
        }
    }

    private static void stop(Future<?> timer) {
        if (timer != null) {
            timer.cancel(false);
        }
    }

    private void over() {
        synchronized (state) {
            owner = null;
            if (cancelled) {
                forgetCancellation();
            }
        }
    }

    /** H2 keeps a cancellation that came too late for its statement, and would end the next one with it. */
    private void forgetCancellation() {
        try {
            Session h2 = ((JdbcConnection) session.connection()).getSession();
            if (h2 instanceof SessionLocal local) {
                local.checkCanceled();
            }
        } catch (SQLException | DbException e) {
            // Forgotten now; or the session is closed.
        }
    }

    /** Ends what {@code by} runs at this moment, if it does. */
    void cancel(Object by) {
        synchronized (state) {
            if (owner == by) {
                cancelled = true;
                session.cancel();
                waits.cancel();
            }
        }
    }

    /** Ends whatever runs, and whatever may come. */
    void breakOff(String why) {
        synchronized (state) {
            broken = why;
            if (owner != null) {
                cancelled = true;
                session.cancel();
            }
            waits.breakOff(why);
        }
    }

    /** Ends the session when it is this thread's turn. */
    void close() {
        turn.lock();
        try {
            session.close();
        } finally {
            turn.unlock();
        }
    }
}
