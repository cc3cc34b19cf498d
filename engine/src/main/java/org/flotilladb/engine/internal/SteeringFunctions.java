package org.flotilladb.engine.internal;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HexFormat;
import org.flotilladb.engine.keyspace.ClusterAdmin;
import org.flotilladb.engine.keyspace.ClusterAdmin.RegionRange;
import org.flotilladb.engine.keyspace.ClusterAdmin.WantedState;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.h2.message.DbException;

/**
 * SQL functions by which administrators steer the cluster. They are part of no transaction. Those that begin something
 * return the number of the operator that does it, to be found in {@code FLOTILLA.OPERATORS}, or null when there is nothing to
 * do. A Store is named by its {@code STORE_ID} or {@code ADDRESS} in {@code FLOTILLA.STORES}.
 */
public final class SteeringFunctions {
    private static final HexFormat HEX = HexFormat.of();

    private SteeringFunctions() {}

    /** What one function does. */
    private interface Command<T> {
        T run(KeySpace keySpace) throws SQLException;
    }

    /** What one function does with the cluster. */
    private interface ClusterCommand<T> {
        T run(ClusterAdmin cluster) throws SQLException;
    }

    private static <T> T on(Connection connection, Command<T> command) throws SQLException {
        SessionLocal session =
                (SessionLocal) connection.unwrap(JdbcConnection.class).getSession();
        try {
            session.getUser().checkAdmin();
            return command.run(Mirror.of(session).keySpace());
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
        } catch (DbException e) {
            throw e.getSQLException();
        }
    }

    private static <T> T onCluster(Connection connection, ClusterCommand<T> command) throws SQLException {
        return on(connection, keySpace -> command.run(keySpace.clusterAdmin()));
    }

    private static Long operator(long id) {
        return id == 0 ? null : id;
    }

    /** {@code CALL FLOTILLA_SPLIT_REGION(region, key)}: makes the key, in hexadecimal digits, the first of a Region. */
    public static void splitRegion(Connection connection, long regionId, String hexKey) throws SQLException {
        on(connection, keySpace -> {
            byte[] key = key(hexKey);
            RegionRange region = keySpace.clusterAdmin().region(regionId);
            if (region == null) {
                throw Errors.invalid(
                        "There is no Region " + regionId + ": name one by its REGION_ID in FLOTILLA.REGIONS.");
            }
            boolean inside = Arrays.compareUnsigned(region.start(), key) < 0
                    && (region.end().length == 0 || Arrays.compareUnsigned(key, region.end()) < 0);
            if (!inside) {
                throw Errors.invalid("The key " + HEX.formatHex(key) + " is not inside Region " + regionId
                        + ", which holds those above '" + HEX.formatHex(region.start()) + "'"
                        + (region.end().length == 0 ? "" : " and below '" + HEX.formatHex(region.end()) + "'")
                        + ": look for its Region in FLOTILLA.REGIONS.");
            }
            keySpace.split(key);
            return null;
        });
    }

    private static byte[] key(String hex) throws SQLException {
        try {
            byte[] key = HEX.parseHex(hex == null ? "" : hex.strip());
            if (key.length > 0) {
                return key;
            }
        } catch (IllegalArgumentException e) {
            // Said below.
        }
        throw Errors.invalid(
                "'" + hex + "' is no key: write its bytes in hexadecimal digits, like START_KEY in FLOTILLA.REGIONS.");
    }

    /** {@code CALL FLOTILLA_TRANSFER_LEADER(region, store)}: the Region's peer on that Store leads it. */
    public static Long transferLeader(Connection connection, long regionId, String store) throws SQLException {
        return onCluster(
                connection, cluster -> operator(cluster.transferLeader(regionId, StoreNames.find(cluster, store))));
    }

    /** {@code CALL FLOTILLA_MOVE_PEER(region, from, to)}: the Region's peer on one Store gives way to one on another. */
    public static Long movePeer(Connection connection, long regionId, String from, String to) throws SQLException {
        return onCluster(
                connection,
                cluster -> operator(
                        cluster.movePeer(regionId, StoreNames.find(cluster, from), StoreNames.find(cluster, to))));
    }

    /** {@code CALL FLOTILLA_CANCEL_OPERATOR(operator)}: ends it; what it has done so far stays. False: it does not run. */
    public static boolean cancelOperator(Connection connection, long operatorId) throws SQLException {
        return onCluster(connection, cluster -> cluster.cancelOperator(operatorId));
    }

    /** {@code CALL FLOTILLA_DRAIN(store)}: its leaders go, then its peers, so that it can be stopped for good. */
    public static String drain(Connection connection, String store) throws SQLException {
        return state(connection, store, WantedState.DRAINING);
    }

    /** {@code CALL FLOTILLA_UNDRAIN(store)}: it takes peers and leads again. */
    public static String undrain(Connection connection, String store) throws SQLException {
        return state(connection, store, WantedState.UP);
    }

    /** {@code CALL FLOTILLA_PREPARE_RESTART(store)}: others lead in its place until it has been started anew. */
    public static String prepareRestart(Connection connection, String store) throws SQLException {
        return state(connection, store, WantedState.WITHOUT_LEADERS);
    }

    /** {@code CALL FLOTILLA_STORE_GONE(store)}: it does not come back, its peers are replaced at once. */
    public static String storeGone(Connection connection, String store) throws SQLException {
        return state(connection, store, WantedState.GONE);
    }

    /** The Store's number. */
    private static String state(Connection connection, String store, WantedState wanted) throws SQLException {
        return onCluster(connection, cluster -> {
            long id = StoreNames.find(cluster, store);
            cluster.setStoreState(id, wanted);
            return StoreNames.text(id);
        });
    }

    /** {@code CALL FLOTILLA_SET_PLACEMENT(name, value)}: changes a setting of {@code FLOTILLA.PLACEMENT}. */
    public static void setPlacement(Connection connection, String name, String value) throws SQLException {
        onCluster(connection, cluster -> {
            cluster.set(name == null ? "" : name, value == null ? "" : value);
            return null;
        });
    }
}
