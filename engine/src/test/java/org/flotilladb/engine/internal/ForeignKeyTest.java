package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.query;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.flotilladb.engine.SqlSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Foreign keys when parents and children are written by different transactions at once. */
class ForeignKeyTest {
    private static final long SEED = Long.getLong("flotilla.seed", 20261124L);

    private final SqlFixture fixture = new SqlFixture();
    private SqlSession here;
    private SqlSession there;

    @BeforeEach
    void open() throws SQLException {
        here = fixture.session();
        there = fixture.session();
        run(
                here,
                "CREATE TABLE P(ID INT PRIMARY KEY, A INT, B VARCHAR, UNIQUE (A, B))",
                "CREATE TABLE C(ID INT PRIMARY KEY, P INT REFERENCES P(ID), A INT, B VARCHAR,"
                        + " FOREIGN KEY (A, B) REFERENCES P(A, B))",
                "INSERT INTO P VALUES (1, 1, 'a'), (2, 2, 'b')");
        query(there, "SELECT * FROM C");
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    /** Of a parent's loss and a child's coming that do not see one another, the later fails. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "DELETE FROM P WHERE ID = 1 | INSERT INTO C(ID, P) VALUES (1, 1)",
                "DELETE FROM P WHERE ID = 1 | INSERT INTO C(ID, A, B) VALUES (1, 1, 'a')",
                "UPDATE P SET ID = 9 WHERE ID = 1 | INSERT INTO C(ID, P) VALUES (1, 1)",
                "UPDATE P SET B = 'x' WHERE ID = 1 | INSERT INTO C(ID, A, B) VALUES (1, 1, 'a')",
                "DELETE FROM P WHERE ID = 1 | UPDATE C SET P = 1 WHERE ID = 100",
                "DELETE FROM P WHERE ID = 1 | MERGE INTO C(ID, P) VALUES (7, 1)"
            })
    void aChildComesWhileItsParentGoes(String parent, String child) throws SQLException {
        run(here, "INSERT INTO C(ID, P) VALUES (100, 2)");
        for (int level : new int[] {Connection.TRANSACTION_READ_COMMITTED, Connection.TRANSACTION_REPEATABLE_READ}) {
            here.setTransactionIsolation(level);
            there.setTransactionIsolation(level);
            meet(here, parent, there, child);
            meet(there, child, here, parent);
        }
    }

    private void meet(SqlSession first, String one, SqlSession second, String other) throws SQLException {
        first.setAutoCommit(false);
        second.setAutoCommit(false);
        run(first, one);
        run(second, other);
        first.commit();
        SQLException e = org.junit.jupiter.api.Assertions.assertThrows(SQLException.class, second::commit);
        assertEquals("40001", e.getSQLState());
        first.setAutoCommit(true);
        second.setAutoCommit(true);
        checkNoOrphans();
        run(here, "DELETE FROM C", "DELETE FROM P", "INSERT INTO P VALUES (1, 1, 'a'), (2, 2, 'b')");
        run(here, "INSERT INTO C(ID, P) VALUES (100, 2)");
    }

    private void checkNoOrphans() throws SQLException {
        check(here, "SELECT COUNT(*) FROM C WHERE P IS NOT NULL AND P NOT IN (SELECT ID FROM P)", "0");
        check(
                here,
                "SELECT COUNT(*) FROM C WHERE A IS NOT NULL AND B IS NOT NULL"
                        + " AND NOT EXISTS (SELECT 1 FROM P WHERE P.A = C.A AND P.B = C.B)",
                "0");
    }

    @Test
    void childrenOfOneParentDoNotDisturbOneAnother() throws SQLException {
        here.setAutoCommit(false);
        there.setAutoCommit(false);
        run(here, "INSERT INTO C(ID, P) VALUES (1, 1)");
        run(there, "INSERT INTO C(ID, P) VALUES (2, 1)");
        here.commit();
        there.commit();
        check(here, "SELECT COUNT(*) FROM C", "2");
    }

    @Test
    void changesOfAParentThatKeepItsKeyDoNotDisturbChildren() throws SQLException {
        run(here, "CREATE TABLE Q(ID INT PRIMARY KEY, V INT)", "INSERT INTO Q VALUES (1, 1)");
        run(here, "CREATE TABLE D(ID INT PRIMARY KEY, Q INT REFERENCES Q(ID))");
        query(there, "SELECT * FROM D");
        here.setAutoCommit(false);
        there.setAutoCommit(false);
        run(here, "UPDATE Q SET V = 2");
        run(there, "INSERT INTO D VALUES (1, 1)");
        here.commit();
        there.commit();
        check(here, "SELECT V, D.ID FROM Q JOIN D ON D.Q = Q.ID", "2,1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "ON DELETE CASCADE", "ON DELETE SET NULL"})
    void manyProcessesLeaveNoOrphans(String action) throws Exception {
        System.out.println("seed " + SEED);
        run(
                here,
                "CREATE TABLE Q(ID INT PRIMARY KEY)",
                "CREATE TABLE D(ID INT PRIMARY KEY, Q INT, FOREIGN KEY (Q) REFERENCES Q(ID) " + action + ")");
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            SqlSession session = fixture.session();
            Random random = new Random(SEED + i);
            int me = i;
            threads[i] = new Thread(() -> {
                try {
                    for (int n = 0; n < 150; n++) {
                        change(session, random, me * 1000 + n);
                    }
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertEquals(null, failure.get());
        check(here, "SELECT COUNT(*) FROM D WHERE Q IS NOT NULL AND Q NOT IN (SELECT ID FROM Q)", "0");
        // Indexes agree with the rows.
        check(
                here,
                "SELECT COUNT(*) FROM D",
                query(
                        here,
                        "SELECT COUNT(*) FROM (SELECT ID FROM D WHERE Q >= 0 UNION ALL SELECT ID FROM D WHERE Q IS NULL)"));
    }

    private static void change(SqlSession session, Random random, int id) throws SQLException {
        int parent = random.nextInt(4);
        String sql = switch (random.nextInt(4)) {
            case 0 -> "DELETE FROM Q WHERE ID = " + parent;
            case 1 -> "MERGE INTO Q VALUES (" + parent + ")";
            default -> "INSERT INTO D VALUES (" + id + ", " + parent + ")";
        };
        session.setAutoCommit(random.nextBoolean());
        try {
            run(session, sql);
            session.commit();
        } catch (SQLException e) {
            session.rollback();
            if (!e.getSQLState().startsWith("23") && !e.getSQLState().equals("40001")) {
                throw e;
            }
        }
    }

    @Test
    void withoutConstraintsNothingIsChecked() throws SQLException {
        run(here, "SET REFERENTIAL_INTEGRITY FALSE", "DELETE FROM P WHERE ID = 1");
        run(here, "SET REFERENTIAL_INTEGRITY TRUE");
        assertEquals("23506", fails(there, "INSERT INTO C(ID, P) VALUES (1, 1)").getSQLState());
    }
}
