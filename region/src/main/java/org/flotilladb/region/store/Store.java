package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GroupMessage;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RaftBatch;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.Transport;
import org.flotilladb.raft.RaftInvariantException;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.group.RestSettings;
import org.flotilladb.region.placement.PlacementGroup;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LocalNode;
import org.flotilladb.region.runtime.LocalReads;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.LogStore.LogBatch;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.Scheduler;
import org.flotilladb.region.runtime.StorageException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One data directory's Regions and the Placement Driver's peer, driven by one loop: what has happened goes in through
 * {@link Loop#submit}; {@link #round} writes all logs with one fsync, applies, and lets messages and answers out. Reads
 * from this process take the short way of {@link LocalReads} on their own threads.
 */
public final class Store implements MessageHandler, LocalNode, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Store.class);
    private static final int REGISTER_EVERY_TICKS = 5;
    private static final int BEAT_EVERY_TICKS = 10;
    private static final int COMPACT_EVERY_TICKS = 20;
    private static final int DISK_EVERY_TICKS = 5;
    /** Past it messages of other peers are dropped; one is always taken. */
    private static final long MAX_QUEUED_MESSAGE_BYTES = 64L << 20;

    /** Told when the Store has had to stop. */
    public interface FailureListener {
        void failed(RuntimeException cause);
    }

    private final StoreSettings settings;
    private final LeaseClock leases;
    private final Scheduler scheduler;
    private final LogStore logs;
    private final KvStore data;
    private final Consumer<ClusterInit> identity;
    private final FailureListener failures;
    private final Loop loop;
    private final StoreCounters counters = new StoreCounters();

    private final PlacementGroup placement;
    private final RaftGroup placementRaft;
    private final Cluster cluster;
    private final Regions regions;
    private final RegionWatch watch;
    private final Messages messages;
    private final Requests requests;
    private final LocalReader reader;
    /** Of messages that wait for the loop. */
    private final AtomicLong queuedMessageBytes = new AtomicLong();

    private final TreeMap<Long, RaftGroup> dirty = new TreeMap<>();
    private long ticks;
    private volatile RuntimeException failure;
    private volatile boolean closed;

    /**
     * Opens what the two stores hold; nothing runs before {@link #start}.
     *
     * @param identity told, in the loop, what the cluster fixed at its start; it must have made the Store's identity
     *     durable when it returns
     */
    public Store(
            StoreSettings settings,
            Clock clock,
            Scheduler scheduler,
            RandomSource random,
            Transport transport,
            LogStore logs,
            KvStore data,
            Consumer<ClusterInit> identity,
            FailureListener failures) {
        this.settings = settings;
        this.scheduler = scheduler;
        this.logs = logs;
        this.data = data;
        this.identity = identity;
        this.failures = failures;
        this.loop = new Loop(scheduler, settings.callerRuns(), this::round, this::stop);
        leases = new LeaseClock(clock, settings.groups(), settings.failPoints());
        placement = new PlacementGroup(
                data,
                settings.nodeAddresses(),
                clock,
                leases,
                random.fork("placement"),
                this::clusterKnown,
                loop::submit,
                settings.failPoints());
        placementRaft = new RaftGroup(
                PlacementGroup.GROUP_ID,
                settings.nodeId(),
                RaftGroup.Start.fixed(
                        settings.nodeAddresses().size(), RaftGroup.readApplied(data, PlacementGroup.GROUP_ID)),
                // It is never idle: it hands out timestamps, and hears of all Stores.
                settings.groups().withRest(RestSettings.NEVER),
                random.nextLong(),
                logs,
                placement,
                index -> null,
                leases);
        // What a disk has lost is nobody's to serve: the Store stops, as it does where the loop meets it.
        reader = new LocalReader(data, e -> loop.submit(() -> stop(e)));
        cluster = new Cluster(settings, clock, transport, loop, placement, placementRaft, this::touch, this::carryOut);
        OutgoingSnapshots outgoing = new OutgoingSnapshots(
                settings.members(), data, scheduler, random.fork("snapshots"), e -> loop.submit(() -> stop(e)));
        IncomingSnapshots incoming =
                new IncomingSnapshots(settings.members(), data, scheduler, transport, loop, settings.failPoints());
        regions = new Regions(
                settings,
                clock,
                leases,
                random,
                logs,
                data,
                cluster,
                reader,
                counters,
                outgoing,
                incoming,
                this::touch);
        watch = new RegionWatch(
                settings,
                clock,
                regions,
                new SplitWatch.Work(data, scheduler, loop::submit, e -> loop.submit(() -> stop(e))),
                counters,
                cluster,
                cluster::told);
        regions.watch(watch);
        messages = new Messages(
                settings,
                transport,
                cluster,
                placementRaft,
                regions,
                random.fork("life").nextLong());
        regions.tell(messages);
        requests = new Requests(
                loop,
                settings.maxQueued(),
                clock,
                regions,
                peer -> touch(peer.group()),
                (request, answer) -> {
                    placement.handle(request, answer);
                    touch(placementRaft);
                },
                cluster.timestamps(),
                this::whyStopped);
    }

    /** Begins to run. */
    public void start() {
        loop.submit(() -> {
            try {
                placement.start(placementRaft);
            } catch (RuntimeException e) {
                // Such as a directory that belongs to another cluster.
                stop(e);
            }
            touch(placementRaft);
        });
        scheduleTick();
    }

    private void scheduleTick() {
        scheduler.schedule(settings.groups().tickNs(), () -> {
            if (!closed && failure == null) {
                try {
                    loop.submit(this::tick);
                } finally {
                    scheduleTick();
                }
            }
        });
    }

    // ---- the loop --------------------------------------------------------------------------------------------------

    private void touch(RaftGroup group) {
        dirty.put(group.groupId(), group);
        if (group != placementRaft) {
            regions.touched(group);
        }
    }

    /** Writes, sends and applies until no group has anything left; then the leases are published. */
    private void round() {
        if (failure != null || closed) {
            dirty.clear();
            return;
        }
        try {
            do {
                while (writeReady()) {
                    // Answers may have brought new proposals.
                }
            } while (regions.resumeWaiting());
            regions.removeLeaving();
            regions.settleSnapshots();
            for (RaftGroup group : new ArrayList<>(dirty.values())) {
                publishLease(group);
            }
            dirty.clear();
            messages.flush();
        } catch (StorageException | RaftInvariantException e) {
            stop(e);
        } catch (RuntimeException e) {
            stop(e);
            throw e;
        }
    }

    private boolean writeReady() {
        List<RaftGroup> ready = new ArrayList<>();
        for (RaftGroup group : dirty.values()) {
            if (group.hasReady()) {
                ready.add(group);
            }
        }
        if (ready.isEmpty()) {
            return false;
        }
        LogBatch batch = logs.batch();
        boolean sync = false;
        for (RaftGroup group : ready) {
            sync |= group.collect(batch, messages::send);
        }
        messages.flush();
        regions.beginInstalls(ready);
        if (!batch.isEmpty()) {
            logs.write(batch, sync);
            counters.round();
        }
        KvBatch effects = data.batch();
        for (RaftGroup group : ready) {
            group.persisted(messages::send);
            group.apply(effects);
        }
        if (!effects.isEmpty()) {
            data.write(effects);
        }
        regions.finishInstalls();
        messages.flush();
        for (RaftGroup group : ready) {
            group.finish();
        }
        return true;
    }

    private void publishLease(RaftGroup group) {
        if (group == placementRaft) {
            placement.leadershipChanged();
        } else {
            RegionPeer peer = regions.get(group.groupId());
            if (peer != null) {
                peer.leadershipChanged();
            }
        }
    }

    /**
     * The time to tell groups. When the machine may have been suspended, they are told that first: promises of before
     * count no more, and before this round ends no lease is published.
     */
    private long now() {
        long now = leases.nowNs();
        if (leases.takeJump()) {
            LOG.warn("The wall clock has run ahead of the monotonic clock: the machine may have been suspended, or its"
                    + " clock was set; leases begin anew");
            placementRaft.suspectClock(now);
            touch(placementRaft);
            for (RegionPeer peer : regions.all()) {
                peer.group().suspectClock(now);
                touch(peer.group());
            }
        }
        return now;
    }

    private void tick() {
        ticks++;
        long now = now();
        placementRaft.tick(now);
        touch(placementRaft);
        regions.tick(now);
        watch.tick();
        if (ticks % REGISTER_EVERY_TICKS == 0) {
            cluster.register();
        }
        if (ticks % BEAT_EVERY_TICKS == 0) {
            cluster.beat();
        }
        if (ticks % COMPACT_EVERY_TICKS == 0) {
            compactLogs();
        }
        if (ticks % DISK_EVERY_TICKS == 0) {
            regions.disk().look();
        }
    }

    private void compactLogs() {
        placement.compact(settings.logKeepEntries());
        boolean wanted = placementRaft.wantsTruncation();
        for (RegionPeer peer : List.copyOf(regions.active())) {
            peer.compact(settings.logKeepEntries(), settings.members());
            wanted |= peer.group().wantsTruncation();
        }
        if (!wanted) {
            return;
        }
        // What goes from the log must stand durably in the data store.
        if (!settings.failPoints().hit("compacted-before-durable")) {
            data.sync();
        }
        LogBatch batch = logs.batch();
        placementRaft.truncate(placementRaft.applied(), batch);
        for (RegionPeer peer : regions.active()) {
            peer.group().truncate(peer.group().applied(), batch);
        }
        if (!batch.isEmpty()) {
            logs.write(batch, false);
        }
    }

    private void stop(RuntimeException cause) {
        if (failure == null) {
            failure = cause;
            LOG.error("The Store stops: {}", cause.getMessage(), cause);
            String reason = "the Store has stopped: " + cause.getMessage();
            watch.close();
            regions.close(reason);
            placement.close(reason);
            failures.failed(cause);
        }
    }

    // ---- what comes in ---------------------------------------------------------------------------------------------

    @Override
    public void onMessage(Envelope message) {
        if (!message.hasRaft() || loop.queued() >= settings.maxQueued()) {
            return;
        }
        int sizeBytes = message.getSerializedSize();
        if (queuedMessageBytes.addAndGet(sizeBytes) > MAX_QUEUED_MESSAGE_BYTES + sizeBytes) {
            // Raft sends again.
            queuedMessageBytes.addAndGet(-sizeBytes);
        } else {
            loop.submit(() -> {
                queuedMessageBytes.addAndGet(-sizeBytes);
                RaftBatch batch = message.getRaft();
                if (cluster.isOther(batch.getFromStore())) {
                    regions.hibernation().heard(batch.getFromStore(), batch.getLife());
                }
                batch.getMessagesList().forEach(this::step);
            });
        }
    }

    private void step(GroupMessage wire) {
        Messages.Incoming incoming = messages.accept(wire, leases.nowNs());
        if (incoming != null) {
            incoming.group().step(incoming.message(), now());
            touch(incoming.group());
        }
    }

    @Override
    public void onRequest(Envelope request, Responder responder) {
        requests.onRequest(request, responder);
    }

    /** A Region's command; the answer comes on any thread, possibly within this call. */
    public void region(RegionRequest request, Consumer<RegionResponse> answer) {
        requests.region(request, answer);
    }

    /** A question to the Placement Driver's peer of this node. */
    public void place(PlacementRequest request, Consumer<PlacementResponse> answer) {
        requests.place(request, answer);
    }

    private String whyStopped() {
        RuntimeException cause = failure;
        if (cause != null) {
            return "the Store has stopped: " + cause.getMessage();
        }
        return closed ? "the node is stopping" : null;
    }

    // ---- on the caller's thread ------------------------------------------------------------------------------------

    @Override
    public Read get(byte[] key, long readTs) {
        return reader.get(key, readTs);
    }

    @Override
    public Page scan(byte[] start, byte[] end, boolean reverse, int limit, int maxBytes, long readTs) {
        return reader.scan(start, end, reverse, limit, maxBytes, readTs);
    }

    @Override
    public long tryTimestamp() {
        return failure == null && !closed ? placement.tryTimestamp() : -1;
    }

    @Override
    public long catalogEpoch() {
        return placement.catalogEpoch();
    }

    /** Whether the group knows that a Store has had its identity on disk. Any thread may see it a little late. */
    public boolean isRegistered(long otherStoreId) {
        return placement.isRegistered(otherStoreId);
    }

    /** What the Placement Driver wants of a leader here. Whether it was done is seen in a later report. */
    private void carryOut(RegionRequest instruction) {
        requests.region(
                instruction,
                response -> LOG.debug(
                        "Region {} was told to {}: {}",
                        instruction.getContext().getRegionId(),
                        instruction.getCommandCase(),
                        response.hasError() ? response.getError().getMessage() : "done"));
    }

    private void clusterKnown(ClusterInit init) {
        // First: it refuses what does not fit the settings.
        identity.accept(init);
        cluster.known(init);
        regions.open(init);
    }

    public long storeId() {
        return cluster.storeId();
    }

    public StoreCounters counters() {
        return counters;
    }

    /** How often the log has waited for the disk. */
    public long logSyncs() {
        return logs.syncCount();
    }

    /** How many Regions have a peer here, and how many of them this Store leads. Any thread; may be a little old. */
    public long[] regionsAndLeaders() {
        return reader.regionsAndLeaders();
    }

    /** All user rows of a family's newest state; for tests and checks. */
    public KvStore data() {
        return data;
    }

    /** All peers, the Placement Driver's first. For the loop's thread, or while the loop rests. */
    public List<PeerView> peers() {
        List<PeerView> views = new ArrayList<>();
        views.add(PeerView.of(placementRaft, null, placementRaft.node().isLeader()));
        for (RegionPeer peer : regions.all()) {
            views.add(PeerView.of(peer.group(), peer.initialised() ? peer.region() : null, peer.serving()));
        }
        return views;
    }

    /** Why the Store has stopped, or null. */
    public RuntimeException failure() {
        return failure;
    }

    /** Stops the loop; what is under way is answered as unknown. The stores stay open: their owner closes them. */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        loop.submit(() -> {
            if (!closed) {
                closed = true;
                watch.close();
                regions.close("the node is stopping");
                placement.close("the node is stopping");
            }
        });
    }

    /**
     * Closes, and waits until the loop does nothing any more, for ten seconds at most or until the thread is interrupted;
     * for owners that then close the stores. A round that the disk holds up for longer finds them closed and fails.
     */
    public void closeAndWait() {
        CountDownLatch done = new CountDownLatch(1);
        close();
        loop.submit(done::countDown);
        try {
            done.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        loop.close();
    }
}
