package org.flotilladb.engine.internal;

import java.sql.SQLException;
import java.util.List;
import java.util.stream.Collectors;
import org.flotilladb.engine.keyspace.ClusterAdmin;
import org.flotilladb.engine.keyspace.ClusterAdmin.StoreLine;

/** How people call Stores: by the number in hexadecimal digits, as it stands everywhere, or by the address. */
final class StoreNames {
    private static final String REMOVED = "REMOVED";
    private static final int MAX_NAMED = 10;
    private static final int HEX = 16;

    private StoreNames() {}

    static String text(long storeId) {
        return Long.toHexString(storeId);
    }

    /** The Store that somebody has named. */
    static long find(ClusterAdmin cluster, String given) throws SQLException {
        String name = given == null ? "" : given.strip();
        List<StoreLine> stores = cluster.stores();
        for (StoreLine store : stores) {
            if (store.address().equals(name) && !store.state().equals(REMOVED)) {
                return store.id();
            }
        }
        Long id = number(name);
        for (StoreLine store : stores) {
            if (id != null && store.id() == id) {
                return id;
            }
        }
        String some = stores.stream()
                .filter(store -> !store.state().equals(REMOVED))
                .limit(MAX_NAMED)
                .map(store -> text(store.id()) + " at " + store.address())
                .collect(Collectors.joining(", "));
        throw Errors.invalid("There is no Store '" + name
                + "': name one by its STORE_ID or ADDRESS in FLOTILLA.STORES (" + some + ").");
    }

    private static Long number(String text) {
        try {
            return Long.parseUnsignedLong(text, HEX);
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
