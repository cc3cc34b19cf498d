package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.query;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicReference;
import org.flotilladb.engine.SqlSession;
import org.h2.engine.Database;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tables and indexes as ranges of keys: what is found, in which order, and that entries follow their rows. */
class TableTest {
    private final SqlFixture fixture = new SqlFixture();
    private SqlSession session;

    @BeforeEach
    void open() throws SQLException {
        session = fixture.session();
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    /** What the transaction wrote before does show, and constraints are checked with the rows just written. */
    @ParameterizedTest
    @ValueSource(strings = {"CREATE INDEX ON T(V)", "CREATE INDEX ON T(ID)", "ALTER TABLE T ADD PRIMARY KEY (ID)"})
    void aStatementDoesNotSeeTheRowsThatItWrites(String index) throws SQLException {
        SqlSession session = fixture.session();
        run(session, "CREATE TABLE T(ID INT NOT NULL, V INT)", index);
        run(session, "CREATE TABLE S(ID INT, V INT)", "INSERT INTO S VALUES (2, 7), (3, 7), (4, 1)");
        run(session, "CREATE TABLE TREE(ID INT PRIMARY KEY, PARENT INT REFERENCES TREE)");
        for (boolean autoCommit : new boolean[] {true, false}) {
            session.setAutoCommit(autoCommit);
            run(session, "DELETE FROM T", "INSERT INTO T VALUES (1, 1)");
            run(
                    session,
                    "MERGE INTO T USING S ON T.V = S.V WHEN MATCHED THEN UPDATE SET V = 5"
                            + " WHEN NOT MATCHED THEN INSERT VALUES (S.ID, S.V)",
                    "INSERT INTO T VALUES (10, (SELECT COUNT(*) FROM T)), (11, (SELECT COUNT(*) FROM T WHERE ID > 0)),"
                            + " (12, (SELECT MAX(ID) FROM T)), (13, (SELECT COUNT(*) FROM T WHERE ID = 10))");
            check(session, "SELECT * FROM T ORDER BY ID", "1,5;2,7;3,7;10,3;11,3;12,3;13,0");
            run(session, "DELETE FROM TREE", "INSERT INTO TREE VALUES (1, NULL), (2, 1), (3, 2)");
            check(session, "SELECT COUNT(*) FROM TREE", "3");
            run(
                    session,
                    "INSERT INTO T VALUES (20, 0); INSERT INTO T SELECT MAX(ID) + 1, COUNT(*) FROM T;"
                            + " INSERT INTO T VALUES ((SELECT MAX(ID) FROM T) + 1, 0)");
            check(session, "SELECT ID, V FROM T WHERE ID >= 20 ORDER BY ID", "20,0;21,8;22,0");
            run(
                    session,
                    "MERGE INTO T USING (VALUES (12, 30), (12, 31)) X(ID, N) ON T.ID = X.ID WHEN MATCHED THEN DELETE"
                            + " WHEN NOT MATCHED THEN INSERT VALUES (X.N, 0)");
            check(session, "SELECT ID FROM T WHERE ID IN (12, 30, 31)", "31");
            session.commit();
        }
    }

    @Test
    void rowsAndEntriesAreKeysOfTheKeySpaceAndNowhereElse() throws SQLException {
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY, V VARCHAR UNIQUE)");
        long before = fixture.cluster.liveKeys();
        run(session, "INSERT INTO T SELECT X, 'unmistakable ' || X FROM SYSTEM_RANGE(1, 50)");
        assertEquals(100, fixture.cluster.liveKeys() - before);
        assertEquals(50, fixture.cluster.liveKeysHolding("unmistakable ".getBytes(StandardCharsets.UTF_8)));
        Database h2 = ((SessionLocal) ((JdbcConnection) session.connection()).getSession()).getDatabase();
        for (String map : h2.getStore().getMvStore().getMapNames()) {
            assertFalse(map.startsWith("table.") || map.startsWith("index."), map);
        }
        run(session, "DELETE FROM T");
        assertEquals(0, fixture.cluster.liveKeysHolding("unmistakable ".getBytes(StandardCharsets.UTF_8)));
    }

    /** Where the column A is found: in the row's number, an index of its own, with others, descending, or nowhere. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "PRIMARY KEY (A)",
                "UNIQUE (A)",
                "PRIMARY KEY (A, B)",
                "INDEX (A)",
                "INDEX (A DESC)",
                "INDEX (A DESC, B)",
                "INDEX (A NULLS LAST)",
                "INDEX (A DESC NULLS FIRST)",
                "CHECK (B = B)"
            })
    void rangesAreTheSameWhateverTheIndex(String key) throws SQLException {
        boolean index = key.startsWith("INDEX");
        run(session, "CREATE TABLE T(A INT, B INT" + (index ? "" : ", " + key) + ")");
        if (index) {
            run(session, "CREATE " + key.replace("INDEX", "INDEX ON T"));
        }
        run(session, "INSERT INTO T SELECT X * 2, X FROM SYSTEM_RANGE(-5, 5)");
        for (String[] each : new String[][] {
            {"A >= 4", "4;6;8;10"},
            {"A > 4", "6;8;10"},
            {"A < -6", "-10;-8"},
            {"A <= -6", "-10;-8;-6"},
            {"A BETWEEN -1 AND 3", "0;2"},
            {"A BETWEEN 3 AND 1", ""},
            {"A = 3", ""},
            {"A = 4", "4"},
            {"A > 3.5 AND A < 6.5", "4;6"},
            {"A >= 4.0", "4;6;8;10"},
            {"A = 4.5", ""},
            {"A < 1e300", "-10;-8;-6;-4;-2;0;2;4;6;8;10"},
            {"A > -1e300 AND A < -7.999", "-10;-8"},
            {"A > 99999999999999999999", ""},
            {"A < CAST('Infinity' AS DOUBLE) AND A > 7", "8;10"},
            {"A IN (4, -4, 5, 4)", "-4;4"},
            {"A IN (SELECT B FROM T)", "-4;-2;0;2;4"},
            {"A > NULL", ""},
            {"A IS NULL", ""},
            {"A > 9223372036854775807", ""},
            {"A <= 9223372036854775807 AND A > 9", "10"}
        }) {
            check(session, "SELECT A FROM T WHERE " + each[0] + " ORDER BY A", each[1]);
            check(session, "SELECT A FROM T WHERE " + each[0] + " ORDER BY A DESC", reversed(each[1]));
            String first = each[1].isEmpty() ? "null" : each[1].split(";")[0];
            check(session, "SELECT MIN(A) FROM T WHERE " + each[0], first);
        }
        check(session, "SELECT MIN(A), MAX(A), COUNT(*) FROM T", "-10,10,11");
        check(session, "SELECT A FROM T ORDER BY A DESC FETCH FIRST 2 ROWS ONLY", "10;8");
        check(session, "SELECT A FROM T ORDER BY A OFFSET 9 ROWS", "8;10");
    }

    private static String reversed(String rows) {
        String[] all = rows.split(";");
        StringBuilder text = new StringBuilder();
        for (int i = all.length - 1; i >= 0; i--) {
            text.append(text.length() == 0 ? "" : ";").append(all[i]);
        }
        return text.toString();
    }

    @ParameterizedTest
    @CsvSource({
        "A, '1;3;null', '3;1;null'",
        "A DESC, '1;3;null', '3;1;null'",
        "A NULLS LAST, '1;3;null', '3;1;null'",
        "A DESC NULLS FIRST, '1;3;null', '3;1;null'"
    })
    void nullsStandWhereTheyAreAskedFor(String column, String up, String down) throws SQLException {
        run(session, "CREATE TABLE T(A INT)", "CREATE INDEX ON T(" + column + ")");
        run(session, "INSERT INTO T VALUES (3), (NULL), (1)");
        check(session, "SELECT A FROM T ORDER BY A NULLS LAST", up);
        check(session, "SELECT A FROM T ORDER BY A DESC NULLS LAST", down);
        check(session, "SELECT A FROM T ORDER BY A NULLS FIRST", "null;1;3");
        check(session, "SELECT A FROM T ORDER BY A DESC NULLS FIRST", "null;3;1");
        check(session, "SELECT A FROM T WHERE A IS NULL", "null");
        check(session, "SELECT A FROM T WHERE A IS NOT DISTINCT FROM NULL", "null");
        check(session, "SELECT A FROM T WHERE A > 0 ORDER BY A", "1;3");
        check(session, "SELECT MIN(A), MAX(A), COUNT(A) FROM T", "1,3,2");
    }

    @Test
    void uniqueIndexesTakeNullsAsTheyAreToldTo() throws SQLException {
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY, A INT, B INT, UNIQUE (A, B))");
        run(session, "INSERT INTO T VALUES (1, 1, 1), (2, 1, NULL), (3, 1, NULL), (4, NULL, NULL)");
        assertEquals("23505", fails(session, "INSERT INTO T VALUES (5, 1, 1)").getSQLState());
        check(session, "SELECT ID FROM T WHERE A = 1 ORDER BY ID", "1;2;3");
        run(session, "CREATE TABLE U(ID INT PRIMARY KEY, A INT, B INT, UNIQUE NULLS NOT DISTINCT (A, B))");
        run(session, "INSERT INTO U VALUES (1, 1, NULL), (2, NULL, NULL)");
        assertEquals(
                "23505", fails(session, "INSERT INTO U VALUES (3, 1, NULL)").getSQLState());
        assertEquals(
                "23505", fails(session, "INSERT INTO U VALUES (3, NULL, NULL)").getSQLState());
        run(session, "CREATE TABLE W(ID INT PRIMARY KEY, A INT, B INT, UNIQUE NULLS ALL DISTINCT (A, B))");
        run(session, "INSERT INTO W VALUES (1, 1, NULL), (2, NULL, NULL), (3, NULL, NULL)");
        assertEquals(
                "23505", fails(session, "INSERT INTO W VALUES (4, 1, NULL)").getSQLState());
        run(session, "UPDATE W SET B = 7 WHERE ID = 1", "INSERT INTO W VALUES (4, 1, NULL)");
        check(session, "SELECT ID FROM W WHERE A = 1 ORDER BY ID", "1;4");
    }

    @Test
    void duplicatesNameTheKeyAndTheRow() throws SQLException {
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY, A VARCHAR CONSTRAINT UA UNIQUE)");
        run(session, "INSERT INTO T VALUES (1, 'x')");
        String primary = fails(session, "INSERT INTO T VALUES (1, 'y')").getMessage();
        assertTrue(primary.contains("PRIMARY KEY ON PUBLIC.T(ID)") && primary.contains("'x'"), primary);
        String unique = fails(session, "INSERT INTO T VALUES (2, 'x')").getMessage();
        assertTrue(unique.contains("PUBLIC.UA") && unique.contains("'x'"), unique);
    }

    @Test
    void entriesFollowTheirRows() throws SQLException {
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY, A VARCHAR UNIQUE, B INT)", "CREATE INDEX ON T(B DESC, A)");
        run(session, "INSERT INTO T SELECT X, 'a' || X, MOD(X, 3) FROM SYSTEM_RANGE(1, 60)");
        run(session, "UPDATE T SET B = B + 10 WHERE B = 1", "UPDATE T SET A = A || 'z' WHERE ID > 50");
        run(session, "UPDATE T SET ID = ID + 1000 WHERE ID <= 10", "DELETE FROM T WHERE B = 2");
        check(session, "SELECT COUNT(*), SUM(ID) FROM T WHERE B = 11", "20," + (590 + 4000));
        check(session, "SELECT COUNT(*) FROM T WHERE B IN (1, 2)", "0");
        check(session, "SELECT ID FROM T WHERE A = 'a9'", "1009");
        check(session, "SELECT ID FROM T WHERE A = 'a57'", "");
        check(session, "SELECT ID FROM T WHERE A = 'a57z'", "57");
        run(session, "UPDATE T SET ID = 2000 - ID WHERE ID < 1000", "UPDATE T SET A = 'x' || A");
        check(session, "SELECT COUNT(*) FROM T WHERE A LIKE 'xa%'", "40");
        check(session, "SELECT COUNT(*) FROM T WHERE B >= 0", "40");
        run(session, "DELETE FROM T");
        // The row numbers' counter and the like are no rows.
        check(session, "SELECT COUNT(*) FROM T WHERE A >= ''", "0");
    }

    @Test
    void anUpdateTouchesOnlyWhatChanges() throws SQLException {
        run(session, "CREATE TABLE T(A VARCHAR UNIQUE, B INT, C INT)", "CREATE INDEX ON T(B)");
        run(session, "INSERT INTO T VALUES ('x', 1, 1), ('y', 2, 2)");
        String numbers = query(session, "SELECT _ROWID_ FROM T ORDER BY A");
        long before = fixture.cluster.writes();
        run(session, "UPDATE T SET C = C + 1 WHERE A = 'x'");
        assertEquals(1, fixture.cluster.writes() - before);
        run(session, "UPDATE T SET B = 7 WHERE A = 'x'");
        assertEquals(4, fixture.cluster.writes() - before);
        check(session, "SELECT _ROWID_ FROM T ORDER BY A", numbers);
        check(session, "SELECT A FROM T WHERE B = 7", "x");
        check(session, "SELECT A FROM T WHERE B = 1", "");
    }

    @Test
    void aMergeWhoseRowWasDeletedMeanwhileInsertsIt() throws Exception {
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY)", "INSERT INTO T VALUES (1)");
        SqlSession other = fixture.session();
        session.setAutoCommit(false);
        run(session, "DELETE FROM T WHERE ID = 1");
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread thread = new Thread(() -> {
            try {
                other.setAutoCommit(false);
                run(other, "MERGE INTO T VALUES (1)");
                other.commit();
            } catch (Throwable e) {
                failure.set(e);
            }
        });
        thread.start();
        while (fixture.cluster.waiting() == 0 && thread.isAlive()) {
            Thread.yield();
        }
        session.commit();
        thread.join();
        assertEquals(null, failure.get());
        check(session, "SELECT ID FROM T", "1");
    }

    @Test
    void oneStatementMaySwapUniqueValues() throws SQLException {
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY, A INT UNIQUE)", "INSERT INTO T VALUES (1, 1), (2, 2)");
        run(session, "UPDATE T SET A = 3 - A", "UPDATE T SET ID = 3 - ID");
        check(session, "SELECT * FROM T ORDER BY ID", "1,1;2,2");
        run(session, "UPDATE T SET ID = ID + 1, A = A + 1");
        check(session, "SELECT ID FROM T WHERE A = 2", "2");
        check(session, "SELECT A FROM T WHERE ID = 3", "3");
        assertEquals("23505", fails(session, "UPDATE T SET A = 5").getSQLState());
        check(session, "SELECT * FROM T WHERE A > 0 ORDER BY ID", "2,2;3,3");
    }

    @Test
    void mergeAndOnDuplicateKeyFindTheirRows() throws SQLException {
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY, V INT)", "INSERT INTO T VALUES (1, 10)");
        run(session, "MERGE INTO T KEY (ID) VALUES (1, 11), (2, 20)");
        run(
                session,
                "MERGE INTO T USING (VALUES (2, 5), (3, 30)) S(ID, V) ON T.ID = S.ID"
                        + " WHEN MATCHED THEN UPDATE SET V = T.V + S.V WHEN NOT MATCHED THEN INSERT VALUES (S.ID, S.V)");
        check(session, "SELECT * FROM T ORDER BY ID", "1,11;2,25;3,30");
        SqlSession mysql = fixture.session("MODE=MySQL");
        run(mysql, "CREATE TABLE M(ID INT, U VARCHAR(9), V INT, PRIMARY KEY (ID), UNIQUE (U))");
        for (int i = 0; i < 2; i++) {
            run(mysql, "INSERT INTO M VALUES (1, 'a', 1), (2, 'b', 1) ON DUPLICATE KEY UPDATE V = V + VALUES(V)");
        }
        run(mysql, "INSERT INTO M VALUES (3, 'a', 5) ON DUPLICATE KEY UPDATE V = V + VALUES(V)");
        check(mysql, "SELECT ID, V FROM M ORDER BY ID", "1,7;2,2");
        run(mysql, "INSERT IGNORE INTO M VALUES (1, 'z', 0), (4, 'd', 4)");
        check(mysql, "SELECT ID, V FROM M ORDER BY ID", "1,7;2,2;4,4");
    }

    @Test
    void truncateEmptiesTheTableAndItsIndexes() throws SQLException {
        run(session, "CREATE TABLE T(ID INT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, V INT)", "CREATE INDEX ON T(V)");
        run(session, "INSERT INTO T(V) VALUES (1), (2)");
        long before = fixture.cluster.liveKeys();
        assertEquals(2, run(session, "TRUNCATE TABLE T"));
        check(session, "SELECT COUNT(*) FROM T WHERE V > 0", "0");
        assertEquals(4, before - fixture.cluster.liveKeys());
        run(session, "INSERT INTO T(V) VALUES (3)");
        check(session, "SELECT * FROM T", "3,3");
        run(session, "TRUNCATE TABLE T RESTART IDENTITY", "INSERT INTO T(V) VALUES (4)");
        check(session, "SELECT * FROM T", "1,4");
    }

    @Test
    void rowsWithoutAPrimaryKeyKeepTheirNumbers() throws SQLException {
        run(session, "CREATE TABLE T(A VARCHAR)", "INSERT INTO T VALUES ('x'), ('x'), ('y')");
        check(session, "SELECT COUNT(DISTINCT _ROWID_) FROM T", "3");
        String number = query(session, "SELECT _ROWID_ FROM T WHERE A = 'y'");
        check(session, "SELECT A FROM T WHERE _ROWID_ = " + number, "y");
        run(session, "DELETE FROM T WHERE _ROWID_ = " + number);
        check(session, "SELECT A FROM T", "x;x");
        run(fixture.session(), "INSERT INTO T VALUES ('z')");
        check(session, "SELECT COUNT(DISTINCT _ROWID_) FROM T", "3");
    }

    @Test
    void aPrimaryKeyMayComeAndGo() throws SQLException {
        run(session, "CREATE TABLE T(A INT NOT NULL, B INT)", "INSERT INTO T VALUES (7, 1), (5, 2)");
        run(session, "ALTER TABLE T ADD PRIMARY KEY (A)");
        assertEquals("23505", fails(session, "INSERT INTO T VALUES (5, 9)").getSQLState());
        run(session, "ALTER TABLE T DROP PRIMARY KEY", "INSERT INTO T VALUES (5, 9)");
        check(fixture.session(), "SELECT * FROM T ORDER BY A, B", "5,2;5,9;7,1");
        run(session, "CREATE TABLE U(A INT PRIMARY KEY, B INT)", "INSERT INTO U VALUES (1, 1), (3, 3)");
        run(session, "ALTER TABLE U DROP PRIMARY KEY", "INSERT INTO U VALUES (1, 2), (2, 2), (3, 2), (4, 2)");
        check(session, "SELECT COUNT(*) FROM U", "6");
        SqlSession there = fixture.session();
        run(there, "INSERT INTO U VALUES (9, 9)");
        check(there, "SELECT COUNT(*), COUNT(DISTINCT _ROWID_) FROM U", "7,7");
    }

    @Test
    void largeObjectsAreKeptUpToALimitAndRefusedAboveIt() throws SQLException {
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY, C CLOB, B BLOB)");
        run(session, "INSERT INTO T VALUES (1, 'small', X'0102'), (2, REPEAT('ä', 1000000), NULL), (3, '', X'')");
        run(session, "INSERT INTO T VALUES (4, NULL, SECURE_RAND(3000000))");
        SqlSession there = fixture.session();
        check(there, "SELECT ID, LENGTH(C), LENGTH(B) FROM T ORDER BY ID", "1,5,2;2,1000000,null;3,0,0;4,null,3000000");
        check(there, "SELECT C FROM T WHERE ID = 1", "small");
        run(there, "UPDATE T SET C = C || '!' WHERE ID = 2");
        check(session, "SELECT RIGHT(C, 2), LENGTH(C) FROM T WHERE ID = 2", "ä!,1000001");
        String message = fails(session, "INSERT INTO T VALUES (5, NULL, SECURE_RAND(13000000))")
                .getMessage();
        assertTrue(message.contains("limit"), message);
        assertTrue(
                fails(session, "INSERT INTO T VALUES (5, SPACE(13000000), NULL)")
                        .getMessage()
                        .contains("limit"),
                message);
        check(session, "SELECT MAX(ID) FROM T", "4");
        assertTrue(fails(session, "CREATE INDEX ON T(C)").getMessage().contains("Index on column"));
    }

    @Test
    void whatIsNotSupportedSaysSo() throws SQLException {
        run(session, "CREATE TABLE T(G GEOMETRY)");
        SQLException e = fails(session, "CREATE SPATIAL INDEX ON T(G)");
        assertEquals(50100, e.getErrorCode());
        assertTrue(e.getMessage().contains("SPATIAL INDEX"), e.getMessage());
    }

    @Test
    void estimatesOfRowsFollowWhatIsUndone() throws SQLException {
        String estimate = "SELECT ROW_COUNT_ESTIMATE FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'T'";
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY)", "INSERT INTO T VALUES (1), (2)");
        check(session, estimate, "2");
        fails(session, "INSERT INTO T VALUES (3), (4), (1)");
        check(session, estimate, "2");
        session.setAutoCommit(false);
        run(session, "INSERT INTO T VALUES (3)", "DELETE FROM T WHERE ID = 1", "INSERT INTO T VALUES (4), (5)");
        fails(session, "INSERT INTO T VALUES (6), (2)");
        check(session, "SELECT COUNT(*) FROM T", "4");
        check(session, estimate, "4");
        session.rollback();
        check(session, estimate, "2");
    }

    @Test
    void theFunctionsNeedNoPathAndAreNotOnIt() throws SQLException {
        check(session, "SELECT CURRENT_PATH", "");
        run(session, "CREATE TABLE T(ID INT PRIMARY KEY)", "call flotilla_split('T', 5)");
        check(session, "SELECT COUNT(*) FROM Flotilla_Regions('T')", "2");
        check(session, "SELECT CURRENT_PATH", "");
        run(session, "CREATE SCHEMA S", "SET SCHEMA_SEARCH_PATH S");
        check(session, "SELECT CURRENT_PATH", "\"S\"");
        assertFalse(query(session, "SELECT COUNT(*) FROM FLOTILLA.FLOTILLA_STATUS()")
                .equals("0"));
    }
}
