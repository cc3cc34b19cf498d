package org.flotilladb.sqltests.load;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;

/**
 * Eight clients over a HikariCP pool of eight connections. Each transaction moves an amount through an account, a teller
 * and a branch and writes a history row with a unique id; an id is acknowledged when commit returned. Runs from {@link
 * #start} to {@link #stop}, through failures of the database.
 */
public final class TpcbLoad implements AutoCloseable {

    public static final int CLIENTS = 8;

    /** A client gives up after failing this long without a single commit; in nanoseconds. */
    private static final long PATIENCE_NS = 120_000_000_000L;

    private final HikariDataSource pool;
    private final Acknowledged acknowledged;
    private final AtomicLong nextId;
    private final long seed;
    private final AtomicLong retries = new AtomicLong();
    private final List<Thread> threads = new ArrayList<>();
    private final Object progress = new Object();
    private volatile boolean stopped;
    private volatile Throwable failure;
    private volatile LongConsumer onAttempt = id -> {};
    private volatile AcknowledgementListener onAcknowledged = (id, amount) -> {};

    /** Told of each acknowledged transaction, by the client that ran it, before its next one. */
    @FunctionalInterface
    public interface AcknowledgementListener {
        void acknowledged(long id, int amount);
    }

    /** @param firstId from which the ids of this load count upwards; unique in the life of the database */
    public TpcbLoad(String url, Acknowledged acknowledged, long firstId, long seed) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(url);
        config.setMaximumPoolSize(CLIENTS);
        config.setConnectionTimeout(60_000);
        config.setAutoCommit(false);
        this.pool = new HikariDataSource(config);
        this.acknowledged = acknowledged;
        this.nextId = new AtomicLong(firstId);
        this.seed = seed;
    }

    /** Tells of each id before its transaction begins and after it was acknowledged. */
    public void listen(LongConsumer attempt, AcknowledgementListener done) {
        onAttempt = attempt;
        onAcknowledged = done;
    }

    public void start() {
        for (int i = 0; i < CLIENTS; i++) {
            SplittableRandom random = new SplittableRandom(seed + i);
            Thread thread = new Thread(() -> runClient(random), "tpcb-client-" + i);
            thread.setDaemon(true);
            threads.add(thread);
            thread.start();
        }
    }

    /** Waits until {@code count} transactions are acknowledged in all. */
    public void awaitAcknowledged(int count, long timeoutMs) throws InterruptedException {
        long deadlineNs = System.nanoTime() + timeoutMs * 1_000_000;
        synchronized (progress) {
            while (acknowledged.count() < count) {
                long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
                if (failure != null) {
                    throw new IllegalStateException("a client of the load gave up", failure);
                }
                if (leftMs <= 0) {
                    throw new IllegalStateException("only " + acknowledged.count() + " of " + count
                            + " transactions were acknowledged after " + timeoutMs + " ms");
                }
                progress.wait(Math.min(leftMs, 1000));
            }
        }
    }

    /** Lets each client finish its transaction, then returns; fails if one of them had given up. */
    public void stop() throws InterruptedException {
        stopped = true;
        for (Thread thread : threads) {
            thread.join(PATIENCE_NS / 1_000_000);
            if (thread.isAlive()) {
                throw new IllegalStateException(thread.getName() + " does not end");
            }
        }
        if (failure != null) {
            throw new IllegalStateException("a client of the load gave up", failure);
        }
    }

    public Acknowledged acknowledged() {
        return acknowledged;
    }

    /** How often a transaction was run again after a failure that certainly committed nothing. */
    public long retries() {
        return retries.get();
    }

    /** A connection of the pool; autocommit is off. */
    public Connection connection() throws SQLException {
        return pool.getConnection();
    }

    private void runClient(SplittableRandom random) {
        long lastCommitNs = System.nanoTime();
        try {
            while (!stopped) {
                Transfer transfer = Transfer.random(nextId.getAndIncrement(), random);
                onAttempt.accept(transfer.id);
                try {
                    if (runToEnd(transfer, random, lastCommitNs)) {
                        lastCommitNs = System.nanoTime();
                    }
                } catch (SQLException e) {
                    if (System.nanoTime() - lastCommitNs > PATIENCE_NS) {
                        throw e;
                    }
                }
            }
        } catch (Throwable e) {
            if (!stopped) {
                failure = e;
            }
        }
    }

    /** Runs it until it is committed (true) or may be (false); repeats it while it certainly is not. */
    private boolean runToEnd(Transfer transfer, SplittableRandom random, long lastCommitNs) throws SQLException {
        while (true) {
            boolean committing = false;
            try (Connection connection = pool.getConnection()) {
                try {
                    transfer.run(connection);
                    committing = true;
                    connection.commit();
                } catch (SQLException e) {
                    rollbackQuietly(connection);
                    throw e;
                }
            } catch (SQLException e) {
                if (committing && !certainlyNotCommitted(e)) {
                    acknowledged.addUnknown(transfer.id);
                    return false;
                }
                retries.incrementAndGet();
                if (stopped || System.nanoTime() - lastCommitNs > PATIENCE_NS) {
                    throw e;
                }
                LockSupport.parkNanos(random.nextInt(1_000_000, 5_000_000));
                continue;
            }
            acknowledged.add(transfer.id, transfer.amount);
            onAcknowledged.acknowledged(transfer.id, transfer.amount);
            synchronized (progress) {
                progress.notifyAll();
            }
            return true;
        }
    }

    /** A commit that failed with these did nothing: it may be run again under the same id. */
    private static boolean certainlyNotCommitted(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        return state.startsWith("40") && !state.equals("40003") || state.equals("HYT00");
    }

    private static void rollbackQuietly(Connection connection) {
        try {
            connection.rollback();
        } catch (SQLException e) {
            // The connection is lost; the pool throws it away.
        }
    }

    @Override
    public void close() {
        stopped = true;
        pool.close();
    }

    /** One transaction. */
    private record Transfer(long id, int account, int teller, int branch, int amount) {

        static Transfer random(long id, SplittableRandom random) {
            int teller = random.nextInt(TpcbSchema.TELLERS);
            return new Transfer(
                    id,
                    random.nextInt(TpcbSchema.ACCOUNTS),
                    teller,
                    teller % TpcbSchema.BRANCHES,
                    random.nextInt(-5000, 5001));
        }

        void run(Connection connection) throws SQLException {
            add(connection, "accounts", account);
            add(connection, "tellers", teller);
            add(connection, "branches", branch);
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO history VALUES (?, ?, ?, ?, ?)")) {
                insert.setLong(1, id);
                insert.setInt(2, account);
                insert.setInt(3, teller);
                insert.setInt(4, branch);
                insert.setInt(5, amount);
                insert.executeUpdate();
            }
        }

        private void add(Connection connection, String table, int row) throws SQLException {
            try (PreparedStatement update =
                    connection.prepareStatement("UPDATE " + table + " SET balance = balance + ? WHERE id = ?")) {
                update.setInt(1, amount);
                update.setInt(2, row);
                if (update.executeUpdate() != 1) {
                    throw new IllegalStateException("row " + row + " of " + table + " is not there");
                }
            }
        }
    }
}
