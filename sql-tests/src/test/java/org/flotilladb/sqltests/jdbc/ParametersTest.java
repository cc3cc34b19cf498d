package org.flotilladb.sqltests.jdbc;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.JDBCType;
import java.sql.NClob;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.HexFormat;
import java.util.List;
import java.util.TimeZone;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Parameters have the value they had when they were set, however often and however late the statement runs. */
class ParametersTest {
    private static final String URL = "jdbc:flotilla:mem:parameters";
    private static final int MAX_LOB_BYTES = 12 << 20;
    private static final byte[] BYTES = {0, -1, 7, 65};
    private static final String TEXT = "Ærøskøbing 船 🚢";

    private Connection connection;

    @BeforeEach
    void open() throws SQLException {
        connection = DriverManager.getConnection(URL);
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
    }

    /** Sets parameter 1 and hands back what spoils the object that was given. */
    @FunctionalInterface
    interface Setter {
        Runnable set(Connection connection, PreparedStatement statement) throws SQLException;
    }

    private static Arguments way(String type, String name, Setter setter) {
        return Arguments.of(type, name, setter);
    }

    private static InputStream bytes() {
        return new ByteArrayInputStream(BYTES);
    }

    private static InputStream ascii() {
        return new ByteArrayInputStream("plain text".getBytes(StandardCharsets.US_ASCII));
    }

    private static Reader text() {
        return new StringReader(TEXT);
    }

    private static Calendar tokyo() {
        return Calendar.getInstance(TimeZone.getTimeZone("Asia/Tokyo"));
    }

    private static Blob blob(Connection connection) throws SQLException {
        Blob blob = connection.createBlob();
        blob.setBytes(1, BYTES);
        return blob;
    }

    private static Clob clob(Connection connection) throws SQLException {
        Clob clob = connection.createClob();
        clob.setString(1, TEXT);
        return clob;
    }

    private static NClob nclob(Connection connection) throws SQLException {
        NClob clob = connection.createNClob();
        clob.setString(1, TEXT);
        return clob;
    }

    private static SQLXML xml(Connection connection) throws SQLException {
        SQLXML xml = connection.createSQLXML();
        xml.setString("<a>b</a>");
        return xml;
    }

    /** A setter whose object cannot change. */
    @FunctionalInterface
    interface Simple {
        void set(Connection connection, PreparedStatement statement) throws SQLException;
    }

    private static Arguments simple(String type, String name, Simple simple) {
        return way(type, name, (c, s) -> {
            simple.set(c, s);
            return () -> {};
        });
    }

    private static Setter date(Value<Date> setter) {
        return (c, s) -> {
            Date date = Date.valueOf("2026-02-28");
            setter.set(s, date);
            return () -> date.setTime(0);
        };
    }

    private static Setter time(Value<Time> setter) {
        return (c, s) -> {
            Time time = Time.valueOf("22:30:15");
            setter.set(s, time);
            return () -> time.setTime(0);
        };
    }

    private static Setter timestamp(Value<Timestamp> setter) {
        return (c, s) -> {
            Timestamp timestamp = Timestamp.valueOf("2026-02-28 22:30:15.123456789");
            setter.set(s, timestamp);
            return () -> timestamp.setTime(0);
        };
    }

    private static Setter array(Value<byte[]> setter) {
        return (c, s) -> {
            byte[] bytes = BYTES.clone();
            setter.set(s, bytes);
            return () -> Arrays.fill(bytes, (byte) 9);
        };
    }

    /** Sets a value of one type. */
    @FunctionalInterface
    interface Value<T> {
        void set(PreparedStatement statement, T value) throws SQLException;
    }

    @SuppressWarnings("JavaUtilDate")
    static Stream<Arguments> ways() {
        return Stream.of(
                simple("BLOB", "setBinaryStream", (c, s) -> s.setBinaryStream(1, bytes())),
                simple("BLOB", "setBinaryStream, int", (c, s) -> s.setBinaryStream(1, bytes(), 3)),
                simple("BLOB", "setBinaryStream, long", (c, s) -> s.setBinaryStream(1, bytes(), 3L)),
                simple("BLOB", "setBinaryStream, longer than it is", (c, s) -> s.setBinaryStream(1, bytes(), 99L)),
                simple("BLOB", "setBinaryStream, null", (c, s) -> s.setBinaryStream(1, null)),
                simple("VARBINARY(20)", "setBinaryStream", (c, s) -> s.setBinaryStream(1, bytes())),
                simple("BLOB", "setBlob, stream", (c, s) -> s.setBlob(1, bytes())),
                simple("BLOB", "setBlob, stream, long", (c, s) -> s.setBlob(1, bytes(), 2)),
                simple("BLOB", "setBlob", (c, s) -> s.setBlob(1, blob(c))),
                simple("BLOB", "setBlob, null", (c, s) -> s.setBlob(1, (Blob) null)),
                simple("BLOB", "setObject, stream", (c, s) -> s.setObject(1, bytes())),
                simple("BLOB", "setObject, stream, type", (c, s) -> s.setObject(1, bytes(), Types.BLOB)),
                simple("BLOB", "setObject, Blob", (c, s) -> s.setObject(1, blob(c))),
                simple("CLOB", "setCharacterStream", (c, s) -> s.setCharacterStream(1, text())),
                simple("CLOB", "setCharacterStream, int", (c, s) -> s.setCharacterStream(1, text(), 5)),
                simple("CLOB", "setCharacterStream, long", (c, s) -> s.setCharacterStream(1, text(), 5L)),
                simple("VARCHAR(99)", "setCharacterStream", (c, s) -> s.setCharacterStream(1, text())),
                simple("CLOB", "setNCharacterStream", (c, s) -> s.setNCharacterStream(1, text())),
                simple("CLOB", "setNCharacterStream, long", (c, s) -> s.setNCharacterStream(1, text(), 3)),
                simple("CLOB", "setAsciiStream", (c, s) -> s.setAsciiStream(1, ascii())),
                simple("CLOB", "setAsciiStream, int", (c, s) -> s.setAsciiStream(1, ascii(), 5)),
                simple("CLOB", "setAsciiStream, long", (c, s) -> s.setAsciiStream(1, ascii(), 5L)),
                simple("CLOB", "setClob, reader", (c, s) -> s.setClob(1, text())),
                simple("CLOB", "setClob, reader, long", (c, s) -> s.setClob(1, text(), 2)),
                simple("CLOB", "setClob", (c, s) -> s.setClob(1, clob(c))),
                simple("CLOB", "setNClob, reader", (c, s) -> s.setNClob(1, text())),
                simple("CLOB", "setNClob, reader, long", (c, s) -> s.setNClob(1, text(), 2)),
                simple("CLOB", "setNClob", (c, s) -> s.setNClob(1, nclob(c))),
                simple("CLOB", "setNClob, null", (c, s) -> s.setNClob(1, (NClob) null)),
                simple("CLOB", "setSQLXML", (c, s) -> s.setSQLXML(1, xml(c))),
                simple("CLOB", "setObject, Reader", (c, s) -> s.setObject(1, text())),
                simple("CLOB", "setObject, Clob", (c, s) -> s.setObject(1, clob(c))),
                simple("CLOB", "setObject, SQLXML", (c, s) -> s.setObject(1, xml(c))),
                way("VARBINARY(20)", "setBytes", array((s, b) -> s.setBytes(1, b))),
                way("VARBINARY(20)", "setObject, bytes", array((s, b) -> s.setObject(1, b))),
                way("BLOB", "setObject, bytes, type", array((s, b) -> s.setObject(1, b, Types.BLOB))),
                way("DATE", "setDate", date((s, d) -> s.setDate(1, d))),
                way("DATE", "setDate, calendar", date((s, d) -> s.setDate(1, d, tokyo()))),
                way("DATE", "setDate, no calendar", date((s, d) -> s.setDate(1, d, null))),
                way("DATE", "setObject, Date", date((s, d) -> s.setObject(1, d))),
                way("TIME", "setTime", time((s, t) -> s.setTime(1, t))),
                way("TIME", "setTime, calendar", time((s, t) -> s.setTime(1, t, tokyo()))),
                way("TIMESTAMP(9)", "setTimestamp", timestamp((s, t) -> s.setTimestamp(1, t))),
                way("TIMESTAMP(9)", "setTimestamp, calendar", timestamp((s, t) -> s.setTimestamp(1, t, tokyo()))),
                way("TIMESTAMP(9)", "setObject, Timestamp", timestamp((s, t) -> s.setObject(1, t))),
                way("TIMESTAMP(9)", "setObject, Calendar", (c, s) -> {
                    Calendar calendar = tokyo();
                    calendar.setTimeInMillis(1_234_567_890_123L);
                    s.setObject(1, calendar);
                    return () -> calendar.setTimeInMillis(0);
                }),
                simple("TIMESTAMP", "setTimestamp, null", (c, s) -> s.setTimestamp(1, null, tokyo())),
                simple("VARCHAR(20)", "setObject, type", (c, s) -> s.setObject(1, "007", Types.INTEGER)),
                simple("VARCHAR(20)", "setObject, SQLType", (c, s) -> s.setObject(1, "0150", JDBCType.INTEGER)),
                simple("VARCHAR(20)", "setObject, type, scale", (c, s) -> s.setObject(1, "7.5", Types.DECIMAL, 1)),
                simple(
                        "VARCHAR(20)",
                        "setObject, SQLType, scale",
                        (c, s) -> s.setObject(1, "7.5", JDBCType.DECIMAL, 1)),
                simple("VARCHAR(20)", "setObject, null, type", (c, s) -> s.setObject(1, null, Types.INTEGER)),
                way("INT ARRAY", "setObject, array", (c, s) -> {
                    Integer[] array = {1, 2, 3};
                    s.setObject(1, array);
                    return () -> array[0] = 9;
                }),
                simple(
                        "INT ARRAY",
                        "setArray",
                        (c, s) -> s.setArray(1, c.createArrayOf("INTEGER", new Object[] {1, 2}))),
                simple("INT ARRAY", "setArray, null", (c, s) -> s.setArray(1, null)),
                simple("VARCHAR(20)", "setNString", (c, s) -> s.setNString(1, "n")),
                simple("REAL", "setFloat", (c, s) -> s.setFloat(1, 1.5f)),
                simple("TINYINT", "setByte", (c, s) -> s.setByte(1, (byte) -1)));
    }

    private static List<String> values(Connection connection) throws SQLException {
        List<String> values = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT v FROM p")) {
            while (rows.next()) {
                Object value = rows.getObject(1);
                values.add(
                        value instanceof Blob || value instanceof byte[]
                                ? HexFormat.of().formatHex(rows.getBytes(1))
                                : rows.getString(1));
            }
        }
        return values;
    }

    /** What plain H2 makes of it when it is executed at once. */
    private static List<String> expected(String type, Setter setter) throws SQLException {
        try (Connection h2 = DriverManager.getConnection("jdbc:h2:mem:")) {
            create(h2, type);
            try (PreparedStatement insert = h2.prepareStatement("INSERT INTO p VALUES (?)")) {
                setter.set(h2, insert);
                insert.executeUpdate();
            }
            return values(h2);
        }
    }

    private static void create(Connection connection, String type) throws SQLException {
        create(connection, "p", type);
    }

    private static void create(Connection connection, String table, String type) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE " + table + " (v " + type + ")");
        }
    }

    @ParameterizedTest(name = "{1} into {0}")
    @MethodSource("ways")
    void whatIsSetIsWhatH2WouldHaveTakenNowLaterAndInABatch(String type, String name, Setter setter)
            throws SQLException {
        List<String> one = expected(type, setter);
        create(connection, type);
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO p VALUES (?)")) {
            Runnable spoil = setter.set(connection, insert);
            insert.addBatch();
            spoil.run();
            insert.addBatch();
            assertArrayEquals(new int[] {1, 1}, insert.executeBatch());
            insert.executeUpdate();
            // Somebody else defines something: the statement is prepared again on another catalog.
            try (Connection stranger = DriverManager.getConnection(URL)) {
                create(stranger, "other", "INT");
            }
            insert.executeUpdate();
        }
        List<String> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            all.addAll(one);
        }
        assertEquals(all, values(connection));
    }

    @Test
    void aStreamUpToTheLimitOfALobIsTakenAndALargerOneIsRefusedInASentence() throws SQLException {
        create(connection, "BLOB");
        byte[] largest = new byte[MAX_LOB_BYTES];
        largest[MAX_LOB_BYTES - 1] = 7;
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO p VALUES (?)")) {
            insert.setBinaryStream(1, new ByteArrayInputStream(largest));
            insert.addBatch();
            insert.executeBatch();
            List<Simple> tooLarge = List.of(
                    (c, s) -> s.setBinaryStream(1, endless()),
                    (c, s) -> s.setObject(1, endless()),
                    // In UTF-8 each of these takes three bytes.
                    (c, s) -> s.setCharacterStream(1, new StringReader("船".repeat(MAX_LOB_BYTES / 3 + 1))));
            for (Simple setter : tooLarge) {
                SQLException e = assertThrows(SQLException.class, () -> setter.set(connection, insert));
                assertEquals("54000", e.getSQLState(), e.toString());
                assertTrue(e.getMessage().contains("parameter 1"), e.getMessage());
                assertTrue(e.getMessage().contains("12582912 bytes"), e.getMessage());
            }
        }
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT v FROM p")) {
            assertTrue(rows.next());
            assertArrayEquals(largest, rows.getBytes(1));
        }
    }

    private static InputStream endless() {
        return new InputStream() {
            @Override
            public int read() {
                return 1;
            }
        };
    }

    @Test
    void aStreamThatBreaksIsAnErrorOfItsCallAndTheParameterStaysAsItWas() throws SQLException {
        create(connection, "BLOB");
        InputStream broken = new InputStream() {
            @Override
            public int read() throws IOException {
                throw new IOException("the disk was pulled out");
            }
        };
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO p VALUES (?)")) {
            insert.setBytes(1, BYTES);
            SQLException e = assertThrows(SQLException.class, () -> insert.setBinaryStream(1, broken));
            assertTrue(e.getMessage().contains("the disk was pulled out"), e.getMessage());
            insert.executeUpdate();
        }
        assertEquals(List.of("00ff0741"), values(connection));
    }

    @Test
    void afterABatchTheValuesThatWereSetLastAreStillSet() throws SQLException {
        create(connection, "INT");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO p VALUES (?)")) {
            insert.setInt(1, 5);
            insert.addBatch();
            insert.setInt(1, 6);
            insert.executeBatch();
            insert.executeUpdate();
            insert.clearParameters();
            assertEquals(
                    90012,
                    assertThrows(SQLException.class, insert::executeUpdate).getErrorCode());
        }
        assertEquals(List.of("5", "6"), values(connection));
    }

    @Test
    void aParameterThatIsNotThereLeavesNothingBehind() throws SQLException {
        create(connection, "INT");
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO p VALUES (?)")) {
            assertThrows(SQLException.class, () -> insert.setInt(2_000_000_000, 1));
            assertThrows(SQLException.class, () -> insert.setInt(2, 1));
            insert.setInt(1, 5);
            insert.addBatch();
            assertArrayEquals(new int[] {1}, insert.executeBatch());
        }
        assertEquals(List.of("5"), values(connection));
    }
}
