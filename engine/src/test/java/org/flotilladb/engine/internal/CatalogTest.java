package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.map;
import static org.flotilladb.engine.internal.SqlFixture.query;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The catalog in the key space, and its mirrors in several processes. */
public class CatalogTest {
    private final SqlFixture fixture = new SqlFixture();

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void aTableMadeInOneProcessIsThereInAnother() throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(here, "CREATE TABLE T(ID INT PRIMARY KEY, V VARCHAR)", "INSERT INTO T VALUES (1, 'a')");
        check(there, "SELECT * FROM T", "1,a");
        run(there, "ALTER TABLE T ADD COLUMN W INT DEFAULT 7", "CREATE INDEX ON T(V)");
        check(here, "SELECT * FROM T WHERE V = 'a'", "1,a,7");
        run(here, "DROP TABLE T");
        assertEquals(42104, fails(there, "SELECT * FROM T").getErrorCode());
    }

    /** H2 does not find them again when it opens a database, and a mirror is opened often. */
    @ParameterizedTest
    @ValueSource(strings = {"CREATE MATERIALIZED VIEW", "CREATE OR REPLACE MATERIALIZED VIEW"})
    void aMaterializedViewIsRefused(String create) throws SQLException {
        SqlSession here = fixture.session();
        run(here, "CREATE TABLE T(V INT)", "INSERT INTO T VALUES (1)");
        SQLException refused = fails(here, create + " V AS SELECT COUNT(*) AS C FROM T");
        assertEquals("HYC00", refused.getSQLState());
        assertTrue(refused.getMessage().contains("MATERIALIZED VIEW"), refused.getMessage());
        assertEquals(42102, fails(here, "SELECT * FROM V").getErrorCode());
        run(here, "CREATE VIEW V AS SELECT COUNT(*) AS C FROM T");
        check(fixture.session(), "SELECT * FROM V", "1");
    }

    /** Rows without a whole number as their key have numbers of the table's own, which must not come twice. */
    @Test
    void anAlteredTableGoesOnCountingItsRows() throws SQLException {
        SqlSession here = fixture.session();
        run(
                here,
                "CREATE TABLE T(V VARCHAR, W INT)",
                "INSERT INTO T SELECT 'v' || X, X FROM SYSTEM_RANGE(1, 200)",
                "ALTER TABLE T DROP COLUMN W");
        SqlSession there = fixture.session();
        there.setAutoCommit(false);
        run(there, "INSERT INTO T VALUES ('new')");
        check(there, "SELECT COUNT(*), COUNT(DISTINCT _ROWID_) FROM T", "201,201");
        there.commit();
        run(here, "INSERT INTO T VALUES ('here')");
        check(there, "SELECT COUNT(*) FROM T WHERE V IN ('new', 'here', 'v1', 'v200')", "4");
    }

    @Test
    void anOpenTransactionSeesANewTableAtItsNext() throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(here, "CREATE TABLE T(ID INT PRIMARY KEY)");
        there.setAutoCommit(false);
        run(there, "INSERT INTO T VALUES (1)");
        run(here, "CREATE TABLE U(ID INT PRIMARY KEY)");
        there.commit();
        check(there, "SELECT * FROM U", "");
        there.commit();
        check(here, "SELECT * FROM T", "1");
    }

    @Test
    void sessionsOfTheSameProcessSeeEachOthersDefinitions() throws SQLException {
        SqlDatabase database = fixture.process();
        SqlSession one = fixture.session(database);
        SqlSession two = fixture.session(database);
        run(one, "CREATE TABLE T(ID INT PRIMARY KEY)");
        check(two, "SELECT * FROM T", "");
        run(two, "CREATE TABLE U(ID INT)", "DROP TABLE T");
        check(one, "SELECT * FROM U", "");
        assertEquals(42102, fails(one, "SELECT * FROM T").getErrorCode());
    }

    @Test
    void aSessionStaysWhereItIsAfterItsOwnDefinitions() throws SQLException {
        SqlSession session = fixture.session();
        run(session, "CREATE SEQUENCE S", "CREATE TABLE T(ID INT GENERATED ALWAYS AS IDENTITY, V INT)");
        var before = session.connection();
        for (String sql : new String[] {
            "CREATE TABLE U(ID INT PRIMARY KEY)",
            "ALTER TABLE U ADD COLUMN V INT",
            "CREATE INDEX I ON U(V)",
            "DROP INDEX I",
            "ALTER SEQUENCE S RESTART WITH 7",
            "TRUNCATE TABLE T RESTART IDENTITY",
            "CREATE VIEW W AS SELECT * FROM U",
            "DROP TABLE U CASCADE",
            "CREATE USER GUEST PASSWORD 'x'",
            "CREATE TABLE X AS SELECT X FROM SYSTEM_RANGE(1, 10)"
        }) {
            run(session, sql);
            query(session, "SELECT COUNT(*) FROM T");
            assertSame(before, session.connection(), sql);
        }
    }

    @Test
    void aFailedDefinitionLeavesTheCatalogAsItWas() throws SQLException {
        SqlSession session = fixture.session();
        run(session, "CREATE TABLE T(A INT NOT NULL, B INT)");
        assertEquals(
                90023,
                fails(session, "ALTER TABLE T ADD (CONSTRAINT PK_B PRIMARY KEY (B))")
                        .getErrorCode());
        run(session, "ALTER TABLE T ADD (CONSTRAINT PK_A PRIMARY KEY (A))", "INSERT INTO T VALUES (1, 2), (2, 2)");
        assertEquals("23505", fails(session, "CREATE UNIQUE INDEX ON T(B)").getSQLState());
        check(session, "SELECT * FROM T ORDER BY A", "1,2;2,2");
        check(fixture.session(), "SELECT * FROM T ORDER BY A", "1,2;2,2");
    }

    @Test
    void aDefinitionThatFailsHalfwayLeavesNothing() throws SQLException {
        SqlSession session = fixture.session();
        run(
                session,
                "CREATE TABLE T(A INT PRIMARY KEY, B INT)",
                "INSERT INTO T SELECT X, X / 2 FROM SYSTEM_RANGE(1, 50)");
        long before = fixture.cluster.liveKeysWithPrefix(new byte[] {'t'});
        long objects = fixture.cluster.liveKeysWithPrefix(CatalogKeys.catalogRows(1));
        for (String sql : new String[] {
            "CREATE TABLE U(A INT PRIMARY KEY) AS SELECT B FROM T ORDER BY A DESC",
            "CREATE TABLE U(A INT GENERATED ALWAYS AS IDENTITY) AS SELECT B FROM T",
            "CREATE TABLE U(A INT) AS SELECT 1 / (B - 20) FROM T",
            "CREATE UNIQUE INDEX ON T(B)",
            "ALTER TABLE T ADD UNIQUE (B)",
            "ALTER TABLE T ADD CHECK (B < 20)",
            "ALTER TABLE T ADD FOREIGN KEY (B) REFERENCES T(A)",
            "ALTER TABLE T ADD COLUMN C INT AS (1 / (B - 20))",
            "ALTER TABLE T ALTER COLUMN B SET DATA TYPE BOOLEAN ARRAY USING ARRAY[1 / (B - 20) > 0]",
            "ALTER TABLE T ADD COLUMN C INT NOT NULL UNIQUE DEFAULT 1"
        }) {
            fails(session, sql);
            assertEquals(before, fixture.cluster.liveKeysWithPrefix(new byte[] {'t'}), sql);
            assertEquals(objects, fixture.cluster.liveKeysWithPrefix(CatalogKeys.catalogRows(1)), sql);
            check(session, "SELECT COUNT(*), MAX(B), COUNT(DISTINCT B) FROM T WHERE A > 0", "50,25,26");
            assertEquals(42102, fails(session, "SELECT * FROM U").getErrorCode(), sql);
            check(fixture.session(), "SELECT COUNT(*), MAX(B) FROM T", "50,25");
        }
        run(session, "CREATE TABLE U(A INT PRIMARY KEY) AS SELECT A FROM T", "ALTER TABLE T ADD COLUMN C INT");
    }

    @Test
    void listingsOfTheCatalogAreNeverOld() throws SQLException {
        SqlSession session = fixture.session();
        String listing = "SELECT COLUMN_DEFAULT FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_NAME = 'T'";
        run(session, "CREATE TABLE T(A INT DEFAULT 1)");
        check(session, listing, "1");
        run(session, "ALTER TABLE T ALTER COLUMN A DROP DEFAULT");
        check(session, listing, "null");
        check(session, "SELECT DISTINCT TABLE_CATALOG FROM INFORMATION_SCHEMA.TABLES", "MAIN");
    }

    @Test
    void theFirstUserIsTheAdministrator() throws SQLException {
        SqlDatabase database = fixture.process();
        run(fixture.session(database), "CREATE USER GUEST PASSWORD 'guest'", "CREATE TABLE T(ID INT)");
        SQLException e = assertThrows(SQLException.class, () -> database.connect("SA", "no".toCharArray(), map()));
        assertEquals("28000", e.getSQLState());
        SqlDatabase again = fixture.process();
        e = assertThrows(SQLException.class, () -> again.connect("SA", "no".toCharArray(), map()));
        assertEquals("28000", e.getSQLState());
        e = assertThrows(SQLException.class, () -> again.connect("NOBODY", "no".toCharArray(), map()));
        assertEquals("28000", e.getSQLState());
        SqlSession guest = again.connect("GUEST", "guest".toCharArray(), map());
        assertEquals(90096, fails(guest, "SELECT * FROM T").getErrorCode());
        assertEquals(90040, fails(guest, "CREATE USER X PASSWORD 'x'").getErrorCode());
        guest.close();
    }

    @Test
    void databasesOfOneKeySpaceDoNotMeet() throws SQLException {
        run(fixture.session(), "CREATE TABLE T(ID INT)");
        var keySpace = fixture.cluster.process();
        SQLException e =
                assertThrows(SQLException.class, () -> SqlDatabase.open(keySpace, "other", map("IFEXISTS=TRUE")));
        assertEquals(90146, e.getErrorCode());
        try (SqlDatabase other = SqlDatabase.open(keySpace, "other", map())) {
            SqlSession session = other.connect("ME", "x".toCharArray(), map());
            assertEquals(42104, fails(session, "SELECT * FROM T").getErrorCode());
            session.close();
        }
        SqlDatabase.open(keySpace, "other", map("IFEXISTS=TRUE")).close();
    }

    @Test
    void twoProcessesMayOpenANewDatabaseAtOnce() throws Exception {
        SqlDatabase[] databases = {fixture.process(), fixture.process(), fixture.process(), fixture.process()};
        SqlSession[] sessions = new SqlSession[databases.length];
        Thread[] threads = new Thread[databases.length];
        SQLException[] errors = new SQLException[databases.length];
        for (int i = 0; i < threads.length; i++) {
            int me = i;
            threads[i] = new Thread(() -> {
                try {
                    sessions[me] = fixture.session(databases[me]);
                    run(sessions[me], "CREATE TABLE T" + me + "(ID INT)");
                } catch (SQLException e) {
                    errors[me] = e;
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (SQLException error : errors) {
            if (error != null) {
                throw error;
            }
        }
        for (int i = 0; i < threads.length; i++) {
            check(sessions[i], "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'PUBLIC'", "4");
        }
    }

    @Test
    void definitionsOfManyProcessesAtOnceAllHappen() throws Exception {
        SqlSession[] sessions = {fixture.session(), fixture.session(), fixture.session()};
        run(sessions[0], "CREATE TABLE T(ID INT PRIMARY KEY)");
        Thread[] threads = new Thread[sessions.length];
        SQLException[] errors = new SQLException[sessions.length];
        for (int i = 0; i < threads.length; i++) {
            int me = i;
            threads[i] = new Thread(() -> {
                try {
                    for (int n = 0; n < 8; n++) {
                        run(sessions[me], "CREATE TABLE T_" + me + "_" + n + "(ID INT PRIMARY KEY, V INT)");
                        run(sessions[me], "CREATE INDEX I_" + me + "_" + n + " ON T_" + me + "_" + n + "(V)");
                        run(sessions[me], "INSERT INTO T VALUES (" + (me * 100 + n) + ")");
                    }
                } catch (SQLException e) {
                    errors[me] = e;
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        for (SQLException error : errors) {
            if (error != null) {
                throw error;
            }
        }
        for (SqlSession session : sessions) {
            check(session, "SELECT COUNT(*) FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_SCHEMA = 'PUBLIC'", "25");
            check(session, "SELECT COUNT(*) FROM T", "24");
        }
    }

    @Test
    void aSessionKeepsItsSettingsWhenTheCatalogMovesOn() throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(here, "CREATE SCHEMA S", "CREATE TABLE S.T(ID INT)");
        run(there, "SET SCHEMA S", "SET @X = 5", "SET LOCK_TIMEOUT 77");
        run(here, "CREATE TABLE S.U(ID INT)");
        check(there, "SELECT * FROM U", "");
        check(there, "SELECT @X, LOCK_TIMEOUT()", "5,77");
    }

    @Test
    void temporaryTablesStayInTheirSession() throws SQLException {
        SqlDatabase database = fixture.process();
        SqlSession one = fixture.session(database);
        SqlSession two = fixture.session(database);
        run(one, "CREATE LOCAL TEMPORARY TABLE TMP(ID INT)", "INSERT INTO TMP VALUES (1)");
        assertEquals(42104, fails(two, "SELECT * FROM TMP").getErrorCode());
        run(two, "CREATE TABLE T(ID INT)");
        check(one, "SELECT * FROM TMP", "1");
        check(one, "SELECT * FROM T", "");
        check(fixture.session(), "SELECT * FROM T", "");
    }

    @Test
    void droppedTablesLeaveNothingBehind() throws SQLException {
        SqlSession session = fixture.session();
        run(session, "CREATE TABLE EMPTY(ID INT)", "DROP TABLE EMPTY");
        long before = fixture.cluster.liveKeys();
        run(
                session,
                "CREATE TABLE T(ID INT PRIMARY KEY, V VARCHAR UNIQUE, W INT)",
                "CREATE INDEX I ON T(W)",
                "CREATE TABLE U(A VARCHAR)",
                "INSERT INTO U VALUES ('x')",
                "ALTER TABLE U ALTER COLUMN A SET NOT NULL",
                "ALTER TABLE U ADD COLUMN B INT NOT NULL DEFAULT 1",
                "ALTER TABLE U ADD PRIMARY KEY (B)",
                "DROP TABLE U",
                "INSERT INTO T SELECT X, 'v' || X, X / 2 FROM SYSTEM_RANGE(1, 100)");
        run(session, "DROP TABLE T");
        assertEquals(before, fixture.cluster.liveKeys());
    }

    @Test
    void viewsTriggersDomainsAndConstraintsComeBack() throws SQLException {
        SqlSession here = fixture.session();
        run(
                here,
                "CREATE DOMAIN POSITIVE AS INT CHECK (VALUE > 0)",
                "CREATE TABLE T(ID INT PRIMARY KEY, P POSITIVE, CHECK (P < 100))",
                "CREATE VIEW V AS SELECT ID, P * 2 AS D FROM T",
                "CREATE ROLE R",
                "GRANT SELECT ON T TO R",
                "INSERT INTO T VALUES (1, 5)");
        SqlSession there = fixture.session();
        check(there, "SELECT * FROM V", "1,10");
        assertEquals("23513", fails(there, "INSERT INTO T VALUES (2, 0)").getSQLState());
        assertEquals("23513", fails(there, "INSERT INTO T VALUES (2, 100)").getSQLState());
        check(there, "SELECT GRANTEE FROM INFORMATION_SCHEMA.RIGHTS WHERE TABLE_NAME = 'T'", "R");
    }

    @Test
    void theFunctionsAreInEachDatabaseAndInNoScript() throws SQLException {
        SqlSession session = fixture.session();
        run(session, "CREATE SCHEMA S", "CREATE TABLE S.T(ID INT PRIMARY KEY)", "SET SCHEMA S");
        run(session, "CALL FLOTILLA_SPLIT('T', 100)");
        check(session, "SELECT COUNT(*) FROM FLOTILLA_REGIONS('T')", "2");
        assertFalse(query(session, "SCRIPT").contains("FLOTILLA"));
        run(session, "SET SCHEMA PUBLIC", "DROP ALL OBJECTS");
        check(session, "SELECT COUNT(*) > 0 FROM FLOTILLA_STATUS()", "TRUE");
    }

    /** Called from SQL. */
    public static int execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            return statement.executeUpdate(sql);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "EXECUTE IMMEDIATE 'SHUT' || 'DOWN'",
                "RUNSCRIPT FROM 'shutdown.sql'",
                "CALL RUN('SHUTDOWN IMMEDIATELY')"
            })
    void shuttingDownH2EndsTransactionsAndNoMore(String sql) throws Exception {
        Path script = Files.createTempFile("shutdown", ".sql");
        Files.writeString(script, "SHUTDOWN;\n");
        SqlDatabase process = fixture.process();
        SqlSession here = fixture.session(process);
        SqlSession idle = fixture.session(process);
        SqlSession writer = fixture.session(process);
        run(
                here,
                "CREATE TABLE T(ID INT PRIMARY KEY)",
                "INSERT INTO T VALUES (1)",
                "CREATE ALIAS RUN FOR '" + CatalogTest.class.getName() + ".execute'");
        check(idle, "SELECT ID FROM T", "1");
        run(idle, "SET @X = 5");
        writer.setAutoCommit(false);
        run(writer, "INSERT INTO T VALUES (2)");
        SQLException refused = fails(here, sql.replace("shutdown.sql", script.toString()));
        Files.delete(script);
        assertTrue(
                refused.getMessage()
                        .contains(sql.startsWith("CALL") ? "H2 was shut down" : "SHUTDOWN does not exist here"),
                refused.toString());
        check(here, "SELECT ID FROM T", "1");
        check(idle, "SELECT ID, @X FROM T", "1,5");
        assertEquals(
                "40001",
                assertThrows(SQLException.class, () -> run(writer, "INSERT INTO T VALUES (3)"))
                        .getSQLState());
        run(writer, "INSERT INTO T VALUES (4)");
        writer.commit();
        run(here, "INSERT INTO T VALUES (2)", "CREATE INDEX ON T(ID)");
        check(fixture.session(process), "SELECT ID FROM T ORDER BY ID", "1;2;4");
        check(fixture.session(), "SELECT ID FROM T ORDER BY ID", "1;2;4");
    }
}
