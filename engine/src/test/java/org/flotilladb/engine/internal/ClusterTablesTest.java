package org.flotilladb.engine.internal;

import static org.flotilladb.engine.internal.SqlFixture.check;
import static org.flotilladb.engine.internal.SqlFixture.fails;
import static org.flotilladb.engine.internal.SqlFixture.query;
import static org.flotilladb.engine.internal.SqlFixture.run;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.h2.api.ErrorCode;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The cluster as tables of SQL, and the functions that steer it. */
class ClusterTablesTest {
    private final SqlFixture fixture = new SqlFixture();

    @AfterEach
    void close() {
        fixture.close();
    }

    @Test
    void theTablesShowStoresRegionsOperatorsAndSettings() throws SQLException {
        SqlSession session = fixture.session();
        check(
                session,
                "SELECT STORE_ID, ADDRESS, STATE, ALIVE, LABELS, CAPACITY_BYTES FROM FLOTILLA.STORES",
                "1a,memory:1,UP,TRUE,zone=z0,null;fedcba9876543210,memory:2,UP,TRUE,zone=z1,1;"
                        + "3c,memory:3,DRAINING,FALSE,zone=z2,2");
        check(
                session,
                "SELECT REGION_ID, TABLE_NAME, KEY_RANGE, LEADER_STORE, LEADER, PEERS, PENDING_PEERS, DOWN_PEERS, KEY_COUNT,"
                        + " START_KEY, END_KEY FROM FLOTILLA.REGIONS",
                "1,null,beginning .. end,fedcba9876543210,memory:2,1a,fedcba9876543210,3c (learner),3c,,10,,");
        check(
                session,
                "SELECT OPERATOR_ID, STATE, STEP, STEPS, RUNNING FROM FLOTILLA.OPERATORS WHERE RUNNING",
                "5,RUNNING,1,0: add; 1: remove,TRUE");
        check(session, "SELECT * FROM FLOTILLA.PLACEMENT ORDER BY 1", "balance,true;replicas,3");
    }

    @Test
    void aRegionsRangeIsToldInWords() throws SQLException {
        SqlSession session = fixture.session();
        run(
                session,
                "CREATE TABLE A(ID BIGINT PRIMARY KEY, N INT)",
                "CREATE TABLE B(C VARCHAR, D INT, PRIMARY KEY(C, D))",
                "CREATE INDEX A_N ON A(N)",
                "CALL FLOTILLA_SPLIT('A', 100, -5)",
                "CALL FLOTILLA_SPLIT('public.b', ROW('m', 3))");
        check(
                session,
                "SELECT TABLE_NAME, KEY_RANGE FROM FLOTILLA.REGIONS ORDER BY START_KEY",
                "null,beginning .. PUBLIC.A row -5;PUBLIC.A,PUBLIC.A row -5 .. row 100;"
                        + "null,PUBLIC.A row 100 .. PUBLIC.B " + indexPoint(session)
                        + ";null,PUBLIC.B " + indexPoint(session) + " .. end");
    }

    /** The words for the last split key, with its index's name and bytes. */
    private static String indexPoint(SqlSession session) throws SQLException {
        String words = query(session, "SELECT MAX(KEY_RANGE) FROM FLOTILLA.REGIONS WHERE KEY_RANGE LIKE 'PUBLIC.B%'");
        assertTrue(words.matches("PUBLIC\\.B index PRIMARY_KEY_\\w+ at [0-9a-f]+ \\.\\. end"), words);
        return words.substring("PUBLIC.B ".length(), words.length() - " .. end".length());
    }

    @Test
    void anyBytesAreAKeyAndCanBeTold() throws SQLException {
        SqlSession session = fixture.session();
        run(session, "CREATE TABLE A(ID BIGINT PRIMARY KEY)");
        for (String key : List.of(
                "00",
                "6d",
                "6d00",
                "6d0101",
                "6d09",
                "74",
                "740101",
                "7401010101",
                "740101010166",
                "740101010169",
                "7401010101690107",
                "740101010171",
                "740101010172",
                "74010101017281",
                "7401010101728102",
                "74010101017283",
                "7401010101728c",
                "740101010199",
                "740105010272",
                "7408ffffffffffffffff",
                "ff")) {
            fixture.cluster.split(HexFormat.of().parseHex(key));
        }
        String words = query(session, "SELECT KEY_RANGE FROM FLOTILLA.REGIONS");
        assertEquals(22, words.split(";").length, words);
        assertTrue(words.contains("databases .. catalog"), words);
        assertTrue(words.contains("table number 2 of database number 5 rows"), words);
        assertTrue(words.endsWith("key ff .. end"), words);
    }

    @Test
    void theyAreSystemTablesThatNobodyChanges() throws SQLException {
        SqlSession session = fixture.session();
        List<String> listed = new ArrayList<>();
        try (ResultSet tables = session.connection().getMetaData().getTables(null, "FLOTILLA", "%", null)) {
            while (tables.next()) {
                listed.add(tables.getString("TABLE_NAME") + " " + tables.getString("TABLE_TYPE"));
            }
        }
        assertEquals(
                List.of(
                        "OPERATORS SYSTEM TABLE",
                        "PLACEMENT SYSTEM TABLE",
                        "REGIONS SYSTEM TABLE",
                        "STORES SYSTEM TABLE"),
                listed);
        check(
                session,
                "SELECT COUNT(*) FROM INFORMATION_SCHEMA.COLUMNS WHERE TABLE_SCHEMA = 'FLOTILLA' AND TABLE_NAME = 'PLACEMENT'",
                "2");
        assertFalse(query(session, "SCRIPT").contains("FLOTILLA"));
        for (String change : List.of(
                "INSERT INTO FLOTILLA.PLACEMENT VALUES ('replicas', '5')",
                "DELETE FROM FLOTILLA.PLACEMENT",
                "UPDATE FLOTILLA.PLACEMENT SET SETTING_VALUE = 1",
                "TRUNCATE TABLE FLOTILLA.STORES",
                "DROP TABLE FLOTILLA.STORES",
                "ALTER TABLE FLOTILLA.STORES ADD X INT",
                "CREATE INDEX X ON FLOTILLA.STORES(STORE_ID)",
                "CREATE TABLE FLOTILLA.X(ID INT)",
                "CREATE VIEW FLOTILLA.V AS SELECT 1",
                "CREATE SEQUENCE FLOTILLA.S",
                "DROP SCHEMA FLOTILLA")) {
            fails(session, change);
        }
        run(session, "CREATE TABLE X(ID INT)", "DROP ALL OBJECTS");
        check(session, "SELECT COUNT(*) FROM FLOTILLA.STORES", "3");
        check(fixture.session(), "SELECT COUNT(*) FROM FLOTILLA.STORES", "3");
    }

    @Test
    void whatNamesThemIsThereInEveryProcess() throws SQLException {
        SqlSession here = fixture.session();
        run(
                here,
                "CREATE VIEW MINE AS SELECT ADDRESS FROM FLOTILLA.STORES WHERE ALIVE",
                "CREATE TABLE T(ID INT DEFAULT (SELECT COUNT(*) FROM FLOTILLA.STORES),"
                        + " CHECK (ID <= (SELECT COUNT(*) FROM FLOTILLA.FLOTILLA_STATUS()) * 3))",
                "CREATE USER U PASSWORD 'p'",
                "GRANT SELECT ON FLOTILLA.STORES TO U",
                "CREATE SYNONYM S FOR FLOTILLA.STORES",
                "COMMENT ON TABLE FLOTILLA.STORES IS 'mine'");
        check(here, "SELECT * FROM MINE", "memory:1;memory:2");
        SqlSession there = fixture.session();
        check(there, "SELECT * FROM MINE", "memory:1;memory:2");
        run(there, "INSERT INTO T VALUES (DEFAULT)");
        check(there, "SELECT ID FROM T", "3");
        check(there, "SELECT COUNT(*) FROM S", "3");
    }

    @Test
    void aJoinAsksOnceForAShortTable() throws SQLException {
        SqlSession session = fixture.session();
        for (int i = 1; i <= 9; i++) {
            fixture.cluster.split(new byte[] {(byte) i});
        }
        long before = fixture.cluster.questions();
        check(
                session,
                "SELECT COUNT(*) FROM FLOTILLA.REGIONS R JOIN FLOTILLA.STORES S ON R.PEERS LIKE '%' || S.STORE_ID || '%'",
                "30");
        // One look at the Stores by each table, and ten Regions by pages of two, whichever is the outer table.
        assertEquals(7, fixture.cluster.questions() - before);
        check(session, "SELECT COUNT(*) FROM FLOTILLA.STORES", "3");
        check(session, "SELECT COUNT(*) FROM FLOTILLA.STORES", "3");
        assertEquals(9, fixture.cluster.questions() - before, "another statement looks again");
    }

    @Test
    void commandsReachTheCluster() throws SQLException {
        SqlSession session = fixture.session();
        check(session, "CALL FLOTILLA_TRANSFER_LEADER(1, 'fedcba9876543210')", "7");
        check(session, "CALL FLOTILLA_TRANSFER_LEADER(1, 'memory:1')", "null");
        check(session, "CALL FLOTILLA_MOVE_PEER(1, '1A', ' 3c ')", "8");
        check(session, "CALL FLOTILLA_CANCEL_OPERATOR(5)", "TRUE");
        check(session, "CALL FLOTILLA_CANCEL_OPERATOR(6)", "FALSE");
        check(session, "CALL FLOTILLA_DRAIN('memory:2')", "fedcba9876543210");
        run(
                session,
                "CALL FLOTILLA_UNDRAIN('memory:2')",
                "CALL FLOTILLA_PREPARE_RESTART('1a')",
                "CALL FLOTILLA_STORE_GONE('3c')",
                "CALL FLOTILLA_SET_PLACEMENT('replicas', 5)");
        assertEquals(
                List.of(
                        "lead 1 on fedcba9876543210",
                        "lead 1 on 1a",
                        "move 1 from 1a to 3c",
                        "cancel 5",
                        "cancel 6",
                        "fedcba9876543210 DRAINING",
                        "fedcba9876543210 UP",
                        "1a WITHOUT_LEADERS",
                        "3c GONE",
                        "set replicas=5"),
                fixture.cluster.commands());
        run(session, "CALL FLOTILLA_SPLIT_REGION(1, '7a')", "CALL FLOTILLA_SPLIT_REGION(2, '7B00')");
        check(session, "SELECT REGION_ID, START_KEY FROM FLOTILLA.REGIONS", "1,;2,7a;3,7b00");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "CALL FLOTILLA_TRANSFER_LEADER(99, '1a') | 55000 | does not want to",
                "CALL FLOTILLA_TRANSFER_LEADER(1, 'memory:9') | 22023 | (1a at memory:1, fedcba9876543210 at memory:2,",
                "CALL FLOTILLA_MOVE_PEER(1, '', '1a') | 22023 | There is no Store ''",
                "CALL FLOTILLA_DRAIN('12345678901234567') | 22023 | There is no Store",
                "CALL FLOTILLA_DRAIN(NULL) | 22023 | There is no Store",
                "CALL FLOTILLA_SPLIT_REGION(1, 'zz') | 22023 | hexadecimal",
                "CALL FLOTILLA_SPLIT_REGION(1, '') | 22023 | hexadecimal",
                "CALL FLOTILLA_SPLIT_REGION(77, '01') | 22023 | There is no Region 77",
                "CALL FLOTILLA_SPLIT_REGION(2, '01') | 22023 | is not inside Region 2",
                "CALL FLOTILLA_SPLIT('T') | 22023 | at least one primary key",
                "CALL FLOTILLA_SPLIT('T', ROW(1, 2)) | 22023 | has 1 column, not 2",
                "CALL FLOTILLA_SPLIT('T', NULL) | 22023 | never NULL",
                "CALL FLOTILLA_SPLIT('T', 'x') | 22018 | x",
                "CALL FLOTILLA_SPLIT('NONE', 1) | 42S02 | NONE",
                "CALL FLOTILLA_SPLIT('BARE', 1) | 22023 | no primary key",
                "CALL FLOTILLA_SPLIT('PAIR', ROW(1, 2, 3)) | 22023 | has 2 columns, not 3",
            })
    void whatMakesNoSenseIsRefusedWithASentence(String sql, String state, String words) throws SQLException {
        SqlSession session = fixture.session();
        run(
                session,
                "CREATE TABLE T(ID INT PRIMARY KEY)",
                "CREATE TABLE BARE(ID INT)",
                "CREATE TABLE PAIR(A INT, B INT, PRIMARY KEY(A, B))");
        fixture.cluster.split(new byte[] {0x70});
        SQLException refused = fails(session, sql);
        assertEquals(state, refused.getSQLState(), refused.toString());
        assertTrue(refused.getMessage().contains(words), refused.getMessage());
        assertEquals(List.of(), fixture.cluster.commands());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM FLOTILLA.STORES",
                "SELECT * FROM FLOTILLA.REGIONS",
                "SELECT * FROM FLOTILLA.OPERATORS",
                "SELECT * FROM FLOTILLA.PLACEMENT",
                "SELECT * FROM V",
                "CALL FLOTILLA_SPLIT('T', 1)",
                "CALL FLOTILLA_SPLIT_REGION(1, '01')",
                "CALL FLOTILLA_TRANSFER_LEADER(1, '1a')",
                "CALL FLOTILLA_MOVE_PEER(1, '1a', '3c')",
                "CALL FLOTILLA_CANCEL_OPERATOR(5)",
                "CALL FLOTILLA_DRAIN('1a')",
                "CALL FLOTILLA_UNDRAIN('1a')",
                "CALL FLOTILLA_PREPARE_RESTART('1a')",
                "CALL FLOTILLA_STORE_GONE('1a')",
                "CALL FLOTILLA_SET_PLACEMENT('replicas', '1')",
            })
    void theyAreForAdministrators(String sql) throws SQLException {
        SqlDatabase process = fixture.process();
        run(
                fixture.session(process),
                "CREATE TABLE T(ID INT PRIMARY KEY)",
                "CREATE VIEW V AS SELECT * FROM FLOTILLA.STORES",
                "CREATE USER U PASSWORD 'p'",
                "GRANT ALL ON T TO U",
                "GRANT SELECT ON V TO U");
        try (SqlSession user = process.connect("U", "p".toCharArray(), SqlFixture.map())) {
            int code = fails(user, sql).getErrorCode();
            assertTrue(
                    code == ErrorCode.ADMIN_RIGHTS_REQUIRED || code == ErrorCode.NOT_ENOUGH_RIGHTS_FOR_1,
                    sql + ": " + code);
        }
        assertEquals(List.of(), fixture.cluster.commands());
    }
}
