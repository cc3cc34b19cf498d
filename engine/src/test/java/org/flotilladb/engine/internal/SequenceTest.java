package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.query;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.SQLException;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Sequences and identity columns, whose values no two processes may hand out both. */
class SequenceTest {
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

    @Test
    void aSequenceThatAnotherProcessHoldsAllOfHandsOutNoValueTwice() throws SQLException {
        SqlSession here = fixture.session();
        run(here, "CREATE SEQUENCE S MAXVALUE 100");
        assertEquals(1, next(here));
        SqlSession there = fixture.session();
        assertEquals(SEQUENCE_EXHAUSTED, fails(there, "SELECT NEXT VALUE FOR S").getErrorCode());
        assertEquals(2, next(here));
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
        run(here, "DROP SEQUENCE S", "CREATE SEQUENCE S MAXVALUE 20000 CYCLE");
        SqlSession there = fixture.session();
        long before = 0;
        for (int i = 0; i < 20_000; i++) {
            long value = next(i % 2 == 0 ? here : there);
            assertTrue(value >= 1 && value <= 20_000, "out of range: " + value);
            before = Math.max(before, value);
        }
        assertTrue(before > 15_000, "the largest was " + before);
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
