package org.flotilladb.region.store;

import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;

/**
 * The peers of a Store that time passes for: those whose groups do not rest, and those that watch something of their own,
 * such as a lock that will run out. A tick costs what these cost, however many rest. Used by the loop alone.
 */
final class ActivePeers {
    private final TreeMap<Long, RegionPeer> peers = new TreeMap<>();
    private final StoreCounters counters;

    ActivePeers(StoreCounters counters) {
        this.counters = counters;
    }

    /** A peer was made, or something was asked of it or brought to it. */
    void touched(RegionPeer peer) {
        peers.put(peer.region().getId(), peer);
    }

    void remove(RegionPeer peer) {
        peers.remove(peer.region().getId(), peer);
    }

    /** In the order of their Regions' ids. */
    Collection<RegionPeer> all() {
        return Collections.unmodifiableCollection(peers.values());
    }

    /**
     * Time has passed, for each of them; those that need to be told no more are forgotten until they are touched again.
     *
     * @param ticked told of each, which may have something to say now
     */
    void tick(long nowNs, Consumer<RegionPeer> ticked) {
        for (RegionPeer peer : List.copyOf(peers.values())) {
            peer.tick(nowNs);
            peer.rest.note(nowNs, counters);
            ticked.accept(peer);
            if (!peer.needsTicks()) {
                remove(peer);
            }
        }
    }
}
