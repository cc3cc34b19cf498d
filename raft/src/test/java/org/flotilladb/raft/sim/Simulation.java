package org.flotilladb.raft.sim;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.raft.ProposalDroppedException;
import org.flotilladb.raft.Ready;
import org.flotilladb.raft.ReplicaLease;

/**
 * One group under faults, from one number: messages are lost, delayed, repeated and reordered, links are cut, peers pause
 * and crash, clocks run at different rates. The same seed runs the same way in every JVM; {@link #hash} says so.
 */
public final class Simulation {
    static final long TICK_NS = 100_000_000L;
    static final int ELECTION_TICKS = 10;
    static final int HEARTBEAT_TICKS = 2;
    static final long PROMISE_NS = 1_000_000_000L;
    static final double RATE_ERROR = 0.05;
    static final long MARGIN_NS = 1_000_000L;
    private static final long MS = 1_000_000L;
    private static final long CALM_SPAN_NS = 10_000 * MS;
    private static final int MAX_CALM_SPANS = 60;

    final SimRandom random;
    /** All peers that there may be; some belong to the group from the start. */
    final long[] ids;

    final Invariants invariants = new Invariants();
    final boolean eagerCommit;
    final int maxInflight;
    final long maxMessageBytes;
    private final Bug bug;
    private final TreeMap<Long, SimPeer> peers = new TreeMap<>();
    private final PriorityQueue<Event> queue = new PriorityQueue<>();
    /** Links that are cut, as from * 100 + to, and until when. */
    private final TreeMap<Long, Long> cut = new TreeMap<>();
    /** Writes under way: number to the floor; acknowledged when their entry is applied by the peer that took them. */
    private final TreeMap<Long, Long> writesAt = new TreeMap<>();
    /** Read index questions by number. */
    private final TreeMap<Long, Long> questions = new TreeMap<>();

    private final double lossChance;
    private final double repeatChance;
    private final double slowChance;
    private final boolean cuts;
    private final boolean crashes;
    private final boolean pauses;
    private final boolean transfers;
    private final boolean changesMembers;
    final boolean async;
    private final double slowDiskChance;
    final boolean batchedAppends;
    final long maxCommittedBytes;
    final double saveChance;
    final long keepEntries;
    final boolean leases;
    final boolean replicaLeases;
    final boolean preVote;
    private final long faultEveryNs;
    private final long clientEveryNs;
    private final long writesInTen;

    /** No more faults. */
    private boolean calm;
    /** No more writes. */
    private boolean quiet;

    long now;
    private long sequence;
    private long events;
    private long hash = 17;
    private long operations;
    long reads;
    long replicaReads;
    private long crashCount;
    private long writes;
    long snapshots;
    long changes;

    private record Event(long at, long order, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(order, other.order);
        }
    }

    public Simulation(long seed, Bug bug) {
        this.bug = bug;
        random = new SimRandom(seed);
        SimRandom shape = random.fork("shape");
        int size = shape.chance(0.7) ? 3 : shape.chance(0.5) ? 5 : 2;
        boolean calm = shape.chance(0.25);
        lossChance = calm || shape.chance(0.3) ? 0 : shape.fraction() * 0.2;
        repeatChance = calm || shape.chance(0.3) ? 0 : shape.fraction() * 0.2;
        slowChance = calm || shape.chance(0.3) ? 0 : shape.fraction() * (shape.chance(0.5) ? 0.05 : 0.3);
        cuts = !calm && shape.chance(0.7);
        crashes = !calm && shape.chance(0.7);
        pauses = !calm && shape.chance(0.5);
        transfers = shape.chance(0.8);
        leases = shape.chance(0.75);
        preVote = shape.chance(0.75);
        replicaLeases = leases && shape.chance(0.6);
        eagerCommit = shape.chance(0.5);
        maxInflight = shape.chance(0.5) ? 256 : (int) shape.between(1, 4);
        maxMessageBytes = shape.chance(0.5) ? 1 << 20 : shape.between(0, 64);
        faultEveryNs = shape.between(100, 2000) * MS;
        clientEveryNs = shape.between(10, 60) * MS;
        writesInTen = shape.between(1, 6);
        async = shape.chance(0.4);
        slowDiskChance = shape.chance(0.5) ? 0 : shape.fraction() * 0.2;
        batchedAppends = shape.chance(0.7);
        maxCommittedBytes = shape.chance(0.6) ? 1 << 20 : shape.between(1, 200);
        changesMembers = shape.chance(0.6);
        saveChance = shape.chance(0.3) ? 0.02 : 0.2;
        keepEntries = shape.chance(0.3) ? 1_000_000 : shape.between(0, 50);
        int spare = changesMembers ? 2 : 0;
        ids = new long[size + spare];
        ConfState first = ConfState.of(LongStream.rangeClosed(1, size).boxed().toList(), List.of());
        for (int i = 0; i < ids.length; i++) {
            ids[i] = i + 1L;
            double spread = bug == Bug.CLOCK_RATES_IGNORED ? 0.6 : RATE_ERROR;
            double rate = 1 + (shape.fraction() * 2 - 1) * spread;
            peers.put(ids[i], new SimPeer(this, ids[i], rate, i < size ? first : ConfState.EMPTY));
        }
    }

    boolean has(Bug which) {
        return bug == which;
    }

    /** Runs until so many events have happened; throws on the first broken invariant. */
    public Simulation run(long eventCount) {
        for (SimPeer peer : peers.values()) {
            peer.start(true);
            at(random.below(TICK_NS), () -> tick(peer, peer.life));
        }
        at(random.below(10 * MS), this::client);
        at(faultEveryNs, this::fault);
        while (events < eventCount) {
            runNext();
        }
        if (bug == Bug.NONE) {
            healAndCheck();
        }
        return this;
    }

    private void runNext() {
        Event next = queue.poll();
        now = next.at;
        next.action.run();
    }

    /**
     * Without faults there is a leader again, and every member comes to have what it has; with the narrowest windows and
     * the longest logs that takes a while.
     */
    private void healAndCheck() {
        calm = true;
        cut.clear();
        peers.values().forEach(peer -> peer.pausedUntil = 0);
        long writesBefore = writes;
        runUntil(() -> writes > writesBefore, "no progress");
        quiet = true;
        runUntil(this::allEqual, "a member stays behind");
    }

    private void runUntil(BooleanSupplier reached, String otherwise) {
        for (int span = 0; span < MAX_CALM_SPANS; span++) {
            for (long until = now + CALM_SPAN_NS; now < until; ) {
                runNext();
            }
            if (reached.getAsBoolean()) {
                return;
            }
        }
        throw new Invariants.Violation(
                otherwise + " in " + MAX_CALM_SPANS * (CALM_SPAN_NS / MS / 1000) + " s without faults: " + peers());
    }

    private boolean allEqual() {
        SimPeer leader = null;
        for (SimPeer peer : peers.values()) {
            if (peer.up && peer.node.isLeader() && (leader == null || peer.node.term() > leader.node.term())) {
                leader = peer;
            }
        }
        if (leader == null || leader.applied < leader.node.commitIndex()) {
            return false;
        }
        ConfState members = leader.node.status().confState();
        for (SimPeer peer : peers.values()) {
            if (members.contains(peer.id) && peer.applied != leader.applied) {
                return false;
            }
        }
        return true;
    }

    private String peers() {
        StringBuilder text = new StringBuilder();
        peers.values()
                .forEach(peer -> text.append("\n  ")
                        .append(
                                peer.up
                                        ? peer.node + " applied " + peer.node.appliedIndex() + "/" + peer.applied
                                                + " ready "
                                                + peer.node.hasReady() + peer.readyScheduled + " work "
                                                + peer.appendWork.size() + "+"
                                                + peer.applyWork.size() + " "
                                                + peer.node.status().confState()
                                        : "peer " + peer.id + " down"));
        return text.toString();
    }

    private void at(long delay, Runnable action) {
        queue.add(new Event(now + delay, sequence++, action));
    }

    void event(long kind, long a, long b, long c) {
        events++;
        hash = (((hash * 31 + kind) * 31 + a) * 31 + b) * 31 + c + now;
    }

    // ---- peers ---------------------------------------------------------------------------------------------------

    private void tick(SimPeer peer, int life) {
        if (!peer.up || peer.life != life) {
            return;
        }
        if (now < peer.pausedUntil) {
            at(peer.pausedUntil - now, () -> tick(peer, life));
            long missed = (peer.pausedUntil - now) / TICK_NS;
            for (long i = 0; i < Math.min(missed, 50); i++) {
                at(peer.pausedUntil - now, () -> {
                    if (peer.up && peer.life == life) {
                        peer.node.tick(peer.clock());
                        afterStep(peer);
                    }
                });
            }
            return;
        }
        peer.node.tick(peer.clock());
        afterStep(peer);
        at(peer.simSpan(TICK_NS), () -> tick(peer, life));
    }

    private void afterStep(SimPeer peer) {
        if (peer.node.isLeader()) {
            invariants.leads(peer.node.term(), peer.id);
        }
        if (peer.node.hasReady() && !peer.readyScheduled) {
            peer.readyScheduled = true;
            int life = peer.life;
            long wait = random.chance(0.05) ? random.between(0, 50 * MS) : random.between(0, 2 * MS);
            at(wait, () -> handleReady(peer, life));
        }
    }

    private void handleReady(SimPeer peer, int life) {
        if (!peer.up || peer.life != life) {
            return;
        }
        if (now < peer.pausedUntil) {
            at(peer.pausedUntil - now, () -> handleReady(peer, life));
            return;
        }
        peer.readyScheduled = false;
        if (!peer.node.hasReady()) {
            return;
        }
        Ready ready = peer.node.ready();
        if (async) {
            handleAsync(peer, ready);
            return;
        }
        peer.checkAppends(ready.entries(), ready.snapshot());
        ready.messagesBeforePersist().forEach(this::send);
        boolean early = bug == Bug.ANSWERS_BEFORE_SYNC;
        if (early) {
            ready.messagesAfterPersist().forEach(this::send);
        }
        if (crashes && !calm && random.chance(0.0005)) {
            crash(peer);
            return;
        }
        peer.disk.write(ready.hardState(), ready.entries(), ready.snapshot());
        if (crashes && !calm && random.chance(early ? 0.01 : 0.0005)) {
            crash(peer);
            return;
        }
        if (ready.mustSync() && bug != Bug.ENTRIES_NOT_SYNCED) {
            peer.disk.sync();
        }
        if (!early) {
            ready.messagesAfterPersist().forEach(this::send);
        }
        if (aroundVotes(peer, ready.hardState())) {
            return;
        }
        if (ready.snapshot() != null) {
            peer.applySnapshot(ready.snapshot());
        }
        peer.apply(ready.committedEntries());
        noteReads(peer, ready);
        peer.node.advance();
        peer.finishReads();
        afterStep(peer);
    }

    /** An election is when a fault hurts most; true if the peer is down now. */
    private boolean aroundVotes(SimPeer peer, HardState state) {
        if (state == null || state.vote() == 0) {
            return false;
        }
        if (crashes && !calm && random.chance(0.1)) {
            crash(peer);
            return true;
        }
        if (cuts && !calm && random.chance(0.2)) {
            peers.values().stream()
                    .filter(each -> each.up && each.node.isLeader())
                    .forEach(this::isolate);
        }
        return false;
    }

    private void noteReads(SimPeer peer, Ready ready) {
        for (Ready.ReadState read : ready.readStates()) {
            long number = ByteBuffer.wrap(read.context()).getLong();
            Long shown = questions.remove(number);
            if (shown != null) {
                peer.waiting.add(new SimPeer.SimRead("read index", read.index(), shown, false));
            }
        }
    }

    // ---- storage threads -----------------------------------------------------------------------------------------

    private void handleAsync(SimPeer peer, Ready ready) {
        noteReads(peer, ready);
        peer.finishReads();
        for (Message m : ready.messagesBeforePersist()) {
            if (m.to() == Message.APPEND_THREAD) {
                peer.appendWork.add(m);
                if (peer.appendWork.size() == 1) {
                    scheduleWork(peer, true);
                }
            } else if (m.to() == Message.APPLY_THREAD) {
                peer.applyWork.add(m);
                if (peer.applyWork.size() == 1) {
                    scheduleWork(peer, false);
                }
            } else {
                send(m);
            }
        }
        afterStep(peer);
    }

    private void scheduleWork(SimPeer peer, boolean append) {
        int life = peer.life;
        long wait = !calm && random.chance(slowDiskChance) ? random.between(0, 2000 * MS) : random.between(0, 3 * MS);
        at(wait, () -> {
            if (peer.up && peer.life == life) {
                // What has come meanwhile is done in the same go, as a disk would.
                boolean alive = true;
                ArrayDeque<Message> work = append ? peer.appendWork : peer.applyWork;
                for (int i = work.size(); alive && i > 0; i--) {
                    alive = append ? storeNext(peer) : applyNext(peer);
                }
                if (alive && !work.isEmpty()) {
                    scheduleWork(peer, append);
                }
            }
        });
    }

    private boolean storeNext(SimPeer peer) {
        Message work = peer.appendWork.poll();
        HardState state = work.term() == 0 ? null : new HardState(work.term(), work.vote(), work.commit());
        boolean early = bug == Bug.ANSWERS_BEFORE_SYNC;
        peer.checkAppends(work.entries(), work.snapshot());
        if (early) {
            respond(peer, work);
        }
        peer.disk.write(state, work.entries(), work.snapshot());
        if (crashes && !calm && random.chance(early ? 0.01 : 0.001)) {
            crash(peer);
            return false;
        }
        if (bug != Bug.ENTRIES_NOT_SYNCED) {
            peer.disk.sync();
        }
        if (work.snapshot() != null) {
            peer.applySnapshot(work.snapshot());
        }
        if (!early) {
            respond(peer, work);
        }
        return !aroundVotes(peer, state);
    }

    private boolean applyNext(SimPeer peer) {
        Message work = peer.applyWork.poll();
        peer.apply(work.entries());
        respond(peer, work);
        return true;
    }

    private void respond(SimPeer peer, Message work) {
        for (Message m : work.responses()) {
            if (m.to() == peer.id) {
                peer.node.step(m, peer.clock());
            } else {
                send(m);
            }
        }
        afterStep(peer);
    }

    private void crash(SimPeer peer) {
        peer.crash();
        crashCount++;
        event(4, peer.id, peer.life, 0);
        at(random.between(0, random.chance(0.6) ? 20 * MS : 3000 * MS), () -> restart(peer));
    }

    private void restart(SimPeer peer) {
        peer.start(false);
        peer.pausedUntil = 0;
        int life = peer.life;
        at(random.below(TICK_NS), () -> tick(peer, life));
        afterStep(peer);
    }

    void appliedEntry(SimPeer peer, Entry entry) {
        if (entry.data().length < 8) {
            return;
        }
        long number = ByteBuffer.wrap(entry.data()).getLong();
        Long taker = writesAt.get(number);
        if (taker != null && taker == peer.id) {
            writesAt.remove(number);
            invariants.wrote(entry.index());
            writes++;
        }
    }

    // ---- network -------------------------------------------------------------------------------------------------

    private void send(Message original) {
        Message message = corrupt(original);
        if (bug == Bug.HOLDER_FORGOTTEN && granted(message)) {
            SimPeer leader = peers.get(message.from());
            at(0, () -> {
                if (leader.up) {
                    leader.node.step(SimMessages.forgedGiveBack(message), leader.clock());
                }
            });
        }
        if (now < cut.getOrDefault(message.from() * 100 + message.to(), 0L) || (!calm && random.chance(lossChance))) {
            event(1, message.from(), message.to(), message.type().code());
            reportSent(message, false);
            return;
        }
        int copies = random.chance(repeatChance) ? 2 : 1;
        for (int i = 0; i < copies; i++) {
            long delay = !calm && random.chance(slowChance) ? random.between(0, 3000 * MS) : random.between(0, 5 * MS);
            at(delay, () -> deliver(message));
        }
    }

    /** What carries messages notices some losses, and of snapshots always whether they arrived. */
    private void reportSent(Message message, boolean arrived) {
        SimPeer sender = peers.get(message.from());
        int life = sender.life;
        if (message.type() == MessageType.SNAP || (!arrived && random.chance(0.2))) {
            at(random.between(100 * MS, 1000 * MS), () -> {
                if (sender.up && sender.life == life) {
                    if (message.type() == MessageType.SNAP) {
                        sender.node.reportSnapshot(message.to(), arrived);
                    } else {
                        sender.node.reportUnreachable(message.to());
                    }
                    afterStep(sender);
                }
            });
        }
    }

    /** Mistakes that can be made by changing what is sent. */
    private Message corrupt(Message m) {
        boolean request = m.type() == MessageType.VOTE || m.type() == MessageType.PRE_VOTE;
        boolean app = m.type() == MessageType.APP;
        boolean heartbeat = m.type() == MessageType.HEARTBEAT;
        return switch (bug) {
            case PROMISE_IGNORED -> request ? SimMessages.marked(m) : m;
            case VOTER_IGNORES_LOGS ->
                m.type() == MessageType.VOTE || m.type() == MessageType.PRE_VOTE
                        ? SimMessages.withLog(m, Long.MAX_VALUE / 2, Long.MAX_VALUE / 2)
                        : m;
            case COMMIT_ANNOUNCED_EARLY ->
                app ? SimMessages.withCommit(m, m.index() + m.entries().size()) : m;
            case OLD_TERMS_COMMITTED_BY_COUNTING ->
                heartbeat || app ? SimMessages.withCommit(m, Math.max(m.commit(), counted(m))) : m;
            case REPLICA_LEASE_TOO_LONG -> granted(m) ? SimMessages.withLongLease(m) : m;
            default -> m;
        };
    }

    private static boolean granted(Message m) {
        return m.replicaLease() != null && m.replicaLease().kind() == ReplicaLease.Kind.GRANT;
    }

    /** What the sender's entries on a majority of disks would commit at the receiver, whatever their term. */
    private long counted(Message m) {
        long held = m.type() == MessageType.APP ? m.index() + m.entries().size() : m.commit();
        return Math.min(onMajority(m.from()), held);
    }

    /** The last index up to which a majority of its voters' disks agrees with this peer's. */
    private long onMajority(long id) {
        SimPeer leader = peers.get(id);
        List<Long> voters = leader.members().voters();
        long[] matches = new long[voters.size()];
        for (int i = 0; i < matches.length; i++) {
            SimPeer peer = peers.get(voters.get(i));
            long at = Math.min(
                    peer.disk.storage().lastIndex(), leader.disk.storage().lastIndex());
            while (at
                            >= Math.max(
                                    peer.disk.storage().firstIndex(),
                                    leader.disk.storage().firstIndex())
                    && peer.disk.storage().term(at) != leader.disk.storage().term(at)) {
                at--;
            }
            matches[i] = at;
        }
        Arrays.sort(matches);
        return matches.length == 0 ? 0 : matches[(matches.length - 1) / 2];
    }

    private void deliver(Message message) {
        SimPeer peer = peers.get(message.to());
        if (!peer.up) {
            event(1, message.from(), message.to(), message.type().code());
            reportSent(message, false);
            return;
        }
        if (now < peer.pausedUntil) {
            at(peer.pausedUntil - now + random.below(MS), () -> deliver(message));
            return;
        }
        event(2, message.from(), message.to(), message.type().code() * 1000L + message.term());
        Message m = message;
        if (bug == Bug.LEASE_COUNTED_FROM_ARRIVAL && m.promiseNs() > 0 && isAnswer(m)) {
            m = SimMessages.withSentNs(m, peer.clock());
        } else if (bug == Bug.PREVIOUS_ENTRY_NOT_CHECKED && m.type() == MessageType.APP) {
            long own = peer.node.termOf(m.index());
            if (own >= 0 && m.index() >= peer.node.commitIndex()) {
                m = SimMessages.withLog(m, own, m.index());
            }
        }
        peer.node.step(m, peer.clock());
        if (m.type() == MessageType.SNAP) {
            reportSent(m, true);
        }
        afterStep(peer);
    }

    private static boolean isAnswer(Message m) {
        return m.type() == MessageType.APP_RESP || m.type() == MessageType.HEARTBEAT_RESP;
    }

    // ---- clients -------------------------------------------------------------------------------------------------

    private void client() {
        // The narrowest windows must be able to catch up in the end.
        at(random.between(0, calm ? 10 * clientEveryNs : clientEveryNs), this::client);
        SimPeer peer = peers.get(ids[(int) random.below(ids.length)]);
        if (!peer.up || now < peer.pausedUntil) {
            return;
        }
        long number = ++operations;
        long kind = random.below(10);
        if (kind < writesInTen && !quiet) {
            SimPeer leader = leaderFor(peer);
            try {
                byte[] data = new byte[8 + (int) random.below(32)];
                ByteBuffer.wrap(data).putLong(number);
                leader.node.propose(data);
                writesAt.put(number, leader.id);
                afterStep(leader);
            } catch (ProposalDroppedException e) {
                return;
            }
        } else if (kind < 9) {
            for (SimPeer each : peers.values()) {
                if (each.up && now >= each.pausedUntil) {
                    leaseRead(each);
                }
            }
        } else {
            readIndex(peer, number);
        }
    }

    /** The leader that the client knows through this peer; the peer itself when it knows none. */
    private SimPeer leaderFor(SimPeer peer) {
        SimPeer leader = peers.get(peer.node.leader());
        return leader != null && leader.up && now >= leader.pausedUntil ? leader : peer;
    }

    private void leaseRead(SimPeer peer) {
        if (!leases) {
            return;
        }
        if (!peer.node.isLeader()) {
            replicaRead(peer);
            return;
        }
        long shown = invariants.shown();
        boolean ready = peer.node.committedInTerm() && peer.applied >= peer.node.termStartIndex();
        long until = peer.node.leaseUntilNs();
        if (bug == Bug.LEASE_KEPT_IN_TRANSFER) {
            peer.leaseBeforeTransfer = Math.max(peer.leaseBeforeTransfer, until);
            until = Math.max(until, peer.leaseBeforeTransfer);
        }
        boolean lease = peer.clock() < until || bug == Bug.LEASE_NOT_CHECKED;
        if (bug == Bug.LEASE_READ_BEFORE_APPLY) {
            if (lease) {
                invariants.read("lease read", peer.id, peer.applied, shown);
                reads++;
            }
            return;
        }
        if (ready && lease) {
            long index = peer.node.commitIndex();
            if (peer.applied >= index) {
                invariants.read("lease read", peer.id, peer.applied, shown);
                reads++;
            }
        }
    }

    private void replicaRead(SimPeer peer) {
        boolean kept = bug == Bug.REPLICA_LEASE_KEPT && peer.node.replicaLeaseUntilNs() != Long.MIN_VALUE;
        if (peer.clock() < peer.node.replicaLeaseUntilNs() || kept) {
            long index = bug == Bug.REPLICA_READ_BEFORE_APPLY ? 0 : peer.node.lastIndex();
            peer.waiting.add(new SimPeer.SimRead("replica lease read", index, invariants.shown(), true));
            peer.finishReads();
        }
    }

    private void readIndex(SimPeer peer, long number) {
        if (bug == Bug.READ_INDEX_NOT_PROVEN) {
            if (peer.node.isLeader() && peer.node.committedInTerm()) {
                peer.waiting.add(new SimPeer.SimRead("read index", peer.node.commitIndex(), invariants.shown(), false));
                peer.finishReads();
            }
            return;
        }
        questions.put(number, invariants.shown());
        byte[] context = ByteBuffer.allocate(8).putLong(number).array();
        peer.node.readIndex(context, peer.clock());
        afterStep(peer);
        if (questions.size() > 1000) {
            questions.pollFirstEntry();
        }
        if (writesAt.size() > 1000) {
            writesAt.pollFirstEntry();
        }
    }

    // ---- faults --------------------------------------------------------------------------------------------------

    private void fault() {
        if (calm) {
            return;
        }
        at(random.between(0, 2 * faultEveryNs), this::fault);
        SimPeer peer = peers.get(ids[(int) random.below(ids.length)]);
        switch ((int) random.below(10)) {
            case 0 -> {
                if (crashes && peer.up) {
                    crash(peer);
                }
            }
            case 1 -> {
                if (pauses && peer.up) {
                    peer.pausedUntil = now + random.between(0, 4000 * MS);
                }
            }
            case 2, 3 -> {
                if (cuts) {
                    cutSome(peer);
                }
            }
            case 4 -> {
                campaign(peer);
                if (replicaLeases && peer.up && random.chance(0.5)) {
                    peer.node.giveBackReplicaLease(peer.clock());
                    afterStep(peer);
                }
            }
            case 5 -> {
                if (crashes && !calm && random.chance(0.3)) {
                    rackFails(peer);
                }
            }
            case 6 -> {
                if (random.chance(0.3)) {
                    cut.clear();
                }
            }
            case 7, 8 -> {
                if (changesMembers) {
                    changeMembers();
                }
            }
            default -> {
                if (transfers && peer.up) {
                    SimPeer leader = leaderFor(peer);
                    leader.node.transferLeader(peer.id, leader.clock());
                    afterStep(leader);
                    if (cuts && !calm && random.chance(0.4)) {
                        at(random.between(0, 10 * MS), () -> isolate(leader));
                    }
                }
            }
        }
    }

    private void isolate(SimPeer victim) {
        long until = now + random.between(100 * MS, 3000 * MS);
        for (long other : ids) {
            cut.put(other * 100 + victim.id, until);
            cut.put(victim.id * 100 + other, until);
        }
    }

    /** Somebody who leads is asked to change the membership: one peer, or several at once. */
    private void changeMembers() {
        for (SimPeer leader : peers.values()) {
            if (leader.up && now >= leader.pausedUntil && leader.node.isLeader()) {
                try {
                    for (int i = bug == Bug.MEMBERSHIP_CHANGES_OVERLAP ? 3 : 1; i > 0; i--) {
                        leader.node.proposeConfChange(nextChange(leader));
                    }
                } catch (ProposalDroppedException e) {
                    return;
                }
                afterStep(leader);
            }
        }
    }

    private ConfChange nextChange(SimPeer leader) {
        ConfState members = leader.node.status().confState();
        if (!members.votersOutgoing().isEmpty()) {
            return ConfChange.leaveJoint();
        }
        TreeMap<Long, ConfChange.Single> changes = new TreeMap<>();
        long count = random.chance(0.6) ? 1 : random.between(1, 3);
        TreeMap<Long, Boolean> voters = new TreeMap<>();
        members.voters().forEach(id -> voters.put(id, true));
        for (long i = 0; i < count; i++) {
            long id = ids[(int) random.below(ids.length)];
            ConfChange.Kind kind = ConfChange.Kind.values()[(int) random.below(4)];
            boolean leaves = kind == ConfChange.Kind.REMOVE || kind == ConfChange.Kind.ADD_LEARNER;
            if (changes.containsKey(id) || (leaves && voters.size() == 1)) {
                continue;
            }
            if (leaves) {
                voters.remove(id);
            } else if (kind == ConfChange.Kind.ADD_VOTER) {
                voters.put(id, true);
            }
            changes.put(id, new ConfChange.Single(kind, id));
        }
        if (changes.isEmpty()) {
            changes.put(1L, new ConfChange.Single(ConfChange.Kind.UPDATE, 1));
        }
        ConfChange.Transition[] transitions = ConfChange.Transition.values();
        return ConfChange.of(transitions[(int) random.below(3)], List.copyOf(changes.values()));
    }

    /** An operator asks for an election. */
    private void campaign(SimPeer peer) {
        if (peer.up && now >= peer.pausedUntil) {
            peer.node.campaign(peer.clock());
            afterStep(peer);
        }
    }

    /** All but one lose power for a moment, and the network to that one fails; an operator does what he can. */
    private void rackFails(SimPeer around) {
        SimPeer outside = leaderFor(around);
        if (cuts) {
            isolate(outside);
        }
        for (SimPeer peer : peers.values()) {
            if (peer != outside && peer.up) {
                crash(peer);
            }
        }
        SimPeer first = peers.get(ids[(int) random.below(ids.length)]);
        at(random.between(20 * MS, 500 * MS), () -> campaign(first));
    }

    /** Cuts some of one peer's links, in one direction or both. */
    private void cutSome(SimPeer around) {
        SimPeer victim = random.chance(0.5) ? leaderFor(around) : around;
        long until = now + random.between(100 * MS, 6000 * MS);
        double share = random.chance(0.5) ? 1 : 0.5;
        boolean to = random.chance(0.8);
        boolean from = !to || random.chance(0.8);
        for (long other : ids) {
            if (other != victim.id && random.chance(share)) {
                if (to) {
                    cut.put(other * 100 + victim.id, until);
                }
                if (from) {
                    cut.put(victim.id * 100 + other, until);
                }
            }
        }
    }

    // ---- what happened -------------------------------------------------------------------------------------------

    public long hash() {
        return hash;
    }

    public int elections() {
        return invariants.elections();
    }

    public String summary() {
        return ids.length + " peers, " + events + " events in " + now / 1_000_000_000L + " s, " + elections()
                + " elections, " + invariants.committedCount() + " entries, " + writes + " writes, " + reads
                + " reads (" + replicaReads + " by replica leases), " + crashCount + " crashes, " + snapshots
                + " snapshots, "
                + changes + " changes of membership applied, hash " + Long.toHexString(hash);
    }
}
