package org.flotilladb.driver.jdbc;

import java.io.InputStream;
import java.io.Reader;
import java.math.BigDecimal;
import java.net.URL;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.Date;
import java.sql.NClob;
import java.sql.ParameterMetaData;
import java.sql.PreparedStatement;
import java.sql.Ref;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.RowId;
import java.sql.SQLException;
import java.sql.SQLType;
import java.sql.SQLXML;
import java.sql.Statement;
import java.sql.Time;
import java.sql.Timestamp;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.List;

/** A prepared statement; when the session hands over another connection of H2 it is prepared again, and its values set. */
final class FlotillaPreparedStatement extends FlotillaStatement implements PreparedStatement {
    private static final Object UNSET = new Object();
    private static final Object STREAM = new Object();

    private record Null(int type) {}

    private final String sql;
    private final List<Object[]> batch = new ArrayList<>();
    private PreparedStatement prepared;
    private Object[] values = new Object[8];
    private int count;
    private SimpleKeys batchKeys;

    FlotillaPreparedStatement(FlotillaConnection connection, String sql, Maker maker) throws SQLException {
        super(connection, maker);
        this.sql = sql;
        Arrays.fill(values, UNSET);
        run(sql, h2 -> h2);
    }

    @Override
    PreparedStatement on(Connection h2) throws SQLException {
        PreparedStatement now = (PreparedStatement) super.on(h2);
        if (now != prepared) {
            prepared = now;
            replay(now, values, count);
        }
        return now;
    }

    private PreparedStatement own() throws SQLException {
        return own(h2());
    }

    private static PreparedStatement own(Statement h2) {
        return (PreparedStatement) h2;
    }

    private static void replay(PreparedStatement to, Object[] values, int count) throws SQLException {
        for (int i = 0; i < count; i++) {
            Object value = values[i];
            if (value == STREAM) {
                throw new SQLException(
                        "The catalog has changed since the stream for parameter " + (i + 1)
                                + " was set: set it again and execute again.",
                        "40001");
            } else if (value instanceof Null none) {
                to.setNull(i + 1, none.type);
            } else if (value != UNSET) {
                to.setObject(i + 1, value);
            }
        }
    }

    private void slot(int parameter, Object value) {
        if (parameter < 1) {
            return;
        }
        if (parameter > values.length) {
            int before = values.length;
            values = Arrays.copyOf(values, Math.max(parameter, before * 2));
            Arrays.fill(values, before, values.length, UNSET);
        }
        values[parameter - 1] = value;
        count = Math.max(count, parameter);
    }

    private void note(int parameter, Object value) {
        slot(parameter, value == null ? new Null(Types.NULL) : value);
    }

    private void noteNull(int parameter, int type) {
        slot(parameter, new Null(type));
    }

    private void noteStream(int parameter) {
        slot(parameter, STREAM);
    }

    @Override
    public ResultSet executeQuery() throws SQLException {
        return runChecked(sql, h2 -> own(h2).executeQuery());
    }

    @Override
    public int executeUpdate() throws SQLException {
        batchKeys = null;
        return runChecked(sql, h2 -> own(h2).executeUpdate());
    }

    @Override
    public long executeLargeUpdate() throws SQLException {
        batchKeys = null;
        return runChecked(sql, h2 -> own(h2).executeLargeUpdate());
    }

    @Override
    public boolean execute() throws SQLException {
        batchKeys = null;
        return runChecked(sql, h2 -> own(h2).execute());
    }

    @Override
    public void clearParameters() throws SQLException {
        own().clearParameters();
        Arrays.fill(values, UNSET);
        count = 0;
    }

    @Override
    public void addBatch() throws SQLException {
        own();
        for (int i = 0; i < count; i++) {
            if (values[i] == STREAM) {
                throw new SQLException(
                        "A batch keeps values, not streams: set parameter " + (i + 1) + " as a value.", "0A000");
            }
        }
        batch.add(Arrays.copyOf(values, count));
    }

    @Override
    public void clearBatch() throws SQLException {
        own();
        batch.clear();
    }

    @Override
    public long[] executeLargeBatch() throws SQLException {
        own();
        List<Object[]> rows = List.copyOf(batch);
        batch.clear();
        SimpleKeys keys = new SimpleKeys();
        Batch results = new Batch(rows.size());
        for (Object[] row : rows) {
            results.run(() -> runChecked(sql, h2 -> {
                PreparedStatement statement = own(h2);
                // A value that this row does not have must not be that of the row before.
                statement.clearParameters();
                replay(statement, row, row.length);
                if (statement.execute()) {
                    throw new SQLException("A query is not allowed in a batch.", "90002", 90002);
                }
                long updated = statement.getLargeUpdateCount();
                keys.add(statement);
                return updated;
            }));
        }
        batchKeys = keys;
        return results.counts();
    }

    @Override
    public ResultSet getGeneratedKeys() throws SQLException {
        return batchKeys == null || batchKeys.isEmpty() ? super.getGeneratedKeys() : batchKeys.toResultSet();
    }

    @Override
    @Deprecated
    public void setUnicodeStream(int a, InputStream b, int c) throws SQLException {
        throw new SQLException("Streams of this kind are not supported: use setCharacterStream.", "0A000");
    }

    private static SQLException notHere() {
        return new SQLException(
                "A prepared statement already has its SQL: use the methods without it.", "90130", 90130);
    }

    @Override
    public ResultSet executeQuery(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public int executeUpdate(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public int executeUpdate(String text, int b) throws SQLException {
        throw notHere();
    }

    @Override
    public int executeUpdate(String text, int[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public int executeUpdate(String text, String[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public boolean execute(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public boolean execute(String text, int b) throws SQLException {
        throw notHere();
    }

    @Override
    public boolean execute(String text, int[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public boolean execute(String text, String[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public long executeLargeUpdate(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public long executeLargeUpdate(String text, int b) throws SQLException {
        throw notHere();
    }

    @Override
    public long executeLargeUpdate(String text, int[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public long executeLargeUpdate(String text, String[] b) throws SQLException {
        throw notHere();
    }

    @Override
    public void addBatch(String text) throws SQLException {
        throw notHere();
    }

    @Override
    public void setNull(int a, int b) throws SQLException {
        noteNull(a, b);
        own().setNull(a, b);
    }

    @Override
    public void setBoolean(int a, boolean b) throws SQLException {
        note(a, b);
        own().setBoolean(a, b);
    }

    @Override
    public void setByte(int a, byte b) throws SQLException {
        note(a, b);
        own().setByte(a, b);
    }

    @Override
    public void setShort(int a, short b) throws SQLException {
        note(a, b);
        own().setShort(a, b);
    }

    @Override
    public void setInt(int a, int b) throws SQLException {
        note(a, b);
        own().setInt(a, b);
    }

    @Override
    public void setLong(int a, long b) throws SQLException {
        note(a, b);
        own().setLong(a, b);
    }

    @Override
    public void setFloat(int a, float b) throws SQLException {
        note(a, b);
        own().setFloat(a, b);
    }

    @Override
    public void setDouble(int a, double b) throws SQLException {
        note(a, b);
        own().setDouble(a, b);
    }

    @Override
    public void setBigDecimal(int a, BigDecimal b) throws SQLException {
        note(a, b);
        own().setBigDecimal(a, b);
    }

    @Override
    public void setString(int a, String b) throws SQLException {
        note(a, b);
        own().setString(a, b);
    }

    @Override
    public void setBytes(int a, byte[] b) throws SQLException {
        note(a, b);
        own().setBytes(a, b);
    }

    @Override
    public void setDate(int a, Date b) throws SQLException {
        note(a, b);
        own().setDate(a, b);
    }

    @Override
    public void setTime(int a, Time b) throws SQLException {
        note(a, b);
        own().setTime(a, b);
    }

    @Override
    public void setTimestamp(int a, Timestamp b) throws SQLException {
        note(a, b);
        own().setTimestamp(a, b);
    }

    @Override
    public void setAsciiStream(int a, InputStream b, int c) throws SQLException {
        noteStream(a);
        own().setAsciiStream(a, b, c);
    }

    @Override
    public void setBinaryStream(int a, InputStream b, int c) throws SQLException {
        noteStream(a);
        own().setBinaryStream(a, b, c);
    }

    @Override
    public void setObject(int a, Object b, int c) throws SQLException {
        note(a, b);
        own().setObject(a, b, c);
    }

    @Override
    public void setObject(int a, Object b) throws SQLException {
        note(a, b);
        own().setObject(a, b);
    }

    @Override
    public void setCharacterStream(int a, Reader b, int c) throws SQLException {
        noteStream(a);
        own().setCharacterStream(a, b, c);
    }

    @Override
    public void setRef(int a, Ref b) throws SQLException {
        note(a, b);
        own().setRef(a, b);
    }

    @Override
    public void setBlob(int a, Blob b) throws SQLException {
        noteStream(a);
        own().setBlob(a, b);
    }

    @Override
    public void setClob(int a, Clob b) throws SQLException {
        noteStream(a);
        own().setClob(a, b);
    }

    @Override
    public void setArray(int a, Array b) throws SQLException {
        note(a, b);
        own().setArray(a, b);
    }

    @Override
    public ResultSetMetaData getMetaData() throws SQLException {
        return own().getMetaData();
    }

    @Override
    public void setDate(int a, Date b, Calendar c) throws SQLException {
        note(a, b);
        own().setDate(a, b, c);
    }

    @Override
    public void setTime(int a, Time b, Calendar c) throws SQLException {
        note(a, b);
        own().setTime(a, b, c);
    }

    @Override
    public void setTimestamp(int a, Timestamp b, Calendar c) throws SQLException {
        note(a, b);
        own().setTimestamp(a, b, c);
    }

    @Override
    public void setNull(int a, int b, String c) throws SQLException {
        noteNull(a, b);
        own().setNull(a, b, c);
    }

    @Override
    public void setURL(int a, URL b) throws SQLException {
        note(a, b);
        own().setURL(a, b);
    }

    @Override
    public ParameterMetaData getParameterMetaData() throws SQLException {
        return own().getParameterMetaData();
    }

    @Override
    public void setRowId(int a, RowId b) throws SQLException {
        note(a, b);
        own().setRowId(a, b);
    }

    @Override
    public void setNString(int a, String b) throws SQLException {
        note(a, b);
        own().setNString(a, b);
    }

    @Override
    public void setNCharacterStream(int a, Reader b, long c) throws SQLException {
        noteStream(a);
        own().setNCharacterStream(a, b, c);
    }

    @Override
    public void setNClob(int a, NClob b) throws SQLException {
        noteStream(a);
        own().setNClob(a, b);
    }

    @Override
    public void setClob(int a, Reader b, long c) throws SQLException {
        noteStream(a);
        own().setClob(a, b, c);
    }

    @Override
    public void setBlob(int a, InputStream b, long c) throws SQLException {
        noteStream(a);
        own().setBlob(a, b, c);
    }

    @Override
    public void setNClob(int a, Reader b, long c) throws SQLException {
        noteStream(a);
        own().setNClob(a, b, c);
    }

    @Override
    public void setSQLXML(int a, SQLXML b) throws SQLException {
        note(a, b);
        own().setSQLXML(a, b);
    }

    @Override
    public void setObject(int a, Object b, int c, int d) throws SQLException {
        note(a, b);
        own().setObject(a, b, c, d);
    }

    @Override
    public void setAsciiStream(int a, InputStream b, long c) throws SQLException {
        noteStream(a);
        own().setAsciiStream(a, b, c);
    }

    @Override
    public void setBinaryStream(int a, InputStream b, long c) throws SQLException {
        noteStream(a);
        own().setBinaryStream(a, b, c);
    }

    @Override
    public void setCharacterStream(int a, Reader b, long c) throws SQLException {
        noteStream(a);
        own().setCharacterStream(a, b, c);
    }

    @Override
    public void setAsciiStream(int a, InputStream b) throws SQLException {
        noteStream(a);
        own().setAsciiStream(a, b);
    }

    @Override
    public void setBinaryStream(int a, InputStream b) throws SQLException {
        noteStream(a);
        own().setBinaryStream(a, b);
    }

    @Override
    public void setCharacterStream(int a, Reader b) throws SQLException {
        noteStream(a);
        own().setCharacterStream(a, b);
    }

    @Override
    public void setNCharacterStream(int a, Reader b) throws SQLException {
        noteStream(a);
        own().setNCharacterStream(a, b);
    }

    @Override
    public void setClob(int a, Reader b) throws SQLException {
        noteStream(a);
        own().setClob(a, b);
    }

    @Override
    public void setBlob(int a, InputStream b) throws SQLException {
        noteStream(a);
        own().setBlob(a, b);
    }

    @Override
    public void setNClob(int a, Reader b) throws SQLException {
        noteStream(a);
        own().setNClob(a, b);
    }

    @Override
    public void setObject(int a, Object b, SQLType c, int d) throws SQLException {
        note(a, b);
        own().setObject(a, b, c, d);
    }

    @Override
    public void setObject(int a, Object b, SQLType c) throws SQLException {
        note(a, b);
        own().setObject(a, b, c);
    }
}
