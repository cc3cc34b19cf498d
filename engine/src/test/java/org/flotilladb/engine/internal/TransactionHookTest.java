package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.query;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.keyspace.KeySpaceException.Kind;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What our transactions rely on in H2: how it ends transactions, undoes statements and goes back to savepoints. */
public class TransactionHookTest {
    private SqlFixture fixture;
    private SqlSession session;
    private SqlSession other;

    @BeforeEach
    void open() throws SQLException {
        fixture = new SqlFixture();
        var database = fixture.process();
        session = fixture.session(database);
        other = fixture.session(database);
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY, V VARCHAR(20) UNIQUE)");
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void rowsAreInsertedReadUpdatedAndDeleted() throws SQLException {
        assertEquals(2, run(session, "INSERT INTO T VALUES (1, 'a'), (2, 'b')"));
        check(other, "SELECT * FROM T ORDER BY ID", "1,a;2,b");
        assertEquals(1, run(session, "UPDATE T SET V = 'c' WHERE ID = 2"));
        check(other, "SELECT ID FROM T WHERE V = 'c'", "2");
        check(other, "SELECT ID FROM T WHERE V = 'b'", "");
        assertEquals(1, run(session, "DELETE FROM T WHERE ID = 1"));
        check(other, "SELECT COUNT(*), MIN(ID), MAX(V) FROM T", "1,2,c");
    }

    @Test
    void commitShowsAndRollbackHides() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        check(other, "SELECT * FROM T", "");
        check(session, "SELECT * FROM T", "1,a");
        session.commit();
        check(other, "SELECT * FROM T", "1,a");
        run(session, "UPDATE T SET V = 'x'", "INSERT INTO T VALUES (2, 'b')");
        session.rollback();
        check(session, "SELECT * FROM T", "1,a");
        check(other, "SELECT * FROM T", "1,a");
    }

    @Test
    void aFailedStatementLeavesTheTransactionAsItWasBefore() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        assertEquals(
                "23505",
                fails(session, "INSERT INTO T VALUES (2, 'b'), (3, 'c'), (1, 'd')")
                        .getSQLState());
        assertEquals(
                "23505",
                fails(session, "INSERT INTO T VALUES (4, 'e'), (5, 'a')").getSQLState());
        check(session, "SELECT * FROM T", "1,a");
        check(session, "SELECT ID FROM T WHERE V IN ('b', 'c', 'd', 'e')", "");
        run(session, "INSERT INTO T VALUES (2, 'b')");
        session.commit();
        check(other, "SELECT * FROM T ORDER BY ID", "1,a;2,b");
    }

    @Test
    void aFailedStatementIsUndoneUnderAutocommit() throws SQLException {
        assertEquals(
                "23505",
                fails(session, "INSERT INTO T VALUES (1, 'a'), (2, 'a')").getSQLState());
        check(session, "SELECT * FROM T", "");
        check(other, "SELECT * FROM T", "");
    }

    @Test
    void savepointsNestAndRelease() throws SQLException {
        session.setAutoCommit(false);
        Connection h2 = session.connection();
        run(session, "INSERT INTO T VALUES (1, 'a')");
        Savepoint first = h2.setSavepoint();
        run(session, "INSERT INTO T VALUES (2, 'b')");
        Savepoint second = h2.setSavepoint("SECOND");
        run(session, "INSERT INTO T VALUES (3, 'c')", "DELETE FROM T WHERE ID = 1");
        check(session, "SELECT ID FROM T ORDER BY ID", "2;3");
        h2.rollback(second);
        check(session, "SELECT ID FROM T ORDER BY ID", "1;2");
        run(session, "INSERT INTO T VALUES (4, 'd')");
        h2.rollback(first);
        run(session, "INSERT INTO T VALUES (5, 'e')");
        check(session, "SELECT ID FROM T ORDER BY ID", "1;5");
        session.commit();
        check(other, "SELECT ID FROM T ORDER BY ID", "1;5");
    }

    @Test
    void rollbackToASavepointBeforeTheFirstWriteUndoesAll() throws SQLException {
        session.setAutoCommit(false);
        run(session, "SAVEPOINT A", "INSERT INTO T VALUES (1, 'a')", "ROLLBACK TO SAVEPOINT A");
        check(session, "SELECT * FROM T", "");
        session.commit();
        check(other, "SELECT * FROM T", "");
    }

    @Test
    void savepointThenCommitWithoutFurtherAccessKeepsTheRollback() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')", "SAVEPOINT A", "INSERT INTO T VALUES (2, 'b')");
        run(session, "ROLLBACK TO SAVEPOINT A", "COMMIT");
        check(other, "SELECT * FROM T", "1,a");
    }

    @Test
    void severalStatementsInOneStringCommitAsTheyShould() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a'); COMMIT; INSERT INTO T VALUES (2, 'b'); ROLLBACK");
        check(other, "SELECT ID FROM T", "1");
        run(session, "INSERT INTO T VALUES (3, 'c'); ROLLBACK; INSERT INTO T VALUES (4, 'd'); COMMIT");
        check(other, "SELECT ID FROM T ORDER BY ID", "1;4");
    }

    @Test
    void executeImmediateCommits() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')", "EXECUTE IMMEDIATE 'COMMIT'", "INSERT INTO T VALUES (2, 'b')");
        session.rollback();
        check(other, "SELECT ID FROM T", "1");
    }

    /** Called from SQL. */
    public static int insertAndCommit(Connection connection, int id) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO T VALUES (" + id + ", 'f" + id + "')");
        }
        connection.commit();
        return id;
    }

    @Test
    void aFunctionMayCommit() throws SQLException {
        run(
                session,
                "CREATE ALIAS INSERT_AND_COMMIT FOR '" + TransactionHookTest.class.getName() + ".insertAndCommit'");
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        query(session, "CALL INSERT_AND_COMMIT(7)");
        run(session, "INSERT INTO T VALUES (2, 'b')");
        session.rollback();
        check(other, "SELECT ID FROM T ORDER BY ID", "1;7");
    }

    /** A trigger that writes a second row. */
    public static final class Copy implements org.h2.api.Trigger {
        @Override
        public void fire(Connection connection, Object[] oldRow, Object[] newRow) throws SQLException {
            try (PreparedStatement insert = connection.prepareStatement("INSERT INTO LOG VALUES (?)")) {
                insert.setObject(1, newRow[0]);
                insert.execute();
            }
            if (newRow[1].equals("bad")) {
                throw new SQLException("refused by the trigger");
            }
        }
    }

    @Test
    void aTriggersWritesShareTheStatementsFate() throws SQLException {
        run(
                session,
                "CREATE TABLE LOG(ID INT)",
                "CREATE TRIGGER COPY AFTER INSERT ON T FOR EACH ROW CALL '" + Copy.class.getName() + "'");
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        fails(session, "INSERT INTO T VALUES (2, 'b'), (3, 'bad')");
        check(session, "SELECT * FROM LOG", "1");
        session.commit();
        check(other, "SELECT * FROM LOG", "1");
        check(other, "SELECT ID FROM T", "1");
    }

    @Test
    void batchesKeepWhatSucceeded() throws SQLException {
        session.setAutoCommit(false);
        session.execute("INSERT INTO T VALUES (?, ?)", h2 -> {
            try (PreparedStatement insert = h2.prepareStatement("INSERT INTO T VALUES (?, ?)")) {
                for (int i = 0; i < 100; i++) {
                    insert.setInt(1, i % 60);
                    insert.setString(2, "v" + i);
                    insert.addBatch();
                }
                assertThrows(SQLException.class, insert::executeBatch);
            }
            return null;
        });
        session.commit();
        check(other, "SELECT COUNT(*), MAX(ID) FROM T", "60,59");
        check(other, "SELECT COUNT(*) FROM T WHERE V >= ''", "60");
    }

    @Test
    void dataDefinitionCommitsWhatWasOpen() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')", "CREATE TABLE U(A INT)", "INSERT INTO T VALUES (2, 'b')");
        session.rollback();
        check(other, "SELECT ID FROM T", "1");
        check(other, "SELECT * FROM U", "");
    }

    @Test
    void closingASessionRollsBack() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        session.close();
        check(other, "SELECT * FROM T", "");
    }

    @Test
    void turningAutocommitOnCommits() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        session.setAutoCommit(true);
        check(other, "SELECT ID FROM T", "1");
    }

    @Test
    void aConflictAtCommitIsReportedAndTheSessionGoesOn() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        Connection h2 = session.connection();
        Savepoint savepoint = h2.setSavepoint();
        fixture.cluster.failNextCommit(Kind.CONFLICT);
        SQLException e = assertThrows(SQLException.class, session::commit);
        assertEquals("40001", e.getSQLState());
        assertThrows(SQLException.class, () -> h2.rollback(savepoint));
        check(session, "SELECT * FROM T", "");
        run(session, "INSERT INTO T VALUES (2, 'b')");
        session.commit();
        check(other, "SELECT ID FROM T", "2");
    }

    @Test
    void aSingleStatementIsRunAgainAfterAConflict() throws SQLException {
        fixture.cluster.failNextCommit(Kind.CONFLICT);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        check(other, "SELECT ID FROM T", "1");
    }

    @Test
    void anUnknownOutcomeIsReportedAndNothingIsRunAgain() throws SQLException {
        fixture.cluster.failAfterNextCommit(Kind.UNKNOWN_OUTCOME);
        assertEquals("08007", fails(session, "INSERT INTO T VALUES (1, 'a')").getSQLState());
        check(other, "SELECT ID FROM T", "1");
        check(session, "SELECT ID FROM T", "1");
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (2, 'b')");
        fixture.cluster.failAfterNextCommit(Kind.UNKNOWN_OUTCOME);
        assertEquals("08007", assertThrows(SQLException.class, session::commit).getSQLState());
    }

    @Test
    void everyKindOfFailureHasItsState() throws SQLException {
        for (Kind kind : Kind.values()) {
            if (kind == Kind.CONFLICT || kind == Kind.STALE_SCHEMA) {
                continue;
            }
            fixture.cluster.failNextCommit(kind);
            SQLException e = fails(session, "INSERT INTO T VALUES (1, 'a')");
            String expected = switch (kind) {
                case LOCK_TIMEOUT -> "HYT00";
                case UNAVAILABLE -> "08006";
                case UNKNOWN_OUTCOME -> "08007";
                case TOO_LARGE -> "54000";
                case FULL -> "53100";
                case CLOSED -> "08003";
                case REFUSED -> "55000";
                default -> "HY000";
            };
            assertEquals(expected, e.getSQLState(), kind.name());
            assertTrue(e.getMessage().contains("planned by the test"), e.getMessage());
        }
        check(session, "SELECT * FROM T", "");
    }

    @Test
    void aQueryThatChangesDataIsUndoneAsAWhole() throws SQLException {
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (1, 'a')");
        assertThrows(
                SQLException.class,
                () -> query(session, "SELECT ID FROM FINAL TABLE (INSERT INTO T VALUES (2, 'b'), (1, 'c'))"));
        check(session, "SELECT ID FROM T", "1");
        check(session, "SELECT ID FROM FINAL TABLE (INSERT INTO T VALUES (3, 'c'))", "3");
        session.commit();
        check(other, "SELECT ID FROM T ORDER BY ID", "1;3");
    }

    @Test
    void writersOfOneRowWaitForEachOtherInTransactions() throws Exception {
        run(session, "INSERT INTO T VALUES (1, 'a')");
        session.setAutoCommit(false);
        other.setAutoCommit(false);
        run(session, "UPDATE T SET V = V || 'x' WHERE ID = 1");
        Thread writer = new Thread(() -> {
            try {
                run(other, "UPDATE T SET V = V || 'y' WHERE ID = 1");
                other.commit();
            } catch (SQLException e) {
                throw new IllegalStateException(e);
            }
        });
        writer.start();
        session.commit();
        writer.join();
        check(session, "SELECT V FROM T", "axy");
    }

    @Test
    void selectForUpdateKeepsOthersOut() throws SQLException {
        run(session, "INSERT INTO T VALUES (1, 'a'), (2, 'b')");
        session.setAutoCommit(false);
        other.setAutoCommit(false);
        query(session, "SELECT * FROM T WHERE ID = 1 FOR UPDATE");
        run(other, "SET LOCK_TIMEOUT 1");
        assertEquals("HYT00", fails(other, "UPDATE T SET V = 'z' WHERE ID = 1").getSQLState());
        check(other, "SELECT ID FROM T FOR UPDATE SKIP LOCKED", "2");
        assertThrows(SQLException.class, () -> query(other, "SELECT ID FROM T WHERE ID = 1 FOR UPDATE NOWAIT"));
        session.rollback();
        check(other, "SELECT ID FROM T WHERE ID = 1 FOR UPDATE NOWAIT", "1");
    }

    @Test
    void snapshotIsolationReadsOneTimeAndRefusesLostUpdates() throws SQLException {
        run(session, "INSERT INTO T VALUES (1, 'a')");
        session.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        session.setAutoCommit(false);
        check(session, "SELECT V FROM T", "a");
        run(other, "UPDATE T SET V = 'b'");
        check(session, "SELECT V FROM T", "a");
        assertEquals("40001", fails(session, "UPDATE T SET V = 'c'").getSQLState());
        session.rollback();
        check(session, "SELECT V FROM T", "b");
    }
}
