package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.query;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sequences and identity columns, whose values no two processes may hand out both. */
public class SequenceTest {
    private static final int SEQUENCE_EXHAUSTED = 90006;

    private final SqlFixture fixture = new SqlFixture();

    @AfterEach
    void close() {
        fixture.close();
    }

    private static long next(SqlSession session) throws SQLException {
        return Long.parseLong(query(session, "SELECT NEXT VALUE FOR S"));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "NO CACHE",
                "CACHE 1000",
                "START WITH 100 INCREMENT BY 7",
                "START WITH -1 INCREMENT BY -1",
                "INCREMENT BY -3 MAXVALUE 1000000 START WITH 1000000 MINVALUE -10000000",
                "AS SMALLINT START WITH -32768 MINVALUE -32768",
                "START WITH 9223372036854760000",
                "MAXVALUE 9223372036854775807 START WITH 9223372036854000000 INCREMENT BY 11"
            })
    void processesAndThreadsNeverGetTheSameValue(String options) throws Exception {
        SqlDatabase[] processes = {fixture.process(), fixture.process(), fixture.process()};
        run(fixture.session(processes[0]), "CREATE SEQUENCE S " + options);
        Set<Long> seen = ConcurrentHashMap.newKeySet();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread[] threads = new Thread[processes.length * 2];
        for (int i = 0; i < threads.length; i++) {
            SqlSession session = fixture.session(processes[i % processes.length]);
            threads[i] = new Thread(() -> {
                try {
                    for (int n = 0; n < 1500; n++) {
                        long value = next(session);
                        if (!seen.add(value)) {
                            throw new AssertionError(value + " was handed out twice");
                        }
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
        assertEquals(threads.length * 1500, seen.size());
    }

    @Test
    void oneProcessAfterAnotherLosesNoValues() throws SQLException {
        for (int i = 1; i <= 5; i++) {
            SqlDatabase database = fixture.process();
            SqlSession session = fixture.session(database);
            run(session, "CREATE SEQUENCE IF NOT EXISTS S");
            assertEquals(i, next(session));
            session.close();
            database.close();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "MAXVALUE 5, 1;2;3;4;5",
        "MINVALUE -3 INCREMENT BY -1 START WITH -1, -1;-2;-3",
        "MAXVALUE 5 INCREMENT BY 2, 1;3;5"
    })
    void aSequenceThatIsUsedUpIsSoForEverybody(String options, String values) throws SQLException {
        SqlSession here = fixture.session();
        run(here, "CREATE SEQUENCE S " + options);
        SqlSession there = fixture.session();
        for (String value : values.split(";")) {
            assertEquals(Long.parseLong(value), next(here));
        }
        assertEquals(SEQUENCE_EXHAUSTED, fails(here, "SELECT NEXT VALUE FOR S").getErrorCode());
        assertEquals(SEQUENCE_EXHAUSTED, fails(there, "SELECT NEXT VALUE FOR S").getErrorCode());
        assertEquals(
                SEQUENCE_EXHAUSTED,
                fails(fixture.session(), "SELECT NEXT VALUE FOR S").getErrorCode());
        run(there, "ALTER SEQUENCE S RESTART");
        assertEquals(Long.parseLong(values.split(";")[0]), next(there));
    }

    @ParameterizedTest
    @CsvSource({"MAXVALUE 100, 100", "AS TINYINT START WITH -100 MINVALUE -100, 228", "MAXVALUE 1000 NO CACHE, 1000"})
    void processesShareASmallSequenceToItsLastValue(String options, int values) throws SQLException {
        SqlSession[] sessions = {fixture.session(), fixture.session(), fixture.session()};
        run(sessions[0], "CREATE SEQUENCE S " + options);
        Set<Long> seen = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < values; i++) {
            assertTrue(seen.add(next(sessions[i % 3])), "value " + i);
        }
        for (SqlSession session : sessions) {
            assertEquals(
                    SEQUENCE_EXHAUSTED,
                    fails(session, "SELECT NEXT VALUE FOR S").getErrorCode());
        }
    }

    @Test
    void aSmallIdentityColumnOutlivesManyProcessesThatDie() throws SQLException {
        run(
                fixture.session(),
                "CREATE TABLE T(ID TINYINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, V INT)",
                "CREATE TABLE U(ID SMALLINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, V INT)",
                "CREATE SEQUENCE S MAXVALUE 1000");
        for (int i = 1; i <= 100; i++) {
            // It is never closed: what it holds is lost.
            SqlSession session = fixture.session();
            run(session, "INSERT INTO T(V) VALUES (" + i + ")", "INSERT INTO U(V) VALUES (" + i + ")");
            next(session);
        }
        check(fixture.session(), "SELECT COUNT(*), MAX(ID) FROM T", "100,100");
        assertTrue(Long.parseLong(query(fixture.session(), "SELECT MAX(ID) FROM U")) < 27_000);
    }

    @Test
    void processesThatAreOnlyOpenedUseUpNothing() throws SQLException {
        SqlSession first = fixture.session();
        run(first, "CREATE SEQUENCE S", "CREATE TABLE T(ID INT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, V INT)");
        for (int i = 0; i < 20; i++) {
            query(fixture.session(), "SELECT * FROM T");
        }
        SqlSession session = fixture.session();
        assertEquals(1, next(session));
        run(session, "INSERT INTO T(V) VALUES (1)");
        check(session, "SELECT ID FROM T", "1");
    }

    @ParameterizedTest
    @ValueSource(strings = {"TINYINT", "SMALLINT", "INT", "BIGINT"})
    void changesOfTheCatalogByOthersUseUpNoValues(String type) throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(
                here,
                "CREATE TABLE T(ID " + type + " GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, V INT)",
                "CREATE SEQUENCE S");
        for (int i = 1; i <= 50; i++) {
            run(here, "INSERT INTO T(V) VALUES (" + i + ")");
            assertEquals(i, next(here));
            run(there, "CREATE TABLE X" + i + "(ID INT)");
        }
        check(here, "SELECT COUNT(*), MAX(ID) FROM T", "50,50");
    }

    @Test
    void ownChangesOfTheCatalogUseUpNoValues() throws SQLException {
        SqlSession here = fixture.session();
        run(here, "CREATE TABLE T(ID SMALLINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, V INT)");
        for (int i = 1; i <= 20; i++) {
            run(here, "INSERT INTO T(V) VALUES (" + i + ")", "ALTER TABLE T ADD COLUMN C" + i + " INT");
        }
        check(here, "SELECT COUNT(*), MAX(ID) FROM T", "20,20");
    }

    @Test
    void noValueComesTwiceWithinACycleOfSeveralProcesses() throws SQLException {
        SqlSession[] sessions = {fixture.session(), fixture.session()};
        run(sessions[0], "CREATE SEQUENCE S MAXVALUE 1000 CYCLE");
        for (int cycle = 0; cycle < 3; cycle++) {
            Set<Long> seen = ConcurrentHashMap.newKeySet();
            for (int i = 0; i < 1000; i++) {
                assertTrue(seen.add(next(sessions[i % 2])), "cycle " + cycle + ", value " + i);
            }
        }
    }

    @Test
    void threadsAtASmallCycleTakeEachValueAsOften() throws Exception {
        SqlDatabase process = fixture.process();
        run(fixture.session(process), "CREATE SEQUENCE S MAXVALUE 50 CYCLE");
        Map<Long, AtomicInteger> seen = new ConcurrentHashMap<>();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        Thread[] threads = new Thread[4];
        for (int i = 0; i < threads.length; i++) {
            SqlSession session = fixture.session(process);
            threads[i] = new Thread(() -> {
                try {
                    for (int n = 0; n < 250; n++) {
                        seen.computeIfAbsent(next(session), v -> new AtomicInteger())
                                .incrementAndGet();
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
        assertEquals(50, seen.size());
        seen.forEach((value, times) -> assertEquals(20, times.get(), "value " + value));
    }

    @Test
    void theCurrentValueOutlivesChangesOfTheCatalogByOthers() throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(here, "CREATE SEQUENCE S START WITH 7");
        assertEquals(7, next(here));
        run(there, "CREATE TABLE X(ID INT)");
        check(here, "SELECT COUNT(*) FROM X", "0");
        check(here, "SELECT CURRENT VALUE FOR S", "7");
        check(here, "SELECT CURRVAL('S')", "7");
        assertEquals(8, next(here));
    }

    /** Called from SQL: asks for a value in a statement that the session does not see. */
    public static long hidden(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT NEXT VALUE FOR S")) {
            row.next();
            return row.getLong(1);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "MAXVALUE 200000"})
    void valuesThatFunctionsTakeAreNoOthers(String options) throws SQLException {
        SqlSession here = fixture.session();
        run(
                here,
                "CREATE SEQUENCE S " + options,
                "CREATE ALIAS HIDDEN FOR '" + SequenceTest.class.getName() + ".hidden'");
        Set<Long> seen = ConcurrentHashMap.newKeySet();
        SqlSession[] sessions = {here, fixture.session(), fixture.session()};
        for (int i = 0; i < 300; i++) {
            long value = Long.parseLong(query(sessions[i % 3], "SELECT HIDDEN()"));
            assertTrue(seen.add(value), value + " came twice");
            assertTrue(seen.add(next(sessions[i % 3])));
        }
    }

    @Test
    void definitionsTakeValuesThatNobodyElseGets() throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(here, "CREATE SEQUENCE S", "CREATE SEQUENCE R MAXVALUE 30000");
        next(here);
        next(there);
        run(here, "CREATE TABLE T AS SELECT NEXT VALUE FOR S AS A, NEXT VALUE FOR R AS B FROM SYSTEM_RANGE(1, 5000)");
        run(there, "INSERT INTO T SELECT NEXT VALUE FOR S, NEXT VALUE FOR R FROM SYSTEM_RANGE(1, 5000)");
        check(here, "SELECT COUNT(DISTINCT A), COUNT(DISTINCT B) FROM T", "10000,10000");
        run(
                here,
                "CREATE TABLE U(ID SMALLINT GENERATED BY DEFAULT AS IDENTITY DEFAULT ON NULL, V INT) AS"
                        + " SELECT NULL, X FROM SYSTEM_RANGE(1, 3000)");
        run(there, "INSERT INTO U(V) SELECT X FROM SYSTEM_RANGE(1, 3000)");
        check(here, "SELECT COUNT(DISTINCT ID) FROM U", "6000");
    }

    @Test
    void cyclesBeginAgain() throws SQLException {
        SqlSession here = fixture.session();
        run(here, "CREATE SEQUENCE S START WITH 3 MINVALUE 1 MAXVALUE 5 CYCLE");
        StringBuilder values = new StringBuilder();
        for (int i = 0; i < 9; i++) {
            values.append(next(here)).append(' ');
        }
        assertEquals("3 4 5 1 2 3 4 5 1 ", values.toString());
        run(here, "DROP SEQUENCE S", "CREATE SEQUENCE S MAXVALUE 3000 CYCLE");
        SqlSession there = fixture.session();
        long before = 0;
        for (int i = 0; i < 3000; i++) {
            long value = next(i % 2 == 0 ? here : there);
            assertTrue(value >= 1 && value <= 3000, "out of range: " + value);
            before = Math.max(before, value);
        }
        assertTrue(before > 2000, "the largest was " + before);
    }

    @Test
    void restartsAreSeenByAllProcesses() throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(here, "CREATE SEQUENCE S");
        assertEquals(1, next(here));
        assertTrue(next(there) > 1);
        run(there, "ALTER SEQUENCE S RESTART WITH 1000000");
        assertEquals(1_000_000, next(there));
        assertTrue(next(here) > 1_000_000);
        run(here, "ALTER SEQUENCE S RESTART WITH 5");
        assertEquals(5, next(here));
        long other = next(there);
        assertTrue(other > 5 && other < 1_000_000, "it went on at " + other);
        run(here, "ALTER SEQUENCE S RESTART WITH 7");
        assertEquals(7, next(here));
        long again = next(there);
        assertTrue(again > 7 && again - other < 1000, "it went on at " + again);
    }

    @Test
    void otherChangesOfASequenceRepeatNothing() throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(here, "CREATE SEQUENCE S");
        Set<Long> seen = ConcurrentHashMap.newKeySet();
        for (String sql : new String[] {
            "ALTER SEQUENCE S MAXVALUE 10000000",
            "ALTER SEQUENCE S INCREMENT BY 3",
            "ALTER SEQUENCE S NO CACHE",
            "ALTER SEQUENCE S CYCLE",
            "CREATE TABLE X(ID INT)"
        }) {
            for (int i = 0; i < 50; i++) {
                assertTrue(seen.add(next(here)), sql);
                assertTrue(seen.add(next(there)), sql);
            }
            run(there, sql);
        }
    }

    @Test
    void insertsWithValuesOfTheirOwnPushTheSequenceForwardWhereTheModeSaysSo() throws SQLException {
        SqlSession here = fixture.session("MODE=MySQL");
        SqlSession there = fixture.session("MODE=MySQL");
        run(here, "CREATE TABLE T(ID BIGINT AUTO_INCREMENT PRIMARY KEY, V INT)", "INSERT INTO T(V) VALUES (1)");
        run(there, "INSERT INTO T(V) VALUES (1)");
        run(here, "INSERT INTO T VALUES (1000000, 2)", "INSERT INTO T(V) VALUES (3)");
        check(here, "SELECT ID FROM T WHERE V = 3", "1000001");
        check(here, "SELECT COUNT(*) FROM T", "4");
        run(fixture.session("MODE=MySQL"), "INSERT INTO T(V) VALUES (4)");
        assertTrue(Long.parseLong(query(here, "SELECT ID FROM T WHERE V = 4")) > 1_000_001);
    }

    @Test
    void identityColumnsOfTwoProcessesDoNotCollide() throws SQLException {
        SqlSession here = fixture.session();
        SqlSession there = fixture.session();
        run(here, "CREATE TABLE T(ID BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, V INT)");
        for (int i = 0; i < 200; i++) {
            run(here, "INSERT INTO T(V) VALUES (1)");
            run(there, "INSERT INTO T(V) VALUES (2)");
        }
        check(here, "SELECT COUNT(DISTINCT ID), COUNT(*) FROM T", "400,400");
        run(here, "ALTER TABLE T ALTER COLUMN ID RESTART WITH 5000000", "INSERT INTO T(V) VALUES (3)");
        check(there, "SELECT ID FROM T WHERE V = 3", "5000000");
        run(
                here,
                "CREATE TABLE U(ID INT GENERATED ALWAYS AS IDENTITY, V INT)",
                "INSERT INTO U(V) SELECT X FROM SYSTEM_RANGE(1, 10000)");
        run(here, "INSERT INTO U(V) VALUES (0)");
        run(there, "INSERT INTO U(V) VALUES (0)");
        check(there, "SELECT COUNT(*), COUNT(DISTINCT ID) FROM U", "10002,10002");
    }
}
