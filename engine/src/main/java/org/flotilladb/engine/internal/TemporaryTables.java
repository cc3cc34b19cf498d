package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.List;
import org.h2.constraint.Constraint;
import org.h2.engine.Database;
import org.h2.engine.SessionLocal;
import org.h2.index.Cursor;
import org.h2.index.Index;
import org.h2.result.Row;
import org.h2.schema.Schema;
import org.h2.table.Column;
import org.h2.table.Table;
import org.h2.table.TableType;
import org.h2.util.HasSQL;

/**
 * Temporary tables live in H2's own memory, in one mirror: here they are carried to the next one, with what is committed
 * of their rows.
 */
final class TemporaryTables {
    private static final String GENERATED_NAME = "CONSTRAINT_";

    private TemporaryTables() {}

    /** The global temporary tables of a mirror. */
    static List<Table> global(Database database) {
        List<Table> found = new ArrayList<>();
        for (Schema schema : database.getAllSchemas()) {
            for (Table table : schema.getAllTablesAndViews(null)) {
                if (table.isTemporary() && table.isGlobalTemporary() && table.getTableType() == TableType.TABLE) {
                    found.add(table);
                }
            }
        }
        return found;
    }

    /** Whether all of a session's temporary tables are such that they can be carried. */
    static boolean portable(List<Table> tables) {
        return tables.stream().allMatch(table -> table.getTableType() == TableType.TABLE);
    }

    /**
     * Makes tables anew in another mirror, in the order of their creation, and copies their rows.
     *
     * @param from reads the rows
     * @param to a session of the other mirror, outside of a transaction
     */
    static void carry(List<Table> tables, SessionLocal from, SessionLocal to) {
        List<Table> inOrder = new ArrayList<>(tables);
        inOrder.sort((a, b) -> Integer.compare(a.getId(), b.getId()));
        List<String> constraints = new ArrayList<>();
        for (Table table : inOrder) {
            run(to, table.getCreateSQL());
            Table copy =
                    to.getDatabase().getSchema(table.getSchema().getName()).resolveTableOrView(to, table.getName());
            copy.setOnCommitDrop(table.getOnCommitDrop());
            copy.setOnCommitTruncate(table.getOnCommitTruncate());
            copyRows(table, from, copy, to);
            for (Index index : table.getIndexes()) {
                String sql = index.getCreateSQL();
                if (sql != null && !index.getIndexType().getBelongsToConstraint()) {
                    run(to, sql);
                }
            }
            for (Constraint constraint : table.getConstraints()) {
                if (constraint.getTable() == table && constraint.getConstraintType() != Constraint.Type.DOMAIN) {
                    constraints.add(addingSql(constraint));
                }
            }
        }
        // What they refer to is there by now.
        constraints.stream().filter(sql -> sql != null).forEach(sql -> run(to, sql));
        to.commit(true);
    }

    /** H2 gives a local table's constraint a name that one of another table may have, which it then would not take again. */
    private static String addingSql(Constraint constraint) {
        String sql = constraint.getCreateSQLWithoutIndexes();
        return sql == null || !constraint.getName().startsWith(GENERATED_NAME)
                ? sql
                : sql.replace(" CONSTRAINT " + constraint.getSQL(HasSQL.DEFAULT_SQL_FLAGS), "");
    }

    private static void run(SessionLocal session, String sql) {
        session.prepareLocal(sql).executeUpdate(null);
    }

    private static void copyRows(Table table, SessionLocal from, Table copy, SessionLocal to) {
        Column[] columns = table.getColumns();
        Cursor cursor = table.getScanIndex(from).find(from, null, null, false);
        while (cursor.next()) {
            Row row = copy.getTemplateRow();
            for (int i = 0; i < columns.length; i++) {
                row.setValue(i, RowCodec.inline(cursor.get().getValue(i)));
            }
            copy.addRow(to, row);
        }
        to.commit(true);
    }
}
