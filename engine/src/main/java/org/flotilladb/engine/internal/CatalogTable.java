package org.flotilladb.engine.internal;

import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.command.ddl.CreateTableData;
import org.h2.engine.DbObject;
import org.h2.engine.SessionLocal;
import org.h2.result.Row;
import org.h2.schema.Schema;
import org.h2.table.Column;
import org.h2.table.Table;

/**
 * H2's table SYS: a row for each object of the catalog. A write here is a change of the catalog, except that of a
 * sequence's position, which H2's system session makes when the values it knows of run out.
 */
final class CatalogTable extends RegionTable {
    private static final int ID_COLUMN = 0;
    private static final int TYPE_COLUMN = 2;
    private static final int SQL_COLUMN = 3;

    CatalogTable(CreateTableData data, Mirror mirror) {
        super(data, mirror, 0, CatalogKeys.catalogRows(mirror.databaseId()));
        mirror.catalog(this);
    }

    /** Who changes definitions does so on the newest catalog: H2 looks into this table before it writes. */
    @Override
    public boolean lock(SessionLocal session, int lockType) {
        boolean defines = lockType == EXCLUSIVE_LOCK
                && mirror.complete()
                && session != session.getDatabase().getSystemSession();
        if (defines && !isLockedExclusivelyBy(session)) {
            try {
                mirror.state(session).defines(session);
            } catch (KeySpaceException e) {
                throw Errors.convert(e);
            }
        }
        boolean had = super.lock(session, lockType);
        if (!had && defines) {
            try {
                mirror.state(session).lockCatalog(session);
                if (DefinitionStack.changesDomain()) {
                    fenceDomains(session);
                }
            } catch (KeySpaceException e) {
                throw Errors.convert(e);
            }
        }
        return had;
    }

    private static void fenceDomains(SessionLocal session) {
        for (Schema schema : session.getDatabase().getAllSchemas()) {
            for (Table table : schema.getAllTablesAndViews(null)) {
                if (table instanceof RegionTable region && hasDomain(region)) {
                    region.fence(session);
                }
            }
        }
    }

    private static boolean hasDomain(RegionTable table) {
        for (Column column : table.getColumns()) {
            if (column.getDomain() != null) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void addRow(SessionLocal session, Row row) {
        change(session);
        super.addRow(session, row);
        if (isSequence(row)) {
            mirror.sequences().created(session, id(row), sql(row));
        }
    }

    @Override
    public void removeRow(SessionLocal session, Row row) {
        change(session);
        super.removeRow(session, row);
        if (isSequence(row)) {
            mirror.sequences().dropped(session, id(row));
        }
    }

    @Override
    public void updateRow(SessionLocal session, Row oldRow, Row newRow) {
        boolean bySystem = session == session.getDatabase().getSystemSession();
        if (isSequence(newRow) && (bySystem ? !DefinitionStack.inside() : DefinitionStack.givesValue())) {
            positionMoved(session, id(newRow));
            session.getDatabase().getNextModificationDataId();
            return;
        }
        change(session);
        super.updateRow(session, oldRow, newRow);
        if (isSequence(newRow)) {
            mirror.sequences().altered(session, id(newRow), sql(newRow));
        }
    }

    private void positionMoved(SessionLocal session, int id) {
        try {
            if (mirror.sequences() != null) {
                mirror.sequences().positionMoved(session, id);
            }
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
    }

    private void change(SessionLocal session) {
        try {
            mirror.state(session).changeCatalog(session);
            // H2 serves a query on INFORMATION_SCHEMA again from its last result until this moves.
            session.getDatabase().getNextModificationDataId();
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        }
    }

    private static boolean isSequence(Row row) {
        return row.getValue(TYPE_COLUMN).getInt() == DbObject.SEQUENCE;
    }

    private static int id(Row row) {
        return row.getValue(ID_COLUMN).getInt();
    }

    private static String sql(Row row) {
        return row.getValue(SQL_COLUMN).getString();
    }
}
