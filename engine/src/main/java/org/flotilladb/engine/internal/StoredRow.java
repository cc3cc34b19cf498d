package org.flotilladb.engine.internal;

import org.h2.engine.CastDataProvider;
import org.h2.result.DefaultRow;
import org.h2.result.Row;
import org.h2.result.SearchRow;
import org.h2.value.TypeInfo;
import org.h2.value.Value;
import org.h2.value.ValueBigint;
import org.h2.value.ValueNull;

/** A row whose columns are decoded when they are asked for. Used by one thread at a time. */
final class StoredRow extends DefaultRow {
    private static final int MEMORY_OVERHEAD_BYTES = 96;
    private static final int VALUE_BYTES = 32;

    private final RowReader in;
    private final TypeInfo[] types;
    private final CastDataProvider provider;
    /** Columns in the bytes; the table may have more. */
    private final int stored;
    /** Where columns begin that were passed over; 0 is unknown. */
    private int[] offsets;
    /** The first column behind the place where {@link #in} stands, as long as none was passed over. */
    private int reached;

    private int reachedOffset;

    StoredRow(long number, byte[] bytes, TypeInfo[] types, CastDataProvider provider) {
        super(new Value[types.length], MEMORY_CALCULATE);
        this.in = new RowReader(bytes);
        this.types = types;
        this.provider = provider;
        this.stored = RowCodec.readHead(in);
        this.reachedOffset = in.position();
        setKey(number);
    }

    @Override
    public Value getValue(int column) {
        if (column == SearchRow.ROWID_INDEX) {
            return ValueBigint.get(getKey());
        }
        Value value = data[column];
        return value != null ? value : decode(column);
    }

    private Value decode(int column) {
        Value value;
        if (column >= stored) {
            value = ValueNull.INSTANCE;
        } else if (column < reached) {
            in.moveTo(offsets[column]);
            value = RowCodec.read(in, types[column], provider);
        } else {
            in.moveTo(reachedOffset);
            while (reached < column) {
                if (offsets == null) {
                    offsets = new int[data.length];
                }
                offsets[reached++] = in.position();
                RowCodec.skip(in);
            }
            value = RowCodec.read(in, types[column], provider);
            reached++;
            reachedOffset = in.position();
        }
        data[column] = value;
        return value;
    }

    @Override
    public Value[] getValueList() {
        for (int column = 0; column < data.length; column++) {
            if (data[column] == null) {
                decode(column);
            }
        }
        return data;
    }

    @Override
    public boolean hasSameValues(Row other) {
        return other instanceof StoredRow row && in.hasSameBytes(row.in) || super.hasSameValues(other);
    }

    @Override
    protected int calculateMemory() {
        return MEMORY_OVERHEAD_BYTES + in.size() + data.length * VALUE_BYTES;
    }

    @Override
    public String toString() {
        getValueList();
        return super.toString();
    }
}
