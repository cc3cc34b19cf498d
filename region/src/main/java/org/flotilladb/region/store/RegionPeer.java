package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEntry;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.proto.SplitResponse;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.ProposalDroppedException;
import org.flotilladb.region.group.LeaseClock.Lease;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.group.StateMachine;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.mvcc.Mvcc;

/**
 * One replica of one Region. The loop calls everything except {@link #served}, {@link #raiseMaxTs} and the look into
 * {@link #latches}, which local readers use from their own threads.
 */
final class RegionPeer implements StateMachine {
    static final long MAX_ENTRY_BYTES = 16L << 20;
    private static final int MAX_WAITING = 20_000;

    /** Under what a reader may be served; replaced whenever any of it changes. */
    record Served(long term, long rangeVersion, Lease lease) {
        static final Served NOT = new Served(0, 0, Lease.NONE);
    }

    /** A request on its way, possibly waiting for a latch or a lock. */
    static final class Command {
        final RegionRequest request;
        final Consumer<RegionResponse> answer;
        final long arrivedNs;
        /** What it waits for, if it does. */
        byte[] waitsFor;
        /** When it stops waiting for a lock; {@link Long#MAX_VALUE}: a latch, which always ends. */
        long giveUpNs;

        Command(RegionRequest request, Consumer<RegionResponse> answer, long arrivedNs) {
            this.request = request;
            this.answer = answer;
            this.arrivedNs = arrivedNs;
        }
    }

    /** A key that a proposal holds. */
    record HeldKey(byte[] key, boolean shared) {}

    private record Proposal(
            long index,
            long term,
            RegionEntry entry,
            long startTs,
            List<HeldKey> keys,
            RegionResponse response,
            Consumer<RegionResponse> answer) {}

    private record Finished(Proposal proposal, RegionResponse response) {}

    private final StoreContext store;
    private final long peerId;
    private final RegionCommands commands;
    private final AtomicLong maxTs = new AtomicLong();
    private final TreeMap<byte[], ArrayDeque<Command>> waiting = new TreeMap<>(Arrays::compareUnsigned);
    private final ArrayDeque<Proposal> proposals = new ArrayDeque<>();
    private final List<Finished> finished = new ArrayList<>();
    private final List<Region> created = new ArrayList<>();
    private int waitingCount;
    private boolean wasLeaderAtSplit;

    final Latches latches = new Latches();
    final MemoryLocks memoryLocks = new MemoryLocks();

    private RaftGroup group;
    private volatile Region region;
    private volatile Served served = Served.NOT;
    private long ledTerm;
    private long serveTerm;
    private boolean timestampAsked;
    private long splitAtIndex;
    private Lease frozenLease = Lease.NONE;

    RegionPeer(StoreContext store, Region region) {
        this.store = store;
        this.region = region;
        this.peerId = ownPeer(region, store.storeId());
        this.commands = new RegionCommands(this, store);
    }

    static long ownPeer(Region region, long storeId) {
        for (Peer peer : region.getPeersList()) {
            if (peer.getStoreId() == storeId) {
                return peer.getId();
            }
        }
        throw new IllegalStateException("Region " + region.getId() + " has no peer on Store " + storeId);
    }

    /** Opens the group; once. */
    void start(boolean afterSplit) {
        long[] voters = new long[region.getPeersCount()];
        for (int i = 0; i < voters.length; i++) {
            voters[i] = region.getPeers(i).getId();
        }
        Arrays.sort(voters);
        group = new RaftGroup(
                region.getId(),
                peerId,
                voters,
                RaftGroup.readApplied(store.data(), region.getId()),
                afterSplit,
                store.groupSettings(),
                store.nextSeed(),
                store.logs(),
                this,
                store.leases());
    }

    RaftGroup group() {
        return group;
    }

    Region region() {
        return region;
    }

    Served served() {
        return served;
    }

    boolean serving() {
        return serveTerm != 0
                && serveTerm == group.node().term()
                && group.node().isLeader();
    }

    static byte[] regionKey(long regionId) {
        return ByteBuffer.allocate(9).put((byte) 'r').putLong(regionId).array();
    }

    boolean contains(byte[] key) {
        Region now = region;
        return Arrays.compareUnsigned(now.getStart().toByteArray(), key) <= 0
                && (now.getEnd().isEmpty()
                        || Arrays.compareUnsigned(key, now.getEnd().toByteArray()) < 0);
    }

    void raiseMaxTs(long ts) {
        if (store.failPoints().hit("max-ts-not-raised")) {
            return;
        }
        long now = maxTs.get();
        while (now < ts && !maxTs.compareAndSet(now, ts)) {
            now = maxTs.get();
        }
    }

    long maxTs() {
        return maxTs.get();
    }

    // ---- leadership ------------------------------------------------------------------------------------------------

    @Override
    public void leadershipChanged() {
        boolean leads = group.node().isLeader();
        long term = group.node().term();
        if ((!leads || term != ledTerm) && ledTerm != 0) {
            stopServing();
        }
        ledTerm = leads ? term : 0;
        if (leads
                && serveTerm != term
                && !timestampAsked
                && group.applied() >= group.node().termStartIndex()) {
            // The order is a safety rule: apply an entry of the own term, then take a timestamp, then serve.
            timestampAsked = true;
            if (store.failPoints().hit("served-without-timestamp")) {
                beginToServe(term, 0);
            } else {
                store.freshTimestamp(ts -> beginToServe(term, ts));
            }
        }
        publish();
    }

    private void beginToServe(long term, long freshTs) {
        if (group.node().isLeader() && group.node().term() == term) {
            raiseMaxTs(freshTs);
            serveTerm = term;
            publish();
            store.report(this);
        }
    }

    /** A timestamp that was asked for may have been lost: ask again. */
    void retryTimestamp() {
        if (ledTerm != 0 && serveTerm != ledTerm) {
            timestampAsked = false;
            leadershipChanged();
        }
    }

    private void publish() {
        Served now = Served.NOT;
        if (serving()) {
            Lease lease = group.lease();
            if (splitAtIndex > 0) {
                lease = lease.min(frozenLease);
            }
            now = new Served(serveTerm, region.getEpoch().getRangeVersion(), lease);
        }
        if (!now.equals(served)) {
            served = now;
        }
    }

    /** Whether this peer, read the clock last, still leads for sure. */
    boolean leaseHolds() {
        return holds(served) || store.failPoints().hit("lease-kept");
    }

    /** Whether a lease that was published holds still. Any thread. */
    boolean holds(Served published) {
        return store.leases().holds(published.lease);
    }

    private void stopServing() {
        serveTerm = 0;
        timestampAsked = false;
        splitAtIndex = 0;
        served = Served.NOT;
        latches.clear();
        memoryLocks.clear();
        List<Proposal> open = List.copyOf(proposals);
        proposals.clear();
        for (Proposal proposal : open) {
            proposal.answer.accept(RegionErrors.unknown("leadership of Region " + region.getId()
                    + " was lost before the entry at " + proposal.index + " was applied"));
        }
        List<Command> parked = new ArrayList<>();
        waiting.values().forEach(parked::addAll);
        waiting.clear();
        waitingCount = 0;
        for (Command command : parked) {
            if (command.request.hasLockKeys()) {
                store.waitsNoMore(command.request.getLockKeys().getStartTs());
            }
            command.answer.accept(notLeader());
        }
    }

    RegionResponse notLeader() {
        long leader = group.node().isLeader() ? 0 : group.node().leader();
        for (Peer peer : region.getPeersList()) {
            if (peer.getId() == leader) {
                return RegionErrors.notLeader(
                        region.getId(), leader, peer.getStoreId(), store.addressOf(peer.getStoreId()));
            }
        }
        return RegionErrors.notLeader(region.getId(), 0, 0, null);
    }

    // ---- requests --------------------------------------------------------------------------------------------------

    /** Answers, proposes, or lets the command wait; the epoch was not looked at yet. */
    void handle(Command command) {
        if (!serving()) {
            command.answer.accept(
                    group.node().isLeader()
                            ? RegionErrors.notReady("the leader of Region " + region.getId() + " is not ready yet")
                            : notLeader());
            return;
        }
        RegionEpoch epoch = command.request.getContext().getEpoch();
        if (epoch.getRangeVersion() != region.getEpoch().getRangeVersion()) {
            command.answer.accept(RegionErrors.epoch(region));
            return;
        }
        if (!leaseHolds()) {
            command.answer.accept(RegionErrors.notReady(
                    "the leader of Region " + region.getId() + " cannot prove its lease just now"));
            return;
        }
        commands.run(command);
    }

    /** Lets a command wait until the key is let go, at most until {@code giveUpNs}. */
    void park(Command command, byte[] key, long giveUpNs) {
        if (waitingCount >= MAX_WAITING) {
            command.answer.accept(RegionErrors.busy("too many requests wait for locks in Region " + region.getId()));
            return;
        }
        waitingCount++;
        command.waitsFor = key;
        command.giveUpNs = giveUpNs;
        waiting.computeIfAbsent(key, k -> new ArrayDeque<>()).add(command);
    }

    /** The key was let go: who waits for it tries again, in order of arrival. */
    void wake(byte[] key) {
        if (waiting.isEmpty()) {
            return;
        }
        ArrayDeque<Command> queue = waiting.remove(key);
        if (queue != null) {
            waitingCount -= queue.size();
            for (Command command : queue) {
                if (command.request.hasLockKeys()) {
                    store.waitsNoMore(command.request.getLockKeys().getStartTs());
                }
                handle(command);
            }
        }
    }

    /** Takes a transaction's lock requests out of the queues. */
    List<Command> dropWaiting(long startTs) {
        List<Command> dropped = new ArrayList<>();
        for (ArrayDeque<Command> queue : waiting.values()) {
            queue.removeIf(command -> {
                boolean drop = command.request.hasLockKeys()
                        && command.request.getLockKeys().getStartTs() == startTs;
                if (drop) {
                    dropped.add(command);
                }
                return drop;
            });
        }
        if (!dropped.isEmpty()) {
            waitingCount -= dropped.size();
            waiting.values().removeIf(ArrayDeque::isEmpty);
        }
        return dropped;
    }

    /** Once a tick: locks whose ttl has run out, commands that have waited long enough. */
    void expireWaits(long nowNs) {
        if (memoryLocks.size() > 0) {
            memoryLocks.expire(nowNs).forEach(this::wake);
        }
        List<Command> expired = new ArrayList<>();
        for (Map.Entry<byte[], ArrayDeque<Command>> entry : waiting.entrySet()) {
            for (Command command : entry.getValue()) {
                if (command.giveUpNs <= nowNs) {
                    expired.add(command);
                }
            }
        }
        for (Command command : expired) {
            ArrayDeque<Command> queue = waiting.get(command.waitsFor);
            if (queue != null && queue.remove(command)) {
                waitingCount--;
                if (queue.isEmpty()) {
                    waiting.remove(command.waitsFor);
                }
                commands.giveUp(command);
            }
        }
    }

    /** Proposes writes whose keys are latched; the response leaves when they are visible. */
    void propose(Command command, List<KeyWrite> writes, long startTs, List<HeldKey> keys, RegionResponse response) {
        propose(
                command,
                RegionEntry.newBuilder()
                        .setEpoch(region.getEpoch())
                        .addAllWrites(writes)
                        .build(),
                startTs,
                keys,
                response);
    }

    private void propose(
            Command command, RegionEntry entry, long startTs, List<HeldKey> keys, RegionResponse response) {
        byte[] data = entry.toByteArray();
        RegionResponse refusal = null;
        String full = store.refusesWrite(data.length);
        if (data.length > MAX_ENTRY_BYTES) {
            refusal = RegionErrors.tooLarge(data.length, MAX_ENTRY_BYTES);
        } else if (full != null) {
            refusal = RegionErrors.diskFull(full);
        } else {
            try {
                group.propose(data);
            } catch (ProposalDroppedException e) {
                refusal = RegionErrors.busy("Region " + region.getId() + ": " + e.getMessage());
            }
        }
        if (refusal != null) {
            release(keys);
            command.answer.accept(refusal);
            keys.forEach(held -> wake(held.key));
            return;
        }
        Consumer<RegionResponse> answer = command.answer;
        if (store.failPoints().hit("answered-when-proposed")) {
            command.answer.accept(response);
            answer = late -> {};
        }
        proposals.add(
                new Proposal(group.node().lastIndex(), group.node().term(), entry, startTs, keys, response, answer));
    }

    private void release(List<HeldKey> keys) {
        for (HeldKey held : keys) {
            latches.release(held.key, held.shared);
        }
    }

    /** Whether they may become ids: above 0, each once, none of this Store's Regions. */
    private boolean areNewIds(SplitRequest split) {
        TreeSet<Long> ids = new TreeSet<>();
        for (long id : split.getNewRegionIdsList()) {
            if (id <= 0 || !ids.add(id) || store.hasRegion(id)) {
                return false;
            }
        }
        for (long id : split.getNewPeerIdsList()) {
            if (id <= 0 || !ids.add(id)) {
                return false;
            }
        }
        return true;
    }

    boolean isPeer(long id) {
        for (Peer peer : region.getPeersList()) {
            if (peer.getId() == id) {
                return true;
            }
        }
        return false;
    }

    /** Splits at the keys of the request; one entry in the log. */
    void proposeSplit(Command command, SplitRequest split) {
        if (splitAtIndex > 0) {
            command.answer.accept(RegionErrors.busy("Region " + region.getId() + " is being split already"));
            return;
        }
        byte[] before = region.getStart().toByteArray();
        for (ByteString key : split.getKeysList()) {
            byte[] at = key.toByteArray();
            if (Arrays.compareUnsigned(before, at) >= 0 || !contains(at)) {
                command.answer.accept(RegionErrors.keyNotInRegion(at, region));
                return;
            }
            before = at;
        }
        int peers = region.getPeersCount();
        if (split.getKeysCount() == 0
                || split.getNewRegionIdsCount() != split.getKeysCount()
                || split.getNewPeerIdsCount() != split.getKeysCount() * peers
                || !areNewIds(split)) {
            command.answer.accept(RegionErrors.busy("a split needs an id for each new Region and each new peer"));
            return;
        }
        Lease lease = group.lease();
        int open = proposals.size();
        propose(
                command,
                RegionEntry.newBuilder()
                        .setEpoch(region.getEpoch())
                        .setSplit(split)
                        .build(),
                0,
                List.of(),
                RegionResponse.getDefaultInstance());
        if (proposals.size() > open) {
            // From here until the split is applied the lease is not renewed: the new groups' promises stand for it.
            splitAtIndex = group.node().lastIndex();
            frozenLease = lease;
            publish();
        }
    }

    void compact(long keep) {
        long index = group.compactIndex(keep);
        if (index > 0 && serving()) {
            try {
                group.propose(
                        RegionEntry.newBuilder().setCompactIndex(index).build().toByteArray());
            } catch (ProposalDroppedException e) {
                // The next tick asks again.
            }
        }
    }

    // ---- the log ---------------------------------------------------------------------------------------------------

    @Override
    public void apply(Entry entry, KvBatch batch) {
        Proposal proposal = null;
        while (!proposals.isEmpty() && proposals.peek().index <= entry.index()) {
            Proposal next = proposals.poll();
            if (next.index == entry.index() && next.term == entry.term()) {
                proposal = next;
            } else {
                finished.add(new Finished(next, notLeader()));
            }
        }
        if (entry.data().length == 0) {
            return;
        }
        RegionEntry command = proposal == null ? parse(entry) : proposal.entry;
        RegionResponse response = proposal == null ? null : proposal.response;
        if (command.getCompactIndex() > 0) {
            group.allowTruncation(command.getCompactIndex());
        } else if (command.getEpoch().getRangeVersion() != region.getEpoch().getRangeVersion()
                && !store.failPoints().hit("epoch-unchecked-at-apply")) {
            response = RegionErrors.epoch(region);
        } else if (command.hasSplit()) {
            response = applySplit(command.getSplit(), batch);
        } else {
            for (KeyWrite write : command.getWritesList()) {
                if (write.getDelete()) {
                    batch.delete(Mvcc.family(write.getFamily()), write.getKey().toByteArray());
                } else {
                    batch.put(
                            Mvcc.family(write.getFamily()),
                            write.getKey().toByteArray(),
                            write.getValue().toByteArray());
                }
            }
        }
        if (command.hasSplit() && entry.index() >= splitAtIndex) {
            splitAtIndex = 0;
        }
        if (proposal != null) {
            finished.add(new Finished(proposal, response));
        }
    }

    private RegionEntry parse(Entry entry) {
        try {
            return RegionEntry.parseFrom(entry.data());
        } catch (InvalidProtocolBufferException e) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT,
                    "entry " + entry.index() + " of Region " + region.getId() + " is damaged",
                    e);
        }
    }

    private RegionResponse applySplit(SplitRequest split, KvBatch batch) {
        Region old = region;
        RegionEpoch epoch = old.getEpoch().toBuilder()
                .setRangeVersion(old.getEpoch().getRangeVersion() + split.getKeysCount())
                .build();
        Region left = old.toBuilder().setEpoch(epoch).setEnd(split.getKeys(0)).build();
        SplitResponse.Builder regions = SplitResponse.newBuilder().addRegions(left);
        int peers = old.getPeersCount();
        for (int i = 0; i < split.getKeysCount(); i++) {
            Region.Builder right = Region.newBuilder()
                    .setId(split.getNewRegionIds(i))
                    .setEpoch(epoch)
                    .setStart(split.getKeys(i))
                    .setEnd(i + 1 < split.getKeysCount() ? split.getKeys(i + 1) : old.getEnd());
            for (int p = 0; p < peers; p++) {
                right.addPeers(old.getPeers(p).toBuilder().setId(split.getNewPeerIds(i * peers + p)));
            }
            Region done = right.build();
            created.add(done);
            regions.addRegions(done);
            batch.put(Family.META, regionKey(done.getId()), done.toByteArray());
        }
        batch.put(Family.META, regionKey(left.getId()), left.toByteArray());
        wasLeaderAtSplit = group.node().isLeader();
        // Readers that looked at the old Region find another range version, before anybody can serve the new ones.
        region = left;
        publish();
        return RegionResponse.newBuilder().setSplit(regions).build();
    }

    @Override
    public void applied() {
        if (!created.isEmpty()) {
            List<Region> now = List.copyOf(created);
            created.clear();
            store.split(this, now, wasLeaderAtSplit);
        }
        if (finished.isEmpty()) {
            return;
        }
        List<Finished> now = List.copyOf(finished);
        finished.clear();
        for (Finished each : now) {
            release(each.proposal.keys);
        }
        for (Finished each : now) {
            for (HeldKey held : each.proposal.keys) {
                memoryLocks.release(held.key, each.proposal.startTs);
            }
            each.proposal.answer.accept(each.response);
        }
        for (Finished each : now) {
            for (HeldKey held : each.proposal.keys) {
                wake(held.key);
            }
        }
    }

    @Override
    public void readProven(long index, byte[] context) {}

    /** The Store stops: nothing is answered later. */
    void close(String reason) {
        List<Proposal> open = List.copyOf(proposals);
        proposals.clear();
        open.forEach(proposal -> proposal.answer.accept(RegionErrors.unknown(reason)));
        List<Finished> unseen = List.copyOf(finished);
        finished.clear();
        unseen.forEach(each -> each.proposal.answer.accept(RegionErrors.unknown(reason)));
        List<Command> parked = new ArrayList<>();
        waiting.values().forEach(parked::addAll);
        waiting.clear();
        waitingCount = 0;
        parked.forEach(command -> command.answer.accept(RegionErrors.notReady(reason)));
        served = Served.NOT;
    }

    static ByteString wrap(byte[] bytes) {
        return UnsafeByteOperations.unsafeWrap(bytes);
    }
}
