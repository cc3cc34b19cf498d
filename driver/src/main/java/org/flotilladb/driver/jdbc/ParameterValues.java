package org.flotilladb.driver.jdbc;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Clob;
import java.sql.Connection;
import java.sql.Date;
import java.sql.SQLException;
import java.sql.SQLXML;
import java.sql.Time;
import java.sql.Timestamp;
import java.util.Arrays;
import java.util.Calendar;
import java.util.TimeZone;
import org.h2.jdbc.JdbcConnection;
import org.h2.message.DbException;
import org.h2.util.LegacyDateTimeUtils;
import org.h2.value.Value;
import org.h2.value.ValueBlob;
import org.h2.value.ValueClob;
import org.h2.value.ValueNull;
import org.h2.value.ValueToObjectConverter;
import org.h2.value.ValueVarbinary;

/**
 * Values of parameters as H2 would take them at the time of the call. They never change and can be set again: streams
 * are read to their end, up to the limit of a LOB, and objects that their owner may change are copied.
 */
final class ParameterValues {
    /** Largest LOB; the SQL layer has the same limit for what stands in a row. */
    static final int MAX_LOB_BYTES = 12 << 20;

    private static final int FIRST_BYTES = 8 << 10;

    private ParameterValues() {}

    static Value bytes(byte[] bytes) throws SQLException {
        return bytes == null ? ValueNull.INSTANCE : converted(() -> ValueVarbinary.get(bytes));
    }

    static Value date(Connection h2, Date date, Calendar calendar) throws SQLException {
        JdbcConnection own = own(h2);
        return date == null
                ? ValueNull.INSTANCE
                : converted(() -> LegacyDateTimeUtils.fromDate(own, zone(calendar), date));
    }

    static Value time(Connection h2, Time time, Calendar calendar) throws SQLException {
        JdbcConnection own = own(h2);
        return time == null
                ? ValueNull.INSTANCE
                : converted(() -> LegacyDateTimeUtils.fromTime(own, zone(calendar), time));
    }

    static Value timestamp(Connection h2, Timestamp timestamp, Calendar calendar) throws SQLException {
        JdbcConnection own = own(h2);
        return timestamp == null
                ? ValueNull.INSTANCE
                : converted(() -> LegacyDateTimeUtils.fromTimestamp(own, zone(calendar), timestamp));
    }

    private static TimeZone zone(Calendar calendar) {
        return calendar == null ? null : calendar.getTimeZone();
    }

    static Value array(Connection h2, Array array) throws SQLException {
        return array == null ? ValueNull.INSTANCE : ofType(h2, array.getArray(), Value.ARRAY);
    }

    /**
     * Any object.
     *
     * @param type of H2's values; {@link Value#UNKNOWN}: the object's own
     */
    static Value object(Connection h2, int parameter, Object object, int type) throws SQLException {
        Value lob = lob(parameter, object);
        if (type == Value.UNKNOWN) {
            return lob != null ? lob : ofType(h2, object, type);
        }
        Value value = lob != null ? lob : ofType(h2, object, type);
        JdbcConnection own = own(h2);
        return converted(() -> value.convertTo(type, own));
    }

    /** What can be read only once, or no longer when its connection is closed; null for any other object. */
    private static Value lob(int parameter, Object object) throws SQLException {
        if (object instanceof InputStream in) {
            return blob(parameter, in, -1);
        } else if (object instanceof Reader reader) {
            return clob(parameter, reader, -1);
        } else if (object instanceof Blob blob) {
            return blob(parameter, blob.getBinaryStream(), -1);
        } else if (object instanceof Clob clob) {
            return clob(parameter, clob.getCharacterStream(), -1);
        } else if (object instanceof SQLXML xml) {
            return clob(parameter, xml.getCharacterStream(), -1);
        }
        return null;
    }

    private static Value ofType(Connection h2, Object object, int type) throws SQLException {
        JdbcConnection own = own(h2);
        return object == null
                ? ValueNull.INSTANCE
                : converted(() -> ValueToObjectConverter.objectToValue(own.getSession(), object, type));
    }

    private static JdbcConnection own(Connection h2) throws SQLException {
        return h2.unwrap(JdbcConnection.class);
    }

    /**
     * Reads a stream.
     *
     * @param length how much of it; negative: all
     */
    static Value blob(int parameter, InputStream in, long length) throws SQLException {
        if (in == null) {
            return ValueNull.INSTANCE;
        }
        long wanted = length < 0 ? Long.MAX_VALUE : length;
        byte[] bytes = new byte[FIRST_BYTES];
        int size = 0;
        try {
            while (size < wanted) {
                if (size == bytes.length) {
                    bytes = Arrays.copyOf(bytes, Math.min(size * 2, MAX_LOB_BYTES + 1));
                }
                int read = in.read(bytes, size, (int) Math.min(bytes.length - size, wanted - size));
                if (read < 0) {
                    break;
                }
                size += read;
                checkSize(parameter, size);
            }
        } catch (IOException e) {
            throw cannotRead(parameter, e);
        }
        return ValueBlob.createSmall(Arrays.copyOf(bytes, size));
    }

    /** As {@link #blob}; the length is in characters. */
    static Value clob(int parameter, Reader in, long length) throws SQLException {
        if (in == null) {
            return ValueNull.INSTANCE;
        }
        long left = length < 0 ? Long.MAX_VALUE : length;
        StringBuilder text = new StringBuilder();
        char[] buffer = new char[FIRST_BYTES];
        try {
            while (left > 0) {
                int read = in.read(buffer, 0, (int) Math.min(buffer.length, left));
                if (read < 0) {
                    break;
                }
                left -= read;
                text.append(buffer, 0, read);
                // Each character takes a byte at least.
                checkSize(parameter, text.length());
            }
        } catch (IOException e) {
            throw cannotRead(parameter, e);
        }
        ByteBuffer encoded = StandardCharsets.UTF_8.encode(CharBuffer.wrap(text));
        checkSize(parameter, encoded.remaining());
        byte[] bytes = new byte[encoded.remaining()];
        encoded.get(bytes);
        return ValueClob.createSmall(bytes, text.length());
    }

    private static void checkSize(int parameter, int sizeBytes) throws SQLException {
        if (sizeBytes > MAX_LOB_BYTES) {
            throw new SQLException(
                    "The stream for parameter " + parameter + " has more than " + MAX_LOB_BYTES
                            + " bytes, the limit of a LOB: keep it outside the database and store a reference.",
                    "54000");
        }
    }

    private static SQLException cannotRead(int parameter, IOException e) {
        return new SQLException(
                "The stream for parameter " + parameter + " cannot be read: " + e.getMessage() + ".",
                "90028",
                90028,
                e);
    }

    /** A conversion of H2. */
    @FunctionalInterface
    private interface Conversion {
        Value run() throws SQLException;
    }

    private static Value converted(Conversion conversion) throws SQLException {
        try {
            return conversion.run();
        } catch (DbException e) {
            throw e.getSQLException();
        }
    }
}
