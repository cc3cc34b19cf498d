package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.h2.api.ErrorCode;
import org.h2.api.Trigger;
import org.h2.command.ddl.CreateTableData;
import org.h2.constraint.Constraint;
import org.h2.engine.Database;
import org.h2.engine.SessionLocal;
import org.h2.index.Cursor;
import org.h2.index.Index;
import org.h2.index.IndexType;
import org.h2.message.DbException;
import org.h2.mode.DefaultNullOrdering;
import org.h2.result.LocalResult;
import org.h2.result.Row;
import org.h2.result.SearchRow;
import org.h2.result.SortOrder;
import org.h2.schema.TriggerObject;
import org.h2.table.Column;
import org.h2.table.IndexColumn;
import org.h2.table.TableBase;
import org.h2.table.TableType;
import org.h2.value.TypeInfo;
import org.h2.value.Value;

/**
 * A table as a key range. A row's key is its number: the primary key itself if that is one whole number, else one that
 * the table hands out. Index entries stand in ranges of their own.
 */
class RegionTable extends TableBase {
    private static final long NOTHING_WRITTEN = -1;

    protected final Mirror mirror;
    private final Database h2;
    private final long physicalId;
    private final byte[] rowsPrefix;
    private final byte[] fenceKey;
    private final RowIndex rows;
    private final List<Index> indexes = new ArrayList<>();
    private final TableLock lock = new TableLock();
    private final RowNumbers numbers;
    private final AtomicLong approximateRows;
    private final References references;
    private final ColumnSequences columnSequences;
    private TypeInfo[] types;
    private Column rowIdColumn;

    RegionTable(CreateTableData data, Mirror mirror, long physicalId) {
        this(data, mirror, physicalId, CatalogKeys.rows(mirror.databaseId(), physicalId));
    }

    RegionTable(CreateTableData data, Mirror mirror, long physicalId, byte[] rowsPrefix) {
        super(data);
        this.mirror = mirror;
        this.h2 = data.session.getDatabase();
        this.physicalId = physicalId;
        this.rowsPrefix = rowsPrefix;
        this.fenceKey = CatalogKeys.fence(mirror.databaseId(), physicalId);
        this.numbers = mirror.owner().rowNumbers(physicalId);
        this.approximateRows = mirror.owner().approximateRows(physicalId);
        this.references = new References(this);
        this.columnSequences = new ColumnSequences(this);
        rows = new RowIndex(this, getId());
        indexes.add(rows);
    }

    /** The table's number in the key space. */
    long physicalId() {
        return physicalId;
    }

    byte[] rowsPrefix() {
        return rowsPrefix;
    }

    byte[] fenceKey() {
        return fenceKey;
    }

    byte[] rowKey(long number) {
        return new KeyBytes(rowsPrefix).addSigned(number).toBytes();
    }

    long rowNumber(byte[] rowKey) {
        return KeyBytes.signedAt(rowKey, rowsPrefix.length);
    }

    RowIndex rowIndex() {
        return rows;
    }

    TypeInfo[] types() {
        TypeInfo[] known = types;
        if (known == null) {
            known = new TypeInfo[columns.length];
            for (int i = 0; i < known.length; i++) {
                known[i] = columns[i].getType();
            }
            types = known;
        }
        return known;
    }

    Row decode(SessionLocal session, long number, byte[] value) {
        return new StoredRow(number, value, types(), session);
    }

    KeyTransaction transaction(SessionLocal session) {
        try {
            return mirror.state(session).transaction(session, this);
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
    }

    SessionState state(SessionLocal session) {
        return mirror.state(session);
    }

    void wrote(SessionLocal session) {
        mirror.state(session).wrote(session);
    }

    // ---- rows ------------------------------------------------------------------------------------------------------

    /** The writes of one row, undone together when they fail. */
    private interface RowWrites {
        void run();
    }

    private void write(SessionLocal session, RowWrites writes) {
        SessionState state = mirror.state(session);
        boolean done = false;
        long mark = NOTHING_WRITTEN;
        try {
            state.writes(session, this);
            mark = state.transaction(session).mark();
            writes.run();
            state.wrote(session);
            done = true;
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        } finally {
            if (!done && mark != NOTHING_WRITTEN) {
                state.failed(mark);
            }
        }
    }

    @Override
    public void addRow(SessionLocal session, Row row) {
        inOrder(
                session,
                () -> write(session, () -> {
                    for (Index index : indexes) {
                        index.add(session, row);
                    }
                    references.childWritten(session, null, row);
                }));
        state(session).countRow(approximateRows, 1);
    }

    /** Something that may fail while checks of earlier rows are still to be made: what they find comes first. */
    private void inOrder(SessionLocal session, Runnable step) {
        try {
            step.run();
        } catch (DbException e) {
            state(session).checks().failing(session);
            throw e;
        }
    }

    @Override
    public boolean fireBeforeRow(SessionLocal session, Row oldRow, Row newRow) {
        try {
            return super.fireBeforeRow(session, oldRow, newRow);
        } catch (DbException e) {
            state(session).checks().failing(session);
            throw e;
        }
    }

    @Override
    public void fireAfterRow(SessionLocal session, Row oldRow, Row newRow, boolean rollback) {
        if (rollback || oldRow != null || !state(session).checks().postponesReferences(session, this, newRow)) {
            inOrder(session, () -> super.fireAfterRow(session, oldRow, newRow, rollback));
        }
    }

    /** Looks for the parents of a row that was inserted. */
    void checkReferences(SessionLocal session, Row row) {
        super.fireAfterRow(session, null, row, false);
    }

    References references() {
        return references;
    }

    @Override
    public void removeRow(SessionLocal session, Row row) {
        write(session, () -> {
            for (int i = indexes.size() - 1; i >= 0; i--) {
                indexes.get(i).remove(session, row);
            }
            references.parentChanged(session, row, null);
        });
        state(session).countRow(approximateRows, -1);
    }

    @Override
    public void updateRow(SessionLocal session, Row oldRow, Row newRow) {
        newRow.setKey(oldRow.getKey());
        write(session, () -> {
            for (Index index : indexes) {
                index.update(session, oldRow, newRow);
            }
            references.childWritten(session, oldRow, newRow);
            references.parentChanged(session, oldRow, newRow);
        });
    }

    /**
     * All rows of one UPDATE, as pairs of old and new: entries that change are taken out for all rows before any is put in,
     * so that rows may exchange unique values; what does not change is not touched.
     */
    @Override
    public void updateRows(SessionLocal session, LocalResult pairs, Runnable checkCanceled) {
        while (pairs.next()) {
            checkCanceled.run();
            Row oldRow = pairs.currentRowForTable();
            pairs.next();
            Row newRow = numbered(pairs.currentRowForTable(), oldRow);
            write(session, () -> {
                for (int i = indexes.size() - 1; i >= 0; i--) {
                    Index index = indexes.get(i);
                    if (changes(index, oldRow, newRow)) {
                        index.remove(session, oldRow);
                    }
                }
                references.parentChanged(session, oldRow, newRow);
            });
        }
        pairs.reset();
        while (pairs.next()) {
            checkCanceled.run();
            Row oldRow = pairs.currentRowForTable();
            pairs.next();
            Row newRow = numbered(pairs.currentRowForTable(), oldRow);
            write(session, () -> {
                for (Index index : indexes) {
                    if (changes(index, oldRow, newRow)) {
                        index.add(session, newRow);
                    } else if (index == rows) {
                        rows.update(session, oldRow, newRow);
                    }
                }
                references.childWritten(session, oldRow, newRow);
            });
        }
    }

    private Row numbered(Row newRow, Row oldRow) {
        int main = rows.mainColumn();
        newRow.setKey(
                main == SearchRow.ROWID_INDEX
                        ? oldRow.getKey()
                        : newRow.getValue(main).getLong());
        return newRow;
    }

    private static boolean changes(Index index, Row oldRow, Row newRow) {
        if (oldRow.getKey() != newRow.getKey()) {
            return true;
        }
        return index instanceof EntryIndex entries && entries.changes(oldRow, newRow);
    }

    @Override
    public Row lockRow(SessionLocal session, Row row, int timeoutMillis) {
        try {
            byte[] key = rowKey(row.getKey());
            KeyTransaction transaction = transaction(session);
            if (!SessionState.locksRows(session)) {
                // The statement itself may have deleted what it still sees.
                return mirror.state(session).readsUpTo(this) >= 0 && transaction.get(key) == null ? null : row;
            }
            byte[] value = lockKey(transaction, key, timeoutMillis);
            wrote(session);
            if (value == null) {
                mirror.state(session).fallBehind();
                return null;
            }
            Row newest = decode(session, row.getKey(), value);
            if (newest.hasSameValues(row)) {
                return row;
            }
            mirror.state(session).fallBehind();
            return newest;
        } catch (KeySpaceException e) {
            if (timeoutMillis == -2 && e.kind() == KeySpaceException.Kind.LOCK_TIMEOUT) {
                return null;
            }
            throw Errors.convert(e);
        }
    }

    /** H2's time: -1 the session's, 0 not at all, -2 skip what is locked. */
    private static byte[] lockKey(KeyTransaction transaction, byte[] key, int timeoutMillis) {
        return transaction.lock(key, timeoutMillis == -2 ? 0 : timeoutMillis);
    }

    @Override
    public boolean isRowLockable() {
        return true;
    }

    @Override
    public Row getRow(SessionLocal session, long number) {
        return rows.getRow(session, number);
    }

    @Override
    public long truncate(SessionLocal session) {
        long[] removed = {0};
        state(session).checks().settle(session);
        write(session, () -> {
            if (isReferenced()) {
                Cursor cursor = rows.find(session, null, null, false);
                while (cursor.next()) {
                    references.parentChanged(session, cursor.get(), null);
                }
            }
            removed[0] = rows.getRowCount(session);
            for (int i = indexes.size() - 1; i >= 0; i--) {
                indexes.get(i).truncate(session);
            }
        });
        approximateRows.set(0);
        return removed[0];
    }

    /** H2 calls this at the beginning of each statement that changes rows, and at its end; also before queries. */
    @Override
    public void fire(SessionLocal session, int type, boolean beforeAction) {
        InsertChecks checks = state(session).checks();
        if (type == Trigger.INSERT && !beforeAction) {
            checks.ends(session, this);
        }
        if (physicalId != 0 && type != Trigger.SELECT) {
            try {
                mirror.state(session).statementWrites(session, this, beforeAction);
            } catch (KeySpaceException e) {
                throw Errors.convert(e);
            }
        }
        super.fire(session, type, beforeAction);
        if (type == Trigger.INSERT && beforeAction) {
            checks.begins(session, this);
        }
    }

    // ---- values of sequences ---------------------------------------------------------------------------------------

    @Override
    public void convertInsertRow(SessionLocal session, Row newRow, Boolean overridingSystem) {
        inOrder(session, () -> {
            try (ColumnSequences.Turns turns = columnSequences.turns(session, newRow)) {
                super.convertInsertRow(session, newRow, overridingSystem);
            }
        });
    }

    @Override
    public void convertUpdateRow(SessionLocal session, Row row, boolean fromTrigger) {
        try (ColumnSequences.Turns turns = columnSequences.turns(session, row)) {
            super.convertUpdateRow(session, row, fromTrigger);
        }
    }

    /** A number for a row whose primary key is none; unique in the cluster. */
    long nextRowNumber() {
        try {
            return numbers.next();
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
    }

    /** Numbers up to this one are taken. */
    void skipRowNumbers(long last) {
        numbers.skip(last);
    }

    // ---- indexes ---------------------------------------------------------------------------------------------------

    @Override
    public Index addIndex(
            SessionLocal session,
            String indexName,
            int indexId,
            IndexColumn[] indexColumns,
            int uniqueColumnCount,
            IndexType indexType,
            boolean create,
            String comment) {
        IndexColumn[] prepared = prepareColumns(h2, indexColumns, indexType);
        h2.lockMeta(session);
        int main = rows.mainColumn() == SearchRow.ROWID_INDEX && canHaveMainColumn(session)
                ? getMainIndexColumn(indexType, prepared)
                : SearchRow.ROWID_INDEX;
        Index index;
        if (indexType.isSpatial()) {
            throw DbException.getUnsupportedException("SPATIAL INDEX");
        }
        if (main != SearchRow.ROWID_INDEX) {
            rows.setMainColumn(main);
            index = new DelegateIndex(this, indexId, indexName, prepared, rows, indexType);
        } else {
            index = new EntryIndex(this, indexId, indexName, prepared, uniqueColumnCount, indexType);
            if (create) {
                fence(session);
            }
            if (!h2.isStarting() && create) {
                build(session, (EntryIndex) index);
            }
        }
        index.setTemporary(isTemporary());
        if (index.getCreateSQL() != null) {
            index.setComment(comment);
            h2.addSchemaObject(session, index);
        }
        indexes.add(index);
        setModified();
        return index;
    }

    /**
     * Whether the row's number may be the primary key. A table without rows; and a mirror that is being built must find
     * what was decided when the index was made: an index that could not be the main one has entries of its own.
     */
    private boolean canHaveMainColumn(SessionLocal session) {
        if (h2.isStarting()) {
            return getId() == 0 || !mirror.owner().mainColumnRefused(physicalId);
        }
        boolean empty = !rows.find(session, null, null, false).next();
        if (!empty) {
            mirror.owner().refuseMainColumn(session, this);
        }
        return empty;
    }

    private void build(SessionLocal session, EntryIndex index) {
        write(session, () -> {
            Cursor cursor = rows.find(session, null, null, false);
            while (cursor.next()) {
                session.checkCanceled();
                index.add(session, cursor.get());
            }
        });
    }

    /** Primary keys refuse NULL; other indexes get an explicit place for it. */
    private static IndexColumn[] prepareColumns(Database database, IndexColumn[] given, IndexType indexType) {
        for (IndexColumn each : given) {
            KeyCodec.check(each.column);
        }
        if (indexType.isPrimaryKey()) {
            for (IndexColumn each : given) {
                if (each.column.isNullable()) {
                    throw DbException.get(ErrorCode.COLUMN_MUST_NOT_BE_NULLABLE_1, each.column.getName());
                }
            }
            for (IndexColumn each : given) {
                each.column.setPrimaryKey(true);
            }
            return given;
        }
        DefaultNullOrdering ordering = database.getDefaultNullOrdering();
        IndexColumn[] result = given.clone();
        for (int i = 0; i < result.length; i++) {
            int sort = result[i].sortType;
            if ((sort & (SortOrder.NULLS_FIRST | SortOrder.NULLS_LAST)) == 0) {
                IndexColumn explicit = new IndexColumn(result[i].columnName, ordering.addExplicitNullOrdering(sort));
                explicit.column = result[i].column;
                result[i] = explicit;
            }
        }
        return result;
    }

    @Override
    public Index getScanIndex(SessionLocal session) {
        return rows;
    }

    @Override
    public List<Index> getIndexes() {
        return indexes;
    }

    @Override
    public int getMainIndexColumn() {
        return rows.mainColumn();
    }

    // ---- locks -----------------------------------------------------------------------------------------------------

    @Override
    public boolean lock(SessionLocal session, int lockType) {
        if (lockType == READ_LOCK) {
            return false;
        }
        boolean had = lock.heldExclusivelyBy(session);
        if (had) {
            return true;
        }
        boolean fence = lockType == EXCLUSIVE_LOCK && physicalId != 0 && DefinitionStack.changesDefinition();
        if (fence) {
            // Always the catalog first, so that two definitions do not wait for one another.
            h2.lockMeta(session);
        }
        SessionState state = mirror.state(session);
        boolean alone = lockType == EXCLUSIVE_LOCK;
        if (lock.acquire(session, alone, this, alone ? state.mayStepAside() : null)) {
            // The anchor tells us of the end of the transaction, which releases this.
            transaction(session);
            state.lockedTables().add(this);
            if (lockType == EXCLUSIVE_LOCK) {
                state.statementBegins();
            }
        }
        if (fence) {
            fence(session);
        }
        return false;
    }

    /** The session's definition is about to rely on the table's rows: from here on nobody else writes them. */
    void fence(SessionLocal session) {
        if (physicalId == 0 || h2.isStarting()) {
            return;
        }
        try {
            mirror.state(session).fence(session, this);
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
    }

    private void fenceForDefiner() {
        SessionLocal definer = mirror.definer();
        if (definer != null) {
            fence(definer);
        }
    }

    /** The session that has the table alone, or null. */
    SessionLocal exclusiveSession() {
        return lock.exclusive();
    }

    /** H2 asks before it reads the rows that a new foreign key refers to. */
    @Override
    public boolean canReference() {
        fenceForDefiner();
        return true;
    }

    @Override
    public void addTrigger(TriggerObject trigger) {
        fenceForDefiner();
        super.addTrigger(trigger);
    }

    @Override
    public void removeTrigger(TriggerObject trigger) {
        fenceForDefiner();
        super.removeTrigger(trigger);
    }

    /** The transaction has ended. */
    void release(SessionLocal session) {
        lock.release(session);
    }

    @Override
    public boolean isLockedExclusively() {
        return lock.heldExclusively();
    }

    @Override
    public boolean isLockedExclusivelyBy(SessionLocal session) {
        return lock.heldExclusivelyBy(session);
    }

    // ---- small answers ---------------------------------------------------------------------------------------------

    @Override
    public void close(SessionLocal session) {}

    @Override
    public void removeChildrenAndResources(SessionLocal session) {
        if (getId() != 0) {
            fence(session);
            truncateForDrop(session);
        }
        super.removeChildrenAndResources(session);
        // Constraints have removed their own indexes by now.
        while (indexes.size() > 1) {
            Index index = indexes.get(1);
            index.remove(session);
            if (index.getName() != null) {
                h2.removeSchemaObject(session, index);
            }
            indexes.remove(index);
        }
        h2.removeMeta(session, getId());
        rows.remove(session);
        close(session);
        invalidate();
    }

    private void truncateForDrop(SessionLocal session) {
        write(session, () -> {
            for (int i = indexes.size() - 1; i >= 0; i--) {
                indexes.get(i).truncate(session);
            }
        });
        state(session).tableDropped(physicalId);
    }

    @Override
    public String getCreateSQL() {
        String sql = super.getCreateSQL();
        int at = sql == null ? -1 : sql.lastIndexOf("\nWITH \"");
        return at < 0 ? sql : sql.substring(0, at);
    }

    @Override
    public void checkSupportAlter() {}

    @Override
    public TableType getTableType() {
        return TableType.TABLE;
    }

    /** Results are never served again without running the query. */
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
        return true;
    }

    @Override
    public boolean canDrop() {
        return true;
    }

    @Override
    public boolean canTruncate() {
        return getCheckForeignKeyConstraints() && h2.getReferentialIntegrity() ? !isReferenced() : true;
    }

    private boolean isReferenced() {
        for (Constraint constraint : getConstraints()) {
            if (constraint.getConstraintType() == Constraint.Type.REFERENTIAL && constraint.getRefTable() == this) {
                return true;
            }
        }
        return false;
    }

    @Override
    public long getRowCount(SessionLocal session) {
        return rows.getRowCount(session);
    }

    @Override
    public long getRowCountApproximation(SessionLocal session) {
        return Math.max(0, approximateRows.get());
    }

    @Override
    public Column getRowIdColumn() {
        if (rowIdColumn == null) {
            rowIdColumn = new Column(Column.ROWID, TypeInfo.TYPE_BIGINT, this, SearchRow.ROWID_INDEX);
            rowIdColumn.setRowId(true);
            rowIdColumn.setNullable(false);
        }
        return rowIdColumn;
    }

    /** LOBs come to stand in their row. */
    void inlineLobs(Row row) {
        TypeInfo[] all = types();
        for (int i = 0; i < all.length; i++) {
            if (DataTypes.isLob(all[i].getValueType())) {
                row.setValue(i, RowCodec.inline(row.getValue(i)));
            }
        }
    }

    static DbException duplicate(Index index, String what, Value value) {
        DbException e = DbException.get(ErrorCode.DUPLICATE_KEY_1, what + (value == null ? "" : " " + value));
        e.setSource(index);
        return e;
    }
}
