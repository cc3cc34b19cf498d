package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.command.query.AllColumnsForPlan;
import org.h2.engine.SessionLocal;
import org.h2.index.Cursor;
import org.h2.index.Index;
import org.h2.index.VirtualTableIndex;
import org.h2.message.DbException;
import org.h2.result.Row;
import org.h2.result.SearchRow;
import org.h2.result.SortOrder;
import org.h2.schema.Schema;
import org.h2.table.Column;
import org.h2.table.IndexColumn;
import org.h2.table.TableFilter;
import org.h2.table.TableType;
import org.h2.table.VirtualTable;
import org.h2.util.ParserUtil;
import org.h2.value.TypeInfo;
import org.h2.value.Value;
import org.h2.value.ValueTimestampTimeZone;

/**
 * A table whose rows are asked of the cluster when they are read, page by page; for administrators. Not part of any
 * transaction. A statement that reads a short one again and again, as joins do, asks once.
 */
final class ClusterTable extends VirtualTable {
    static final String TYPE = "SYSTEM TABLE";
    private static final int MAX_KEPT_ROWS = 1000;

    private final Function<SessionLocal, Iterator<Value[]>> source;
    private final long assumedRows;
    private final Index scan;
    private final Map<SessionLocal, Kept> kept = Collections.synchronizedMap(new WeakHashMap<>());

    /** What a statement has read, told by the moment at which it began. */
    private record Kept(ValueTimestampTimeZone began, List<Value[]> rows) {}

    /**
     * A table of a schema.
     *
     * @param assumedRows for plans
     */
    ClusterTable(
            Schema schema,
            int id,
            String name,
            Column[] columns,
            long assumedRows,
            Function<SessionLocal, Iterator<Value[]>> source) {
        super(schema, id, name);
        this.source = source;
        this.assumedRows = assumedRows;
        setColumns(columns);
        scan = new Scan(IndexColumn.wrap(columns));
    }

    /** A column that may be null. */
    static Column column(String name, TypeInfo type) {
        return new Column(name, type);
    }

    private Iterator<Value[]> rows(SessionLocal session) {
        session.getUser().checkAdmin();
        ValueTimestampTimeZone began = session.getCommandStartOrEnd();
        Kept known = kept.get(session);
        if (known != null && known.began.equals(began)) {
            return known.rows.iterator();
        }
        kept.remove(session);
        return new Keeping(source.apply(session), rows -> kept.put(session, new Kept(began, rows)));
    }

    /** Hands rows on, and keeps them if they are few. */
    private static final class Keeping implements Iterator<Value[]> {
        private final Iterator<Value[]> rows;
        private final Consumer<List<Value[]>> whenAll;
        private List<Value[]> seen = new ArrayList<>();

        Keeping(Iterator<Value[]> rows, Consumer<List<Value[]>> whenAll) {
            this.rows = rows;
            this.whenAll = whenAll;
        }

        @Override
        public boolean hasNext() {
            boolean more = rows.hasNext();
            if (!more && seen != null) {
                whenAll.accept(seen);
                seen = null;
            }
            return more;
        }

        @Override
        public Value[] next() {
            Value[] row = rows.next();
            if (seen != null && seen.size() < MAX_KEPT_ROWS) {
                seen.add(row);
            } else {
                seen = null;
            }
            return row;
        }
    }

    @Override
    public StringBuilder getSQL(StringBuilder builder, int sqlFlags) {
        getSchema().getSQL(builder, sqlFlags).append('.');
        return ParserUtil.quoteIdentifier(builder, getName(), sqlFlags);
    }

    @Override
    public TableType getTableType() {
        return TableType.SYSTEM_TABLE;
    }

    @Override
    public String getSQLTableType() {
        return TYPE;
    }

    @Override
    public boolean canDrop() {
        return false;
    }

    @Override
    public Index getScanIndex(SessionLocal session) {
        return scan;
    }

    @Override
    public long getMaxDataModificationId() {
        // Results are never served again.
        return Long.MAX_VALUE;
    }

    @Override
    public boolean isDeterministic() {
        return false;
    }

    @Override
    public boolean canGetRowCount(SessionLocal session) {
        return false;
    }

    @Override
    public long getRowCount(SessionLocal session) {
        throw DbException.getInternalError(toString());
    }

    @Override
    public long getRowCountApproximation(SessionLocal session) {
        return assumedRows;
    }

    /** The only way to read it. */
    private final class Scan extends VirtualTableIndex {
        Scan(IndexColumn[] columns) {
            super(ClusterTable.this, ClusterTable.this.getName() + "_SCAN", columns);
        }

        @Override
        public Cursor find(SessionLocal session, SearchRow first, SearchRow last, boolean reverse) {
            try {
                return new RowCursor(rows(session));
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
                AllColumnsForPlan allColumns,
                boolean isSelectCommand) {
            return assumedRows;
        }

        @Override
        public String getCreateSQL() {
            return null;
        }

        @Override
        public String getPlanSQL() {
            return ClusterTable.this
                    .getSQL(new StringBuilder(), TRACE_SQL_FLAGS)
                    .append(".clusterScan")
                    .toString();
        }

        @Override
        public boolean canGetFirstOrLast() {
            return false;
        }

        @Override
        public Cursor findFirstOrLast(SessionLocal session, boolean first) {
            throw DbException.getUnsupportedException("the least or greatest row of " + getName());
        }
    }

    private static final class RowCursor implements Cursor {
        private final Iterator<Value[]> rows;
        private Row row;

        RowCursor(Iterator<Value[]> rows) {
            this.rows = rows;
        }

        @Override
        public boolean next() {
            try {
                row = rows.hasNext() ? Row.get(rows.next(), 1) : null;
            } catch (KeySpaceException e) {
                throw Errors.convert(e);
            }
            return row != null;
        }

        @Override
        public Row get() {
            return row;
        }

        @Override
        public SearchRow getSearchRow() {
            return row;
        }

        @Override
        public boolean previous() {
            throw DbException.getInternalError(toString());
        }
    }
}
