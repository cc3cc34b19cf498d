package org.flotilladb.engine.internal;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.HexFormat;
import org.flotilladb.engine.keyspace.KeySpace.KeyRange;
import org.flotilladb.engine.keyspace.KeySpace.NodeCounter;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.api.ErrorCode;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.h2.message.DbException;
import org.h2.result.SearchRow;
import org.h2.table.Table;
import org.h2.tools.SimpleResultSet;

/** SQL functions that every database has. */
public final class FlotillaFunctions {
    private static final String COLUMN_LIST_URL = "jdbc:columnlist:connection";

    private FlotillaFunctions() {}

    /**
     * {@code CALL FLOTILLA_SPLIT('TABLE', key)}: makes the row with this primary key (a whole number) the first of a
     * Region of its own. Not part of the transaction.
     */
    public static void split(Connection connection, String tableName, long key) throws SQLException {
        RegionTable table = table(connection, tableName);
        if (table.rowIndex().mainColumn() == SearchRow.ROWID_INDEX) {
            throw DbException.getUnsupportedException(
                            "splitting " + tableName + ": its primary key is not one whole number")
                    .getSQLException();
        }
        try {
            table.mirror.keySpace().split(table.rowKey(key));
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
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

    private static RegionTable table(Connection connection, String name) throws SQLException {
        SessionLocal session =
                (SessionLocal) connection.unwrap(JdbcConnection.class).getSession();
        Table table = session.getDatabase()
                .getSchema(session.getCurrentSchemaName())
                .findTableOrView(session, session.getDatabase().sysIdentifier(name));
        if (table instanceof RegionTable found) {
            return found;
        }
        throw DbException.get(ErrorCode.TABLE_OR_VIEW_NOT_FOUND_1, name).getSQLException();
    }
}
