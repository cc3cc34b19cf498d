package org.flotilladb.region.store;

import java.util.List;
import java.util.function.LongConsumer;
import org.flotilladb.proto.Region;
import org.flotilladb.raft.Snapshot;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.KvBatch;
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

    /** A peer has commands that wait for its lease: see {@link RegionPeer#resume}. */
    void awaitsLease(RegionPeer peer);

    /** Whether another Store has not been heard of lately. */
    boolean isSilent(long storeId);

    /** A leader has something to report: it began to serve, or its Region changed. */
    void report(RegionPeer peer);

    /** The Region has split; peers for the new ones are to be made. The effects of the split are visible. */
    void split(RegionPeer peer, List<Region> created, boolean wasLeader);

    /**
     * Whether the split that is being applied makes this Region's peer here: not when it has been removed or replaced
     * already.
     */
    boolean splitMakes(Region created);

    /** A snapshot of the Region as it is, at that index or above; null, and one is soon made. */
    Snapshot snapshotOf(RegionPeer peer, long minIndex);

    /**
     * Adds to the batch what is left of a peer that was removed.
     *
     * @param without the Region that does not name it any more
     * @param index of the entry that removed it, where it was applied here, else 0
     */
    void bury(RegionPeer peer, Region without, long index, long term, KvBatch batch);

    /** That batch is visible: the peer is to go. */
    void removed(RegionPeer peer);

    /** Notes that one transaction waits for another; true if that closes a circle. */
    boolean waitsFor(long waiterStartTs, long holderStartTs);

    void waitsNoMore(long waiterStartTs);

    StoreCounters counters();

    FailPoints failPoints();
}
