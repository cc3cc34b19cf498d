package org.flotilladb.engine.internal;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.flotilladb.engine.keyspace.KeySpace.KeyRange;
import org.flotilladb.engine.keyspace.KeySpace.NodeCounter;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.api.ErrorCode;
import org.h2.engine.Database;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.h2.message.DbException;
import org.h2.schema.Schema;
import org.h2.table.Table;
import org.h2.tools.SimpleResultSet;
import org.h2.util.StringUtils;
import org.h2.value.Value;

/** SQL functions that every database has. */
public final class FlotillaFunctions {
    private static final String COLUMN_LIST_URL = "jdbc:columnlist:connection";

    private FlotillaFunctions() {}

    /**
     * {@code CALL FLOTILLA_SPLIT('TABLE', key, ...)}: makes each of these primary keys, a {@code ROW} where there are several
     * columns, the first of a Region of its own. Where the primary key is one whole number that splits the rows, else the
     * primary key's index. For administrators; not part of the transaction.
     */
    public static void split(Connection connection, String tableName, Value... keys) throws SQLException {
        SessionLocal session =
                (SessionLocal) connection.unwrap(JdbcConnection.class).getSession();
        try {
            session.getUser().checkAdmin();
            RegionTable table = table(connection, tableName);
            if (keys.length == 0) {
                throw Errors.invalid("FLOTILLA_SPLIT needs at least one primary key behind the table's name.");
            }
            List<byte[]> splitKeys = new ArrayList<>();
            for (Value key : keys) {
                splitKeys.add(SplitKeys.of(session, table, key));
            }
            splitKeys.forEach(table.mirror.keySpace()::split);
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
        } catch (DbException e) {
            throw e.getSQLException();
        }
    }

    /** {@code SELECT * FROM FLOTILLA_REGIONS('TABLE')}: the Regions that hold a table's rows and indexes, in key order. */
    public static ResultSet regions(Connection connection, String tableName) throws SQLException {
        SimpleResultSet result = new SimpleResultSet();
        result.addColumn("REGION_ID", Types.BIGINT, 19, 0);
        result.addColumn("START_KEY", Types.VARCHAR, 1000, 0);
        result.addColumn("END_KEY", Types.VARCHAR, 1000, 0);
        result.addColumn("LEADER_STORE", Types.VARCHAR, 20, 0);
        result.addColumn("LEADER", Types.VARCHAR, 200, 0);
        result.addColumn("PEERS", Types.VARCHAR, 1000, 0);
        if (COLUMN_LIST_URL.equals(connection.getMetaData().getURL())) {
            return result;
        }
        RegionTable table = table(connection, tableName);
        byte[] prefix = CatalogKeys.tablePrefix(table.mirror.databaseId(), table.physicalId());
        try {
            for (KeyRange range : table.mirror.keySpace().ranges(prefix, KeyBytes.after(prefix))) {
                result.addRow(
                        range.regionId(),
                        HexFormat.of().formatHex(range.start()),
                        HexFormat.of().formatHex(range.end()),
                        Long.toHexString(range.leaderStoreId()),
                        range.leader(),
                        range.peers());
            }
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
        }
        return result;
    }

    /** {@code SELECT * FROM FLOTILLA_STATUS()}: what the nodes that can be reached say about themselves. */
    public static ResultSet status(Connection connection) throws SQLException {
        SimpleResultSet result = new SimpleResultSet();
        result.addColumn("NODE", Types.VARCHAR, 200, 0);
        result.addColumn("NAME", Types.VARCHAR, 100, 0);
        result.addColumn("VALUE", Types.VARCHAR, 200, 0);
        if (COLUMN_LIST_URL.equals(connection.getMetaData().getURL())) {
            return result;
        }
        SessionLocal session =
                (SessionLocal) connection.unwrap(JdbcConnection.class).getSession();
        try {
            for (NodeCounter counter : Mirror.of(session).keySpace().status()) {
                result.addRow(counter.node(), counter.name(), counter.value());
            }
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
        }
        return result;
    }

    /** {@code TABLE} of the session's schema or {@code SCHEMA.TABLE}, in any case or as they are written. */
    private static RegionTable table(Connection connection, String name) throws SQLException {
        SessionLocal session =
                (SessionLocal) connection.unwrap(JdbcConnection.class).getSession();
        String given = name == null ? "" : name;
        Table table = find(session, session.getCurrentSchemaName(), given);
        int dot = given.indexOf('.');
        if (table == null && dot > 0) {
            table = find(session, given.substring(0, dot), given.substring(dot + 1));
        }
        if (table instanceof RegionTable found) {
            return found;
        }
        throw DbException.get(ErrorCode.TABLE_OR_VIEW_NOT_FOUND_1, given).getSQLException();
    }

    private static Table find(SessionLocal session, String schemaName, String name) {
        Database database = session.getDatabase();
        Schema schema = database.findSchema(schemaName);
        schema = schema != null ? schema : database.findSchema(unquoted(database, schemaName));
        if (schema == null) {
            return null;
        }
        Table table = schema.findTableOrView(session, name);
        return table != null ? table : schema.findTableOrView(session, unquoted(database, name));
    }

    /** A name as it is when it stands without quotes. */
    private static String unquoted(Database database, String name) {
        if (database.getSettings().databaseToUpper) {
            return StringUtils.toUpperEnglish(name);
        }
        return database.getSettings().databaseToLower ? StringUtils.toLowerEnglish(name) : name;
    }
}
