package org.flotilladb.region.store;

import java.util.List;
import java.util.function.LongConsumer;
import org.flotilladb.proto.Region;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.LogStore;

/** What a Region's peer needs of its Store. Called by the loop alone. */
interface StoreContext {
    Clock clock();

    LeaseClock leases();

    KvStore data();

    LogStore logs();

    GroupSettings groupSettings();

    long storeId();

    long nextSeed();

    String addressOf(long storeId);

    /** Whether this Store has a peer of the Region. */
    boolean hasRegion(long regionId);

    /** Why a write of so many bytes is refused just now, or null. The disk is looked at again before it can be full. */
    String refusesWrite(long bytes);

    /** Asks the Placement Driver; the callback runs in the loop, or never. */
    void freshTimestamp(LongConsumer callback);

    /** A leader has something to report: it began to serve, or its Region changed. */
    void report(RegionPeer peer);

    /** The Region has split; peers for the new ones are to be made. The effects of the split are visible. */
    void split(RegionPeer peer, List<Region> created, boolean wasLeader);

    /** Notes that one transaction waits for another; true if that closes a circle. */
    boolean waitsFor(long waiterStartTs, long holderStartTs);

    void waitsNoMore(long waiterStartTs);

    StoreCounters counters();

    FailPoints failPoints();
}
