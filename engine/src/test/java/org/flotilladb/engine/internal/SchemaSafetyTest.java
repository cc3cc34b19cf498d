package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.query;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A write planned with an old catalog does not commit after the definition of its table has changed, nor reads wrongly. */
public class SchemaSafetyTest {
    private static final AtomicReference<Runnable> DURING = new AtomicReference<>();

    private final SqlFixture fixture = new SqlFixture();
    private SqlSession here;
    private SqlSession there;

    @BeforeEach
    void open() throws SQLException {
        here = fixture.session();
        there = fixture.session();
        run(here, "CREATE TABLE T(ID INT PRIMARY KEY, V INT)", "INSERT INTO T VALUES (1, 1), (2, 2)");
        run(here, "CREATE TABLE U(ID INT PRIMARY KEY, V INT)", "INSERT INTO U VALUES (1, 1)");
        query(there, "SELECT * FROM T");
    }

    @AfterEach
    void close() {
        DURING.set(null);
        fixture.close();
    }

    /** A trigger that refuses. */
    public static final class Refuse implements org.h2.api.Trigger {
        @Override
        public void fire(Connection connection, Object[] oldRow, Object[] newRow) throws SQLException {
            throw new SQLException("refused", "99999");
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "INSERT INTO T VALUES (3, 3) | CREATE INDEX ON T(V)",
                "UPDATE T SET V = 5 WHERE ID = 1 | CREATE UNIQUE INDEX ON T(V)",
                "DELETE FROM T WHERE ID = 1 | CREATE INDEX ON T(V)",
                "INSERT INTO T VALUES (3, 3) | ALTER TABLE T ADD COLUMN W INT DEFAULT 0",
                "INSERT INTO T VALUES (3, 3) | ALTER TABLE T DROP COLUMN V",
                "INSERT INTO T VALUES (3, NULL) | ALTER TABLE T ALTER COLUMN V SET NOT NULL",
                "INSERT INTO T VALUES (3, -3) | ALTER TABLE T ADD CHECK (V > 0)",
                "INSERT INTO T VALUES (3, 2) | ALTER TABLE T ADD UNIQUE (V)",
                "INSERT INTO T VALUES (3, 9) | ALTER TABLE T ADD FOREIGN KEY (V) REFERENCES T(ID)",
                "INSERT INTO T VALUES (3, 3) | ALTER TABLE T ALTER COLUMN V VARCHAR",
                "INSERT INTO T VALUES (3, 3) | ALTER TABLE T DROP PRIMARY KEY",
                "INSERT INTO T VALUES (3, 3) | DROP TABLE T",
                "INSERT INTO T VALUES (3, 3) | CREATE TRIGGER R BEFORE INSERT ON T FOR EACH ROW CALL"
                        + " 'org.flotilladb.engine.internal.SchemaSafetyTest$Refuse'"
            })
    void aTransactionThatWroteBeforeADefinitionDoesNotCommitAfterIt(String write, String definition)
            throws SQLException {
        there.setAutoCommit(false);
        run(there, write);
        run(here, definition);
        assertEquals("40001", assertThrows(SQLException.class, there::commit).getSQLState());
        if (!definition.startsWith("DROP TABLE")) {
            check(here, "SELECT ID FROM T ORDER BY ID", "1;2");
            check(there, "SELECT COUNT(*) FROM T WHERE ID > 0", "2");
        }
        there.rollback();
        there.setAutoCommit(true);
        run(there, "INSERT INTO U VALUES (5, 5)");
    }

    @Test
    void aTransactionThatCommitsBeforeADefinitionIsSeenByIt() throws SQLException {
        there.setAutoCommit(false);
        run(there, "INSERT INTO T VALUES (3, 3)");
        there.commit();
        run(here, "CREATE INDEX ON T(V)");
        check(here, "SELECT ID FROM T WHERE V = 3", "3");
        there.rollback();
        check(there, "SELECT ID FROM T WHERE V = 3", "3");
    }

    @Test
    void aTransactionOnOtherTablesGoesOn() throws SQLException {
        there.setAutoCommit(false);
        run(there, "INSERT INTO U VALUES (2, 2)");
        run(here, "ALTER TABLE T ADD COLUMN W INT", "CREATE TABLE X(ID INT)", "DROP TABLE X");
        run(there, "INSERT INTO U VALUES (3, 3)");
        check(there, "SELECT COUNT(*) FROM U", "3");
        there.commit();
        check(here, "SELECT COUNT(*) FROM U", "3");
    }

    @Test
    void aTransactionNeverReadsATableWhoseDefinitionHasMovedOn() throws SQLException {
        there.setAutoCommit(false);
        run(there, "INSERT INTO U VALUES (2, 2)");
        check(there, "SELECT COUNT(*) FROM T", "2");
        run(here, "ALTER TABLE T ADD COLUMN W INT DEFAULT 7");
        SQLException e = fails(there, "SELECT COUNT(*) FROM T");
        assertEquals("40001", e.getSQLState());
        assertTrue(e.getMessage().contains("definition of T"), e.getMessage());
        assertEquals("40001", fails(there, "UPDATE T SET V = 0").getSQLState());
        check(there, "SELECT COUNT(*) FROM U", "2");
        there.rollback();
        check(there, "SELECT * FROM T ORDER BY ID", "1,1,7;2,2,7");
    }

    @Test
    void aTransactionThatHasOnlyReadGoesOnWithTheNewDefinition() throws SQLException {
        there.setAutoCommit(false);
        check(there, "SELECT COUNT(*) FROM T", "2");
        run(here, "ALTER TABLE T ADD COLUMN W INT DEFAULT 7");
        check(there, "SELECT * FROM T ORDER BY ID", "1,1,7;2,2,7");
        run(there, "INSERT INTO T VALUES (3, 3, 3)");
        there.commit();
        check(here, "SELECT * FROM T WHERE ID = 3", "3,3,3");
    }

    @Test
    void aSnapshotKeepsReadingWhatItHadAndWritesNothing() throws SQLException {
        there.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        there.setAutoCommit(false);
        check(there, "SELECT COUNT(*) FROM T", "2");
        run(here, "ALTER TABLE T ADD COLUMN W INT DEFAULT 7", "INSERT INTO T VALUES (3, 3, 3)");
        check(there, "SELECT * FROM T ORDER BY ID", "1,1;2,2");
        run(there, "INSERT INTO T VALUES (4, 4)");
        assertEquals("40001", assertThrows(SQLException.class, there::commit).getSQLState());
        check(there, "SELECT COUNT(*), SUM(W) FROM T", "3,17");
    }

    @Test
    void definitionsWorkAtEveryIsolationLevel() throws SQLException {
        for (int level : new int[] {
            Connection.TRANSACTION_READ_UNCOMMITTED,
            Connection.TRANSACTION_READ_COMMITTED,
            Connection.TRANSACTION_REPEATABLE_READ,
            Connection.TRANSACTION_SERIALIZABLE
        }) {
            here.setTransactionIsolation(level);
            run(
                    here,
                    "ALTER TABLE T ADD COLUMN C" + level + " INT DEFAULT " + level,
                    "CREATE INDEX ON T(C" + level + ")");
            here.setAutoCommit(false);
            run(here, "INSERT INTO U VALUES (10" + level + ", 0)", "CREATE INDEX I" + level + " ON U(V)");
            here.setAutoCommit(true);
            check(there, "SELECT COUNT(*) FROM T WHERE C" + level + " = " + level, "2");
        }
    }

    @Test
    void aParentDeletedByAnOldTransactionIsNoParent() throws SQLException {
        there.setAutoCommit(false);
        run(there, "DELETE FROM U WHERE ID = 1");
        run(here, "DELETE FROM T WHERE ID = 2", "ALTER TABLE T ADD FOREIGN KEY (V) REFERENCES U(ID)");
        assertEquals("40001", assertThrows(SQLException.class, there::commit).getSQLState());
        assertEquals("23503", fails(there, "DELETE FROM U WHERE ID = 1").getSQLState());
        there.rollback();
        check(here, "SELECT T.ID FROM T JOIN U ON T.V = U.ID", "1");
    }

    @Test
    void aDomainsNewConstraintHoldsForOldTransactionsToo() throws SQLException {
        run(here, "CREATE DOMAIN D AS INT", "CREATE TABLE W(ID INT PRIMARY KEY, V D)");
        check(there, "SELECT * FROM W", "");
        there.setAutoCommit(false);
        run(there, "INSERT INTO W VALUES (1, -1)");
        run(here, "ALTER DOMAIN D ADD CHECK (VALUE > 0)");
        assertEquals("40001", assertThrows(SQLException.class, there::commit).getSQLState());
        assertEquals("23513", fails(there, "INSERT INTO W VALUES (1, -1)").getSQLState());
    }

    @Test
    void anOldTransactionLeavesNothingBehindADroppedTable() throws SQLException {
        run(here, "CREATE TABLE X(ID INT PRIMARY KEY, V INT)", "CREATE INDEX ON X(V)");
        query(there, "SELECT * FROM X");
        there.setAutoCommit(false);
        run(there, "INSERT INTO X VALUES (1, 1)");
        run(here, "DROP TABLE X");
        assertThrows(SQLException.class, there::commit);
        assertEquals(0, fixture.cluster.liveKeysWithPrefix(CatalogKeys.tablePrefix(1, lastTable())));
    }

    private long lastTable() {
        for (long table = 100; table > 0; table--) {
            if (fixture.cluster.everHadPrefix(CatalogKeys.tablePrefix(1, table))) {
                return table;
            }
        }
        throw new AssertionError("no table was ever written");
    }

    /** Called from SQL, in the middle of a definition. */
    public static int during() {
        Runnable action = DURING.get();
        if (action != null) {
            action.run();
        }
        return 0;
    }

    private Thread inBackground(String definition, AtomicReference<SQLException> failure) {
        Thread thread = new Thread(() -> {
            try {
                run(here, definition);
            } catch (SQLException e) {
                failure.set(e);
            }
        });
        thread.start();
        return thread;
    }

    @Test
    void writersOfATableWaitForItsDefinitionAndOthersDoNot() throws Exception {
        run(here, "CREATE ALIAS DURING FOR '" + SchemaSafetyTest.class.getName() + ".during'");
        check(there, "SELECT COUNT(*) FROM T", "2");
        SqlSession holder = fixture.session();
        holder.setAutoCommit(false);
        run(holder, "INSERT INTO U VALUES (7, 7)");
        CountDownLatch reached = new CountDownLatch(1);
        CountDownLatch goOn = new CountDownLatch(1);
        DURING.set(() -> {
            DURING.set(null);
            reached.countDown();
            try {
                goOn.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        AtomicReference<SQLException> failure = new AtomicReference<>();
        Thread definer = inBackground("ALTER TABLE T ADD COLUMN W INT DEFAULT DURING()", failure);
        reached.await();
        try {
            run(there, "SET LOCK_TIMEOUT 1");
            assertEquals("HYT00", fails(there, "INSERT INTO T VALUES (3, 3)").getSQLState());
            check(there, "SELECT COUNT(*) FROM T", "2");
            run(there, "INSERT INTO U VALUES (2, 2)");
            // It holds a lock that the definition may need: it does not wait for it.
            SQLException refused = fails(holder, "INSERT INTO T VALUES (4, 4)");
            assertEquals("40001", refused.getSQLState());
            check(holder, "SELECT COUNT(*) FROM U WHERE ID = 7", "1");
            holder.commit();
        } finally {
            goOn.countDown();
            definer.join();
        }
        assertEquals(null, failure.get());
        run(there, "INSERT INTO T VALUES (3, 3, 3)");
        check(there, "SELECT * FROM T ORDER BY ID", "1,1,0;2,2,0;3,3,3");
        check(there, "SELECT COUNT(*) FROM U", "3");
    }

    @Test
    void theAnnouncementOfADeadProcessHoldsNobodyUp() throws Exception {
        long table = lastTable() - 1;
        Mirror mirror = mirror(here);
        assertTrue(fixture.cluster.everHadPrefix(CatalogKeys.tablePrefix(1, table)));
        Definition dead = new Definition(mirror);
        dead.fence(table);
        assertEquals(1, fixture.cluster.liveKeysWithPrefix(CatalogKeys.announcement(1)));
        run(there, "INSERT INTO T VALUES (3, 3)");
        assertEquals(0, fixture.cluster.liveKeysWithPrefix(CatalogKeys.announcement(1)));
        new Definition(mirror).fence(table);
        run(here, "CREATE INDEX ON T(V)");
        check(there, "SELECT ID FROM T WHERE V = 3", "3");
        assertEquals(0, fixture.cluster.liveKeysWithPrefix(CatalogKeys.announcement(1)));
    }

    @Test
    void aDefinitionThatWasTakenForDeadDoesNotCommitAndIsRunAgain() throws Exception {
        run(here, "CREATE ALIAS DURING FOR '" + SchemaSafetyTest.class.getName() + ".during'");
        AtomicInteger calls = new AtomicInteger();
        var keySpace = fixture.cluster.process();
        DURING.set(() -> {
            if (calls.incrementAndGet() == 1) {
                KeyTransaction other =
                        keySpace.begin(new TransactionMode(TransactionMode.Isolation.READ_COMMITTED, false, 1000));
                other.delete(CatalogKeys.announcement(1));
                other.commit();
            }
        });
        run(here, "CREATE TABLE X(ID INT PRIMARY KEY) AS SELECT DURING()");
        assertEquals(2, calls.get());
        check(there, "SELECT * FROM X", "0");
    }

    @Test
    void definitionsAmidWritersOfOtherProcessesLoseNothing() throws Exception {
        defineAmid(there, fixture.session(), fixture.session());
    }

    @Test
    void definitionsAmidWritersOfTheirOwnProcessLoseNothing() throws Exception {
        SqlDatabase process = fixture.process();
        here = fixture.session(process);
        defineAmid(fixture.session(process), fixture.session(process), fixture.session(process));
    }

    @Test
    void aDefinitionLetsTheTransactionsOfItsProcessEndThatHoldItsTable() throws Exception {
        SqlDatabase process = fixture.process();
        here = fixture.session(process);
        SqlSession writer = fixture.session(process);
        DefinitionGate gate = mirror(here).gate();
        for (String definition :
                List.of("CREATE INDEX I ON T(V)", "ALTER TABLE T ADD COLUMN W INT DEFAULT 0", "TRUNCATE TABLE T")) {
            run(here, "SET LOCK_TIMEOUT 60000");
            writer.setAutoCommit(false);
            run(writer, "INSERT INTO T(ID, V) VALUES (3, 3)");
            AtomicReference<SQLException> failure = new AtomicReference<>();
            Thread definer = inBackground(definition, failure);
            while (!gate.waitsForTransactions() && definer.isAlive()) {
                Thread.yield();
            }
            run(writer, "UPDATE T SET V = 4 WHERE ID = 3", "INSERT INTO U VALUES (9, 9)", "DELETE FROM U WHERE ID = 9");
            writer.commit();
            definer.join();
            assertEquals(null, failure.get(), definition);
            check(writer, "SELECT COUNT(*) FROM T WHERE V = 4", definition.startsWith("TRUNCATE") ? "0" : "1");
            run(writer, "DELETE FROM T WHERE ID = 3");
            writer.commit();
        }
    }

    @Test
    void aDefinitionWhoseTableStaysInUseGivesUpAndHoldsNobodyUpAfterwards() throws Exception {
        SqlDatabase process = fixture.process();
        here = fixture.session(process);
        SqlSession writer = fixture.session(process);
        writer.setAutoCommit(false);
        run(writer, "INSERT INTO T VALUES (3, 3)");
        run(here, "SET LOCK_TIMEOUT 1");
        assertEquals("HYT00", fails(here, "CREATE INDEX I ON T(V)").getSQLState());
        run(writer, "UPDATE T SET V = 4 WHERE ID = 3");
        check(fixture.session(process), "SELECT COUNT(*) FROM T", "2");
        writer.commit();
        run(here, "CREATE INDEX I ON T(V)");
        check(there, "SELECT ID FROM T WHERE V = 4", "3");
    }

    private static Mirror mirror(SqlSession session) throws SQLException {
        return Mirror.of((org.h2.engine.SessionLocal) ((org.h2.jdbc.JdbcConnection) session.connection()).getSession());
    }

    /** Called from SQL: a definition that no statement's text shows. */
    public static int define(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.executeUpdate(sql);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void readersInTheProcessOfADefinitionNeverSeeItHalfMade(boolean byFunction) throws Exception {
        SqlDatabase process = fixture.process();
        SqlSession definer = fixture.session(process);
        run(definer, "CREATE ALIAS DEFINE FOR '" + SchemaSafetyTest.class.getName() + ".define'");
        SqlSession reader = fixture.session(process);
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger reads = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                while (!done.get()) {
                    check(reader, "SELECT COUNT(*) FROM T WHERE V >= 0", "2");
                    reads.incrementAndGet();
                }
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        thread.start();
        for (int i = 0; i < 8 && failure.get() == null; i++) {
            int before = reads.get();
            for (String definition : List.of(
                    "CREATE INDEX I ON T(V)",
                    "ALTER TABLE T ADD COLUMN C INT DEFAULT 1",
                    "DROP INDEX I",
                    "ALTER TABLE T DROP COLUMN C")) {
                run(definer, byFunction ? "CALL DEFINE('" + definition + "')" : definition);
            }
            while (reads.get() < before + 5 && failure.get() == null) {
                Thread.yield();
            }
        }
        done.set(true);
        thread.join();
        assertEquals(null, failure.get());
    }

    @Test
    void aSnapshotIsRefusedWhatASessionOfItsProcessHasRedefined() throws SQLException {
        SqlDatabase process = fixture.process();
        SqlSession definer = fixture.session(process);
        SqlSession reader = fixture.session(process);
        for (String definition : List.of(
                "ALTER TABLE T ADD COLUMN C INT DEFAULT 1",
                "CREATE INDEX I ON T(V)",
                "CREATE OR REPLACE VIEW W AS SELECT 1 AS ONE")) {
            reader.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            reader.setAutoCommit(false);
            check(reader, "SELECT COUNT(*) FROM T", "2");
            run(definer, definition);
            assertEquals(
                    "40001",
                    fails(reader, "SELECT COUNT(*) FROM T WHERE V >= 0").getSQLState(),
                    definition);
            reader.rollback();
            check(reader, "SELECT COUNT(*) FROM T WHERE V >= 0", "2");
            reader.rollback();
        }
    }

    private void defineAmid(SqlSession... writers) throws Exception {
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger written = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread[] threads = new Thread[writers.length];
        for (int i = 0; i < threads.length; i++) {
            int me = i;
            threads[i] = new Thread(() -> {
                try {
                    run(writers[me], "SET LOCK_TIMEOUT 10000");
                    for (int n = 0; !done.get(); n++) {
                        int id = 1000 + me * 1_000_000 + n;
                        try {
                            writers[me].setAutoCommit(n % 2 == 0);
                            run(writers[me], "INSERT INTO T(ID, V) VALUES (" + id + ", " + id + ")");
                            run(writers[me], "UPDATE T SET V = -V WHERE ID = " + id);
                            writers[me].commit();
                            written.incrementAndGet();
                        } catch (SQLException e) {
                            if (!"40001".equals(e.getSQLState())) {
                                throw e;
                            }
                            writers[me].rollback();
                            writers[me].setAutoCommit(true);
                            run(writers[me], "DELETE FROM T WHERE ID = " + id);
                        }
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            threads[i].start();
        }
        try {
            defineAmid(written, failure);
        } finally {
            done.set(true);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(null, failure.get());
        String rows = Integer.toString(written.get());
        check(here, "SELECT COUNT(*) FROM T WHERE ID >= 1000 AND C7 = 7", rows);
        check(here, "SELECT COUNT(*) FROM T WHERE V < 0", rows);
        check(here, "SELECT COUNT(*) FROM T WHERE V >= 0", "2");
    }

    private void defineAmid(AtomicInteger written, AtomicReference<Throwable> failure) throws SQLException {
        for (int i = 0; i < 8 && failure.get() == null; i++) {
            int before = written.get();
            run(here, "CREATE INDEX I" + i + " ON T(V)", "ALTER TABLE T ADD COLUMN C" + i + " INT DEFAULT " + i);
            while (written.get() < before + 5 && failure.get() == null) {
                Thread.yield();
            }
        }
    }
}
