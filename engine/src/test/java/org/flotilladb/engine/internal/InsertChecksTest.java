package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Optional;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.api.Trigger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** INSERTs whose checks are postponed, where that could be noticed. */
public class InsertChecksTest {
    private final SqlFixture fixture = new SqlFixture();
    private SqlSession here;
    private SqlSession there;

    @BeforeEach
    void open() throws SQLException {
        here = fixture.session();
        there = fixture.session();
        run(here, "CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 10)");
        check(there, "SELECT * FROM t", "1,10");
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    /** Called in statements below. */
    public static int execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.executeUpdate(sql);
        }
    }

    /** Inserts with a handler of its own. */
    public static int insertOrNot(Connection connection, int id) throws SQLException {
        try {
            return execute(connection, "INSERT INTO t VALUES (" + id + ", 0)");
        } catch (SQLException e) {
            return e.getErrorCode();
        }
    }

    private void aliases() throws SQLException {
        run(
                here,
                "CREATE ALIAS run FOR '" + InsertChecksTest.class.getName() + ".execute'",
                "CREATE ALIAS insert_or_not FOR '" + InsertChecksTest.class.getName() + ".insertOrNot'",
                "CREATE TABLE other (id INT PRIMARY KEY, v INT)");
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aRowThatWasNotLookedForIsNotRemovedBeforeItIs(boolean autoCommit) throws SQLException {
        aliases();
        here.setAutoCommit(autoCommit);
        for (String change : new String[] {
            "DELETE FROM t WHERE id = 1", "UPDATE t SET id = 7 WHERE id = 1", "UPDATE t SET v = 7", "TRUNCATE TABLE t"
        }) {
            String sql = "INSERT INTO t VALUES (1, 0), (2, run('" + change + "'))";
            String expected = change.startsWith("TRUNCATE") ? "some" : "23505";
            String state = fails(here, sql).getSQLState();
            assertTrue(expected.equals("some") || expected.equals(state), change + ": " + state);
            here.rollback();
            check(there, "SELECT * FROM t", "1,10");
        }
        here.setAutoCommit(true);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aFunctionLearnsOfADuplicateOfItsOwn(boolean autoCommit) throws SQLException {
        aliases();
        here.setAutoCommit(autoCommit);
        run(here, "INSERT INTO other SELECT x, insert_or_not(x) FROM SYSTEM_RANGE(1, 2)");
        here.commit();
        check(here, "SELECT * FROM other ORDER BY id", "1,23505;2,1");
        check(here, "SELECT * FROM t ORDER BY id", "1,10;2,0");
        here.setAutoCommit(true);
    }

    @Test
    void aDuplicateIsADuplicateWhoeverWasFirst() throws SQLException {
        there.setAutoCommit(false);
        run(there, "INSERT INTO t VALUES (2, 0)");
        run(here, "INSERT INTO t VALUES (2, 1)");
        assertEquals("40001", assertThrows(SQLException.class, there::commit).getSQLState());
        assertEquals("23505", fails(there, "INSERT INTO t VALUES (2, 0)").getSQLState());
        there.rollback();
        there.setAutoCommit(true);
        assertEquals(
                "23505", fails(there, "INSERT INTO t VALUES (3, 0), (2, 0)").getSQLState());
        check(here, "SELECT * FROM t ORDER BY id", "1,10;2,1");
    }

    @Test
    void aRowThatTheTransactionHasDeletedMayComeAgain() throws SQLException {
        here.setAutoCommit(false);
        run(here, "DELETE FROM t WHERE id = 1", "INSERT INTO t VALUES (2, 0), (1, 11)");
        assertEquals(
                "23505", fails(here, "INSERT INTO t VALUES (3, 0), (1, 12)").getSQLState());
        here.commit();
        here.setAutoCommit(true);
        check(there, "SELECT * FROM t ORDER BY id", "1,11;2,0");
    }

    @Test
    void aConflictThatIsNoDuplicateIsTriedAgain() throws SQLException {
        fixture.cluster.failNextCommit(KeySpaceException.Kind.CONFLICT);
        assertEquals(2, run(here, "INSERT INTO t VALUES (2, 0), (3, 0)"));
        check(there, "SELECT COUNT(*) FROM t", "3");
    }

    private Optional<Integer> together(SqlSession session, String sql, int from, int to) throws SQLException {
        return session.executeTogether(sql, h2 -> {
            try (PreparedStatement insert = h2.prepareStatement(sql)) {
                for (int i = from; i < to; i++) {
                    insert.setInt(1, i);
                    insert.executeUpdate();
                }
            }
            return to - from;
        });
    }

    @Test
    void aBatchOutsideOfATransactionIsCommittedAsOneOrNotAtAll() throws SQLException {
        String sql = "INSERT INTO t VALUES (?, 0)";
        long before = fixture.cluster.commits();
        assertEquals(Optional.of(10), together(here, sql, 10, 20));
        assertEquals(before + 1, fixture.cluster.commits());
        assertEquals(Optional.empty(), together(here, sql, 15, 25));
        assertTrue(here.getAutoCommit());
        fixture.cluster.failNextCommit(KeySpaceException.Kind.CONFLICT);
        assertEquals(Optional.empty(), together(here, sql, 30, 40));
        assertEquals(before + 1, fixture.cluster.commits());
        fixture.cluster.failAfterNextCommit(KeySpaceException.Kind.UNKNOWN_OUTCOME);
        SQLException unknown = assertThrows(SQLException.class, () -> together(here, sql, 40, 50));
        assertEquals("08007", unknown.getSQLState());
        assertTrue(here.getAutoCommit());
        check(there, "SELECT COUNT(*) FROM t", "21");
    }

    @Test
    void aBatchThatFailsWithinATransactionUndoesItselfAlone() throws SQLException {
        String sql = "INSERT INTO t VALUES (?, 0)";
        here.setAutoCommit(false);
        run(here, "INSERT INTO t VALUES (5, 5)");
        assertEquals(Optional.empty(), together(here, sql, 3, 8));
        check(here, "SELECT * FROM t ORDER BY id", "1,10;5,5");
        assertEquals(Optional.of(2), together(here, sql, 3, 5));
        here.commit();
        here.setAutoCommit(true);
        check(there, "SELECT id FROM t ORDER BY id", "1;3;4;5");
    }

    @Test
    void whatTheBatchCommittedItselfIsNotRunAgain() throws SQLException {
        aliases();
        // The first item is committed by the function in the second; the third fails.
        String sql = "INSERT INTO t VALUES (?1, CASE ?1 WHEN 3 THEN run('COMMIT') ELSE 0 END)";
        here.setAutoCommit(false);
        assertThrows(
                SQLException.class,
                () -> here.executeTogether(sql, h2 -> {
                    try (PreparedStatement insert = h2.prepareStatement(sql)) {
                        for (int i : new int[] {2, 3, 1, 1}) {
                            insert.setInt(1, i);
                            insert.executeUpdate();
                        }
                    }
                    return 4;
                }));
        here.rollback();
        here.setAutoCommit(true);
    }

    /** Counts how often it is fired. */
    public static final class Counting implements Trigger {
        static int fired;

        @Override
        public void fire(Connection connection, Object[] oldRow, Object[] newRow) {
            fired++;
        }
    }

    @Test
    void aTriggerIsNotFiredTwiceForOneRow() throws SQLException {
        run(here, "CREATE TRIGGER counts BEFORE INSERT ON t FOR EACH ROW CALL '" + Counting.class.getName() + "'");
        Counting.fired = 0;
        assertEquals(Optional.empty(), together(here, "INSERT INTO t VALUES (?, 0)", 10, 20));
        assertEquals(0, Counting.fired);
        assertEquals(
                "23505", fails(here, "INSERT INTO t VALUES (10, 0), (1, 0)").getSQLState());
        assertEquals(2, Counting.fired);
    }

    @Test
    void aShortSequenceGivesEachValueOnceToABatch() throws SQLException {
        run(
                here,
                "CREATE TABLE few (id INT GENERATED BY DEFAULT AS IDENTITY (MAXVALUE 5) PRIMARY KEY, v INT)",
                "CREATE SEQUENCE short MAXVALUE 5");
        assertEquals(Optional.empty(), together(here, "INSERT INTO few (v) VALUES (?)", 0, 3));
        assertEquals(Optional.empty(), together(here, "INSERT INTO t SELECT 100 + NEXT VALUE FOR short, ?", 0, 3));
        assertEquals(5, run(here, "INSERT INTO few (v) SELECT x FROM SYSTEM_RANGE(1, 5)"));
        assertEquals(5, run(here, "INSERT INTO t SELECT 100 + NEXT VALUE FOR short, x FROM SYSTEM_RANGE(1, 5)"));
    }

    @Test
    void otherStatementsThanPlainInsertsAreNotRunTogether() throws SQLException {
        for (String sql : new String[] {
            "UPDATE t SET v = ?", "MERGE INTO t VALUES (?, 0)", "INSERT INTO t VALUES (?, 0) ON CONFLICT DO NOTHING"
        }) {
            assertFalse(together(here, sql, 10, 12).isPresent(), sql);
        }
        check(there, "SELECT * FROM t", "1,10");
    }
}
