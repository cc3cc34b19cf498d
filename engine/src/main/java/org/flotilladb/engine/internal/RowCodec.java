package org.flotilladb.engine.internal;

import java.io.ByteArrayOutputStream;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.h2.api.IntervalQualifier;
import org.h2.engine.CastDataProvider;
import org.h2.message.DbException;
import org.h2.value.ExtTypeInfoEnum;
import org.h2.value.ExtTypeInfoRow;
import org.h2.value.TypeInfo;
import org.h2.value.Value;
import org.h2.value.ValueArray;
import org.h2.value.ValueBigint;
import org.h2.value.ValueBinary;
import org.h2.value.ValueBlob;
import org.h2.value.ValueBoolean;
import org.h2.value.ValueChar;
import org.h2.value.ValueClob;
import org.h2.value.ValueCollectionBase;
import org.h2.value.ValueDate;
import org.h2.value.ValueDecfloat;
import org.h2.value.ValueDouble;
import org.h2.value.ValueGeometry;
import org.h2.value.ValueInteger;
import org.h2.value.ValueInterval;
import org.h2.value.ValueJavaObject;
import org.h2.value.ValueJson;
import org.h2.value.ValueNull;
import org.h2.value.ValueNumeric;
import org.h2.value.ValueReal;
import org.h2.value.ValueRow;
import org.h2.value.ValueSmallint;
import org.h2.value.ValueTime;
import org.h2.value.ValueTimeTimeZone;
import org.h2.value.ValueTimestamp;
import org.h2.value.ValueTimestampTimeZone;
import org.h2.value.ValueTinyint;
import org.h2.value.ValueUuid;
import org.h2.value.ValueVarbinary;
import org.h2.value.ValueVarchar;
import org.h2.value.ValueVarcharIgnoreCase;

/** Rows to bytes and back: a format number, the count of columns, then each value behind its type. Stateless. */
final class RowCodec {
    /** Largest LOB kept; they stand in their row. */
    static final int MAX_LOB_BYTES = 12 << 20;

    private static final int FORMAT = 1;
    private static final int DECFLOAT_FINITE = 0;
    private static final int DECFLOAT_NAN = 1;
    private static final int DECFLOAT_POSITIVE_INFINITY = 2;
    private static final int DECFLOAT_NEGATIVE_INFINITY = 3;

    private RowCodec() {}

    static byte[] encode(Value[] values) {
        Writer out = new Writer();
        out.write(FORMAT);
        out.number(values.length);
        for (Value value : values) {
            write(out, value == null ? ValueNull.INSTANCE : value);
        }
        return out.toByteArray();
    }

    private static final class Writer extends ByteArrayOutputStream {
        Writer() {
            super(64);
        }

        void number(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                write((int) (rest & 0x7f | 0x80));
                rest >>>= 7;
            }
            write((int) rest);
        }

        void signed(long value) {
            number(value << 1 ^ value >> 63);
        }

        void block(byte[] bytes) {
            number(bytes.length);
            write(bytes, 0, bytes.length);
        }

        void fixed(long value) {
            for (int i = 56; i >= 0; i -= 8) {
                write((int) (value >>> i));
            }
        }
    }

    private static void write(Writer out, Value value) {
        int type = value.getValueType();
        out.write(type);
        switch (type) {
            case Value.NULL -> {}
            case Value.BOOLEAN -> out.write(value.getBoolean() ? 1 : 0);
            case Value.TINYINT, Value.SMALLINT, Value.INTEGER, Value.BIGINT -> out.signed(value.getLong());
            case Value.NUMERIC -> writeDecimal(out, value.getBigDecimal());
            case Value.DECFLOAT -> writeDecfloat(out, value);
            case Value.REAL -> out.fixed(Float.floatToIntBits(value.getFloat()));
            case Value.DOUBLE -> out.fixed(Double.doubleToLongBits(value.getDouble()));
            case Value.VARCHAR, Value.CHAR, Value.VARCHAR_IGNORECASE ->
                out.block(value.getString().getBytes(StandardCharsets.UTF_8));
            case Value.UUID -> {
                out.fixed(((ValueUuid) value).getHigh());
                out.fixed(((ValueUuid) value).getLow());
            }
            case Value.DATE -> out.signed(((ValueDate) value).getDateValue());
            case Value.TIME -> out.signed(((ValueTime) value).getNanos());
            case Value.TIME_TZ -> {
                out.signed(((ValueTimeTimeZone) value).getNanos());
                out.signed(((ValueTimeTimeZone) value).getTimeZoneOffsetSeconds());
            }
            case Value.TIMESTAMP -> {
                out.signed(((ValueTimestamp) value).getDateValue());
                out.signed(((ValueTimestamp) value).getTimeNanos());
            }
            case Value.TIMESTAMP_TZ -> {
                out.signed(((ValueTimestampTimeZone) value).getDateValue());
                out.signed(((ValueTimestampTimeZone) value).getTimeNanos());
                out.signed(((ValueTimestampTimeZone) value).getTimeZoneOffsetSeconds());
            }
            case Value.ENUM -> {
                out.signed(value.getInt());
                out.block(value.getString().getBytes(StandardCharsets.UTF_8));
            }
            case Value.CLOB, Value.BLOB -> out.block(lobBytes(value));
            case Value.ARRAY, Value.ROW -> {
                Value[] elements = ((ValueCollectionBase) value).getList();
                out.number(elements.length);
                for (Value element : elements) {
                    write(out, element);
                }
            }
            default -> {
                if (type >= Value.INTERVAL_YEAR && type <= Value.INTERVAL_MINUTE_TO_SECOND) {
                    ValueInterval interval = (ValueInterval) value;
                    out.write(interval.isNegative() ? 1 : 0);
                    out.number(interval.getLeading());
                    out.number(interval.getRemaining());
                } else {
                    out.block(value.getBytesNoCopy());
                }
            }
        }
    }

    /** The same LOB with its content in memory. */
    static Value inline(Value value) {
        return switch (value.getValueType()) {
            case Value.CLOB -> ValueClob.createSmall(lobBytes(value));
            case Value.BLOB -> ValueBlob.createSmall(lobBytes(value));
            default -> value;
        };
    }

    private static byte[] lobBytes(Value value) {
        byte[] bytes = value.getValueType() == Value.CLOB
                ? value.getString().getBytes(StandardCharsets.UTF_8)
                : value.getBytesNoCopy();
        if (bytes.length > MAX_LOB_BYTES) {
            throw DbException.getUnsupportedException("a LOB of " + bytes.length + " bytes; the limit is "
                    + MAX_LOB_BYTES + ": keep it outside the database and store a reference");
        }
        return bytes;
    }

    private static void writeDecimal(Writer out, BigDecimal number) {
        out.signed(number.scale());
        out.block(number.unscaledValue().toByteArray());
    }

    private static void writeDecfloat(Writer out, Value value) {
        if (value == ValueDecfloat.NAN) {
            out.write(DECFLOAT_NAN);
        } else if (value == ValueDecfloat.POSITIVE_INFINITY) {
            out.write(DECFLOAT_POSITIVE_INFINITY);
        } else if (value == ValueDecfloat.NEGATIVE_INFINITY) {
            out.write(DECFLOAT_NEGATIVE_INFINITY);
        } else {
            out.write(DECFLOAT_FINITE);
            writeDecimal(out, value.getBigDecimal());
        }
    }

    /**
     * The values of a row.
     *
     * @param types of the table's columns; columns that the row lacks are NULL
     */
    static Value[] decode(byte[] bytes, TypeInfo[] types, CastDataProvider provider) {
        Reader in = new Reader(bytes);
        int format = in.next();
        if (format != FORMAT) {
            throw DbException.getInternalError("a row of format " + format + "; this version knows " + FORMAT);
        }
        int count = (int) in.number();
        Value[] values = new Value[types.length];
        for (int i = 0; i < types.length; i++) {
            values[i] = i < count ? read(in, types[i], provider) : ValueNull.INSTANCE;
        }
        return values;
    }

    private static final class Reader {
        private final byte[] bytes;
        private int at;

        Reader(byte[] bytes) {
            this.bytes = bytes;
        }

        int next() {
            return bytes[at++] & 0xff;
        }

        long number() {
            long value = 0;
            int shift = 0;
            while (true) {
                int b = next();
                value |= (long) (b & 0x7f) << shift;
                if (b < 0x80) {
                    return value;
                }
                shift += 7;
            }
        }

        long signed() {
            long value = number();
            return value >>> 1 ^ -(value & 1);
        }

        byte[] block() {
            int length = (int) number();
            byte[] result = new byte[length];
            System.arraycopy(bytes, at, result, 0, length);
            at += length;
            return result;
        }

        String text() {
            int length = (int) number();
            String result = new String(bytes, at, length, StandardCharsets.UTF_8);
            at += length;
            return result;
        }

        long fixed() {
            long value = 0;
            for (int i = 0; i < 8; i++) {
                value = value << 8 | next();
            }
            return value;
        }
    }

    private static Value read(Reader in, TypeInfo type, CastDataProvider provider) {
        int valueType = in.next();
        switch (valueType) {
            case Value.NULL:
                return ValueNull.INSTANCE;
            case Value.BOOLEAN:
                return ValueBoolean.get(in.next() != 0);
            case Value.TINYINT:
                return ValueTinyint.get((byte) in.signed());
            case Value.SMALLINT:
                return ValueSmallint.get((short) in.signed());
            case Value.INTEGER:
                return ValueInteger.get((int) in.signed());
            case Value.BIGINT:
                return ValueBigint.get(in.signed());
            case Value.NUMERIC:
                return ValueNumeric.get(readDecimal(in));
            case Value.DECFLOAT:
                return switch (in.next()) {
                    case DECFLOAT_NAN -> ValueDecfloat.NAN;
                    case DECFLOAT_POSITIVE_INFINITY -> ValueDecfloat.POSITIVE_INFINITY;
                    case DECFLOAT_NEGATIVE_INFINITY -> ValueDecfloat.NEGATIVE_INFINITY;
                    default -> ValueDecfloat.get(readDecimal(in));
                };
            case Value.REAL:
                return ValueReal.get(Float.intBitsToFloat((int) in.fixed()));
            case Value.DOUBLE:
                return ValueDouble.get(Double.longBitsToDouble(in.fixed()));
            case Value.VARCHAR:
                return ValueVarchar.get(in.text());
            case Value.CHAR:
                return ValueChar.get(in.text());
            case Value.VARCHAR_IGNORECASE:
                return ValueVarcharIgnoreCase.get(in.text());
            case Value.UUID: {
                long high = in.fixed();
                return ValueUuid.get(high, in.fixed());
            }
            case Value.DATE:
                return ValueDate.fromDateValue(in.signed());
            case Value.TIME:
                return ValueTime.fromNanos(in.signed());
            case Value.TIME_TZ: {
                long nanos = in.signed();
                return ValueTimeTimeZone.fromNanos(nanos, (int) in.signed());
            }
            case Value.TIMESTAMP: {
                long date = in.signed();
                return ValueTimestamp.fromDateValueAndNanos(date, in.signed());
            }
            case Value.TIMESTAMP_TZ: {
                long date = in.signed();
                long nanos = in.signed();
                return ValueTimestampTimeZone.fromDateValueAndNanos(date, nanos, (int) in.signed());
            }
            case Value.ENUM: {
                int ordinal = (int) in.signed();
                String label = in.text();
                if (type.getExtTypeInfo() instanceof ExtTypeInfoEnum values) {
                    return values.getValue(label, provider);
                }
                throw DbException.getInternalError("an ENUM value " + ordinal + " in a column of type " + type);
            }
            case Value.CLOB:
                return ValueClob.createSmall(in.block());
            case Value.BLOB:
                return ValueBlob.createSmall(in.block());
            case Value.VARBINARY:
                return ValueVarbinary.getNoCopy(in.block());
            case Value.BINARY:
                return ValueBinary.getNoCopy(in.block());
            case Value.JAVA_OBJECT:
                return ValueJavaObject.getNoCopy(in.block());
            case Value.JSON:
                return ValueJson.getInternal(in.block());
            case Value.GEOMETRY:
                return ValueGeometry.get(in.block());
            case Value.ARRAY: {
                TypeInfo component = type.getExtTypeInfo() instanceof TypeInfo known ? known : TypeInfo.TYPE_UNKNOWN;
                return ValueArray.get(component, readAll(in, component, provider), provider);
            }
            case Value.ROW:
                return readRow(in, type, provider);
            default:
                if (valueType >= Value.INTERVAL_YEAR && valueType <= Value.INTERVAL_MINUTE_TO_SECOND) {
                    boolean negative = in.next() != 0;
                    long leading = in.number();
                    return ValueInterval.from(
                            IntervalQualifier.valueOf(valueType - Value.INTERVAL_YEAR), negative, leading, in.number());
                }
                throw DbException.getInternalError("a value of type " + valueType + " in a row");
        }
    }

    private static Value readRow(Reader in, TypeInfo type, CastDataProvider provider) {
        Value[] elements = new Value[(int) in.number()];
        if (!(type.getExtTypeInfo() instanceof ExtTypeInfoRow fields)
                || fields.getFields().size() != elements.length) {
            for (int i = 0; i < elements.length; i++) {
                elements[i] = read(in, TypeInfo.TYPE_UNKNOWN, provider);
            }
            return ValueRow.get(elements);
        }
        int at = 0;
        for (Map.Entry<String, TypeInfo> field : fields.getFields()) {
            elements[at++] = read(in, field.getValue(), provider);
        }
        return ValueRow.get(type, elements);
    }

    private static Value[] readAll(Reader in, TypeInfo type, CastDataProvider provider) {
        Value[] elements = new Value[(int) in.number()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = read(in, type, provider);
        }
        return elements;
    }

    private static BigDecimal readDecimal(Reader in) {
        int scale = (int) in.signed();
        return new BigDecimal(new BigInteger(in.block()), scale);
    }
}
