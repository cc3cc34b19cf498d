package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.flotilladb.proto.ChangePeersResponse;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.DownPeer;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEntry;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.proto.SplitResponse;
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
import org.flotilladb.region.store.Proposals.Finished;
import org.flotilladb.region.store.Proposals.Proposal;
import org.flotilladb.region.store.mvcc.Mvcc;

/**
 * One replica of one Region. The loop calls everything except {@link #served}, {@link #raiseMaxTs} and the look into
 * {@link #latches}, which local readers use from their own threads.
 */
final class RegionPeer implements StateMachine {
    static final long MAX_ENTRY_BYTES = 16L << 20;

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

    private final StoreContext store;
    private final long peerId;
    private final RegionCommands commands;
    private final long madeNs;
    private final AtomicLong maxTs = new AtomicLong();
    private final Proposals proposals = new Proposals();
    private final List<Region> created = new ArrayList<>();
    private boolean wasLeaderAtSplit;

    final EpochChanges changes;
    final ParkedCommands parked;
    final Latches latches = new Latches();
    final MemoryLocks memoryLocks = new MemoryLocks();
    final Acquaintances acquaintances;
    private final RegionLoad load;
    /** What was last reported of it; null before that. */
    private Reports.Said said;

    final PeerRest rest = new PeerRest(this);
    private final LeaseWaits leaseWaits = new LeaseWaits();

    private RaftGroup group;
    private volatile Region region;
    private volatile Served served = Served.NOT;
    private long ledTerm;
    private long serveTerm;
    private boolean timestampAsked;
    private boolean splitApplied;
    private boolean removed;
    /** The membership has changed in this round. */
    private boolean membersChanged;

    private IncomingSnapshots.Arrived arrived;
    private boolean closed;

    /** @param region without peers when only the id is known: then a snapshot will tell the rest */
    RegionPeer(StoreContext store, Region region, long peerId) {
        this.store = store;
        this.region = region;
        this.peerId = peerId;
        this.commands = new RegionCommands(this, store);
        this.changes = new EpochChanges(this, store);
        this.parked = new ParkedCommands(store, this::handle);
        this.madeNs = store.clock().nanoTime();
        this.acquaintances = new Acquaintances(madeNs);
        this.load = new RegionLoad(madeNs);
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

    /** How large it is, and how much is asked of it. */
    RegionLoad load() {
        return load;
    }

    Reports.Said said() {
        return said;
    }

    void says(Reports.Said now) {
        said = now;
    }

    private List<Long> pending() {
        return region.getPeersCount() > 1 ? group.behind(EpochChanges.MAX_PROMOTION_LAG) : List.of();
    }

    private List<DownPeer> down(long downAfterNs) {
        // Nobody is to be heard of a group at rest.
        return group.node().isResting()
                ? List.of()
                : acquaintances.down(region, peerId, store.clock().nanoTime(), downAfterNs);
    }

    /** Whether a member is not in step, or was not heard of for so long; on a leader. */
    boolean isAiling(long downAfterNs) {
        return !pending().isEmpty() || !down(downAfterNs).isEmpty();
    }

    /** The Region as a leader reports it. */
    RegionHeartbeat.Builder heartbeat(long downAfterNs) {
        RegionHeartbeat.Builder report = RegionHeartbeat.newBuilder()
                .setRegion(region)
                .setLeaderStoreId(store.storeId())
                .setTerm(group.node().term())
                .addAllPendingPeers(pending())
                .addAllDownPeers(down(downAfterNs));
        load.report(report);
        return report;
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
        changes.reset();
        acquaintances.changed(now, store.clock().nanoTime());
        load.becomes(RegionLoad.Size.NONE, false);
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

    /** Shows readers under what they are served. */
    void publish() {
        Served now = Served.NOT;
        if (serving() && !closed) {
            Lease lease = changes.usable(group.lease());
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
        changes.reset();
        served = Served.NOT;
        latches.clear();
        memoryLocks.clear();
        for (Proposal proposal : proposals.takeOpen()) {
            proposal.answer()
                    .accept(RegionErrors.unknown("leadership of Region " + region.getId()
                            + " was lost before the entry at " + proposal.index() + " was applied"));
        }
        leaseWaits.takeAll().forEach(command -> command.answer.accept(notLeader()));
        parked.drain().forEach(command -> command.answer.accept(notLeader()));
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
        if (!parked.park(command, key, giveUpNs)) {
            command.answer.accept(RegionErrors.busy("too many requests wait for locks in Region " + region.getId()));
        }
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
                || !parked.isEmpty()
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
            memoryLocks.expire(nowNs).forEach(parked::wake);
        }
        parked.expire(nowNs);
    }

    /** Proposes writes whose keys are latched; the response leaves when they are visible. */
    void propose(Command command, List<KeyWrite> writes, long startTs, List<HeldKey> keys, RegionResponse response) {
        propose(command, RegionEntry.newBuilder().addAllWrites(writes), null, startTs, keys, response);
    }

    /**
     * Proposes what changes the Region itself; applying makes the response.
     *
     * @param change to carry the entry, or null
     * @return false when it was not proposed, and the command has its answer
     */
    boolean propose(Command command, RegionEntry.Builder entry, ConfChange change) {
        return propose(command, entry, change, 0, List.of(), RegionResponse.getDefaultInstance());
    }

    private boolean propose(
            Command command,
            RegionEntry.Builder builder,
            ConfChange change,
            long startTs,
            List<HeldKey> keys,
            RegionResponse response) {
        RegionEntry entry = builder.setEpoch(region.getEpoch()).build();
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
            keys.forEach(held -> parked.wake(held.key));
            return false;
        }
        Consumer<RegionResponse> answer = command.answer;
        if (store.failPoints().hit("answered-when-proposed")) {
            command.answer.accept(response);
            answer = late -> {};
        }
        proposals.add(
                new Proposal(group.node().lastIndex(), group.node().term(), entry, startTs, keys, response, answer));
        return true;
    }

    private void release(List<HeldKey> keys) {
        for (HeldKey held : keys) {
            latches.release(held.key, held.shared);
        }
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

    @Override
    public void apply(Entry entry, KvBatch batch) {
        Proposal proposal = proposals.take(entry, this::notLeader);
        if (removed) {
            return;
        }
        if (proposal != null && proposal.entry().hasChangePeers()) {
            // The library has put an entry without effect in its place.
            changes.changeDropped();
            proposals.finish(
                    proposal, RegionErrors.busy("the membership of Region " + region.getId() + " was being changed"));
            return;
        }
        if (entry.data().length == 0) {
            return;
        }
        RegionEntry command = proposal == null ? parse(entry, entry.data()) : proposal.entry();
        RegionResponse response = proposal == null ? null : proposal.response();
        if (command.getCompactIndex() > 0) {
            group.allowTruncation(command.getCompactIndex());
        } else if (!stillFits(command) && !store.failPoints().hit("epoch-unchecked-at-apply")) {
            response = RegionErrors.epoch(region);
        } else if (command.hasSplit()) {
            response = applySplit(command.getSplit(), batch);
        } else {
            load.wrote(command.getWritesList());
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
        if (command.hasSplit()) {
            changes.splitApplied(entry.index());
        }
        proposals.finish(proposal, response);
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
        Proposal proposal = proposals.take(entry, this::notLeader);
        if (removed) {
            return change;
        }
        changes.membersChanged(entry.index());
        Region next;
        if (change.leavesJoint()) {
            next = Membership.left(region);
        } else {
            RegionEntry command = parse(entry, change.context());
            if (command.getEpoch().getConfVersion() != region.getEpoch().getConfVersion()) {
                proposals.finish(proposal, RegionErrors.epoch(region));
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
        membersChanged = true;
        acquaintances.changed(next, store.clock().nanoTime());
        proposals.finish(
                proposal,
                RegionResponse.newBuilder()
                        .setChangePeers(ChangePeersResponse.newBuilder().setRegion(next))
                        .build());
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
        List<Region> parts = EpochChanges.parts(region, split);
        for (Region right : parts.subList(1, parts.size())) {
            if (store.splitMakes(right)) {
                created.add(right);
                batch.put(Family.META, regionKey(right.getId()), right.toByteArray());
            } else {
                // Its peer here has been removed already, or replaced.
                RegionData.delete(batch, right);
            }
        }
        Region left = parts.get(0);
        batch.put(Family.META, regionKey(left.getId()), left.toByteArray());
        wasLeaderAtSplit = group.node().isLeader();
        // Readers that looked at the old Region find another range version, before anybody can serve the new ones.
        region = left;
        splitApplied = true;
        publish();
        return RegionResponse.newBuilder()
                .setSplit(SplitResponse.newBuilder().addAllRegions(parts))
                .build();
    }

    @Override
    public void applied() {
        if (membersChanged) {
            membersChanged = false;
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
        if (proposals.anyFinished()) {
            answerFinished();
        }
        if (split) {
            leaveToOthers();
        }
    }

    private void answerFinished() {
        List<Finished> now = proposals.takeFinished();
        for (Finished each : now) {
            release(each.proposal().keys());
        }
        for (Finished each : now) {
            for (HeldKey held : each.proposal().keys()) {
                memoryLocks.release(held.key, each.proposal().startTs());
            }
            each.answer();
        }
        for (Finished each : now) {
            for (HeldKey held : each.proposal().keys()) {
                parked.wake(held.key);
            }
        }
    }

    /** Keys that went to another Region are let go there from now on: who waits for one here would wait in vain. */
    private void leaveToOthers() {
        memoryLocks.releaseUnless(this::contains);
        parked.wakeUnless(this::contains);
    }

    @Override
    public void readProven(long index, byte[] context) {}

    /** The Store stops: nothing is answered later, and nobody reads here any more. */
    void close(String reason) {
        closed = true;
        proposals.takeOpen().forEach(open -> open.answer().accept(RegionErrors.unknown(reason)));
        proposals.takeFinished().forEach(unseen -> unseen.proposal().answer().accept(RegionErrors.unknown(reason)));
        leaseWaits.takeAll().forEach(command -> command.answer.accept(RegionErrors.notReady(reason)));
        parked.drain().forEach(command -> command.answer.accept(RegionErrors.notReady(reason)));
        served = Served.NOT;
    }

    static ByteString wrap(byte[] bytes) {
        return UnsafeByteOperations.unsafeWrap(bytes);
    }
}
