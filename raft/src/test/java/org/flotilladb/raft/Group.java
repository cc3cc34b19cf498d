package org.flotilladb.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongUnaryOperator;
import java.util.function.Predicate;

/** A group of peers in memory for tests: messages move when the test says so, and time passes when it says so. */
final class Group {
    static final long TICK_NS = 100_000_000L;
    static final long PROMISE_NS = 1_000_000_000L;
    static final double RATE_ERROR = 0.05;
    static final long MARGIN_NS = 1_000_000L;

    private final TreeMap<Long, Peer> peers = new TreeMap<>();
    private final ArrayDeque<Message> wire = new ArrayDeque<>();
    private final long[] voters;
    private final Consumer<Config.Builder> settings;
    private Predicate<Message> filter = message -> true;
    private final TreeMap<Long, LongUnaryOperator> clocks = new TreeMap<>();
    /** True time; each peer's own clock shows the same unless {@link #clock} says otherwise. */
    long nowNs;

    /** One peer with its storage and what it has applied. */
    final class Peer {
        final long id;
        final MemoryStorage storage;
        final List<String> applied = new ArrayList<>();
        final List<Ready.ReadState> reads = new ArrayList<>();
        RawNode node;

        Peer(long id, MemoryStorage storage) {
            this.id = id;
            this.storage = storage;
            if (storage.firstIndex() == 1 && voters.length > 0) {
                storage.setConfState(ConfState.of(Arrays.stream(voters).boxed().toList(), List.of()));
            }
            start();
        }

        void start() {
            Config.Builder builder = Config.builder(id, storage).seed(id);
            settings.accept(builder);
            node = new RawNode(builder.build(), clock(id));
            applied.clear();
        }

        /** Handles one Ready in the documented order; returns it. */
        Ready handle() {
            Ready ready = node.ready();
            ready.messagesBeforePersist().forEach(Group.this::send);
            persist(ready);
            ready.messagesAfterPersist().forEach(Group.this::send);
            finish(ready);
            return ready;
        }

        void persist(Ready ready) {
            if (ready.hardState() != null) {
                storage.setHardState(ready.hardState());
            }
            if (ready.snapshot() != null) {
                storage.applySnapshot(ready.snapshot());
            }
            storage.append(ready.entries());
        }

        void finish(Ready ready) {
            for (Entry entry : ready.committedEntries()) {
                if (entry.type() != EntryType.NORMAL) {
                    node.applyConfChange(ConfChange.decode(entry));
                }
                applied.add(new String(entry.data(), java.nio.charset.StandardCharsets.UTF_8));
            }
            if (!ready.committedEntries().isEmpty()) {
                long last = ready.committedEntries()
                        .get(ready.committedEntries().size() - 1)
                        .index();
                storage.createSnapshot(last, node.status().confState(), null);
            }
            reads.addAll(ready.readStates());
            node.advance();
        }

        void handleAll() {
            while (node.hasReady()) {
                handle();
            }
        }

        /** "term/index" of every entry, such as "1/1 1/2 2/3". */
        String log() {
            StringBuilder text = new StringBuilder();
            for (long i = storage.firstIndex(); i <= storage.lastIndex(); i++) {
                text.append(text.isEmpty() ? "" : " ")
                        .append(storage.term(i))
                        .append('/')
                        .append(i);
            }
            return text.toString();
        }

        void propose(String data) throws ProposalDroppedException {
            node.propose(data.getBytes(java.nio.charset.StandardCharsets.UTF_8));
        }
    }

    private Group(int size, Consumer<Config.Builder> settings) {
        this.settings = settings;
        voters = new long[size];
        for (int i = 0; i < size; i++) {
            voters[i] = i + 1;
        }
    }

    static Group of(int size) {
        return of(size, builder -> {});
    }

    static Group of(int size, Consumer<Config.Builder> settings) {
        Group group = new Group(size, settings);
        for (long id : group.voters) {
            group.peers.put(id, group.new Peer(id, new MemoryStorage()));
        }
        return group;
    }

    /** With leases; peers of a new group have promised nothing. */
    static Group withLeases(int size) {
        return of(
                size,
                builder -> builder.leases(PROMISE_NS, RATE_ERROR, MARGIN_NS).promiseAtStart(false));
    }

    /** Peers whose logs hold one entry per given term, as if from earlier lives; their hard state has the last term. */
    static Group withLogs(Consumer<Config.Builder> settings, long[]... termsOfPeers) {
        Group group = new Group(termsOfPeers.length, settings);
        for (int i = 0; i < termsOfPeers.length; i++) {
            MemoryStorage storage = new MemoryStorage();
            List<Entry> entries = new ArrayList<>();
            for (long term : termsOfPeers[i]) {
                entries.add(new Entry(EntryType.NORMAL, term, entries.size() + 1L, null));
            }
            storage.append(entries);
            long last = termsOfPeers[i].length == 0 ? 0 : termsOfPeers[i][termsOfPeers[i].length - 1];
            storage.setHardState(new HardState(last, 0, 0));
            long id = i + 1L;
            group.peers.put(id, group.new Peer(id, storage));
        }
        return group;
    }

    /**
     * A group whose membership may change: its first members begin after a snapshot of entry 1; the other peers, up to
     * {@code peers}, know nothing yet.
     */
    static Group joinable(ConfState members, int peers, Consumer<Config.Builder> settings) {
        Group group = new Group(0, settings);
        for (long id = 1; id <= peers; id++) {
            MemoryStorage storage = new MemoryStorage();
            if (members.contains(id)) {
                storage.applySnapshot(new Snapshot(1, 1, members, null));
            }
            group.peers.put(id, group.new Peer(id, storage));
        }
        return group;
    }

    /** Makes the change on the leader and lets it settle. */
    void change(ConfChange change) throws ProposalDroppedException {
        node(leader()).proposeConfChange(change);
        settle();
        ticks(3);
    }

    ConfState members(long id) {
        return node(id).status().confState();
    }

    Peer peer(long id) {
        return peers.get(id);
    }

    RawNode node(long id) {
        return peers.get(id).node;
    }

    void send(Message message) {
        if (filter.test(message)) {
            wire.add(message);
        }
    }

    /** Only messages that pass are sent from now on. */
    void filter(Predicate<Message> passes) {
        filter = passes;
    }

    void heal() {
        filter = message -> true;
    }

    /** Nothing reaches or leaves this peer. */
    void isolate(long id) {
        filter(message -> message.from() != id && message.to() != id);
    }

    /** What is under way; removed from the wire. */
    List<Message> takeWire() {
        List<Message> taken = new ArrayList<>(wire);
        wire.clear();
        return taken;
    }

    void deliver(Message message) {
        node(message.to()).step(message, clock(message.to()));
    }

    /** Handles Readies and delivers messages until nothing moves. */
    void settle() {
        for (int round = 0; round < 10_000; round++) {
            boolean quiet = true;
            for (Peer peer : peers.values()) {
                quiet &= !peer.node.hasReady();
                peer.handleAll();
            }
            if (quiet && wire.isEmpty()) {
                return;
            }
            int count = wire.size();
            for (int i = 0; i < count; i++) {
                deliver(wire.poll());
            }
        }
        throw new AssertionError("the group does not come to rest");
    }

    /** One tick of everybody, then rest. */
    void tick() {
        nowNs += TICK_NS;
        for (Peer peer : peers.values()) {
            peer.node.tick(clock(peer.id));
        }
        settle();
    }

    void ticks(int count) {
        for (int i = 0; i < count; i++) {
            tick();
        }
    }

    /** Makes the peer the leader. */
    Peer elect(long id) {
        node(id).campaign(clock(id));
        settle();
        if (!node(id).isLeader()) {
            throw new AssertionError("peer " + id + " was not elected: " + this);
        }
        return peer(id);
    }

    /** The peer forgets everything but its storage. */
    void restart(long id) {
        peers.get(id).start();
    }

    /** What a peer's clock shows now. */
    long clock(long id) {
        LongUnaryOperator clock = clocks.get(id);
        return clock == null ? nowNs : clock.applyAsLong(nowNs);
    }

    /** From now on the peer's clock shows this function of true time. */
    void clock(long id, LongUnaryOperator shows) {
        clocks.put(id, shows);
    }

    /** Who leads, in the newest term that has a leader; 0 for nobody. */
    long leader() {
        long leader = 0;
        long term = -1;
        for (Peer peer : peers.values()) {
            if (peer.node.isLeader() && peer.node.term() > term) {
                leader = peer.id;
                term = peer.node.term();
            }
        }
        return leader;
    }

    Iterable<Peer> all() {
        return peers.values();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Peer peer : peers.values()) {
            text.append(peer.node).append('\n');
        }
        return text.toString();
    }
}
