package org.flotilladb.engine.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.SQLException;
import java.text.Collator;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.flotilladb.engine.internal.KeyCodec.Rounding;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.h2.result.SortOrder;
import org.h2.table.Column;
import org.h2.table.IndexColumn;
import org.h2.value.CompareMode;
import org.h2.value.DataType;
import org.h2.value.TypeInfo;
import org.h2.value.Value;
import org.h2.value.ValueNull;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Keys in the order of their values, and rows that come back as they were; on values from a seed. */
class CodecTest {
    private static final long SEED = Long.getLong("flotilla.seed", 20261124L);
    private static final int PAIRS = Integer.getInteger("flotilla.codec.pairs", 20_000);

    private final SqlFixture fixture = new SqlFixture();
    private SessionLocal session;
    private RandomValues values;

    @BeforeEach
    void open() throws SQLException {
        session = (SessionLocal) ((JdbcConnection) fixture.session().connection()).getSession();
        values = new RandomValues(SEED, session);
    }

    @AfterEach
    void close() {
        fixture.close();
    }

    static IntStream types() {
        return IntStream.range(Value.CHAR, Value.TYPE_COUNT);
    }

    static IntStream keyTypes() {
        return types().filter(type -> !DataTypes.isLob(type));
    }

    private static IndexColumn column(String name, TypeInfo type, int sort) {
        IndexColumn column = new IndexColumn(name, sort);
        column.column = new Column(name, type);
        return column;
    }

    private byte[] key(KeyCodec codec, Value... row) {
        KeyBytes key = new KeyBytes();
        for (int i = 0; i < row.length; i++) {
            codec.add(key, i, row[i], session, Rounding.EXACT);
        }
        return key.toBytes();
    }

    private int compare(Value a, Value b, CompareMode mode, int sort) {
        if (a == ValueNull.INSTANCE || b == ValueNull.INSTANCE) {
            boolean last = (sort & SortOrder.NULLS_LAST) != 0
                    || ((sort & SortOrder.NULLS_FIRST) == 0 && (sort & SortOrder.DESCENDING) != 0);
            return a == b ? 0 : (a == ValueNull.INSTANCE) == last ? 1 : -1;
        }
        int order = Integer.signum(a.compareTo(b, session, mode));
        return (sort & SortOrder.DESCENDING) != 0 ? -order : order;
    }

    private Value nullable(TypeInfo type) {
        return values.number(20) == 0 ? ValueNull.INSTANCE : values.next(type);
    }

    private void checkOrder(TypeInfo type, CompareMode mode, int pairs) {
        int[] sorts = {
            SortOrder.ASCENDING,
            SortOrder.DESCENDING,
            SortOrder.ASCENDING | SortOrder.NULLS_LAST,
            SortOrder.DESCENDING | SortOrder.NULLS_FIRST
        };
        for (int sort : sorts) {
            KeyCodec codec = new KeyCodec(
                    new IndexColumn[] {column("A", type, sort), column("B", TypeInfo.TYPE_INTEGER, sort)}, mode);
            for (int i = 0; i < pairs / sorts.length; i++) {
                Value a1 = nullable(type);
                Value b1 = values.number(4) == 0 ? a1 : nullable(type);
                Value a2 = nullable(TypeInfo.TYPE_INTEGER);
                Value b2 = nullable(TypeInfo.TYPE_INTEGER);
                int first = compare(a1, b1, mode, sort);
                int expected = first != 0 ? first : compare(a2, b2, mode, sort);
                int got = Integer.signum(Arrays.compareUnsigned(key(codec, a1, a2), key(codec, b1, b2)));
                assertEquals(
                        expected,
                        got,
                        () -> "seed " + SEED + ", sort " + sort + ": (" + a1.getTraceSQL() + ", " + a2 + ") and ("
                                + b1.getTraceSQL() + ", " + b2 + ")");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("keyTypes")
    void keysStandInTheOrderOfTheirValues(int valueType) {
        System.out.println(DataType.getDataType(valueType).type + ": seed " + SEED + ", " + PAIRS + " pairs");
        checkOrder(RandomValues.columnType(valueType), CompareMode.getInstance(null, 0), PAIRS);
    }

    @Test
    void keysFollowCollations() {
        for (String name : new String[] {"GERMAN", "TURKISH", "ENGLISH"}) {
            for (int strength :
                    new int[] {Collator.PRIMARY, Collator.SECONDARY, Collator.TERTIARY, Collator.IDENTICAL}) {
                CompareMode mode = CompareMode.getInstance(name, strength);
                for (int type : new int[] {Value.VARCHAR, Value.VARCHAR_IGNORECASE, Value.CHAR}) {
                    checkOrder(TypeInfo.getTypeInfo(type), mode, PAIRS / 20);
                }
            }
        }
    }

    /** A bound may have another numeric type than the column: no row that satisfies the condition may lie outside. */
    @Test
    void boundsOfOtherTypesRoundOutward() {
        int[] columns = {
            Value.TINYINT, Value.INTEGER, Value.BIGINT, Value.NUMERIC, Value.DECFLOAT, Value.REAL, Value.DOUBLE
        };
        CompareMode mode = CompareMode.getInstance(null, 0);
        for (int columnType : columns) {
            for (int sort : new int[] {SortOrder.ASCENDING, SortOrder.DESCENDING}) {
                KeyCodec codec =
                        new KeyCodec(new IndexColumn[] {column("A", RandomValues.columnType(columnType), sort)}, mode);
                for (int i = 0; i < PAIRS / 4; i++) {
                    Value row = values.next(RandomValues.columnType(columnType));
                    Value bound = values.next(RandomValues.columnType(columns[values.number(columns.length)]));
                    checkBound(codec, row, bound, mode, sort);
                }
            }
        }
    }

    private void checkBound(KeyCodec codec, Value row, Value bound, CompareMode mode, int sort) {
        int order = row.compareTo(bound, session, mode);
        byte[] key = key(codec, row);
        boolean descending = sort == SortOrder.DESCENDING;
        if (order >= 0) {
            byte[] from = bound(codec, bound, Rounding.DOWN);
            assertTrue(
                    from == null || (descending ? -1 : 1) * Arrays.compareUnsigned(key, from) >= 0,
                    () -> "seed " + SEED + ": " + row.getTraceSQL() + " >= " + bound.getTraceSQL() + " is not found");
        }
        if (order <= 0) {
            byte[] to = bound(codec, bound, Rounding.UP);
            assertTrue(
                    to == null || (descending ? -1 : 1) * Arrays.compareUnsigned(key, to) <= 0,
                    () -> "seed " + SEED + ": " + row.getTraceSQL() + " <= " + bound.getTraceSQL() + " is not found");
        }
    }

    private byte[] bound(KeyCodec codec, Value bound, Rounding rounding) {
        KeyBytes key = new KeyBytes();
        try {
            codec.add(key, 0, bound, session, rounding);
        } catch (KeyCodec.NoBoundException | org.h2.message.DbException e) {
            return null;
        }
        return key.toBytes();
    }

    @ParameterizedTest
    @MethodSource("types")
    void rowsComeBackAsTheyWere(int valueType) {
        TypeInfo type = RandomValues.columnType(valueType);
        TypeInfo[] types = {TypeInfo.TYPE_INTEGER, type, type, TypeInfo.TYPE_VARCHAR};
        for (int i = 0; i < PAIRS / 20; i++) {
            Value[] row = new Value[types.length];
            for (int column = 0; column < types.length; column++) {
                row[column] = nullable(types[column]);
            }
            Value[] back = RowCodec.decode(RowCodec.encode(row), types, session);
            assertEquals(row.length, back.length);
            for (int column = 0; column < types.length; column++) {
                Value was = row[column];
                Value is = back[column];
                String message = "seed " + SEED + ": " + was.getTraceSQL();
                assertEquals(was.getValueType(), is.getValueType(), message);
                assertEquals(was.getTraceSQL(), is.getTraceSQL(), message);
                assertEquals(
                        0,
                        was == ValueNull.INSTANCE
                                ? 0
                                : was.compareTo(
                                        is, session, session.getDatabase().getCompareMode()),
                        message);
            }
        }
    }

    @Test
    void aRowOfFewerColumnsIsFilledWithNulls() {
        TypeInfo[] types = {TypeInfo.TYPE_INTEGER, TypeInfo.TYPE_VARCHAR};
        byte[] row = RowCodec.encode(new Value[] {org.h2.value.ValueInteger.get(5)});
        assertEquals(ValueNull.INSTANCE, RowCodec.decode(row, types, session)[1]);
    }
}
