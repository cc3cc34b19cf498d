package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import java.util.stream.Stream;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.LockKeysRequest;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PrewriteRequest;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionError;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.raft.Snapshot;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.group.StateMachine;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LocalReads.Page;
import org.flotilladb.region.runtime.LocalReads.Read;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.LogStore.LogBatch;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.flotilladb.region.store.storage.MemoryLogStore;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A leader's peer at the seams between the loop and local readers: what happens between two of their looks. */
class RegionPeerTest {
    private static final long MS = 1_000_000L;
    private static final GroupSettings SETTINGS = GroupSettings.DEFAULT;
    private static final byte[] KEY = {'k'};
    private static final byte[] SPLIT_AT = {'g'};
    private static final byte[] VALUE = {'v'};
    private static final Region REGION = Region.newBuilder()
            .setId(9)
            .setEpoch(RegionEpoch.newBuilder().setConfVersion(1).setRangeVersion(1))
            .addPeers(Peer.newBuilder().setId(1).setStoreId(101))
            .addPeers(Peer.newBuilder().setId(2).setStoreId(102))
            .addPeers(Peer.newBuilder().setId(3).setStoreId(103))
            .build();

    private final TestClock clock = new TestClock();
    private final LeaseClock leases = new LeaseClock(clock, SETTINGS, FailPoints.OFF);
    private final HookedStore data = new HookedStore();
    private final OneRegion context = new OneRegion();
    private final RegionPeer peer = new RegionPeer(context, REGION, 1);
    private final LogStore otherLogs = new MemoryLogStore();
    private final RaftGroup other = new RaftGroup(
            REGION.getId(),
            2,
            RaftGroup.Start.fixed(3, 0),
            SETTINGS,
            5,
            otherLogs,
            new Nothing(),
            index -> null,
            leases);
    private boolean appendsLost;
    private final LocalReader reader = new LocalReader(data, e -> {
        throw e;
    });

    private static final class TestClock implements Clock {
        long nowNs = 77;

        @Override
        public long nanoTime() {
            return nowNs;
        }

        @Override
        public long wallMs() {
            return 1_700_000_000_000L + nowNs / MS;
        }
    }

    private static final class Nothing implements StateMachine {
        @Override
        public void apply(Entry entry, KvBatch batch) {}

        @Override
        public void applied() {}

        @Override
        public void leadershipChanged() {}

        @Override
        public void readProven(long index, byte[] proven) {}
    }

    /** A store in memory that lets something happen before a snapshot is taken, or before a batch is visible. */
    private static final class HookedStore implements KvStore {
        private final KvStore inner = new MemoryKvStore();
        final ArrayDeque<Runnable> beforeSnapshot = new ArrayDeque<>();
        final ArrayDeque<Runnable> beforeWrite = new ArrayDeque<>();

        @Override
        public KvSnapshot snapshot() {
            if (!beforeSnapshot.isEmpty()) {
                beforeSnapshot.poll().run();
            }
            return inner.snapshot();
        }

        @Override
        public void write(KvBatch batch) {
            if (!beforeWrite.isEmpty()) {
                beforeWrite.poll().run();
            }
            inner.write(batch);
        }

        @Override
        public KvBatch batch() {
            return inner.batch();
        }

        @Override
        public void sync() {
            inner.sync();
        }

        @Override
        public long approximateSizeBytes(byte[] start, byte[] end) {
            return inner.approximateSizeBytes(start, end);
        }

        @Override
        public Collection collect(String name) {
            return inner.collect(name);
        }

        @Override
        public void ingest(String name) {
            inner.ingest(name);
        }

        @Override
        public void dropCollection(String name) {
            inner.dropCollection(name);
        }

        @Override
        public List<String> collections() {
            return inner.collections();
        }

        @Override
        public byte[] get(Family family, byte[] key) {
            return inner.get(family, key);
        }

        @Override
        public KvCursor cursor(Family family, byte[] lower, byte[] upper) {
            return inner.cursor(family, lower, upper);
        }

        @Override
        public Pair first(Family family, byte[] key, byte[] upper) {
            return inner.first(family, key, upper);
        }

        @Override
        public void close() {
            inner.close();
        }
    }

    /** The Store around the one peer. */
    private final class OneRegion implements StoreContext {
        final LogStore logs = new MemoryLogStore();
        final StoreCounters counters = new StoreCounters();
        final WaitsFor waitsFor = new WaitsFor();
        LongConsumer asksForTimestamp;

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
        public void awaitsLease(RegionPeer each) {}

        @Override
        public boolean isSilent(long storeId) {
            return false;
        }

        @Override
        public GroupSettings groupSettings() {
            return SETTINGS;
        }

        @Override
        public long storeId() {
            return 101;
        }

        @Override
        public long nextSeed() {
            return 3;
        }

        @Override
        public String addressOf(long storeId) {
            return "s" + storeId;
        }

        @Override
        public boolean hasRegion(long regionId) {
            return regionId == REGION.getId();
        }

        @Override
        public String refusesWrite(long bytes) {
            return null;
        }

        @Override
        public void freshTimestamp(LongConsumer callback) {
            asksForTimestamp = callback;
        }

        @Override
        public void report(RegionPeer reported) {}

        @Override
        public void split(RegionPeer split, List<Region> created, boolean wasLeader) {}

        @Override
        public boolean splitMakes(Region created) {
            return true;
        }

        @Override
        public Snapshot snapshotOf(RegionPeer asked, long minIndex) {
            return null;
        }

        @Override
        public void bury(RegionPeer removed, Region without, long index, long term, KvBatch batch) {}

        @Override
        public void removed(RegionPeer removed) {}

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
            return FailPoints.OFF;
        }
    }

    // ---- the group: this peer, one that answers it, and one that never does ----------------------------------------

    /** Rounds of both peers until neither has anything left. */
    private void settle() {
        List<Message> toOther = new ArrayList<>();
        List<Message> toPeer = new ArrayList<>();
        do {
            for (Message message : List.copyOf(toOther)) {
                other.step(message, leases.nowNs());
            }
            toOther.clear();
            round(other, otherLogs, toPeer);
            for (Message message : List.copyOf(toPeer)) {
                peer.group().step(message, leases.nowNs());
            }
            toPeer.clear();
            round(peer.group(), context.logs, toOther);
        } while (!toOther.isEmpty());
    }

    private void round(RaftGroup group, LogStore logs, List<Message> sent) {
        while (group.hasReady()) {
            LogBatch batch = logs.batch();
            boolean sync = group.collect(batch, (from, message) -> keep(message, sent));
            logs.write(batch, sync);
            group.persisted((from, message) -> keep(message, sent));
            KvBatch effects = data.batch();
            group.apply(effects);
            if (group == peer.group() && !effects.isEmpty()) {
                data.write(effects);
            }
            group.finish();
        }
    }

    private void keep(Message message, List<Message> sent) {
        boolean lost = appendsLost && message.type() == MessageType.APP;
        if (message.to() != 3 && !lost) {
            sent.add(message);
        }
    }

    private void tick() {
        clock.nowNs += SETTINGS.tickNs();
        peer.group().tick(leases.nowNs());
        settle();
        peer.leadershipChanged();
    }

    /** Elects the peer; a timestamp for it to serve is asked for, and not given. */
    private void elect() {
        peer.start(false);
        reader.add(peer);
        for (int i = 0; i < 100 && !peer.group().node().isLeader(); i++) {
            tick();
        }
        assertTrue(peer.group().node().isLeader(), "nobody was elected");
        for (int i = 0; i < SETTINGS.heartbeatTicks(); i++) {
            tick();
        }
    }

    private void serve() {
        elect();
        context.asksForTimestamp.accept(100);
        assertTrue(peer.leaseHolds());
    }

    private List<RegionResponse> handle(RegionRequest.Builder request) {
        List<RegionResponse> answers = new ArrayList<>();
        request.setContext(Context.newBuilder()
                .setRegionId(REGION.getId())
                .setPeerId(1)
                .setEpoch(peer.region().getEpoch()));
        peer.handle(new RegionPeer.Command(request.build(), answers::add, clock.nanoTime()));
        return answers;
    }

    private List<RegionResponse> write(long startTs) {
        Mutation mutation = Mutation.newBuilder()
                .setKey(ByteString.copyFrom(KEY))
                .setValue(ByteString.copyFrom(VALUE))
                .build();
        return handle(RegionRequest.newBuilder()
                .setPrewrite(PrewriteRequest.newBuilder()
                        .setPrimary(mutation.getKey())
                        .setStartTs(startTs)
                        .setOnePhase(true)
                        .addMutations(mutation)));
    }

    private List<RegionResponse> lock(long startTs) {
        return handle(RegionRequest.newBuilder()
                .setLockKeys(LockKeysRequest.newBuilder()
                        .addKeys(ByteString.copyFrom(KEY))
                        .setPrimary(ByteString.copyFrom(KEY))
                        .setStartTs(startTs)
                        .setForUpdateTs(startTs)
                        .setTtlMs(3_600_000)
                        .setWaitMs(3_600_000)));
    }

    private void split() {
        handle(RegionRequest.newBuilder()
                .setSplit(SplitRequest.newBuilder()
                        .addKeys(ByteString.copyFrom(SPLIT_AT))
                        .addNewRegionIds(10)
                        .addNewPeerIds(11)
                        .addNewPeerIds(12)
                        .addNewPeerIds(13)));
        settle();
        assertEquals(ByteString.copyFrom(SPLIT_AT), peer.region().getEnd());
    }

    private void loseLeadership() {
        peer.group()
                .step(
                        Message.to(1, MessageType.HEARTBEAT)
                                .from(2)
                                .term(peer.group().node().term() + 1)
                                .build(),
                        leases.nowNs());
        settle();
    }

    private interface Event {
        void happen(RegionPeerTest test);
    }

    static Stream<Named<Event>> whatEndsTheRightToServe() {
        return Stream.of(
                Named.of("a split", RegionPeerTest::split),
                Named.of("a leader of a newer term", RegionPeerTest::loseLeadership),
                Named.of("the end of the lease", test -> test.clock.nowNs += SETTINGS.promiseNs()),
                Named.of("the end of the Store", test -> test.peer.close("the test is over")));
    }

    // ---- local readers ---------------------------------------------------------------------------------------------

    @ParameterizedTest
    @MethodSource("whatEndsTheRightToServe")
    void a_local_read_during_which_the_right_to_serve_ends_is_not_answered(Event event) {
        serve();
        write(200);
        settle();
        assertNotSame(Read.NOT_SERVED, reader.get(KEY, 300));
        data.beforeSnapshot.add(() -> event.happen(this));
        assertSame(Read.NOT_SERVED, reader.get(KEY, 300));
        assertTrue(data.beforeSnapshot.isEmpty());
    }

    @ParameterizedTest
    @MethodSource("whatEndsTheRightToServe")
    void a_local_scan_during_which_the_right_to_serve_ends_is_not_answered(Event event) {
        serve();
        write(200);
        settle();
        assertEquals(
                1, reader.scan(new byte[0], null, false, 10, 1000, 300).rows().size());
        data.beforeSnapshot.add(() -> event.happen(this));
        assertSame(Page.NOT_SERVED, reader.scan(new byte[0], null, false, 10, 1000, 300));
        assertTrue(data.beforeSnapshot.isEmpty());
    }

    @Test
    void a_write_on_its_way_hides_its_key_from_local_reads_until_it_is_visible() {
        serve();
        List<RegionResponse> answers = write(200);
        Runnable look = () -> {
            assertSame(Read.NOT_SERVED, reader.get(KEY, 300));
            assertSame(Page.NOT_SERVED, reader.scan(new byte[0], null, false, 10, 1000, 300));
            // Below its commit timestamp nothing of it will ever be seen.
            assertSame(Read.ABSENT, reader.get(KEY, 200));
        };
        look.run();
        data.beforeWrite.add(look);
        settle();
        assertTrue(data.beforeWrite.isEmpty());
        assertEquals(201, answers.get(0).getPrewrite().getOnePhaseCommitTs());
        assertEquals('v', reader.get(KEY, 300).value()[0]);
    }

    @Test
    void a_local_read_raises_what_a_commit_must_come_after() {
        serve();
        assertNull(reader.get(KEY, 5000).value());
        List<RegionResponse> answers = write(200);
        settle();
        assertEquals(5001, answers.get(0).getPrewrite().getOnePhaseCommitTs());
    }

    // ---- the beginning, the end, and splits
    // ---------------------------------------------------------------------------------------

    @Test
    void a_leader_with_a_lease_does_not_begin_to_serve_before_it_has_applied_an_entry_of_its_term() {
        appendsLost = true;
        elect();
        assertTrue(leases.holds(peer.group().lease()));
        assertNull(context.asksForTimestamp);
        appendsLost = false;
        for (int i = 0; i < 100 && context.asksForTimestamp == null; i++) {
            tick();
        }
        assertTrue(peer.group().applied() >= peer.group().node().termStartIndex());
        assertSame(Read.NOT_SERVED, reader.get(KEY, 300));
        context.asksForTimestamp.accept(5000);
        assertSame(Read.ABSENT, reader.get(KEY, 300));
        write(200);
        settle();
        assertSame(Read.ABSENT, reader.get(KEY, 5000));
        assertEquals('v', reader.get(KEY, 5001).value()[0]);
    }

    @Test
    void a_timestamp_that_comes_when_the_store_has_stopped_lets_nobody_read() {
        elect();
        peer.close("the disk has failed");
        context.asksForTimestamp.accept(100);
        peer.retryTimestamp();
        assertSame(Read.NOT_SERVED, reader.get(KEY, 300));
        assertEquals(RegionPeer.Served.NOT, peer.served());
    }

    @Test
    void whoever_waits_for_a_lock_in_a_range_that_is_split_off_is_told_so() {
        serve();
        assertEquals(1, lock(200).size());
        List<RegionResponse> waiting = lock(210);
        assertEquals(0, waiting.size());
        split();
        assertEquals(
                RegionError.KindCase.EPOCH_NOT_MATCH, waiting.get(0).getError().getKindCase());
        assertEquals(0, peer.memoryLocks.size());
    }
}
