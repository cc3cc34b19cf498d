package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.flotilladb.engine.internal.KeyCodec.NoBoundException;
import org.flotilladb.engine.internal.KeyCodec.Rounding;
import org.flotilladb.engine.keyspace.KeyCursor;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.h2.command.query.AllColumnsForPlan;
import org.h2.engine.SessionLocal;
import org.h2.index.Cursor;
import org.h2.index.Index;
import org.h2.index.IndexType;
import org.h2.message.DbException;
import org.h2.result.Row;
import org.h2.result.SearchRow;
import org.h2.result.SortOrder;
import org.h2.table.IndexColumn;
import org.h2.table.TableFilter;
import org.h2.value.Value;

/**
 * An index with entries of its own: encoded columns, and behind them the row's number unless the entry must be unique;
 * the value is the row's number. Rows behind entries are fetched in batches.
 */
final class EntryIndex extends Index implements InsertChecks.Unique {
    private static final double COST_FACTOR = 10;
    private static final int FIRST_BATCH = 16;
    private static final int MAX_BATCH = 512;

    private final RegionTable regionTable;
    private final byte[] prefix;
    private final KeyCodec codec;

    EntryIndex(
            RegionTable table, int id, String name, IndexColumn[] columns, int uniqueColumnCount, IndexType indexType) {
        super(table, id, name, columns, uniqueColumnCount, indexType);
        this.regionTable = table;
        this.prefix = CatalogKeys.index(table.mirror.databaseId(), table.physicalId(), id);
        this.codec = new KeyCodec(columns, table.getCompareMode());
    }

    @Override
    public void close(SessionLocal session) {}

    /** The entry of a row; its uniqueness, if asked for, is that of its first columns. */
    private byte[] key(SessionLocal session, SearchRow row, int columnCount, boolean number) {
        KeyBytes key = new KeyBytes(prefix);
        for (int i = 0; i < columnCount; i++) {
            codec.add(key, i, row.getValue(columnIds[i]), session, Rounding.EXACT);
        }
        if (number) {
            key.addSigned(row.getKey());
        }
        return key.toBytes();
    }

    /** The least key of the entries whose first columns have these values. */
    byte[] splitKey(SessionLocal session, Value[] values) {
        KeyBytes key = new KeyBytes(prefix);
        for (int i = 0; i < values.length; i++) {
            codec.add(key, i, values[i], session, Rounding.EXACT);
        }
        return key.toBytes();
    }

    private boolean unique(SearchRow row) {
        return uniqueColumnColumn > 0 && needsUniqueCheck(row);
    }

    @Override
    public void add(SessionLocal session, Row row) {
        KeyTransaction transaction = regionTable.transaction(session);
        byte[] value = new KeyBytes().addSigned(row.getKey()).toBytes();
        if (!unique(row)) {
            byte[] key = key(session, row, columns.length, true);
            regionTable.state(session).overwrite(transaction, key);
            transaction.put(key, value);
            return;
        }
        byte[] key = key(session, row, uniqueColumnColumn, false);
        SessionState state = regionTable.state(session);
        if (!state.checks().postpones(session, regionTable, this, row, transaction, key)) {
            byte[] there = state.entry(transaction, key);
            if (there != null) {
                state.foundDuplicate();
                throw duplicate(session, row, there);
            }
        }
        transaction.insert(key, value);
    }

    @Override
    public DbException duplicate(SessionLocal session, Row row, byte[] there) {
        StringBuilder what = new StringBuilder("(");
        for (int i = 0; i < uniqueColumnColumn; i++) {
            what.append(i == 0 ? "" : ", ").append(row.getValue(columnIds[i]).getTraceSQL());
        }
        return getDuplicateKeyException(what.append(')').toString());
    }

    @Override
    public void remove(SessionLocal session, Row row) {
        regionTable.state(session).checks().settle(session);
        boolean unique = unique(row);
        KeyTransaction transaction = regionTable.transaction(session);
        byte[] key = key(session, row, unique ? uniqueColumnColumn : columns.length, !unique);
        regionTable.state(session).overwrite(transaction, key);
        transaction.delete(key);
    }

    @Override
    public void update(SessionLocal session, Row oldRow, Row newRow) {
        boolean oldUnique = unique(oldRow);
        boolean newUnique = unique(newRow);
        byte[] oldKey = key(session, oldRow, oldUnique ? uniqueColumnColumn : columns.length, !oldUnique);
        byte[] newKey = key(session, newRow, newUnique ? uniqueColumnColumn : columns.length, !newUnique);
        if (!Arrays.equals(oldKey, newKey) || oldRow.getKey() != newRow.getKey()) {
            remove(session, oldRow);
            add(session, newRow);
        }
    }

    /** Whether the entries of two rows of the same number differ. */
    boolean changes(Row oldRow, Row newRow) {
        for (int id : columnIds) {
            Value oldValue = oldRow.getValue(id);
            Value newValue = newRow.getValue(id);
            if (oldValue != newValue && !oldValue.equals(newValue)) {
                return true;
            }
        }
        return false;
    }

    /**
     * A bound of a range: the columns given from the first on; a column that tells nothing ends it.
     *
     * @param lower whether it is the least key of the range, inclusive, or the least above it
     */
    private byte[] bound(SessionLocal session, SearchRow row, boolean lower) {
        KeyBytes key = new KeyBytes(prefix);
        if (row != null) {
            // Entries of a unique index hold its unique columns only.
            int bounded = uniqueColumnColumn > 0 ? uniqueColumnColumn : columns.length;
            for (int i = 0; i < bounded; i++) {
                Value value = row.getValue(columnIds[i]);
                if (value == null) {
                    break;
                }
                KeyBytes next = new KeyBytes(key.toBytes());
                try {
                    codec.add(next, i, value, session, lower != codec.descending(i) ? Rounding.DOWN : Rounding.UP);
                } catch (NoBoundException | DbException e) {
                    // A superset is safe: H2 looks at the conditions again.
                    break;
                }
                key = next;
            }
        }
        return lower ? key.toBytes() : KeyBytes.after(key.toBytes());
    }

    /** H2 hands bounds in the order of the index, descending columns included; for a reverse search the upper one first. */
    @Override
    public Cursor find(SessionLocal session, SearchRow first, SearchRow last, boolean reverse) {
        try {
            byte[] start = bound(session, reverse ? last : first, true);
            byte[] end = bound(session, reverse ? first : last, false);
            if (end != null && Arrays.compareUnsigned(start, end) >= 0) {
                return new RowIndex.OneRow(null);
            }
            return entries(session, start, end, reverse, 0);
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
    }

    private Cursor entries(SessionLocal session, byte[] start, byte[] end, boolean reverse, int limit) {
        KeyTransaction transaction = regionTable.transaction(session);
        long mark = regionTable.state(session).readsUpTo(regionTable);
        KeyCursor cursor = transaction.scan(start, end, reverse, limit, mark);
        return new Entries(session, cursor, mark, limit > 0 ? limit : FIRST_BATCH);
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
                        false,
                        allColumnsSet,
                        isSelectCommand);
    }

    @Override
    public void remove(SessionLocal session) {
        regionTable.fence(session);
        truncate(session);
        regionTable.wrote(session);
    }

    @Override
    public void truncate(SessionLocal session) {
        deleteAll(session, regionTable.transaction(session), prefix);
    }

    static void deleteAll(SessionLocal session, KeyTransaction transaction, byte[] prefix) {
        KeyCursor cursor = transaction.scan(prefix, KeyBytes.after(prefix), false, 0);
        while (cursor.next()) {
            session.checkCanceled();
            transaction.delete(cursor.key());
        }
    }

    @Override
    public boolean canGetFirstOrLast() {
        return true;
    }

    /** NULLs are neither first nor last. */
    @Override
    public Cursor findFirstOrLast(SessionLocal session, boolean first) {
        byte[] start = new KeyBytes(prefix).add(KeyCodec.NOT_NULL).toBytes();
        try {
            Cursor cursor = entries(session, start, KeyBytes.after(start), !first, 1);
            return new RowIndex.OneRow(cursor.next() ? cursor.get() : null).standing();
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
    }

    @Override
    public boolean needRebuild() {
        return true;
    }

    @Override
    public long getRowCount(SessionLocal session) {
        return regionTable.getRowCount(session);
    }

    @Override
    public long getRowCountApproximation(SessionLocal session) {
        return regionTable.getRowCountApproximation(session);
    }

    /** Goes through entries and fetches the rows behind them in batches that grow. */
    private final class Entries implements Cursor {
        private final SessionLocal session;
        private final KeyCursor entries;
        private final long mark;
        private List<Row> batch = List.of();
        private int at = -1;
        private int batchSize;
        private boolean ended;

        Entries(SessionLocal session, KeyCursor entries, long mark, int firstBatch) {
            this.session = session;
            this.entries = entries;
            this.mark = mark;
            this.batchSize = firstBatch;
        }

        @Override
        public Row get() {
            return at >= 0 && at < batch.size() ? batch.get(at) : null;
        }

        @Override
        public SearchRow getSearchRow() {
            return get();
        }

        @Override
        public boolean next() {
            at++;
            while (at >= batch.size()) {
                if (ended) {
                    return false;
                }
                fetch();
                at = 0;
            }
            return true;
        }

        private void fetch() {
            session.checkCanceled();
            List<byte[]> keys = new ArrayList<>();
            try {
                while (keys.size() < batchSize) {
                    if (!entries.next()) {
                        ended = true;
                        break;
                    }
                    keys.add(regionTable.rowKey(KeyBytes.signedAt(entries.value(), 0)));
                }
                batchSize = Math.min(MAX_BATCH, batchSize * 4);
                List<byte[]> values = regionTable.transaction(session).getAll(keys, mark);
                List<Row> rows = new ArrayList<>(keys.size());
                for (int i = 0; i < keys.size(); i++) {
                    if (values.get(i) != null) {
                        rows.add(regionTable.decode(session, regionTable.rowNumber(keys.get(i)), values.get(i)));
                    }
                }
                batch = rows;
            } catch (KeySpaceException e) {
                throw Errors.convert(e);
            }
        }

        @Override
        public boolean previous() {
            throw DbException.getUnsupportedException("previous");
        }
    }
}
