package org.flotilladb.region.store;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.Region;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.StorageException;

/** The peers of a Store, by Region: made when the Store opens and by splits. Used by the loop alone. */
final class Regions implements StoreContext {
    private final StoreSettings settings;
    private final Clock clock;
    private final LeaseClock leases;
    private final RandomSource random;
    private final LogStore logs;
    private final KvStore data;
    private final Cluster cluster;
    private final LocalReader reader;
    private final StoreCounters counters;
    private final Consumer<RaftGroup> touch;
    private final DiskWatch disk;
    private final WaitsFor waitsFor = new WaitsFor();
    private final TreeMap<Long, RegionPeer> peers = new TreeMap<>();
    private final List<Long> splitCampaigns = new ArrayList<>();

    /** @param touch told when a group has been given something to do */
    Regions(
            StoreSettings settings,
            Clock clock,
            LeaseClock leases,
            RandomSource random,
            LogStore logs,
            KvStore data,
            Cluster cluster,
            LocalReader reader,
            StoreCounters counters,
            Consumer<RaftGroup> touch) {
        this.settings = settings;
        this.clock = clock;
        this.leases = leases;
        this.random = random;
        this.logs = logs;
        this.data = data;
        this.cluster = cluster;
        this.reader = reader;
        this.counters = counters;
        this.touch = touch;
        this.disk = new DiskWatch(settings);
    }

    /** Null when the Store has no peer of the Region. */
    RegionPeer get(long regionId) {
        return peers.get(regionId);
    }

    Collection<RegionPeer> all() {
        return peers.values();
    }

    DiskWatch disk() {
        return disk;
    }

    /** Opens the peers whose records stand on disk, and that of the first Region when it has none yet. */
    void open(ClusterInit init) {
        Region first = init.getFirstRegion();
        for (Region region : stored()) {
            add(region, region.getId() != first.getId());
        }
        boolean here = first.getPeersList().stream().anyMatch(peer -> peer.getStoreId() == cluster.storeId());
        if (here && !peers.containsKey(first.getId())) {
            KvBatch batch = data.batch();
            batch.put(Family.META, RegionPeer.regionKey(first.getId()), first.toByteArray());
            data.write(batch);
            add(first, false);
        }
    }

    private List<Region> stored() {
        List<Region> regions = new ArrayList<>();
        byte[] lower = {'r'};
        byte[] upper = {'s'};
        try (KvCursor cursor = data.cursor(Family.META, lower, upper)) {
            for (boolean more = cursor.seek(lower); more; more = cursor.next()) {
                regions.add(Region.parseFrom(cursor.value()));
            }
        } catch (InvalidProtocolBufferException e) {
            throw new StorageException(StorageException.Kind.CORRUPT, "a Region's record is damaged", e);
        }
        return regions;
    }

    private void add(Region region, boolean afterSplit) {
        RegionPeer peer = new RegionPeer(this, region);
        peers.put(region.getId(), peer);
        peer.start(afterSplit);
        reader.add(peer);
        touch.accept(peer.group());
    }

    /** Time has passed, on every peer. */
    void tick(long nowNs) {
        // One tick after the split the other peers have applied it too, and can vote.
        for (Long regionId : splitCampaigns) {
            peers.get(regionId).group().node().campaignAfterSplit(nowNs);
        }
        splitCampaigns.clear();
        for (RegionPeer peer : peers.values()) {
            peer.group().tick(nowNs);
            peer.expireWaits(nowNs);
            peer.retryTimestamp();
            touch.accept(peer.group());
        }
    }

    void close(String reason) {
        for (RegionPeer peer : peers.values()) {
            peer.close(reason);
        }
    }

    // ---- what a peer needs of its Store ----------------------------------------------------------------------------

    @Override
    public Clock clock() {
        return clock;
    }

    @Override
    public LeaseClock leases() {
        return leases;
    }

    @Override
    public KvStore data() {
        return data;
    }

    @Override
    public LogStore logs() {
        return logs;
    }

    @Override
    public GroupSettings groupSettings() {
        return settings.groups();
    }

    @Override
    public long storeId() {
        return cluster.storeId();
    }

    @Override
    public long nextSeed() {
        return random.nextLong();
    }

    @Override
    public String addressOf(long otherStoreId) {
        return cluster.addressOf(otherStoreId);
    }

    @Override
    public boolean hasRegion(long regionId) {
        return peers.containsKey(regionId);
    }

    @Override
    public String refusesWrite(long bytes) {
        return disk.refuses(bytes);
    }

    @Override
    public void freshTimestamp(LongConsumer callback) {
        cluster.freshTimestamp(callback);
    }

    @Override
    public void report(RegionPeer peer) {
        cluster.report(List.of(peer));
    }

    @Override
    public void split(RegionPeer old, List<Region> created, boolean wasLeader) {
        for (Region region : created) {
            if (!peers.containsKey(region.getId())) {
                add(region, true);
                if (wasLeader) {
                    splitCampaigns.add(region.getId());
                }
            }
        }
        if (wasLeader) {
            old.group().node().announceCommit();
            touch.accept(old.group());
        }
        cluster.report(List.of(old));
    }

    @Override
    public boolean waitsFor(long waiterStartTs, long holderStartTs) {
        return waitsFor.add(waiterStartTs, holderStartTs);
    }

    @Override
    public void waitsNoMore(long waiterStartTs) {
        waitsFor.remove(waiterStartTs);
    }

    @Override
    public StoreCounters counters() {
        return counters;
    }

    @Override
    public FailPoints failPoints() {
        return settings.failPoints();
    }
}
