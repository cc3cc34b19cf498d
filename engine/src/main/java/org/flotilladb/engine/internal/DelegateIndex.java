package org.flotilladb.engine.internal;

import org.h2.command.query.AllColumnsForPlan;
import org.h2.engine.SessionLocal;
import org.h2.index.Cursor;
import org.h2.index.Index;
import org.h2.index.IndexType;
import org.h2.result.Row;
import org.h2.result.SearchRow;
import org.h2.result.SortOrder;
import org.h2.table.Column;
import org.h2.table.IndexColumn;
import org.h2.table.TableFilter;

/** The primary key whose value is the row's number: the rows themselves are its entries. */
final class DelegateIndex extends Index {
    private static final double COST_FACTOR = 10;

    private final RowIndex rows;

    DelegateIndex(RegionTable table, int id, String name, IndexColumn[] columns, RowIndex rows, IndexType indexType) {
        super(table, id, name, columns, 1, indexType);
        this.rows = rows;
        rows.setSource(this);
    }

    @Override
    public void close(SessionLocal session) {}

    @Override
    public void add(SessionLocal session, Row row) {}

    @Override
    public void remove(SessionLocal session, Row row) {}

    @Override
    public void update(SessionLocal session, Row oldRow, Row newRow) {}

    @Override
    public Cursor find(SessionLocal session, SearchRow first, SearchRow last, boolean reverse) {
        return rows.find(session, first, last, reverse);
    }

    @Override
    public double getCost(
            SessionLocal session,
            int[] masks,
            TableFilter[] filters,
            int filter,
            SortOrder sortOrder,
            AllColumnsForPlan allColumnsSet,
            boolean isSelectCommand) {
        return COST_FACTOR
                * getCostRangeIndex(
                        masks,
                        rows.getRowCountApproximation(session),
                        filters,
                        filter,
                        sortOrder,
                        true,
                        allColumnsSet,
                        isSelectCommand);
    }

    @Override
    public void remove(SessionLocal session) {
        ((RegionTable) table).fence(session);
        // Rows keep the primary key's values as their numbers: new ones must be others.
        Cursor last = rows.findFirstOrLast(session, false);
        if (last.get() != null) {
            ((RegionTable) table).skipRowNumbers(last.get().getKey());
        }
        rows.setMainColumn(SearchRow.ROWID_INDEX);
        rows.setSource(rows);
    }

    @Override
    public void truncate(SessionLocal session) {}

    @Override
    public boolean canGetFirstOrLast() {
        return true;
    }

    @Override
    public Cursor findFirstOrLast(SessionLocal session, boolean first) {
        return rows.findFirstOrLast(session, first);
    }

    @Override
    public int getColumnIndex(Column column) {
        return column.getColumnId() == rows.mainColumn() ? 0 : -1;
    }

    @Override
    public boolean isFirstColumn(Column column) {
        return getColumnIndex(column) == 0;
    }

    @Override
    public boolean needRebuild() {
        return false;
    }

    @Override
    public long getRowCount(SessionLocal session) {
        return rows.getRowCount(session);
    }

    @Override
    public long getRowCountApproximation(SessionLocal session) {
        return rows.getRowCountApproximation(session);
    }

    @Override
    public Row getRow(SessionLocal session, long key) {
        return rows.getRow(session, key);
    }
}
