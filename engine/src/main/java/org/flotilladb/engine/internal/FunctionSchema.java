package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import org.h2.engine.Database;
import org.h2.engine.SessionLocal;
import org.h2.schema.FunctionAlias;
import org.h2.schema.Schema;
import org.h2.schema.SchemaObject;
import org.h2.schema.UserDefinedFunction;

/**
 * The schema of the functions that every database has. It is on the search path of statements that name one, so they need
 * no schema's name; it is made with each mirror and not kept, and its functions show in no listing, so SCRIPT does not write them.
 */
final class FunctionSchema extends Schema {
    static final String NAME = "FLOTILLA";
    static final String FUNCTION_PREFIX = "FLOTILLA_";

    private FunctionSchema(Database database) {
        super(
                database,
                database.allocateObjectId(),
                database.sysIdentifier(NAME),
                database.getMainSchema().getOwner(),
                true);
        setTemporary(true);
    }

    /** Adds the schema to a mirror, unless the user has one of this name. */
    static void addTo(Database database, SessionLocal session) {
        if (database.findSchema(database.sysIdentifier(NAME)) != null) {
            return;
        }
        FunctionSchema schema = new FunctionSchema(database);
        schema.addFunction("FLOTILLA_SPLIT", "split");
        schema.addFunction("FLOTILLA_REGIONS", "regions");
        schema.addFunction("FLOTILLA_STATUS", "status");
        database.addDatabaseObject(session, schema);
        session.commit(true);
    }

    private void addFunction(String name, String method) {
        FunctionAlias alias = FunctionAlias.newInstance(
                this,
                database.allocateObjectId(),
                database.sysIdentifier(name),
                FlotillaFunctions.class.getName() + "." + method,
                true);
        alias.setTemporary(true);
        add(alias);
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
