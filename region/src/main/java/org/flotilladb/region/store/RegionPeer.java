package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.flotilladb.proto.ChangePeersRequest;
import org.flotilladb.proto.ChangePeersResponse;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEntry;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.proto.SplitResponse;
import org.flotilladb.proto.TransferLeaderRequest;
import org.flotilladb.proto.TransferLeaderResponse;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.ProposalDroppedException;
import org.flotilladb.raft.RaftInvariantException;
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
    /** Entries that a learner may lack when it becomes a voter. */
    private static final long MAX_PROMOTION_LAG = 1000;

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
    private final long madeNs;
    private final AtomicLong maxTs = new AtomicLong();
    private final TreeMap<byte[], ArrayDeque<Command>> waiting = new TreeMap<>(Arrays::compareUnsigned);
    private final ArrayDeque<Proposal> proposals = new ArrayDeque<>();
    private final List<Finished> finished = new ArrayList<>();
    private final List<Region> created = new ArrayList<>();
    private int waitingCount;
    private boolean wasLeaderAtSplit;

    final Latches latches = new Latches();
    final MemoryLocks memoryLocks = new MemoryLocks();
    final Acquaintances acquaintances;
    final PeerRest rest = new PeerRest(this);
    private final LeaseWaits leaseWaits = new LeaseWaits();

    private RaftGroup group;
    private volatile Region region;
    private volatile Served served = Served.NOT;
    private long ledTerm;
    private long serveTerm;
    private boolean timestampAsked;
    private long splitAtIndex;
    /** Where a change of membership is proposed and not applied yet. */
    private long changeAtIndex;

    private boolean splitApplied;
    private boolean removed;
    /** The membership has changed in this round. */
    private boolean changed;

    private IncomingSnapshots.Arrived arrived;
    private Lease frozenLease = Lease.NONE;
    private boolean closed;

    /** @param region without peers when only the id is known: then a snapshot will tell the rest */
    RegionPeer(StoreContext store, Region region, long peerId) {
        this.store = store;
        this.region = region;
        this.peerId = peerId;
        this.commands = new RegionCommands(this, store);
        this.madeNs = store.clock().nanoTime();
        this.acquaintances = new Acquaintances(madeNs);
    }

    static long ownPeer(Region region, long storeId) {
        Peer own = Membership.onStore(region, storeId);
        if (own == null) {
            throw new IllegalStateException("Region " + region.getId() + " has no peer on Store " + storeId);
        }
        return own.getId();
    }

    /** Opens the group; once. */
    void start(boolean afterSplit) {
        group = new RaftGroup(
                region.getId(),
                peerId,
                new RaftGroup.Start(
                        Membership.confState(region),
                        Membership.isGrown(region),
                        RaftGroup.readApplied(store.data(), region.getId()),
                        afterSplit),
                store.groupSettings(),
                store.nextSeed(),
                store.logs(),
                this,
                index -> store.snapshotOf(this, index),
                store.leases());
    }

    long peerId() {
        return peerId;
    }

    /** Whether it knows its range and its members; else it waits for a snapshot. */
    boolean initialised() {
        return region.getPeersCount() > 0;
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
        return RegionData.key('r', regionId);
    }

    /** The Region's record as a leader reports it. */
    RegionHeartbeat heartbeat(long downAfterNs) {
        return RegionHeartbeat.newBuilder()
                .setRegion(region)
                .setLeaderStoreId(store.storeId())
                .setTerm(group.node().term())
                .addAllPendingPeers(region.getPeersCount() > 1 ? group.behind(MAX_PROMOTION_LAG) : List.of())
                .addAllDownPeers(
                        acquaintances.down(region, peerId, store.clock().nanoTime(), downAfterNs))
                .build();
    }

    /** Whether it has been waiting for its Region longer than a split takes to arrive. */
    boolean bareForLong() {
        return !initialised()
                && store.clock().nanoTime() - madeNs
                        > 2
                                * store.groupSettings().electionTicks()
                                * store.groupSettings().tickNs();
    }

    /** Whether nobody has spoken to this peer for long; true once in that time. */
    boolean isForgotten(long nowNs, MemberSettings members) {
        return acquaintances.isForgotten(nowNs, members.peerDownNs());
    }

    // ---- snapshots -------------------------------------------------------------------------------------------------

    /** Rows and record of a snapshot are here, and its message goes to the library next. */
    void expect(IncomingSnapshots.Arrived snapshot) {
        arrived = snapshot;
    }

    /** What came with {@link #expect}, once. */
    IncomingSnapshots.Arrived takeArrived() {
        IncomingSnapshots.Arrived taken = arrived;
        arrived = null;
        return taken;
    }

    /** A snapshot has been taken in place of what was here. */
    void installed(Region now) {
        region = now;
        changeAtIndex = 0;
        splitAtIndex = 0;
        acquaintances.changed(now, store.clock().nanoTime());
        publish();
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
        if (removed) {
            return;
        }
        boolean leads = group.node().isLeader();
        long term = group.node().term();
        if ((!leads || term != ledTerm) && ledTerm != 0) {
            stopServing();
        }
        if (leads && term != ledTerm) {
            acquaintances.begin(region, store.clock().nanoTime());
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
        if (serving() && !closed) {
            Lease lease = group.lease();
            if (splitAtIndex > 0) {
                lease = lease.min(frozenLease);
            }
            if (group.isResting() && store.failPoints().hit("resting-lease-kept")) {
                lease = Lease.FOREVER;
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
        changeAtIndex = 0;
        served = Served.NOT;
        latches.clear();
        memoryLocks.clear();
        List<Proposal> open = List.copyOf(proposals);
        proposals.clear();
        for (Proposal proposal : open) {
            proposal.answer.accept(RegionErrors.unknown("leadership of Region " + region.getId()
                    + " was lost before the entry at " + proposal.index + " was applied"));
        }
        List<Command> parked = leaseWaits.takeAll();
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

    /** Answers, proposes, or lets the command wait; the request's context was not looked at yet. */
    void handle(Command command) {
        Context context = command.request.getContext();
        if (context.getPeerId() != peerId) {
            command.answer.accept(RegionErrors.peerMismatch(region.getId(), context.getPeerId(), peerId));
            return;
        }
        if (!serving()) {
            if (!group.node().isLeader() && !store.failPoints().hit("resting-follower-not-woken")) {
                // The leader that it rests with may be gone: who asks here may have found that out.
                group.wake(store.leases().nowNs());
            }
            command.answer.accept(
                    group.node().isLeader()
                            ? RegionErrors.notReady("the leader of Region " + region.getId() + " is not ready yet")
                            : notLeader());
            return;
        }
        if (context.getTerm() != 0 && context.getTerm() != serveTerm) {
            command.answer.accept(RegionErrors.staleTerm(region.getId(), context.getTerm(), serveTerm));
            return;
        }
        if (!epochFits(command.request)) {
            command.answer.accept(RegionErrors.epoch(region));
            return;
        }
        if (!leaseHolds()) {
            awaitLease(command);
            return;
        }
        commands.run(command);
    }

    /** A leader at rest has no lease; a round brings it, or it does not lead any more and cannot tell. */
    private void awaitLease(Command command) {
        group.wake(store.leases().nowNs());
        if (leaseWaits.add(command)) {
            store.awaitsLease(this);
        } else {
            command.answer.accept(noLease());
        }
    }

    private RegionResponse noLease() {
        return RegionErrors.notReady("the leader of Region " + region.getId() + " cannot prove its lease just now");
    }

    boolean awaitsLease() {
        return !leaseWaits.isEmpty();
    }

    /** If the lease is there now, the commands that waited for it go on; true if they did. */
    boolean resume() {
        publish();
        if (!serving() || !leaseHolds()) {
            return false;
        }
        leaseWaits.takeAll().forEach(this::handle);
        return true;
    }

    /** Which part of the epoch a command checks is part of the wire contract. */
    private boolean epochFits(RegionRequest request) {
        RegionEpoch epoch = request.getContext().getEpoch();
        RegionEpoch now = region.getEpoch();
        boolean sameRange = epoch.getRangeVersion() == now.getRangeVersion();
        boolean sameMembers = epoch.getConfVersion() == now.getConfVersion();
        return switch (request.getCommandCase()) {
            case TRANSFER_LEADER -> true;
            case CHANGE_PEERS -> sameMembers || store.failPoints().hit("change-epoch-unchecked");
            case SPLIT -> sameRange && sameMembers;
            default -> sameRange;
        };
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

    /** Takes a transaction's requests for locks of these keys out of the queues; all of them if there are no keys. */
    List<Command> dropWaiting(long startTs, List<byte[]> keys) {
        List<Command> dropped = new ArrayList<>();
        for (Map.Entry<byte[], ArrayDeque<Command>> entry : waiting.entrySet()) {
            if (!keys.isEmpty() && keys.stream().noneMatch(key -> Arrays.equals(key, entry.getKey()))) {
                continue;
            }
            entry.getValue().removeIf(command -> {
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
            store.waitsNoMore(startTs);
        }
        return dropped;
    }

    /** Time has passed. */
    void tick(long nowNs) {
        group.tick(nowNs);
        expireWaits(nowNs);
        retryTimestamp();
    }

    /** Whether anything may happen here by the passing of time alone. */
    boolean needsTicks() {
        boolean aboutToServe = ledTerm != 0 && serveTerm != ledTerm;
        return !group.isResting()
                || aboutToServe
                || awaitsLease()
                || waitingCount > 0
                || memoryLocks.size() > 0
                || group.wantsTruncation();
    }

    /** The Store of the peer that this one follows, or 0. */
    long leaderStore() {
        long leader = group.node().leader();
        return leader == 0 || leader == peerId ? 0 : acquaintances.storeOf(region, leader);
    }

    @Override
    public boolean outOfReach(long id) {
        return store.isSilent(acquaintances.storeOf(region, id));
    }

    /** Once a tick: locks whose ttl has run out, commands that have waited long enough. */
    private void expireWaits(long nowNs) {
        if (awaitsLease()) {
            // A client asks again before its own patience ends.
            long patienceNs = store.groupSettings().promiseNs() / 2;
            leaseWaits.takeArrivedUntil(nowNs - patienceNs).forEach(command -> command.answer.accept(noLease()));
        }
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
        propose(command, entry, null, startTs, keys, response);
    }

    /** @param change to carry the entry, or null */
    private void propose(
            Command command,
            RegionEntry entry,
            ConfChange change,
            long startTs,
            List<HeldKey> keys,
            RegionResponse response) {
        byte[] data = entry.toByteArray();
        RegionResponse refusal = null;
        String full = store.refusesWrite(data.length);
        if (data.length > MAX_ENTRY_BYTES) {
            refusal = RegionErrors.tooLarge(data.length, MAX_ENTRY_BYTES);
        } else if (full != null) {
            refusal = RegionErrors.diskFull(full);
        } else {
            try {
                if (change == null) {
                    group.propose(data);
                } else {
                    group.propose(change.withContext(data));
                }
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

    /** Splits at the keys of the request; one entry in the log. */
    void proposeSplit(Command command, SplitRequest split) {
        String changing = changing();
        if (changing != null) {
            command.answer.accept(RegionErrors.busy(changing));
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

    /** Why the Region's epoch cannot be changed now: it is being changed already; or null. */
    private String changing() {
        if (splitAtIndex > 0) {
            return "Region " + region.getId() + " is being split";
        }
        if (changeAtIndex > 0 || Membership.isJoint(region)) {
            return "the membership of Region " + region.getId() + " is being changed";
        }
        return null;
    }

    /** Changes the membership; one entry in the log, and a second one where it goes through a joint configuration. */
    void proposeChange(Command command, ChangePeersRequest request) {
        String changing = changing();
        if (changing != null) {
            command.answer.accept(RegionErrors.busy(changing));
            return;
        }
        String refusal = Membership.refusal(region, request, peerId);
        if (refusal != null) {
            command.answer.accept(RegionErrors.changeRefused(refusal));
            return;
        }
        String behind = behind(request);
        if (behind != null) {
            command.answer.accept(RegionErrors.busy(behind));
            return;
        }
        int open = proposals.size();
        propose(
                command,
                RegionEntry.newBuilder()
                        .setEpoch(region.getEpoch())
                        .setChangePeers(request)
                        .build(),
                Membership.confChange(region, request),
                0,
                List.of(),
                RegionResponse.getDefaultInstance());
        if (proposals.size() > open) {
            changeAtIndex = group.node().lastIndex();
        }
    }

    /** Who is to become a voter and lacks too much of the log, or is on a Store that is not known; or null. */
    private String behind(ChangePeersRequest request) {
        for (PeerChange change : request.getChangesList()) {
            long id = change.getPeer().getId();
            if (change.getKind() == PeerChangeKind.PROMOTE && !group.isInStep(id, MAX_PROMOTION_LAG)) {
                return "peer " + id + " of Region " + region.getId() + " has not caught up yet";
            }
            if (change.getKind() == PeerChangeKind.ADD_LEARNER
                    && Membership.peer(region, id) == null
                    && store.addressOf(change.getPeer().getStoreId()) == null) {
                return "Store " + change.getPeer().getStoreId() + " is not known here yet";
            }
        }
        return null;
    }

    /** Begins to hand leadership over. */
    void transferLeader(Command command, TransferLeaderRequest request) {
        Peer target = Membership.peer(region, request.getPeerId());
        boolean voter =
                target != null && (target.getRole() == PeerRole.VOTER || target.getRole() == PeerRole.INCOMING_VOTER);
        if (!voter) {
            command.answer.accept(RegionErrors.changeRefused(
                    "peer " + request.getPeerId() + " is no voter of Region " + region.getId()));
            return;
        }
        if (target.getId() != peerId && !group.isInStep(target.getId(), MAX_PROMOTION_LAG)) {
            // A transfer that fails costs an election.
            command.answer.accept(RegionErrors.busy(
                    "peer " + request.getPeerId() + " of Region " + region.getId() + " has not caught up yet"));
            return;
        }
        group.node().transferLeader(request.getPeerId(), store.leases().nowNs());
        publish();
        command.answer.accept(RegionResponse.newBuilder()
                .setTransferLeader(TransferLeaderResponse.getDefaultInstance())
                .build());
    }

    void compact(long keep, MemberSettings members) {
        long nowNs = store.clock().nanoTime();
        long index = group.compactIndex(
                keep,
                members.logMaxEntriesBehind(),
                id -> id == peerId || acquaintances.silentNs(id, nowNs) <= members.peerDownNs());
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

    /** The proposal that an entry carries out, if it was made here; those that lost their place are answered. */
    private Proposal take(Entry entry) {
        Proposal proposal = null;
        while (!proposals.isEmpty() && proposals.peek().index <= entry.index()) {
            Proposal next = proposals.poll();
            if (next.index == entry.index() && next.term == entry.term()) {
                proposal = next;
            } else {
                finished.add(new Finished(next, notLeader()));
            }
        }
        return proposal;
    }

    @Override
    public void apply(Entry entry, KvBatch batch) {
        Proposal proposal = take(entry);
        if (removed) {
            return;
        }
        if (proposal != null && proposal.entry.hasChangePeers()) {
            // The library has put an entry without effect in its place.
            changeAtIndex = 0;
            finished.add(new Finished(
                    proposal, RegionErrors.busy("the membership of Region " + region.getId() + " was being changed")));
            return;
        }
        if (entry.data().length == 0) {
            return;
        }
        RegionEntry command = proposal == null ? parse(entry, entry.data()) : proposal.entry;
        RegionResponse response = proposal == null ? null : proposal.response;
        if (command.getCompactIndex() > 0) {
            group.allowTruncation(command.getCompactIndex());
        } else if (!stillFits(command) && !store.failPoints().hit("epoch-unchecked-at-apply")) {
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

    /** Whether the Region is what it was when the entry was proposed, as far as that matters to it. */
    private boolean stillFits(RegionEntry command) {
        return command.getEpoch().getRangeVersion() == region.getEpoch().getRangeVersion()
                && (!command.hasSplit()
                        || command.getEpoch().getConfVersion()
                                == region.getEpoch().getConfVersion());
    }

    @Override
    public ConfChange applyChange(Entry entry, ConfChange change, KvBatch batch) {
        Proposal proposal = take(entry);
        if (removed) {
            return change;
        }
        if (entry.index() >= changeAtIndex) {
            changeAtIndex = 0;
        }
        Region next;
        if (change.leavesJoint()) {
            next = Membership.left(region);
        } else {
            RegionEntry command = parse(entry, change.context());
            if (command.getEpoch().getConfVersion() != region.getEpoch().getConfVersion()) {
                if (proposal != null) {
                    finished.add(new Finished(proposal, RegionErrors.epoch(region)));
                }
                return RaftGroup.NO_CHANGE;
            }
            next = Membership.after(region, command.getChangePeers());
        }
        if (Membership.peer(next, peerId) == null) {
            remove(next, entry.index(), entry.term(), batch);
        } else {
            batch.put(Family.META, regionKey(next.getId()), next.toByteArray());
        }
        region = next;
        changed = true;
        acquaintances.changed(next, store.clock().nanoTime());
        if (proposal != null) {
            finished.add(new Finished(
                    proposal,
                    RegionResponse.newBuilder()
                            .setChangePeers(ChangePeersResponse.newBuilder().setRegion(next))
                            .build()));
        }
        return change;
    }

    /** This peer belongs to the Region no more: what it has goes, and a tombstone stays. */
    private void remove(Region without, long index, long term, KvBatch batch) {
        removed = true;
        // Before the data goes: nobody reads here any more.
        stopServing();
        store.bury(this, without, index, term, batch);
    }

    /** It has been told that it was removed: by a Region that is newer than what it knows and does not name it. */
    void removedBy(Region newer, KvBatch batch) {
        remove(newer, 0, 0, batch);
    }

    @Override
    public boolean removed() {
        return removed;
    }

    @Override
    public void membersChanged(ConfState members) {
        ConfState expected = Membership.confState(region);
        if (!removed && !members.equals(expected)) {
            throw new RaftInvariantException(group + " has the members " + members + ", its Region " + expected);
        }
    }

    private RegionEntry parse(Entry entry, byte[] bytes) {
        try {
            return RegionEntry.parseFrom(bytes);
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
            Region done = right.setFirstConfVersion(epoch.getConfVersion()).build();
            regions.addRegions(done);
            if (store.splitMakes(done)) {
                created.add(done);
                batch.put(Family.META, regionKey(done.getId()), done.toByteArray());
            } else {
                // Its peer here has been removed already, or replaced.
                RegionData.delete(batch, done);
            }
        }
        batch.put(Family.META, regionKey(left.getId()), left.toByteArray());
        wasLeaderAtSplit = group.node().isLeader();
        // Readers that looked at the old Region find another range version, before anybody can serve the new ones.
        region = left;
        splitApplied = true;
        publish();
        return RegionResponse.newBuilder().setSplit(regions).build();
    }

    @Override
    public void applied() {
        if (changed) {
            changed = false;
            if (removed) {
                store.removed(this);
            } else {
                store.report(this);
            }
        }
        boolean split = splitApplied;
        splitApplied = false;
        if (split) {
            List<Region> now = List.copyOf(created);
            created.clear();
            store.split(this, now, wasLeaderAtSplit);
        }
        if (!finished.isEmpty()) {
            answerFinished();
        }
        if (split) {
            leaveToOthers();
        }
    }

    private void answerFinished() {
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

    /** Keys that went to another Region are let go there from now on: who waits for one here would wait in vain. */
    private void leaveToOthers() {
        memoryLocks.releaseUnless(this::contains);
        List<byte[]> gone = new ArrayList<>(waiting.keySet());
        gone.removeIf(this::contains);
        gone.forEach(this::wake);
    }

    @Override
    public void readProven(long index, byte[] context) {}

    /** The Store stops: nothing is answered later, and nobody reads here any more. */
    void close(String reason) {
        closed = true;
        List<Proposal> open = List.copyOf(proposals);
        proposals.clear();
        open.forEach(proposal -> proposal.answer.accept(RegionErrors.unknown(reason)));
        List<Finished> unseen = List.copyOf(finished);
        finished.clear();
        unseen.forEach(each -> each.proposal.answer.accept(RegionErrors.unknown(reason)));
        List<Command> parked = leaseWaits.takeAll();
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
