package org.flotilladb.engine.internal;

import java.util.ArrayList;
import org.h2.api.TableEngine;
import org.h2.command.ddl.CreateTableData;
import org.h2.message.DbException;
import org.h2.table.Table;

/** What H2 calls for every table of a mirror: temporary ones stay H2's own, all others are key ranges. */
public final class FlotillaTableEngine implements TableEngine {
    private static final int CATALOG_ID = 0;

    @Override
    public Table createTable(CreateTableData data) {
        if (DefinitionStack.createsMaterializedView()) {
            // H2 does not find it again when a mirror is opened.
            throw DbException.getUnsupportedException(
                    "MATERIALIZED VIEW; create a view, or a table that the application fills");
        }
        if (data.temporary) {
            if (data.globalTemporary) {
                Mirror.of(data.session).temporaries().exist();
            }
            return data.session.getDatabase().getStore().createTable(data);
        }
        Mirror mirror = Mirror.of(data.session);
        if (data.id == CATALOG_ID) {
            FunctionSchema.addTo(data.session.getDatabase(), data.session);
            return new CatalogTable(data, mirror);
        }
        data.tableEngineParams =
                data.tableEngineParams == null ? new ArrayList<>() : new ArrayList<>(data.tableEngineParams);
        if (data.tableEngineParams.isEmpty()) {
            data.tableEngineParams.add(Long.toString(mirror.owner().nextTableId()));
        }
        long physicalId = Long.parseLong(data.tableEngineParams.get(0));
        mirror.state(data.session).tableMade(physicalId);
        return new RegionTable(data, mirror, physicalId);
    }
}
