package org.flotilladb.driver.jdbc;

import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.math.BigDecimal;
import java.net.URL;
import java.nio.charset.StandardCharsets;
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
import java.util.Optional;
import org.h2.message.DbException;
import org.h2.value.DataType;
import org.h2.value.Value;

/** A prepared statement; when the session hands over another connection of H2 it is prepared again, and its values set. */
final class FlotillaPreparedStatement extends WithoutSqlTexts {
    private static final Object UNSET = new Object();

    /** Rows of a batch that are run as one. */
    private static final int TOGETHER = 1000;

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
            now.clearParameters();
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
            if (value instanceof Null none) {
                to.setNull(i + 1, none.type);
            } else if (value != UNSET) {
                to.setObject(i + 1, value);
            }
        }
    }

    private void slot(int parameter, Object value) {
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

    /** H2 takes its own values as they are. */
    private void set(int parameter, Value value) throws SQLException {
        own().setObject(parameter, value);
        slot(parameter, value);
    }

    private Connection h2Connection() throws SQLException {
        return own().getConnection();
    }

    private static Reader ascii(InputStream in) {
        return in == null ? null : new InputStreamReader(in, StandardCharsets.US_ASCII);
    }

    private static int valueType(int sqlType) throws SQLException {
        try {
            return DataType.convertSQLTypeToValueType(sqlType);
        } catch (DbException e) {
            throw e.getSQLException();
        }
    }

    private static int valueType(SQLType sqlType) throws SQLException {
        try {
            return DataType.convertSQLTypeToValueType(sqlType);
        } catch (DbException e) {
            throw e.getSQLException();
        }
    }

    @Override
    public ResultSet executeQuery() throws SQLException {
        return runChecked(sql, h2 -> UpdatableRows.wrap(own(h2).executeQuery(), h2, this));
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
        for (int from = 0; from < rows.size(); from += TOGETHER) {
            List<Object[]> part = rows.subList(from, Math.min(rows.size(), from + TOGETHER));
            if (part.size() == 1 || !results.runTogether(() -> executeTogether(part, keys))) {
                for (Object[] row : part) {
                    results.run(() -> runChecked(sql, h2 -> execute(own(h2), row, keys)));
                }
            }
        }
        batchKeys = keys;
        // H2's statement has the values of the last row, not those that were set last.
        prepared = null;
        return results.counts();
    }

    private Optional<long[]> executeTogether(List<Object[]> rows, SimpleKeys keys) throws SQLException {
        int before = keys.size();
        Optional<long[]> counts = runTogether(sql, h2 -> {
            keys.truncate(before);
            long[] updated = new long[rows.size()];
            for (int i = 0; i < updated.length; i++) {
                updated[i] = execute(own(h2), rows.get(i), keys);
            }
            return updated;
        });
        if (counts.isEmpty()) {
            keys.truncate(before);
        }
        return counts;
    }

    private static long execute(PreparedStatement statement, Object[] row, SimpleKeys keys) throws SQLException {
        // A value that this row does not have must not be that of the row before.
        statement.clearParameters();
        replay(statement, row, row.length);
        if (statement.execute()) {
            throw new SQLException("A query is not allowed in a batch.", "90002", 90002);
        }
        long updated = statement.getLargeUpdateCount();
        keys.add(statement);
        return updated;
    }

    @Override
    public ResultSet getGeneratedKeys() throws SQLException {
        return batchKeys == null || batchKeys.isEmpty() ? super.getGeneratedKeys() : batchKeys.toResultSet();
    }

    @Override
    public void setNull(int a, int b) throws SQLException {
        own().setNull(a, b);
        noteNull(a, b);
    }

    @Override
    public void setBoolean(int a, boolean b) throws SQLException {
        own().setBoolean(a, b);
        note(a, b);
    }

    @Override
    public void setByte(int a, byte b) throws SQLException {
        own().setByte(a, b);
        note(a, b);
    }

    @Override
    public void setShort(int a, short b) throws SQLException {
        own().setShort(a, b);
        note(a, b);
    }

    @Override
    public void setInt(int a, int b) throws SQLException {
        own().setInt(a, b);
        note(a, b);
    }

    @Override
    public void setLong(int a, long b) throws SQLException {
        own().setLong(a, b);
        note(a, b);
    }

    @Override
    public void setFloat(int a, float b) throws SQLException {
        own().setFloat(a, b);
        note(a, b);
    }

    @Override
    public void setDouble(int a, double b) throws SQLException {
        own().setDouble(a, b);
        note(a, b);
    }

    @Override
    public void setBigDecimal(int a, BigDecimal b) throws SQLException {
        own().setBigDecimal(a, b);
        note(a, b);
    }

    @Override
    public void setString(int a, String b) throws SQLException {
        own().setString(a, b);
        note(a, b);
    }

    @Override
    public void setBytes(int a, byte[] b) throws SQLException {
        set(a, ParameterValues.bytes(b));
    }

    @Override
    public void setDate(int a, Date b) throws SQLException {
        setDate(a, b, null);
    }

    @Override
    public void setTime(int a, Time b) throws SQLException {
        setTime(a, b, null);
    }

    @Override
    public void setTimestamp(int a, Timestamp b) throws SQLException {
        setTimestamp(a, b, null);
    }

    @Override
    public void setAsciiStream(int a, InputStream b, int c) throws SQLException {
        set(a, ParameterValues.clob(a, ascii(b), c));
    }

    @Override
    public void setBinaryStream(int a, InputStream b, int c) throws SQLException {
        set(a, ParameterValues.blob(a, b, c));
    }

    @Override
    public void setObject(int a, Object b, int c) throws SQLException {
        set(a, ParameterValues.object(h2Connection(), a, b, valueType(c)));
    }

    @Override
    public void setObject(int a, Object b) throws SQLException {
        set(a, ParameterValues.object(h2Connection(), a, b, Value.UNKNOWN));
    }

    @Override
    public void setCharacterStream(int a, Reader b, int c) throws SQLException {
        set(a, ParameterValues.clob(a, b, c));
    }

    @Override
    public void setRef(int a, Ref b) throws SQLException {
        own().setRef(a, b);
        note(a, b);
    }

    @Override
    public void setBlob(int a, Blob b) throws SQLException {
        set(a, ParameterValues.object(h2Connection(), a, b, Value.UNKNOWN));
    }

    @Override
    public void setClob(int a, Clob b) throws SQLException {
        set(a, ParameterValues.object(h2Connection(), a, b, Value.UNKNOWN));
    }

    @Override
    public void setArray(int a, Array b) throws SQLException {
        set(a, ParameterValues.array(h2Connection(), b));
    }

    @Override
    public ResultSetMetaData getMetaData() throws SQLException {
        return own().getMetaData();
    }

    @Override
    public void setDate(int a, Date b, Calendar c) throws SQLException {
        set(a, ParameterValues.date(h2Connection(), b, c));
    }

    @Override
    public void setTime(int a, Time b, Calendar c) throws SQLException {
        set(a, ParameterValues.time(h2Connection(), b, c));
    }

    @Override
    public void setTimestamp(int a, Timestamp b, Calendar c) throws SQLException {
        set(a, ParameterValues.timestamp(h2Connection(), b, c));
    }

    @Override
    public void setNull(int a, int b, String c) throws SQLException {
        own().setNull(a, b, c);
        noteNull(a, b);
    }

    @Override
    public void setURL(int a, URL b) throws SQLException {
        own().setURL(a, b);
        note(a, b);
    }

    @Override
    public ParameterMetaData getParameterMetaData() throws SQLException {
        return own().getParameterMetaData();
    }

    @Override
    public void setRowId(int a, RowId b) throws SQLException {
        own().setRowId(a, b);
        note(a, b);
    }

    @Override
    public void setNString(int a, String b) throws SQLException {
        own().setNString(a, b);
        note(a, b);
    }

    @Override
    public void setNCharacterStream(int a, Reader b, long c) throws SQLException {
        set(a, ParameterValues.clob(a, b, c));
    }

    @Override
    public void setNClob(int a, NClob b) throws SQLException {
        set(a, ParameterValues.object(h2Connection(), a, b, Value.UNKNOWN));
    }

    @Override
    public void setClob(int a, Reader b, long c) throws SQLException {
        set(a, ParameterValues.clob(a, b, c));
    }

    @Override
    public void setBlob(int a, InputStream b, long c) throws SQLException {
        set(a, ParameterValues.blob(a, b, c));
    }

    @Override
    public void setNClob(int a, Reader b, long c) throws SQLException {
        set(a, ParameterValues.clob(a, b, c));
    }

    @Override
    public void setSQLXML(int a, SQLXML b) throws SQLException {
        set(a, ParameterValues.object(h2Connection(), a, b, Value.UNKNOWN));
    }

    @Override
    public void setObject(int a, Object b, int c, int d) throws SQLException {
        setObject(a, b, c);
    }

    @Override
    public void setAsciiStream(int a, InputStream b, long c) throws SQLException {
        set(a, ParameterValues.clob(a, ascii(b), c));
    }

    @Override
    public void setBinaryStream(int a, InputStream b, long c) throws SQLException {
        set(a, ParameterValues.blob(a, b, c));
    }

    @Override
    public void setCharacterStream(int a, Reader b, long c) throws SQLException {
        set(a, ParameterValues.clob(a, b, c));
    }

    @Override
    public void setAsciiStream(int a, InputStream b) throws SQLException {
        set(a, ParameterValues.clob(a, ascii(b), -1));
    }

    @Override
    public void setBinaryStream(int a, InputStream b) throws SQLException {
        set(a, ParameterValues.blob(a, b, -1));
    }

    @Override
    public void setCharacterStream(int a, Reader b) throws SQLException {
        set(a, ParameterValues.clob(a, b, -1));
    }

    @Override
    public void setNCharacterStream(int a, Reader b) throws SQLException {
        set(a, ParameterValues.clob(a, b, -1));
    }

    @Override
    public void setClob(int a, Reader b) throws SQLException {
        set(a, ParameterValues.clob(a, b, -1));
    }

    @Override
    public void setBlob(int a, InputStream b) throws SQLException {
        set(a, ParameterValues.blob(a, b, -1));
    }

    @Override
    public void setNClob(int a, Reader b) throws SQLException {
        set(a, ParameterValues.clob(a, b, -1));
    }

    @Override
    public void setObject(int a, Object b, SQLType c, int d) throws SQLException {
        setObject(a, b, c);
    }

    @Override
    public void setObject(int a, Object b, SQLType c) throws SQLException {
        set(a, ParameterValues.object(h2Connection(), a, b, valueType(c)));
    }
}
