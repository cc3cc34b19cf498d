package org.flotilladb.engine.internal;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;
import org.flotilladb.engine.keyspace.KeyCursor;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.h2.api.ErrorCode;
import org.h2.command.query.AllColumnsForPlan;
import org.h2.engine.SessionLocal;
import org.h2.index.Cursor;
import org.h2.index.Index;
import org.h2.index.IndexType;
import org.h2.message.DbException;
import org.h2.result.Row;
import org.h2.result.SearchRow;
import org.h2.result.SortOrder;
import org.h2.table.Column;
import org.h2.table.IndexColumn;
import org.h2.table.TableFilter;
import org.h2.value.Value;
import org.h2.value.ValueNull;

/** The rows themselves, in the order of their numbers. */
final class RowIndex extends Index implements InsertChecks.Unique {
    private static final double COST_FACTOR = 10;

    private final RegionTable regionTable;
    private int mainColumn = SearchRow.ROWID_INDEX;
    private Index source = this;

    RowIndex(RegionTable table, int id) {
        super(
                table,
                id,
                table.getName() + "_DATA",
                IndexColumn.wrap(table.getColumns()),
                0,
                IndexType.createScan(true));
        this.regionTable = table;
    }

    /** The column that is the row's number, or {@link SearchRow#ROWID_INDEX}. */
    int mainColumn() {
        return mainColumn;
    }

    void setMainColumn(int column) {
        mainColumn = column;
    }

    /** Duplicates are reported as duplicates of this index. */
    void setSource(Index index) {
        source = index;
    }

    @Override
    public String getCreateSQL() {
        return null;
    }

    @Override
    public String getPlanSQL() {
        return table.getSQL(new StringBuilder(), TRACE_SQL_FLAGS)
                .append(".tableScan")
                .toString();
    }

    @Override
    public void close(SessionLocal session) {}

    @Override
    public void add(SessionLocal session, Row row) {
        regionTable.inlineLobs(row);
        boolean numbered = false;
        if (mainColumn != SearchRow.ROWID_INDEX) {
            row.setKey(row.getValue(mainColumn).getLong());
        } else if (row.getKey() == 0) {
            row.setKey(regionTable.nextRowNumber());
            numbered = true;
        }
        KeyTransaction transaction = regionTable.transaction(session);
        byte[] key = regionTable.rowKey(row.getKey());
        if (numbered) {
            // The number is new: there is nothing to look for, and the commit makes sure.
            transaction.insert(key, RowCodec.encode(row.getValueList()));
            return;
        }
        if (!regionTable.state(session).checks().postpones(session, regionTable, this, row, transaction, key)) {
            byte[] there = regionTable.state(session).entry(transaction, key);
            if (there != null) {
                regionTable.state(session).foundDuplicate();
                throw duplicate(session, row, there);
            }
        }
        transaction.insert(key, RowCodec.encode(row.getValueList()));
    }

    /** What a row is refused with whose number is taken. */
    @Override
    public DbException duplicate(SessionLocal session, Row row, byte[] there) {
        StringBuilder what = getDuplicatePrimaryKeyMessage(mainColumn);
        if (what == null) {
            what = new StringBuilder("PRIMARY KEY");
        }
        what.append(' ').append(regionTable.decode(session, row.getKey(), there));
        DbException e = DbException.get(ErrorCode.DUPLICATE_KEY_1, what.toString());
        e.setSource(source);
        return e;
    }

    @Override
    public void remove(SessionLocal session, Row row) {
        regionTable.state(session).checks().settle(session);
        regionTable.transaction(session).delete(regionTable.rowKey(row.getKey()));
    }

    @Override
    public void update(SessionLocal session, Row oldRow, Row newRow) {
        if (mainColumn != SearchRow.ROWID_INDEX) {
            long number = newRow.getValue(mainColumn).getLong();
            if (number != oldRow.getKey()) {
                remove(session, oldRow);
                add(session, newRow);
                return;
            }
        }
        regionTable.inlineLobs(newRow);
        regionTable.state(session).checks().settle(session);
        regionTable
                .transaction(session)
                .put(regionTable.rowKey(oldRow.getKey()), RowCodec.encode(newRow.getValueList()));
    }

    @Override
    public void remove(SessionLocal session) {
        truncate(session);
    }

    @Override
    public void truncate(SessionLocal session) {
        EntryIndex.deleteAll(session, regionTable.transaction(session), regionTable.rowsPrefix());
    }

    private Long bound(SearchRow row, boolean lower) {
        if (row == null) {
            return null;
        }
        if (mainColumn == SearchRow.ROWID_INDEX) {
            return row.getKey();
        }
        Value value = row.getValue(mainColumn);
        if (value == null) {
            return row.getKey();
        }
        if (value == ValueNull.INSTANCE) {
            return lower ? Long.MAX_VALUE : Long.MIN_VALUE;
        }
        return switch (value.getValueType()) {
            case Value.TINYINT, Value.SMALLINT, Value.INTEGER, Value.BIGINT -> value.getLong();
            default -> wholeBound(value, lower);
        };
    }

    private static Long wholeBound(Value value, boolean lower) {
        try {
            BigDecimal number = value.getBigDecimal().setScale(0, lower ? RoundingMode.FLOOR : RoundingMode.CEILING);
            if (number.toBigInteger().bitLength() > 63) {
                return null;
            }
            return number.longValue();
        } catch (DbException e) {
            return null;
        }
    }

    /** For a reverse search H2 hands over the upper bound first. */
    @Override
    public Cursor find(SessionLocal session, SearchRow first, SearchRow last, boolean reverse) {
        SearchRow lower = reverse ? last : first;
        SearchRow upper = reverse ? first : last;
        try {
            return find(session, bound(lower, true), bound(upper, false), reverse, 0);
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
    }

    Cursor find(SessionLocal session, Long from, Long to, boolean reverse, int limit) {
        KeyTransaction transaction = regionTable.transaction(session);
        long mark = regionTable.state(session).readsUpTo(regionTable);
        if (from != null && from.equals(to)) {
            byte[] key = regionTable.rowKey(from);
            byte[] value = mark < 0
                    ? regionTable.state(session).checks().get(transaction, key)
                    : transaction.getAll(List.of(key), mark).get(0);
            return new OneRow(value == null ? null : regionTable.decode(session, from, value));
        }
        if (from != null && to != null && from > to) {
            return new OneRow(null);
        }
        byte[] start = from == null ? regionTable.rowsPrefix() : regionTable.rowKey(from);
        byte[] end = to == null || to == Long.MAX_VALUE
                ? KeyBytes.after(regionTable.rowsPrefix())
                : regionTable.rowKey(to + 1);
        return new Rows(session, transaction.scan(start, end, reverse, limit, mark));
    }

    /** Null if there is none: H2 would run a statement again, without undoing it, if this threw what its own index does. */
    @Override
    public Row getRow(SessionLocal session, long number) {
        try {
            byte[] value = regionTable.transaction(session).get(regionTable.rowKey(number));
            if (value == null) {
                throw DbException.get(ErrorCode.ROW_NOT_FOUND_IN_PRIMARY_INDEX, getTraceSQL(), String.valueOf(number));
            }
            return regionTable.decode(session, number, value);
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
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
                        regionTable.getRowCountApproximation(session),
                        filters,
                        filter,
                        sortOrder,
                        true,
                        allColumnsSet,
                        isSelectCommand);
    }

    @Override
    public int getColumnIndex(Column column) {
        return SearchRow.ROWID_INDEX;
    }

    @Override
    public boolean isFirstColumn(Column column) {
        return false;
    }

    @Override
    public boolean canGetFirstOrLast() {
        return true;
    }

    @Override
    public Cursor findFirstOrLast(SessionLocal session, boolean first) {
        Cursor cursor = find(session, null, null, !first, 1);
        return new OneRow(cursor.next() ? cursor.get() : null).standing();
    }

    @Override
    public boolean needRebuild() {
        return false;
    }

    @Override
    public long getRowCount(SessionLocal session) {
        long count = 0;
        KeyTransaction transaction = regionTable.transaction(session);
        long mark = regionTable.state(session).readsUpTo(regionTable);
        byte[] start = regionTable.rowsPrefix();
        KeyCursor cursor = transaction.scan(start, KeyBytes.after(start), false, 0, mark);
        while (cursor.next()) {
            count++;
            if ((count & 1023) == 0) {
                session.checkCanceled();
            }
        }
        return count;
    }

    @Override
    public long getRowCountApproximation(SessionLocal session) {
        return regionTable.getRowCountApproximation(session);
    }

    @Override
    public boolean isRowIdIndex() {
        return true;
    }

    /** A cursor over at most one row. */
    static final class OneRow implements Cursor {
        private Row row;
        private int position = -1;

        OneRow(Row row) {
            this.row = row;
        }

        /** Already on the row. */
        OneRow standing() {
            position = 0;
            return this;
        }

        @Override
        public Row get() {
            return position == 0 ? row : null;
        }

        @Override
        public SearchRow getSearchRow() {
            return get();
        }

        @Override
        public boolean next() {
            position++;
            return position == 0 && row != null;
        }

        @Override
        public boolean previous() {
            position--;
            return position == 0 && row != null;
        }
    }

    /** A cursor over rows as they stand. */
    private final class Rows implements Cursor {
        private final SessionLocal session;
        private final KeyCursor cursor;
        private Row current;
        private boolean valid;
        private int seen;

        Rows(SessionLocal session, KeyCursor cursor) {
            this.session = session;
            this.cursor = cursor;
        }

        @Override
        public Row get() {
            if (current == null && valid) {
                current = regionTable.decode(session, regionTable.rowNumber(cursor.key()), cursor.value());
            }
            return current;
        }

        @Override
        public SearchRow getSearchRow() {
            return get();
        }

        @Override
        public boolean next() {
            current = null;
            if ((++seen & 255) == 0) {
                session.checkCanceled();
            }
            try {
                valid = cursor.next();
            } catch (KeySpaceException e) {
                throw Errors.convert(e);
            }
            return valid;
        }

        @Override
        public boolean previous() {
            throw DbException.getUnsupportedException("previous");
        }
    }
}
