package org.flotilladb.engine.internal;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.text.Collator;
import org.h2.engine.CastDataProvider;
import org.h2.message.DbException;
import org.h2.result.SortOrder;
import org.h2.table.Column;
import org.h2.table.IndexColumn;
import org.h2.util.DateTimeUtils;
import org.h2.value.CompareMode;
import org.h2.value.TypeInfo;
import org.h2.value.Value;
import org.h2.value.ValueArray;
import org.h2.value.ValueCollectionBase;
import org.h2.value.ValueDate;
import org.h2.value.ValueInterval;
import org.h2.value.ValueNull;
import org.h2.value.ValueTime;
import org.h2.value.ValueTimeTimeZone;
import org.h2.value.ValueTimestamp;
import org.h2.value.ValueTimestampTimeZone;
import org.h2.value.ValueUuid;

/**
 * Values to bytes that compare as H2 compares the values: each self-delimiting, after a mark that puts NULL first or
 * last; descending columns are inverted behind the mark. Immutable.
 */
final class KeyCodec {
    private static final int NULL_FIRST = 1;
    static final int NOT_NULL = 2;
    private static final int NULL_LAST = 3;

    private static final long NANOS_PER_DAY = DateTimeUtils.NANOS_PER_DAY;
    private static final BigDecimal MIN_LONG = BigDecimal.valueOf(Long.MIN_VALUE);
    private static final BigDecimal MAX_LONG = BigDecimal.valueOf(Long.MAX_VALUE);

    /** On which side of a bound the bytes of a value that the column cannot hold must come to lie. */
    enum Rounding {
        EXACT,
        DOWN,
        UP
    }

    /** A bound that tells nothing about this column: take the prefix so far. */
    static final class NoBoundException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoBoundException() {
            super(null, null, false, false);
        }
    }

    private final TypeInfo[] types;
    private final boolean[] descending;
    private final boolean[] nullsLast;
    private final Collator collator;
    /** Of IGNORECASE columns. */
    private final Collator caselessCollator;

    KeyCodec(IndexColumn[] columns, CompareMode compareMode) {
        types = new TypeInfo[columns.length];
        descending = new boolean[columns.length];
        nullsLast = new boolean[columns.length];
        for (int i = 0; i < columns.length; i++) {
            types[i] = columns[i].column.getType();
            int sort = columns[i].sortType;
            descending[i] = (sort & SortOrder.DESCENDING) != 0;
            nullsLast[i] = (sort & SortOrder.NULLS_LAST) != 0 || ((sort & SortOrder.NULLS_FIRST) == 0 && descending[i]);
        }
        collator = collator(compareMode, compareMode.getStrength());
        caselessCollator = collator(compareMode, Math.min(compareMode.getStrength(), Collator.SECONDARY));
    }

    private static Collator collator(CompareMode mode, int strength) {
        if (mode.getName().equals(CompareMode.OFF)) {
            return null;
        }
        String name = mode.getName();
        for (String prefix : new String[] {CompareMode.DEFAULT, CompareMode.ICU4J}) {
            if (name.startsWith(prefix)) {
                name = name.substring(prefix.length());
            }
        }
        Collator collator = CompareMode.getCollator(name);
        if (collator == null) {
            throw DbException.getUnsupportedException("collation " + mode.getName());
        }
        collator = (Collator) collator.clone();
        collator.setStrength(strength);
        return collator;
    }

    int columns() {
        return types.length;
    }

    boolean descending(int column) {
        return descending[column];
    }

    /** Adds the value of one column. */
    void add(KeyBytes key, int column, Value value, CastDataProvider provider, Rounding rounding) {
        if (value == ValueNull.INSTANCE) {
            key.add(nullsLast[column] ? NULL_LAST : NULL_FIRST);
            return;
        }
        key.add(NOT_NULL);
        int from = key.size();
        addValue(key, types[column], value, provider, rounding);
        if (descending[column]) {
            key.invertFrom(from);
        }
    }

    private void addValue(KeyBytes key, TypeInfo type, Value value, CastDataProvider provider, Rounding rounding) {
        switch (type.getValueType()) {
            case Value.BOOLEAN -> key.add(value.convertToBoolean().getBoolean() ? 1 : 0);
            case Value.TINYINT, Value.SMALLINT, Value.INTEGER, Value.BIGINT -> key.addSigned(whole(value, rounding));
            case Value.NUMERIC -> addDecimal(key, decimal(value));
            case Value.DECFLOAT -> addDecfloat(key, value);
            case Value.REAL, Value.DOUBLE -> addDouble(key, value.getDouble());
            case Value.VARCHAR, Value.CLOB -> addString(key, value.getString(), collator);
            case Value.CHAR -> addString(key, withoutTrailingBlanks(value.getString()), collator);
            case Value.VARCHAR_IGNORECASE -> {
                if (caselessCollator == null) {
                    addFolded(key, value.getString());
                } else {
                    addString(key, value.getString(), caselessCollator);
                }
            }
            case Value.UUID -> {
                ValueUuid uuid = (ValueUuid) value.convertTo(type, provider);
                key.addLong(uuid.getHigh());
                key.addLong(uuid.getLow());
            }
            case Value.DATE -> key.addLong(flipped(((ValueDate) converted(value, type, provider)).getDateValue()));
            case Value.TIME -> key.addLong(flipped(((ValueTime) converted(value, type, provider)).getNanos()));
            case Value.TIME_TZ -> {
                ValueTimeTimeZone time = (ValueTimeTimeZone) converted(value, type, provider);
                key.addLong(
                        flipped(time.getNanos() - time.getTimeZoneOffsetSeconds() * DateTimeUtils.NANOS_PER_SECOND));
            }
            case Value.TIMESTAMP -> {
                ValueTimestamp timestamp = (ValueTimestamp) converted(value, type, provider);
                key.addLong(flipped(timestamp.getDateValue()));
                key.addLong(timestamp.getTimeNanos());
            }
            case Value.TIMESTAMP_TZ -> {
                ValueTimestampTimeZone at = (ValueTimestampTimeZone) converted(value, type, provider);
                long nanos = at.getTimeNanos() - at.getTimeZoneOffsetSeconds() * DateTimeUtils.NANOS_PER_SECOND;
                long day =
                        DateTimeUtils.absoluteDayFromDateValue(at.getDateValue()) + Math.floorDiv(nanos, NANOS_PER_DAY);
                key.addLong(flipped(day));
                key.addLong(Math.floorMod(nanos, NANOS_PER_DAY));
            }
            case Value.ENUM -> key.addSigned(value.convertTo(type, provider).getInt());
            case Value.ARRAY ->
                addElements(
                        key, (TypeInfo) type.getExtTypeInfo(), (ValueArray) value.convertTo(type, provider), provider);
            case Value.ROW -> addElements(key, null, (ValueCollectionBase) value, provider);
            default -> {
                if (type.getValueType() >= Value.INTERVAL_YEAR
                        && type.getValueType() <= Value.INTERVAL_MINUTE_TO_SECOND) {
                    addInterval(key, (ValueInterval) value.convertTo(type, provider));
                } else {
                    addBytes(key, value.getBytesNoCopy());
                }
            }
        }
    }

    private static Value converted(Value value, TypeInfo type, CastDataProvider provider) {
        return value.getValueType() == type.getValueType()
                ? value
                : value.convertTo(TypeInfo.getTypeInfo(type.getValueType()), provider);
    }

    private static long flipped(long value) {
        return value ^ Long.MIN_VALUE;
    }

    private static long whole(Value value, Rounding rounding) {
        switch (value.getValueType()) {
            case Value.TINYINT, Value.SMALLINT, Value.INTEGER, Value.BIGINT:
                return value.getLong();
            default:
                if (rounding == Rounding.EXACT) {
                    return value.getLong();
                }
                BigDecimal number = decimal(value)
                        .setScale(0, rounding == Rounding.DOWN ? RoundingMode.FLOOR : RoundingMode.CEILING);
                if (number.compareTo(MIN_LONG) < 0 || number.compareTo(MAX_LONG) > 0) {
                    throw new NoBoundException();
                }
                return number.longValue();
        }
    }

    private static BigDecimal decimal(Value value) {
        try {
            return value.getBigDecimal();
        } catch (DbException e) {
            // NaN and infinities have no decimal.
            throw new NoBoundException();
        }
    }

    private static void addDecfloat(KeyBytes key, Value value) {
        double approximate = value.getDouble();
        boolean special = value.getValueType() == Value.DECFLOAT
                || value.getValueType() == Value.DOUBLE
                || value.getValueType() == Value.REAL;
        if (special && Double.isNaN(approximate)) {
            key.add(5);
        } else if (special && Double.isInfinite(approximate) && !finite(value)) {
            key.add(approximate > 0 ? 4 : 0);
        } else {
            addDecimal(key, value.getBigDecimal());
        }
    }

    /** A decimal may be beyond the range of double without being infinite. */
    private static boolean finite(Value value) {
        try {
            return value.getBigDecimal() != null;
        } catch (DbException e) {
            return false;
        }
    }

    /** Sign, exponent of the first digit, digits, end. */
    private static void addDecimal(KeyBytes key, BigDecimal number) {
        int sign = number.signum();
        key.add(2 + sign);
        if (sign == 0) {
            return;
        }
        BigDecimal plain = number.stripTrailingZeros();
        BigInteger unscaled = plain.unscaledValue().abs();
        String digits = unscaled.toString();
        int from = key.size();
        int exponent = digits.length() - plain.scale();
        int flippedExponent = exponent ^ Integer.MIN_VALUE;
        for (int shift = 24; shift >= 0; shift -= 8) {
            key.add(flippedExponent >>> shift);
        }
        // Two digits a byte, from 1 to 100; 0 ends.
        for (int i = 0; i < digits.length(); i += 2) {
            int high = digits.charAt(i) - '0';
            int low = i + 1 < digits.length() ? digits.charAt(i + 1) - '0' : 0;
            key.add(high * 10 + low + 1);
        }
        key.add(0);
        if (sign < 0) {
            key.invertFrom(from);
        }
    }

    private static void addDouble(KeyBytes key, double value) {
        long bits = Double.doubleToLongBits(value == 0 ? 0.0 : value);
        key.addLong(bits < 0 ? ~bits : bits ^ Long.MIN_VALUE);
    }

    private static String withoutTrailingBlanks(String text) {
        int end = text.length();
        while (end > 0 && text.charAt(end - 1) == ' ') {
            end--;
        }
        return text.substring(0, end);
    }

    /** In the order of String.compareToIgnoreCase, which is that of code points; half a pair of surrogates is one, too. */
    private static void addFolded(KeyBytes key, String text) {
        for (int i = 0; i < text.length(); ) {
            int point = text.codePointAt(i);
            i += Character.charCount(point);
            int folded = Character.toLowerCase(Character.toUpperCase(point));
            if (folded < 0x10000) {
                addUnit(key, folded);
            } else {
                key.add(0xf0 | folded >> 18).add(0x80 | (folded >> 12 & 0x3f));
                key.add(0x80 | (folded >> 6 & 0x3f)).add(0x80 | (folded & 0x3f));
            }
        }
        key.add(0).add(1);
    }

    /** Each UTF-16 code unit in one to three bytes that keep its order (as CESU-8 does), then the end. */
    private static void addString(KeyBytes key, String text, Collator collator) {
        if (collator != null) {
            byte[] sortKey;
            synchronized (collator) {
                sortKey = collator.getCollationKey(text).toByteArray();
            }
            addBytes(key, sortKey);
            return;
        }
        for (int i = 0; i < text.length(); i++) {
            addUnit(key, text.charAt(i));
        }
        key.add(0).add(1);
    }

    private static void addUnit(KeyBytes key, int c) {
        if (c == 0) {
            key.add(0).add(0xff);
        } else if (c < 0x80) {
            key.add(c);
        } else if (c < 0x800) {
            key.add(0xc0 | c >> 6).add(0x80 | (c & 0x3f));
        } else {
            key.add(0xe0 | c >> 12).add(0x80 | (c >> 6 & 0x3f)).add(0x80 | (c & 0x3f));
        }
    }

    private static void addBytes(KeyBytes key, byte[] value) {
        for (byte b : value) {
            key.add(b);
            if (b == 0) {
                key.add(0xff);
            }
        }
        key.add(0).add(1);
    }

    private static void addInterval(KeyBytes key, ValueInterval interval) {
        key.add(interval.isNegative() ? 0 : 1);
        int from = key.size();
        key.addLong(interval.getLeading());
        key.addLong(interval.getRemaining());
        if (interval.isNegative()) {
            key.invertFrom(from);
        }
    }

    private void addElements(
            KeyBytes key, TypeInfo elementType, ValueCollectionBase values, CastDataProvider provider) {
        for (Value value : values.getList()) {
            if (value == ValueNull.INSTANCE) {
                key.add(NULL_FIRST);
            } else {
                key.add(NOT_NULL);
                TypeInfo type = elementType == null || elementType.getValueType() == Value.UNKNOWN
                        ? value.getType()
                        : elementType;
                addValue(key, type, value, provider, Rounding.EXACT);
            }
        }
        key.add(0);
    }

    /** Whether a value of this column can be a part of a key at all. */
    static void check(Column column) {
        if (DataTypes.isLob(column.getType().getValueType())) {
            throw DbException.getUnsupportedException("Index on column: " + column.getCreateSQL());
        }
    }
}
