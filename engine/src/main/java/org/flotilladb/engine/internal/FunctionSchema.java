package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.h2.api.ErrorCode;
import org.h2.command.ddl.CreateTableData;
import org.h2.engine.Database;
import org.h2.engine.SessionLocal;
import org.h2.message.DbException;
import org.h2.schema.FunctionAlias;
import org.h2.schema.Schema;
import org.h2.schema.SchemaObject;
import org.h2.schema.UserDefinedFunction;
import org.h2.table.Table;

/**
 * The schema of the functions that every database has, and of the tables that show the cluster. It is on the search path of
 * statements that name such a function, so they need no schema's name. It is made with each mirror and not kept; its functions
 * show in no listing, its tables as system tables, so SCRIPT writes neither. Nothing can be made in it.
 */
final class FunctionSchema extends Schema {
    static final String NAME = "FLOTILLA";
    static final String FUNCTION_PREFIX = "FLOTILLA_";

    /** Objects that are not kept need no numbers, and must not take those of objects that are. */
    private static final int SCHEMA_ID = -2;

    static final int OBJECT_ID = -3;

    private final Map<String, Table> tables;
    private boolean complete;

    private FunctionSchema(Database database) {
        super(
                database,
                SCHEMA_ID,
                database.sysIdentifier(NAME),
                database.getMainSchema().getOwner(),
                true);
        setTemporary(true);
        tables = new ClusterTables(this).tables();
        addFunctions();
        complete = true;
    }

    /** Adds the schema to a mirror that is being opened: what it holds may name what is here. */
    static void addTo(Database database, SessionLocal session) {
        database.addDatabaseObject(session, new FunctionSchema(database));
    }

    private void addFunctions() {
        addFunction("FLOTILLA_SPLIT", FlotillaFunctions.class, "split");
        addFunction("FLOTILLA_REGIONS", FlotillaFunctions.class, "regions");
        addFunction("FLOTILLA_STATUS", FlotillaFunctions.class, "status");
        addFunction("FLOTILLA_SPLIT_REGION", SteeringFunctions.class, "splitRegion");
        addFunction("FLOTILLA_TRANSFER_LEADER", SteeringFunctions.class, "transferLeader");
        addFunction("FLOTILLA_MOVE_PEER", SteeringFunctions.class, "movePeer");
        addFunction("FLOTILLA_CANCEL_OPERATOR", SteeringFunctions.class, "cancelOperator");
        addFunction("FLOTILLA_DRAIN", SteeringFunctions.class, "drain");
        addFunction("FLOTILLA_UNDRAIN", SteeringFunctions.class, "undrain");
        addFunction("FLOTILLA_PREPARE_RESTART", SteeringFunctions.class, "prepareRestart");
        addFunction("FLOTILLA_STORE_GONE", SteeringFunctions.class, "storeGone");
        addFunction("FLOTILLA_SET_PLACEMENT", SteeringFunctions.class, "setPlacement");
    }

    private void addFunction(String name, Class<?> owner, String method) {
        FunctionAlias alias = FunctionAlias.newInstance(
                this, OBJECT_ID, database.sysIdentifier(name), owner.getName() + "." + method, true);
        alias.setTemporary(true);
        add(alias);
    }

    @Override
    public void add(SchemaObject object) {
        if (complete) {
            throw notForUsers();
        }
        super.add(object);
    }

    @Override
    public Table createTable(CreateTableData data) {
        throw notForUsers();
    }

    private DbException notForUsers() {
        return DbException.getUnsupportedException(
                "objects of your own in the schema " + getName() + ", which is the database's; choose another schema");
    }

    @Override
    public Table findTableOrView(SessionLocal session, String name) {
        return tables.get(name);
    }

    @Override
    public Table getTableOrViewByName(SessionLocal session, String name) {
        return tables.get(name);
    }

    @Override
    public Table getTableOrView(SessionLocal session, String name) {
        Table table = tables.get(name);
        if (table == null) {
            throw DbException.get(ErrorCode.TABLE_OR_VIEW_NOT_FOUND_1, name);
        }
        return table;
    }

    @Override
    public Collection<Table> getAllTablesAndViews(SessionLocal session) {
        return tables.values();
    }

    /** Asked for by DROP ALL OBJECTS. */
    @Override
    public void getAll(int type, ArrayList<SchemaObject> addTo) {}

    @Override
    public Collection<UserDefinedFunction> getAllFunctionsAndAggregates() {
        return List.of();
    }

    @Override
    public String getCreateSQL() {
        return null;
    }
}
