package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When a database of this process is opened and closed, and what its URL's settings do to it. */
@Timeout(120)
class OpenDatabasesTest {

    private static void run(String url, String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private static String value(String url, String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static SQLException refused(String url) {
        return assertThrows(
                SQLException.class, () -> DriverManager.getConnection(url).close());
    }

    @Test
    void aDatabaseInMemoryLivesAsLongAsAConnection() throws SQLException {
        String url = "jdbc:flotilla:mem:short";
        try (Connection connection = DriverManager.getConnection(url)) {
            run(url, "CREATE TABLE t (id INT PRIMARY KEY)");
            assertEquals("0", value(url, "SELECT COUNT(*) FROM t"));
            assertFalse(connection.isClosed());
        }
        assertThrows(SQLException.class, () -> run(url, "SELECT * FROM t"));
    }

    @Test
    void withACloseDelayItLivesOn() throws SQLException {
        for (String delay : new String[] {"-1", "3600"}) {
            String url = "jdbc:flotilla:mem:long" + delay;
            run(url + ";DB_CLOSE_DELAY=" + delay, "CREATE USER ada PASSWORD 'x' ADMIN", "CREATE TABLE t (id INT)");
            assertEquals("0", value(url, "SELECT COUNT(*) FROM t"));
            assertEquals("28000", refused(url + ";USER=ada;PASSWORD=y").getSQLState());
            assertEquals("0", value(url, "SELECT COUNT(*) FROM t"), "one who was refused changes nothing");
            run(url + ";DB_CLOSE_DELAY=0", "SELECT 1");
            assertThrows(SQLException.class, () -> run(url, "SELECT * FROM t"));
        }
    }

    @Test
    void aDirectoryIsKeptAndOpenedAgainAtOnce(@TempDir Path folder) throws Exception {
        String url = "jdbc:flotilla:file:" + folder.resolve("kept");
        run(url, "CREATE TABLE t (id INT PRIMARY KEY)");
        for (int i = 0; i < 3; i++) {
            run(url, "INSERT INTO t VALUES (" + i + ")");
        }
        assertEquals("3", value(url, "SELECT COUNT(*) FROM t"));
    }

    @Test
    void threadsThatOpenAndCloseItAllTheTimeNeverFindItInUse(@TempDir Path folder) throws Exception {
        String url = "jdbc:flotilla:file:" + folder.resolve("busy");
        run(url, "CREATE TABLE t (id INT PRIMARY KEY)");
        CompletableFuture<?>[] threads = new CompletableFuture<?>[4];
        for (int i = 0; i < threads.length; i++) {
            int thread = i;
            threads[i] = CompletableFuture.runAsync(
                    () -> {
                        try {
                            for (int n = 0; n < 5; n++) {
                                run(url, "INSERT INTO t VALUES (" + (thread * 100 + n) + ")");
                            }
                        } catch (SQLException e) {
                            throw new IllegalStateException(e);
                        }
                    },
                    OwnThreads.INSTANCE);
        }
        CompletableFuture.allOf(threads).get();
        assertEquals("20", value(url, "SELECT COUNT(*) FROM t"));
    }

    @Test
    void aLinkToAnOpenDirectoryIsTheSameDatabase(@TempDir Path folder) throws Exception {
        Path real = folder.resolve("real");
        try (Connection connection = DriverManager.getConnection("jdbc:flotilla:file:" + real);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
            Path link = Files.createSymbolicLink(folder.resolve("link"), real);
            assertEquals("0", value("jdbc:flotilla:file:" + link, "SELECT COUNT(*) FROM t"));
        }
    }

    @Test
    void onlyItsOwnerMayEnterTheDirectory(@TempDir Path folder) throws Exception {
        Path data = folder.resolve("private");
        run("jdbc:flotilla:file:" + data, "CREATE TABLE t (id INT)");
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(data)));
    }

    @Test
    void ifExistsRefusesToCreate(@TempDir Path folder) throws Exception {
        Path absent = folder.resolve("absent");
        SQLException e = refused("jdbc:flotilla:file:" + absent + ";IFEXISTS=TRUE");
        assertEquals(90146, e.getErrorCode());
        assertFalse(Files.exists(absent));
        assertEquals(90146, refused("jdbc:flotilla:mem:absent;IFEXISTS=TRUE").getErrorCode());
        run("jdbc:flotilla:file:" + absent, "CREATE TABLE t (id INT)");
        assertEquals("0", value("jdbc:flotilla:file:" + absent + ";IFEXISTS=TRUE", "SELECT COUNT(*) FROM t"));
    }

    @Test
    void theFirstUserIsTheAdministratorAndOthersAreRefused(@TempDir Path folder) throws Exception {
        String url = "jdbc:flotilla:file:" + folder.resolve("owned");
        run(url + ";USER=ada;PASSWORD=secret", "CREATE TABLE t (id INT)");
        assertEquals("28000", refused(url).getSQLState());
        assertEquals("28000", refused(url + ";USER=ada;PASSWORD=wrong").getSQLState());
        assertEquals("0", value(url + ";USER=Ada;PASSWORD=secret", "SELECT COUNT(*) FROM t"));
        try (Connection connection = DriverManager.getConnection(url, "ada", "secret")) {
            assertTrue(connection.isValid(5));
        }
    }

    @Test
    void threeStoresInOneProcessServeOneDatabase() throws SQLException {
        String url = "jdbc:flotilla:mem:three;NODES=3";
        try (Connection connection = DriverManager.getConnection(url)) {
            assertTrue(connection.isValid(30));
            run(url, "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)");
            assertEquals("1", value(url, "SELECT COUNT(*) FROM t"));
            assertEquals("3", value(url, "SELECT COUNT(DISTINCT node) FROM FLOTILLA_STATUS()"));
        }
        assertEquals("08001", refused("jdbc:flotilla:mem:x;NODES=9").getSQLState());
    }

    @Test
    void threeStoresInADirectoryStayThree(@TempDir Path folder) throws SQLException {
        String url = "jdbc:flotilla:file:" + folder.resolve("three");
        run(url + ";NODES=3", "CREATE TABLE t (id INT PRIMARY KEY)", "INSERT INTO t VALUES (1)");
        assertEquals("1", value(url, "SELECT COUNT(*) FROM t"));
        try (Connection connection = DriverManager.getConnection(url + ";IFEXISTS=TRUE")) {
            assertTrue(connection.isValid(30));
            assertEquals("3", value(url, "SELECT COUNT(DISTINCT node) FROM FLOTILLA_STATUS()"));
            assertEquals("1", value(url, "SELECT COUNT(*) FROM t"));
        }
        for (int other : new int[] {1, 5}) {
            String message = refused(url + ";NODES=" + other).getMessage();
            assertTrue(message.contains("is kept by 3 Stores"), message);
        }
        assertEquals("1", value(url, "SELECT COUNT(*) FROM t"));
    }

    @Test
    void oneStoreInADirectoryStaysOne(@TempDir Path folder) throws SQLException {
        String url = "jdbc:flotilla:file:" + folder.resolve("one");
        run(url, "CREATE TABLE t (id INT PRIMARY KEY)");
        String message = refused(url + ";NODES=3").getMessage();
        assertTrue(message.contains("is kept by 1 Store "), message);
        assertEquals("0", value(url + ";NODES=1", "SELECT COUNT(*) FROM t"));
        assertEquals("08001", refused(url + ";NODES=0").getSQLState());
    }

    /** Each of H2's settings that pass through does something, or at least does no harm. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "MODE=PostgreSQL | SELECT 'x'::VARCHAR | x",
                "MODE=MySQL | SELECT `x` FROM (SELECT 'yes' AS x) | yes",
                "CASE_INSENSITIVE_IDENTIFIERS=TRUE | SELECT \"X\" FROM (SELECT 1 AS x) | 1",
                "DATABASE_TO_UPPER=FALSE | SELECT \"x\" FROM (SELECT 1 AS x) | 1",
                "DATABASE_TO_LOWER=TRUE | SELECT \"x\" FROM (SELECT 1 AS X) | 1",
                "DEFAULT_NULL_ORDERING=HIGH | SELECT x FROM (VALUES (NULL), (1)) AS t (x) ORDER BY x LIMIT 1 | 1",
                "IGNORECASE=TRUE | SELECT 1 | 1",
                "COLLATION=ENGLISH STRENGTH PRIMARY | SELECT 1 | 1",
                "ZERO_BASED_ENUMS=TRUE | SELECT 1 | 1",
                "DEFAULT_ESCAPE=! | SELECT '%' LIKE '!%' | TRUE",
                "OPTIMIZE_REUSE_RESULTS=FALSE | SELECT 1 | 1",
                "LOCK_TIMEOUT=4711 | SELECT LOCK_TIMEOUT() | 4711",
                "QUERY_TIMEOUT=60000 | SELECT 1 | 1",
                "SCHEMA=INFORMATION_SCHEMA | SELECT SCHEMA() | INFORMATION_SCHEMA",
                "SCHEMA_SEARCH_PATH=INFORMATION_SCHEMA | SELECT COUNT(*) > 0 FROM TABLES | TRUE",
                "NON_KEYWORDS=VALUE,DAY | SELECT value FROM (SELECT 1 AS value) | 1",
                "TIME ZONE=UTC+3 | SELECT EXTRACT(TIMEZONE_HOUR FROM CURRENT_TIMESTAMP) | 3",
                "AUTOCOMMIT=FALSE | SELECT 1 | 1",
                "LAZY_QUERY_EXECUTION=TRUE | SELECT COUNT(*) FROM SYSTEM_RANGE(1, 10) | 10",
                "VARIABLE_BINARY=TRUE | SELECT LENGTH(CAST(X'010203' AS BINARY)) | 3",
                "OLD_INFORMATION_SCHEMA=TRUE | SELECT COUNT(*) >= 0 FROM INFORMATION_SCHEMA.INDEXES | TRUE"
            })
    void settingsOfH2PassThrough(String setting, String sql, String expected) throws SQLException {
        assertEquals(expected, value("jdbc:flotilla:mem:;" + setting, sql));
    }

    @Test
    void autocommitOffIsSeenByJdbcToo() throws SQLException {
        try (Connection connection = DriverManager.getConnection("jdbc:flotilla:mem:;AUTOCOMMIT=FALSE")) {
            assertFalse(connection.getAutoCommit());
        }
    }

    @Test
    void nothingCanBeSmuggledIntoH2ThroughAValue() {
        java.util.Properties properties = new java.util.Properties();
        properties.setProperty("SCHEMA", "PUBLIC\\;INIT=CREATE TABLE smuggled(id INT)");
        SQLException e = assertThrows(
                SQLException.class,
                () -> DriverManager.getConnection("jdbc:flotilla:mem:", properties)
                        .close());
        assertEquals("90008", e.getSQLState(), "there is no such schema: " + e);
    }
}
