package org.flotilladb.raft.sim;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.stream.LongStream;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
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
    static final long MS = 1_000_000L;
    private static final long CALM_SPAN_NS = 10_000 * MS;
    private static final int MAX_CALM_SPANS = 360;

    final SimRandom random;
    /** All peers that there may be; some belong to the group from the start. */
    final long[] ids;

    final Invariants invariants = new Invariants();
    final boolean eagerCommit;
    final int maxInflight;
    final long maxMessageBytes;
    private final Bug bug;
    final TreeMap<Long, SimPeer> peers = new TreeMap<>();
    private final PriorityQueue<Event> queue = new PriorityQueue<>();
    final SimClients clients = new SimClients(this);
    private final SimFaults faults = new SimFaults(this);

    private final double lossChance;
    private final double repeatChance;
    private final double slowChance;
    final boolean cuts;
    final boolean crashes;
    final boolean pauses;
    final boolean transfers;
    final boolean changesMembers;
    final boolean async;
    private final double slowDiskChance;
    final boolean batchedAppends;
    final long maxCommittedBytes;
    final double saveChance;
    final long keepEntries;
    final boolean leases;
    final boolean replicaLeases;
    /** Operators change the promised election timeout of the cluster, peer by peer. */
    private final boolean changesPromise;

    private final SimRandom promises;
    final int restAfterTicks;
    private final SimRandom rests;
    private final SimRandom installs;
    final boolean preVote;
    final long faultEveryNs;
    final long clientEveryNs;
    final long writesInTen;

    /** No more faults. */
    boolean calm;
    /** No more writes. */
    boolean quiet;

    long now;
    private long sequence;
    private long events;
    private long hash = 17;
    long reads;
    long replicaReads;
    private long crashCount;
    long writes;
    long leaderRests;
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
        boolean undisturbed = shape.chance(0.25);
        lossChance = undisturbed || shape.chance(0.3) ? 0 : shape.fraction() * 0.2;
        repeatChance = undisturbed || shape.chance(0.3) ? 0 : shape.fraction() * 0.2;
        slowChance = undisturbed || shape.chance(0.3) ? 0 : shape.fraction() * (shape.chance(0.5) ? 0.05 : 0.3);
        cuts = !undisturbed && shape.chance(0.7);
        crashes = !undisturbed && shape.chance(0.7);
        pauses = !undisturbed && shape.chance(0.5);
        transfers = shape.chance(0.8);
        leases = shape.chance(0.75);
        promises = random.fork("promises");
        changesPromise = leases && promises.chance(0.3);
        rests = random.fork("rests");
        installs = random.fork("installs");
        restAfterTicks = rests.chance(0.4) ? (int) rests.between(1, 10) : 0;
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

    /** How long clients want nothing now and then, so that the group goes to rest. */
    long clientsPauseNs() {
        return restAfterTicks > 0 && rests.chance(0.01) ? rests.between(1000, 8000) * MS : 0;
    }

    boolean installsSlowly() {
        return installs.chance(0.5);
    }

    long installNs() {
        return installs.between(0, 3000) * MS;
    }

    /** What a peer that starts promises. */
    long promiseNs() {
        return changesPromise ? promises.between(1, 4) * PROMISE_NS : PROMISE_NS;
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
        at(random.below(10 * MS), clients::run);
        at(faultEveryNs, faults::run);
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
        faults.heal();
        peers.values().forEach(peer -> peer.pausedUntil = 0);
        long writesBefore = writes;
        runUntil(() -> writes > writesBefore, "no progress");
        quiet = true;
        if (!preVote) {
            runSpan();
            stopTheRemoved();
        }
        runUntil(this::allEqual, "a member stays behind");
    }

    /** Without pre-vote, who does not know that it was removed disturbs the others: whoever embeds the library stops it. */
    private void stopTheRemoved() {
        SimPeer newest = peers.values().stream()
                .max(Comparator.comparingLong(peer -> peer.applied))
                .orElseThrow();
        for (SimPeer peer : peers.values()) {
            if (!newest.members().contains(peer.id)) {
                peer.up = false;
            }
        }
    }

    private void runSpan() {
        for (long until = now + CALM_SPAN_NS; now < until; ) {
            runNext();
        }
    }

    private void runUntil(BooleanSupplier reached, String otherwise) {
        for (int span = 0; span < MAX_CALM_SPANS; span++) {
            runSpan();
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

    void at(long delay, Runnable action) {
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
        boolean rested = peer.node.isResting();
        peer.node.tick(peer.clock());
        if (!rested && peer.node.isResting()) {
            rested(peer);
        }
        afterStep(peer);
        at(peer.simSpan(TICK_NS), () -> tick(peer, life));
    }

    void afterStep(SimPeer peer) {
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

    private void rested(SimPeer peer) {
        leaderRests++;
        event(6, peer.id, peer.node.lastIndex(), 0);
        if (crashes && !calm && rests.chance(0.1)) {
            crash(peer);
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
            peer.installSnapshot(ready.snapshot());
        }
        peer.apply(ready.committedEntries());
        clients.proven(peer, ready);
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
                    .forEach(faults::isolate);
        }
        return false;
    }

    // ---- storage threads -----------------------------------------------------------------------------------------

    private void handleAsync(SimPeer peer, Ready ready) {
        clients.proven(peer, ready);
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
        HardState state = work.hardState();
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

    void crash(SimPeer peer) {
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
        if (faults.isCut(message.from(), message.to()) || (!calm && random.chance(lossChance))) {
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
                + " reads (" + replicaReads + " by replica leases), " + leaderRests + " rests, " + crashCount
                + " crashes, " + snapshots
                + " snapshots, "
                + changes + " changes of membership applied, hash " + Long.toHexString(hash);
    }
}
