package org.flotilladb.region.placement.engine;

import org.flotilladb.proto.Peer;

/** How far apart the peers of a Region are: the labels {@code zone} and, within it, {@code host}. */
final class Isolation {
    /** One shared zone is worse than any number of shared hosts. */
    private static final int ZONE = 1000;

    private Isolation() {}

    /** How much the Store shares with those of the Region's peers, but one (or null): 0 is best. */
    static int shared(ClusterView cluster, RegionView region, StoreView store, Peer except) {
        int shared = 0;
        for (Peer peer : region.peers()) {
            StoreView other = cluster.store(peer.getStoreId());
            if (other != null && other != store && (except == null || peer.getId() != except.getId())) {
                shared += shared(store, other);
            }
        }
        return shared;
    }

    private static int shared(StoreView a, StoreView b) {
        String zone = a.label("zone");
        if (!zone.equals(b.label("zone"))) {
            return 0;
        }
        String host = a.label("host");
        return (zone.isEmpty() ? 0 : ZONE) + (!host.isEmpty() && host.equals(b.label("host")) ? 1 : 0);
    }
}
