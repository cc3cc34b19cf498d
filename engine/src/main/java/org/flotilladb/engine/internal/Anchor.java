package org.flotilladb.engine.internal;

import java.util.List;
import org.h2.command.ddl.CreateTableData;
import org.h2.engine.SessionLocal;
import org.h2.index.Index;
import org.h2.index.IndexType;
import org.h2.message.DbException;
import org.h2.result.Row;
import org.h2.table.IndexColumn;
import org.h2.table.TableBase;
import org.h2.table.TableType;

/**
 * A table in no schema that a session registers as locked when its transaction first touches the key space: H2 unlocks it
 * at the end of the transaction, however that ends, and so tells us.
 */
final class Anchor extends TableBase {
    private final Mirror mirror;

    Anchor(CreateTableData data, Mirror mirror) {
        super(data);
        this.mirror = mirror;
    }

    @Override
    public void unlock(SessionLocal session) {
        mirror.state(session).transactionEnds(session);
    }

    private static RuntimeException never() {
        return DbException.getInternalError("the anchor holds no rows");
    }

    @Override
    public void close(SessionLocal session) {}

    @Override
    public Index addIndex(
            SessionLocal session,
            String name,
            int id,
            IndexColumn[] columns,
            int uniqueColumns,
            IndexType type,
            boolean create,
            String comment) {
        throw never();
    }

    @Override
    public void removeRow(SessionLocal session, Row row) {
        throw never();
    }

    @Override
    public long truncate(SessionLocal session) {
        throw never();
    }

    @Override
    public void addRow(SessionLocal session, Row row) {
        throw never();
    }

    @Override
    public void checkSupportAlter() {}

    @Override
    public TableType getTableType() {
        return TableType.TABLE;
    }

    @Override
    public Index getScanIndex(SessionLocal session) {
        throw never();
    }

    @Override
    public List<Index> getIndexes() {
        return List.of();
    }

    @Override
    public long getMaxDataModificationId() {
        return Long.MAX_VALUE;
    }

    @Override
    public boolean isDeterministic() {
        return true;
    }

    @Override
    public boolean canGetRowCount(SessionLocal session) {
        return false;
    }

    @Override
    public boolean canDrop() {
        return false;
    }

    @Override
    public long getRowCount(SessionLocal session) {
        return 0;
    }

    @Override
    public long getRowCountApproximation(SessionLocal session) {
        return 0;
    }
}
