package org.flotilladb.engine.internal;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Random;
import org.h2.api.IntervalQualifier;
import org.h2.engine.CastDataProvider;
import org.h2.util.DateTimeUtils;
import org.h2.util.geometry.EWKTUtils;
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

/** Values of H2's types from a seed: edges, near neighbours, and anything. */
final class RandomValues {
    private static final String[] TEXTS = {
        "",
        " ",
        "a",
        "A",
        "aa",
        "a ",
        "a\0",
        "a\0b",
        "ä",
        "Ä",
        "ß",
        "ı",
        "İ",
        "i",
        "I",
        "z",
        "\ud83d\ude00",
        "\uffff",
        "\0",
        "~",
        "\ud83d",
        "\ude00",
        "\ud801\udc00",
        "\ud801\udc28"
    };
    private static final String[] ENUMERATORS = {"red", "green", "blue", "black"};
    private static final int MAX_LENGTH = 12;

    private final Random random;
    private final CastDataProvider provider;

    RandomValues(long seed, CastDataProvider provider) {
        this.random = new Random(seed);
        this.provider = provider;
    }

    /** A column type for each of H2's types whose values can be compared; also used where they cannot be in a key. */
    static TypeInfo columnType(int valueType) {
        return switch (valueType) {
            case Value.NUMERIC -> TypeInfo.getTypeInfo(Value.NUMERIC, 60, 20, null);
            case Value.ENUM -> TypeInfo.getTypeInfo(Value.ENUM, -1, -1, new ExtTypeInfoEnum(ENUMERATORS));
            case Value.ARRAY -> TypeInfo.getTypeInfo(Value.ARRAY, 100, -1, TypeInfo.TYPE_VARCHAR);
            case Value.ROW -> {
                LinkedHashMap<String, TypeInfo> fields = new LinkedHashMap<>();
                fields.put("A", TypeInfo.TYPE_INTEGER);
                fields.put("B", TypeInfo.TYPE_VARCHAR);
                yield TypeInfo.getTypeInfo(Value.ROW, -1, -1, new ExtTypeInfoRow(fields));
            }
            default -> TypeInfo.getTypeInfo(valueType);
        };
    }

    int number(int bound) {
        return random.nextInt(bound);
    }

    Value next(TypeInfo type) {
        int valueType = type.getValueType();
        return switch (valueType) {
            case Value.BOOLEAN -> ValueBoolean.get(random.nextBoolean());
            case Value.TINYINT -> ValueTinyint.get((byte) whole());
            case Value.SMALLINT -> ValueSmallint.get((short) whole());
            case Value.INTEGER -> ValueInteger.get((int) whole());
            case Value.BIGINT -> ValueBigint.get(whole());
            case Value.NUMERIC -> ValueNumeric.get(decimal());
            case Value.DECFLOAT -> decfloat();
            case Value.REAL -> ValueReal.get(real());
            case Value.DOUBLE -> ValueDouble.get(floating());
            case Value.VARCHAR -> ValueVarchar.get(text());
            case Value.CHAR -> ValueChar.get(text().stripTrailing());
            case Value.VARCHAR_IGNORECASE -> ValueVarcharIgnoreCase.get(text());
            case Value.CLOB -> ValueClob.createSmall(text().getBytes(StandardCharsets.UTF_8));
            case Value.BLOB -> ValueBlob.createSmall(bytes());
            case Value.BINARY -> ValueBinary.get(bytes());
            case Value.VARBINARY -> ValueVarbinary.get(bytes());
            case Value.JAVA_OBJECT -> ValueJavaObject.getNoCopy(bytes());
            case Value.UUID -> ValueUuid.get(whole(), whole());
            case Value.JSON -> ValueJson.fromJson("{\"a\":" + whole() + "}");
            case Value.GEOMETRY ->
                ValueGeometry.getFromEWKB(
                        EWKTUtils.ewkt2ewkb("POINT (" + number(50) / 4.0 + " " + (number(50) - 25) / 4.0 + ")"));
            case Value.DATE -> ValueDate.fromDateValue(date());
            case Value.TIME -> ValueTime.fromNanos(nanos());
            case Value.TIME_TZ -> ValueTimeTimeZone.fromNanos(nanos(), offset());
            case Value.TIMESTAMP -> ValueTimestamp.fromDateValueAndNanos(date(), nanos());
            case Value.TIMESTAMP_TZ -> ValueTimestampTimeZone.fromDateValueAndNanos(date(), nanos(), offset());
            case Value.ENUM ->
                ((ExtTypeInfoEnum) type.getExtTypeInfo()).getValue(1 + number(ENUMERATORS.length), provider);
            case Value.ARRAY -> {
                Value[] elements = new Value[number(4)];
                for (int i = 0; i < elements.length; i++) {
                    elements[i] = number(5) == 0 ? ValueNull.INSTANCE : next(TypeInfo.TYPE_VARCHAR);
                }
                yield ValueArray.get(TypeInfo.TYPE_VARCHAR, elements, provider);
            }
            case Value.ROW ->
                ValueRow.get(type, new Value[] {
                    number(9) == 0 ? ValueNull.INSTANCE : ValueInteger.get(number(4)), next(TypeInfo.TYPE_VARCHAR)
                });
            default -> interval(valueType);
        };
    }

    private ValueInterval interval(int valueType) {
        IntervalQualifier qualifier = IntervalQualifier.valueOf(valueType - Value.INTERVAL_YEAR);
        long leading = number(3) == 0 ? number(1_000_000_000) : number(4);
        long remaining = switch (qualifier) {
            case YEAR_TO_MONTH -> number(12);
            case DAY_TO_HOUR -> number(24);
            case DAY_TO_MINUTE -> number(24 * 60);
            case DAY_TO_SECOND -> random.nextLong(DateTimeUtils.NANOS_PER_DAY);
            case HOUR_TO_MINUTE -> number(60);
            case HOUR_TO_SECOND -> random.nextLong(3_600_000_000_000L);
            case MINUTE_TO_SECOND -> random.nextLong(60_000_000_000L);
            case SECOND -> random.nextLong(1_000_000_000L);
            default -> 0;
        };
        return ValueInterval.from(qualifier, random.nextBoolean() && leading + remaining != 0, leading, remaining);
    }

    private long whole() {
        return switch (number(6)) {
            case 0 ->
                new long[] {Long.MIN_VALUE, Long.MAX_VALUE, 0, -1, 1, Integer.MIN_VALUE, Integer.MAX_VALUE}[number(7)];
            case 1 -> (1L << number(63)) + number(3) - 1;
            case 2 -> -(1L << number(63)) + number(3) - 1;
            case 3 -> number(20) - 10;
            default -> random.nextLong();
        };
    }

    private BigDecimal decimal() {
        BigInteger unscaled = number(3) == 0
                ? new BigInteger(number(120), random)
                : BigInteger.valueOf(number(3) == 0 ? whole() : number(200));
        return new BigDecimal(random.nextBoolean() ? unscaled : unscaled.negate(), number(20));
    }

    private ValueDecfloat decfloat() {
        return switch (number(12)) {
            case 0 -> ValueDecfloat.NAN;
            case 1 -> ValueDecfloat.POSITIVE_INFINITY;
            case 2 -> ValueDecfloat.NEGATIVE_INFINITY;
            case 3 -> ValueDecfloat.get(decimal().scaleByPowerOfTen(number(800) - 400));
            default -> ValueDecfloat.get(decimal());
        };
    }

    private float real() {
        return number(3) == 0
                ? new float[] {0f, -0f, Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY, Float.MIN_VALUE, 1f
                        }
                        [number(7)]
                : Float.intBitsToFloat(random.nextInt());
    }

    private double floating() {
        return switch (number(4)) {
            case 0 ->
                new double[] {
                            0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.MIN_VALUE, 1
                        }
                        [number(7)];
            case 1 -> number(100) / 8.0 - 6;
            default -> Double.longBitsToDouble(random.nextLong());
        };
    }

    String text() {
        StringBuilder text = new StringBuilder();
        int parts = number(4);
        for (int i = 0; i < parts; i++) {
            text.append(TEXTS[number(TEXTS.length)]);
        }
        if (number(4) == 0) {
            int length = number(MAX_LENGTH);
            for (int i = 0; i < length; i++) {
                int point = number(0x10000);
                text.append(Character.isSurrogate((char) point) ? 'x' : (char) point);
            }
        }
        return text.toString();
    }

    private byte[] bytes() {
        byte[] bytes = new byte[number(MAX_LENGTH)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) new int[] {0, 1, 127, 128, 255, number(256)}[number(6)];
        }
        return bytes;
    }

    private long date() {
        return DateTimeUtils.dateValueFromAbsoluteDay(number(3) == 0 ? number(5) - 2 : number(2_000_000) - 1_000_000);
    }

    private long nanos() {
        return switch (number(4)) {
            case 0 -> 0;
            case 1 -> DateTimeUtils.NANOS_PER_DAY - 1;
            case 2 -> number(24) * 3_600_000_000_000L;
            default -> random.nextLong(DateTimeUtils.NANOS_PER_DAY);
        };
    }

    private int offset() {
        return (number(37) - 18) * 3600;
    }
}
