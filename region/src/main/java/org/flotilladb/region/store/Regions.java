package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.GroupMessage;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.SnapshotOffer;
import org.flotilladb.proto.Tombstone;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.raft.RaftInvariantException;
import org.flotilladb.raft.Snapshot;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.placement.PlacementGroup;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.LogStore.LogBatch;
import org.flotilladb.region.runtime.RandomSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The peers of a Store, by Region: how they come to be, and how they go. Used by the loop alone. */
final class Regions implements StoreContext {
    private static final Logger LOG = LoggerFactory.getLogger(Regions.class);
    /** Peers that wait for their first snapshot. */
    private static final int MAX_BARE_PEERS = 1024;

    private static final int FORGOTTEN_EVERY_TICKS = 10;

    /** Tells other Stores what no Raft message says. */
    interface Notices {
        void snapshotFailed(IncomingSnapshots.Offer offer);

        /** To every other Store of the cluster. */
        void sendSignOfLife();
    }

    /** Told what has become of Regions. */
    interface Watcher {
        /** A leader here has something to report. */
        void changed(RegionPeer peer);

        /** A Region has been split here. */
        void divided(RegionPeer old, List<RegionPeer> created);
    }

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
    private final List<RegionPeer> leaving = new ArrayList<>();
    private final List<RegionPeer> expecting = new ArrayList<>();
    private final OutgoingSnapshots outgoing;
    private final IncomingSnapshots incoming;
    private final Installer installer;
    private final ActivePeers active;
    private final Hibernation hibernation;
    private final TreeSet<Long> awaitingLease = new TreeSet<>();
    private Notices notices;
    private Watcher watcher;
    private long ticks;

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
            OutgoingSnapshots outgoing,
            IncomingSnapshots incoming,
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
        this.outgoing = outgoing;
        this.incoming = incoming;
        this.installer = new Installer(logs, data, settings.failPoints());
        this.active = new ActivePeers(counters);
        this.hibernation = new Hibernation(settings.groups(), peers, this::touch, others, settings.failPoints());
    }

    void tell(Notices told) {
        notices = told;
    }

    /** Before anything is opened. */
    void watch(Watcher told) {
        watcher = told;
    }

    /** Null when the Store has no peer of the Region. */
    RegionPeer get(long regionId) {
        return peers.get(regionId);
    }

    Collection<RegionPeer> all() {
        return peers.values();
    }

    /** Those with higher ids, ascending. */
    Collection<RegionPeer> after(long regionId) {
        return peers.tailMap(regionId, false).values();
    }

    /** Those that time passes for. */
    Collection<RegionPeer> active() {
        return active.all();
    }

    DiskWatch disk() {
        return disk;
    }

    Hibernation hibernation() {
        return hibernation;
    }

    private final Hibernation.Others others = new Hibernation.Others() {
        @Override
        public Collection<Long> ids() {
            return cluster.otherStoreIds();
        }

        @Override
        public void sendSignOfLife() {
            notices.sendSignOfLife();
        }
    };

    /** Opens the peers whose records stand on disk, and that of the first Region when it has none yet. */
    void open(ClusterInit init) {
        installer.recover();
        Region first = init.getFirstRegion();
        for (Region region : RegionData.regions(data)) {
            add(region, RegionPeer.ownPeer(region, cluster.storeId()), region.getId() != first.getId());
        }
        dropLogsOfTheRemoved();
        Peer here = Membership.onStore(first, cluster.storeId());
        boolean new_ = here != null && !peers.containsKey(first.getId()) && tombstone(first.getId()) == null;
        if (new_) {
            KvBatch batch = data.batch();
            batch.put(Family.META, RegionPeer.regionKey(first.getId()), first.toByteArray());
            data.write(batch);
            add(first, here.getId(), false);
        }
    }

    /** The Store may have stopped after a tombstone was written and before the log was deleted. */
    private void dropLogsOfTheRemoved() {
        LogBatch batch = logs.batch();
        for (long group : logs.groups()) {
            if (group != PlacementGroup.GROUP_ID && !peers.containsKey(group) && tombstone(group) != null) {
                batch.delete(group);
            }
        }
        if (!batch.isEmpty()) {
            data.sync();
            logs.write(batch, false);
        }
    }

    /** What is left of a peer that was here, or null. */
    Tombstone tombstone(long regionId) {
        return RegionData.tombstone(data, regionId);
    }

    private RegionPeer add(Region region, long peerId, boolean afterSplit) {
        RegionPeer peer = new RegionPeer(this, region, peerId);
        peers.put(region.getId(), peer);
        peer.start(afterSplit);
        if (peer.initialised()) {
            reader.add(peer);
        }
        touch.accept(peer.group());
        return peer;
    }

    void touch(RegionPeer peer) {
        touch.accept(peer.group());
    }

    /** A group has been given something to do. */
    void touched(RaftGroup group) {
        RegionPeer peer = peers.get(group.groupId());
        if (peer != null) {
            active.touched(peer);
        }
    }

    @Override
    public void awaitsLease(RegionPeer peer) {
        awaitingLease.add(peer.region().getId());
    }

    @Override
    public boolean isSilent(long otherStoreId) {
        return hibernation.isSilent(otherStoreId);
    }

    /** Commands that waited for a lease which is here now go on; false if there are none. */
    boolean resumeWaiting() {
        boolean resumed = false;
        for (long regionId : List.copyOf(awaitingLease)) {
            RegionPeer peer = peers.get(regionId);
            if (peer == null || !peer.awaitsLease()) {
                awaitingLease.remove(regionId);
            } else if (peer.resume()) {
                touch(peer);
                resumed = true;
            }
        }
        return resumed;
    }

    // ---- peers that come by message, and go ------------------------------------------------------------------------

    /**
     * The peer that a message is for, made if it is one of those by which a peer may begin; null when it is for nobody here
     * (any more).
     */
    RegionPeer receiver(GroupMessage wire, MessageType type, long peerId) {
        RegionPeer peer = peers.get(wire.getGroupId());
        if (peer == null) {
            return create(wire, type, peerId);
        }
        if (peer.removed()) {
            return null;
        }
        if (peerId > peer.peerId()
                && wire.getEpoch().getConfVersion() > peer.region().getEpoch().getConfVersion()) {
            // A Store has one peer of a Region at a time, and ids grow: the one here has been removed.
            LOG.info("{} is replaced by peer {}", peer.group(), peerId);
            removeNow(
                    peer,
                    peer.region().toBuilder()
                            .setEpoch(wire.getEpoch())
                            .clearPeers()
                            .build());
            return null;
        }
        return peerId == peer.peerId() ? peer : null;
    }

    private RegionPeer create(GroupMessage wire, MessageType type, long peerId) {
        boolean begins = type == MessageType.VOTE
                || type == MessageType.PRE_VOTE
                || (type == MessageType.HEARTBEAT && wire.getMessage().getCommit() == 0);
        if (!begins || peerId <= 0 || wire.getGroupId() <= 0 || cluster.addressOf(wire.getFromStore()) == null) {
            return null;
        }
        Tombstone tombstone = tombstone(wire.getGroupId());
        if (tombstone != null && tombstone.getPeerId() >= peerId) {
            return null;
        }
        // Time passes for all of those: they do not rest.
        long bare = active.all().stream().filter(peer -> !peer.initialised()).count();
        LogStore.GroupState state = logs.load(wire.getGroupId());
        if (bare >= MAX_BARE_PEERS || (state != null && state.lastIndex() > 0)) {
            LOG.warn("Peer {} of Region {} is not made here: {}", peerId, wire.getGroupId(), state);
            return null;
        }
        return add(Region.newBuilder().setId(wire.getGroupId()).build(), peerId, false);
    }

    /** A peer's Store says that it has been removed. */
    void removedNotice(GroupMessage wire) {
        RegionPeer peer = peers.get(wire.getGroupId());
        Region newer = wire.getRemoved();
        if (peer != null
                && !peer.removed()
                && peer.initialised()
                && wire.getMessage().getTo() == peer.peerId()
                && newer.getEpoch().getConfVersion() > peer.region().getEpoch().getConfVersion()
                && newer.getPeersCount() > 0
                && Membership.peer(newer, peer.peerId()) == null) {
            LOG.info("{} was removed", peer.group());
            removeNow(peer, newer);
        }
    }

    /** A member says that it cannot take the beginning of the log. */
    void needsSnapshot(GroupMessage wire) {
        RegionPeer peer = peers.get(wire.getGroupId());
        // Before anything is committed a snapshot would be one of nothing, and nobody could commit for want of it.
        if (peer != null
                && peer.group().applied() > 0
                && Membership.peer(peer.region(), wire.getMessage().getFrom()) != null) {
            peer.group().beginWithSnapshots();
        }
    }

    /** Peers that nobody speaks to may have been removed without their knowing. */
    private void lookForTheForgotten(long nowNs) {
        List<RegionPeer> gone = new ArrayList<>();
        for (RegionPeer peer : active.all()) {
            if (peer.removed() || peer.group().node().isLeader() || !peer.isForgotten(nowNs, settings.members())) {
                continue;
            }
            if (peer.initialised()) {
                cluster.locate(peer.region().getStart(), region -> learn(peer, region));
            } else {
                gone.add(peer);
            }
        }
        for (RegionPeer peer : gone) {
            // It knows nothing, and comes back when somebody calls it again. Its vote stays.
            LOG.info("{} has never been given anything and is dropped", peer.group());
            incoming.cancel(peer.region().getId());
            peers.remove(peer.region().getId(), peer);
            active.remove(peer);
            peer.close("the peer has never been given anything");
        }
    }

    /** What the Placement Driver says about a peer's Region. */
    private void learn(RegionPeer peer, Region region) {
        boolean present = peers.get(peer.region().getId()) == peer && !peer.removed();
        if (present
                && region.getId() == peer.region().getId()
                && region.getEpoch().getConfVersion() > peer.region().getEpoch().getConfVersion()
                && Membership.peer(region, peer.peerId()) == null) {
            LOG.info("{} was removed, says the Placement Driver", peer.group());
            removeNow(peer, region);
        }
    }

    private void removeNow(RegionPeer peer, Region newer) {
        KvBatch batch = data.batch();
        peer.removedBy(newer, batch);
        data.write(batch);
        removed(peer);
    }

    @Override
    public void bury(RegionPeer peer, Region without, long index, long term, KvBatch batch) {
        long regionId = peer.region().getId();
        batch.delete(Family.META, RegionPeer.regionKey(regionId));
        RaftGroup.deleteApplied(batch, regionId);
        if (!failPoints().hit("tombstone-forgotten")) {
            Tombstone tombstone = Tombstone.newBuilder()
                    .setPeerId(peer.peerId())
                    .setConfVersion(without.getEpoch().getConfVersion())
                    .setIndex(index)
                    .setTerm(term)
                    .build();
            batch.put(Family.META, RegionData.key('t', regionId), tombstone.toByteArray());
        }
        if (peer.initialised() && !failPoints().hit("removed-data-left")) {
            RegionData.delete(batch, peer.region());
        }
    }

    @Override
    public void removed(RegionPeer peer) {
        reader.remove(peer);
        incoming.cancel(peer.region().getId());
        leaving.add(peer);
    }

    /** At the end of a round: what the removed had to send has left, and their logs go once the tombstones are durable. */
    void removeLeaving() {
        if (leaving.isEmpty()) {
            return;
        }
        data.sync();
        LogBatch batch = logs.batch();
        for (RegionPeer peer : leaving) {
            peers.remove(peer.region().getId(), peer);
            active.remove(peer);
            batch.delete(peer.region().getId());
            peer.close("Region " + peer.region().getId() + " has been moved away from this Store");
        }
        leaving.clear();
        logs.write(batch, false);
    }

    // ---- snapshots -------------------------------------------------------------------------------------------------

    /** A leader offers a snapshot; its message goes to the group when the rows are here. */
    void offered(RegionPeer peer, GroupMessage wire, Message message) {
        SnapshotOffer snapshot = IncomingSnapshots.parse(message);
        String address = snapshot == null ? null : cluster.addressOf(snapshot.getStoreId());
        if (address == null || message.term() < peer.group().node().term()) {
            return;
        }
        IncomingSnapshots.Offer offer = new IncomingSnapshots.Offer(
                wire.getGroupId(), peer.peerId(), wire.getFromStore(), address, message, snapshot);
        if (message.snapshot().index() <= peer.group().node().commitIndex()) {
            // It will say so.
            step(peer, message);
        } else if (overlapping(snapshot.getRegion()) != null || disk.refuses(0) != null) {
            snapshotEnds.failed(offer);
        } else {
            incoming.begin(offer, snapshotEnds);
        }
    }

    private void step(RegionPeer peer, Message message) {
        peer.group().step(message, leases.nowNs());
        touch.accept(peer.group());
    }

    /** Another Region here whose range a snapshot would cover, or null: it has a split or a merge to apply first. */
    private Region overlapping(Region region) {
        if (failPoints().hit("overlap-unchecked")) {
            return null;
        }
        for (RegionPeer other : peers.values()) {
            if (other.region().getId() != region.getId()
                    && other.initialised()
                    && !other.removed()
                    && RegionData.overlap(other.region(), region)) {
                return other.region();
            }
        }
        return null;
    }

    private final IncomingSnapshots.Listener snapshotEnds = new IncomingSnapshots.Listener() {
        @Override
        public void arrived(IncomingSnapshots.Arrived snapshot) {
            IncomingSnapshots.Offer offer = snapshot.offer();
            RegionPeer peer = peers.get(offer.regionId());
            boolean wanted = peer != null && !peer.removed() && peer.peerId() == offer.peerId();
            if (wanted && overlapping(offer.snapshot().getRegion()) == null) {
                IncomingSnapshots.Arrived before = peer.takeArrived();
                if (before != null) {
                    incoming.discard(before);
                }
                peer.expect(snapshot);
                expecting.add(peer);
                step(peer, offer.message());
            } else {
                incoming.discard(snapshot);
                failed(offer);
            }
        }

        @Override
        public void failed(IncomingSnapshots.Offer offer) {
            notices.snapshotFailed(offer);
        }
    };

    /** The snapshots that a round's Readies bring, before the log is written: from here on the new state wins. */
    void beginInstalls(List<RaftGroup> groups) {
        List<Installer.Install> installs = new ArrayList<>();
        for (RaftGroup group : groups) {
            if (group.installing() != null) {
                RegionPeer peer = peers.get(group.groupId());
                installs.add(new Installer.Install(peer, peer.takeArrived(), group.installing()));
            }
        }
        installer.begin(installs);
    }

    /** After the log was written: rows and records take the place of what was here. */
    void finishInstalls() {
        for (Installer.Install install : installer.finish()) {
            Region region = install.arrived().offer().snapshot().getRegion();
            RegionPeer peer = install.peer();
            reader.remove(peer);
            peer.installed(region);
            reader.add(peer);
            counters.installed();
        }
    }

    /** At the end of a round: what the library did not want is not kept; snapshots that are wanted are made. */
    void settleSnapshots() {
        for (RegionPeer peer : expecting) {
            IncomingSnapshots.Arrived unused = peer.takeArrived();
            if (unused != null) {
                incoming.discard(unused);
            }
        }
        expecting.clear();
        outgoing.make(this);
    }

    OutgoingSnapshots outgoing() {
        return outgoing;
    }

    @Override
    public Snapshot snapshotOf(RegionPeer peer, long minIndex) {
        return outgoing.of(peer, minIndex);
    }

    /** Time has passed, on every peer that does not rest. */
    void tick(long nowNs) {
        // One tick after the split the other peers have applied it too, and can vote.
        for (Long regionId : splitCampaigns) {
            RegionPeer peer = peers.get(regionId);
            if (peer != null) {
                peer.group().node().campaignAfterSplit(nowNs);
            }
        }
        splitCampaigns.clear();
        if (++ticks % FORGOTTEN_EVERY_TICKS == 0) {
            lookForTheForgotten(nowNs);
        }
        incoming.tick();
        outgoing.tick(this);
        active.tick(nowNs, this::touch);
        hibernation.tick(nowNs, peer -> peer.compact(settings.logKeepEntries(), settings.members()));
    }

    void close(String reason) {
        for (RegionPeer peer : peers.values()) {
            peer.close(reason);
        }
        incoming.close();
        outgoing.close();
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
        watcher.changed(peer);
    }

    @Override
    public boolean splitMakes(Region created) {
        long own = RegionPeer.ownPeer(created, cluster.storeId());
        Tombstone tombstone = tombstone(created.getId());
        if (tombstone != null && tombstone.getPeerId() >= own) {
            return false;
        }
        RegionPeer present = peers.get(created.getId());
        if (present != null && present.initialised()) {
            throw new RaftInvariantException("Region " + created.getId() + " is here before the split that makes it");
        }
        return present == null || present.peerId() <= own;
    }

    @Override
    public void split(RegionPeer old, List<Region> created, boolean wasLeader) {
        if (!created.isEmpty()
                && old.region().getPeersCount() > 1
                && !failPoints().hit("split-not-durable")) {
            // What the new groups acknowledge rests on these records: no snapshot of the old one can make them again.
            data.sync();
        }
        List<RegionPeer> made = new ArrayList<>(created.size());
        for (Region region : created) {
            // A peer that was made by message and knows nothing yet gives way; its vote stands in the log.
            incoming.cancel(region.getId());
            made.add(add(region, RegionPeer.ownPeer(region, cluster.storeId()), true));
            if (wasLeader) {
                splitCampaigns.add(region.getId());
            }
        }
        if (wasLeader) {
            old.group().node().announceCommit();
            touch.accept(old.group());
        }
        watcher.divided(old, made);
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
