package org.flotilladb.engine.internal;

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
    /** Added to the type of a text with half a pair of surrogates. */
    private static final int TORN = 0x80;

    private static final int DECFLOAT_FINITE = 0;
    private static final int DECFLOAT_NAN = 1;
    private static final int DECFLOAT_POSITIVE_INFINITY = 2;
    private static final int DECFLOAT_NEGATIVE_INFINITY = 3;

    private RowCodec() {}

    static byte[] encode(Value[] values) {
        RowWriter out = new RowWriter();
        out.write(FORMAT);
        out.number(values.length);
        for (Value value : values) {
            write(out, value == null ? ValueNull.INSTANCE : value);
        }
        return out.toBytes();
    }

    private static void write(RowWriter out, Value value) {
        int type = value.getValueType();
        if (isText(type)) {
            writeText(out, type, value.getString());
            return;
        }
        out.write(type);
        switch (type) {
            case Value.NULL -> {}
            case Value.BOOLEAN -> out.write(value.getBoolean() ? 1 : 0);
            case Value.TINYINT, Value.SMALLINT, Value.INTEGER, Value.BIGINT -> out.signed(value.getLong());
            case Value.NUMERIC -> writeDecimal(out, value.getBigDecimal());
            case Value.DECFLOAT -> writeDecfloat(out, value);
            case Value.REAL -> out.fixed(Float.floatToIntBits(value.getFloat()));
            case Value.DOUBLE -> out.fixed(Double.doubleToLongBits(value.getDouble()));
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
                out.text(value.getString());
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
                if (isInterval(type)) {
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

    private static boolean isText(int type) {
        return type == Value.VARCHAR || type == Value.CHAR || type == Value.VARCHAR_IGNORECASE;
    }

    private static void writeText(RowWriter out, int type, String text) {
        if (RowWriter.isTorn(text)) {
            out.write(type | TORN);
            out.units(text);
        } else {
            out.write(type);
            out.text(text);
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

    private static void writeDecimal(RowWriter out, BigDecimal number) {
        out.signed(number.scale());
        out.block(number.unscaledValue().toByteArray());
    }

    private static void writeDecfloat(RowWriter out, Value value) {
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
        return new StoredRow(0, bytes, types, provider).getValueList();
    }

    /** Moves to the first column; the number of columns. */
    static int readHead(RowReader in) {
        int format = in.next();
        if (format != FORMAT) {
            throw DbException.getInternalError("a row of format " + format + "; this version knows " + FORMAT);
        }
        return (int) in.number();
    }

    /** Passes over one value. */
    static void skip(RowReader in) {
        int valueType = in.next();
        switch (valueType) {
            case Value.NULL -> {}
            case Value.BOOLEAN -> in.skip(1);
            case Value.TINYINT, Value.SMALLINT, Value.INTEGER, Value.BIGINT, Value.DATE, Value.TIME -> in.number();
            case Value.REAL, Value.DOUBLE -> in.skip(Long.BYTES);
            case Value.NUMERIC, Value.ENUM -> {
                in.number();
                in.skipBlock();
            }
            case Value.DECFLOAT -> {
                if (in.next() == DECFLOAT_FINITE) {
                    in.number();
                    in.skipBlock();
                }
            }
            case Value.UUID -> in.skip(2 * Long.BYTES);
            case Value.TIME_TZ, Value.TIMESTAMP -> {
                in.number();
                in.number();
            }
            case Value.TIMESTAMP_TZ -> {
                in.number();
                in.number();
                in.number();
            }
            case Value.ARRAY, Value.ROW -> {
                for (long left = in.number(); left > 0; left--) {
                    skip(in);
                }
            }
            default -> {
                if (isInterval(valueType)) {
                    in.skip(1);
                    in.number();
                    in.number();
                } else {
                    in.skipBlock();
                }
            }
        }
    }

    private static boolean isInterval(int valueType) {
        return valueType >= Value.INTERVAL_YEAR && valueType <= Value.INTERVAL_MINUTE_TO_SECOND;
    }

    /** Reads one value. */
    static Value read(RowReader in, TypeInfo type, CastDataProvider provider) {
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
            case Value.VARCHAR | TORN:
                return ValueVarchar.get(in.units());
            case Value.CHAR | TORN:
                return ValueChar.get(in.units());
            case Value.VARCHAR_IGNORECASE | TORN:
                return ValueVarcharIgnoreCase.get(in.units());
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
                if (isInterval(valueType)) {
                    boolean negative = in.next() != 0;
                    long leading = in.number();
                    return ValueInterval.from(
                            IntervalQualifier.valueOf(valueType - Value.INTERVAL_YEAR), negative, leading, in.number());
                }
                throw DbException.getInternalError("a value of type " + valueType + " in a row");
        }
    }

    private static Value readRow(RowReader in, TypeInfo type, CastDataProvider provider) {
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

    private static Value[] readAll(RowReader in, TypeInfo type, CastDataProvider provider) {
        Value[] elements = new Value[(int) in.number()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = read(in, type, provider);
        }
        return elements;
    }

    private static BigDecimal readDecimal(RowReader in) {
        int scale = (int) in.signed();
        return new BigDecimal(new BigInteger(in.block()), scale);
    }
}
