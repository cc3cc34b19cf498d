package org.flotilladb.engine.internal;

import java.sql.SQLException;
import org.h2.engine.SessionLocal;
import org.h2.index.Index;
import org.h2.message.DbException;
import org.h2.result.SearchRow;
import org.h2.table.Column;
import org.h2.value.Value;
import org.h2.value.ValueCollectionBase;
import org.h2.value.ValueNull;

/** Primary keys as keys at which Regions are split. */
final class SplitKeys {
    private SplitKeys() {}

    /** The first key of what has this primary key: its row, or its entry in the primary key's index. */
    static byte[] of(SessionLocal session, RegionTable table, Value given) throws SQLException {
        int main = table.rowIndex().mainColumn();
        Value[] values = given instanceof ValueCollectionBase row ? row.getList() : new Value[] {given};
        if (main != SearchRow.ROWID_INDEX) {
            return table.rowKey(converted(session, table, new Column[] {table.getColumn(main)}, values)[0].getLong());
        }
        Index primary = table.findPrimaryKey();
        if (!(primary instanceof EntryIndex index)) {
            throw Errors.invalid("The table " + table.getName()
                    + " has no primary key to split it by: use FLOTILLA_SPLIT_REGION with a key.");
        }
        return index.splitKey(session, converted(session, table, primary.getColumns(), values));
    }

    private static Value[] converted(SessionLocal session, RegionTable table, Column[] columns, Value[] values)
            throws SQLException {
        if (values.length == 0 || values.length > columns.length) {
            throw Errors.invalid("The primary key of " + table.getName() + " has " + columns.length
                    + (columns.length == 1 ? " column" : " columns") + ", not " + values.length + ".");
        }
        Value[] result = new Value[values.length];
        for (int i = 0; i < values.length; i++) {
            if (values[i] == ValueNull.INSTANCE) {
                throw Errors.invalid("A primary key of " + table.getName() + " is never NULL.");
            }
            try {
                result[i] = columns[i].convert(session, values[i]);
            } catch (DbException e) {
                throw e.getSQLException();
            }
        }
        return result;
    }
}
