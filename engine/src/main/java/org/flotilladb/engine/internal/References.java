package org.flotilladb.engine.internal;

import java.util.Arrays;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiConsumer;
import org.flotilladb.engine.internal.KeyCodec.Rounding;
import org.h2.constraint.Constraint;
import org.h2.constraint.ConstraintReferential;
import org.h2.engine.SessionLocal;
import org.h2.result.Row;
import org.h2.table.Column;
import org.h2.table.IndexColumn;
import org.h2.value.Value;
import org.h2.value.ValueNull;

/**
 * Keeps foreign keys under snapshot isolation, where H2's own reads could let two transactions break one together: who
 * writes a child locks a key that stands for the parent, shared; who removes the parent, or changes what is referenced,
 * writes that key. One of the two then fails to commit.
 */
final class References {
    private final RegionTable table;
    private final ConcurrentHashMap<ConstraintReferential, KeyCodec> codecs = new ConcurrentHashMap<>();

    References(RegionTable table) {
        this.table = table;
    }

    void childWritten(SessionLocal session, Row oldRow, Row newRow) {
        for (Constraint constraint : table.getConstraints()) {
            if (constraint instanceof ConstraintReferential reference
                    && reference.getTable() == table
                    && reference.getRefTable() instanceof RegionTable parent) {
                Value[] values = values(reference.getColumns(), newRow);
                if (values != null
                        && (oldRow == null || !Arrays.equals(values, values(reference.getColumns(), oldRow)))) {
                    table.transaction(session).lockShared(key(session, parent, reference, values));
                }
            }
        }
    }

    /** Whether the table refers to itself or to a table that is none of ours: then each row is looked at by itself. */
    boolean needLook() {
        for (Constraint constraint : table.getConstraints()) {
            if (constraint instanceof ConstraintReferential reference
                    && reference.getTable() == table
                    && (reference.getRefTable() == table || !(reference.getRefTable() instanceof RegionTable))) {
                return true;
            }
        }
        return false;
    }

    /** Whether the table refers to any other. */
    boolean any() {
        for (Constraint constraint : table.getConstraints()) {
            if (constraint instanceof ConstraintReferential reference && reference.getTable() == table) {
                return true;
            }
        }
        return false;
    }

    /** For each parent that a row refers to, what stands for it, and if it is one row found by its number, that row's key. */
    void forEachParent(SessionLocal session, Row row, BiConsumer<byte[], byte[]> use) {
        for (Constraint constraint : table.getConstraints()) {
            if (constraint instanceof ConstraintReferential reference
                    && reference.getTable() == table
                    && reference.getRefTable() instanceof RegionTable parent) {
                Value[] values = values(reference.getColumns(), row);
                if (values != null) {
                    use.accept(key(session, parent, reference, values), rowKey(session, parent, reference, values));
                }
            }
        }
    }

    private static byte[] rowKey(
            SessionLocal session, RegionTable parent, ConstraintReferential reference, Value[] values) {
        Column main = reference.getRefColumns()[0].column;
        return values.length == 1 && parent.rowIndex().mainColumn() == main.getColumnId()
                ? parent.rowKey(values[0].convertTo(main.getType(), session).getLong())
                : null;
    }

    void parentChanged(SessionLocal session, Row oldRow, Row newRow) {
        for (Constraint constraint : table.getConstraints()) {
            if (constraint instanceof ConstraintReferential reference && reference.getRefTable() == table) {
                Value[] values = values(reference.getRefColumns(), oldRow);
                if (values != null
                        && (newRow == null || !Arrays.equals(values, values(reference.getRefColumns(), newRow)))) {
                    table.transaction(session).delete(key(session, table, reference, values));
                }
            }
        }
    }

    /** Null when one is NULL: then nothing is referenced. */
    private static Value[] values(IndexColumn[] columns, Row row) {
        Value[] values = new Value[columns.length];
        for (int i = 0; i < columns.length; i++) {
            values[i] = row.getValue(columns[i].column.getColumnId());
            if (values[i] == ValueNull.INSTANCE) {
                return null;
            }
        }
        return values;
    }

    private byte[] key(SessionLocal session, RegionTable parent, ConstraintReferential reference, Value[] values) {
        IndexColumn[] referenced = reference.getRefColumns();
        KeyCodec codec =
                codecs.computeIfAbsent(reference, r -> new KeyCodec(r.getRefColumns(), parent.getCompareMode()));
        KeyBytes key = new KeyBytes(CatalogKeys.references(parent.mirror.databaseId(), parent.physicalId()));
        for (int i = 0; i < referenced.length; i++) {
            key.addNumber(referenced[i].column.getColumnId());
            Value value = values[i].convertTo(referenced[i].column.getType(), session);
            codec.add(key, i, value, session, Rounding.EXACT);
        }
        return key.toBytes();
    }
}
