package org.flotilladb.raft;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Scripts over a group of peers whose application is a list of appended data. */
final class ConformanceInteraction {
    private final TreeMap<Long, Node> nodes = new TreeMap<>();
    private List<Message> messages = new ArrayList<>();
    private StringBuilder output = new StringBuilder();
    private boolean quiet;

    /** One peer with the messages to its storage threads and all its snapshots. */
    private static final class Node {
        final MemoryStorage storage = new MemoryStorage();
        final ArrayDeque<Message> appendWork = new ArrayDeque<>();
        final ArrayDeque<Message> applyWork = new ArrayDeque<>();
        final List<Snapshot> history = new ArrayList<>();
        RawNode raw;
        int electionTick;
        int heartbeatTick;
        boolean async;
    }

    /** A storage whose snapshot is the newest state of the application. */
    private record NewestSnapshot(Node node) implements Storage {
        @Override
        public RaftState initialState() {
            return node.storage.initialState();
        }

        @Override
        public List<Entry> entries(long low, long highExclusive, long maxSizeBytes) {
            return node.storage.entries(low, highExclusive, maxSizeBytes);
        }

        @Override
        public long term(long index) {
            return node.storage.term(index);
        }

        @Override
        public long firstIndex() {
            return node.storage.firstIndex();
        }

        @Override
        public long lastIndex() {
            return node.storage.lastIndex();
        }

        @Override
        public Snapshot snapshot() {
            return node.history.get(node.history.size() - 1);
        }
    }

    /** What a directive reports as its failure; part of the output. */
    private static final class Failure extends Exception {
        private static final long serialVersionUID = 1L;

        Failure(String message) {
            super(message);
        }
    }

    private interface Step {
        void run() throws Failure;
    }

    String handle(ConformanceFile.Case test) {
        output = new StringBuilder();
        String failure = null;
        try {
            run(test);
            if (!takesInput(test)) {
                for (ConformanceFile.Case each : test.further()) {
                    run(each);
                }
            }
        } catch (Failure e) {
            failure = e.getMessage();
        }
        if (failure != null) {
            if (quiet) {
                return failure + "\n";
            }
            output.append(failure).append('\n');
        }
        return output.isEmpty() ? "ok\n" : output.toString();
    }

    /** Whether the lines under the directive belong to it; else each is a further directive. */
    private static boolean takesInput(ConformanceFile.Case test) {
        return test.directive().equals("propose-conf-change");
    }

    /** Drops what an implementation may say in words of its own. */
    static String withoutLogLines(String text) {
        if (text.isEmpty()) {
            // No directive prints nothing: who says nothing was done says "ok".
            return "nothing at all\n";
        }
        StringBuilder kept = new StringBuilder();
        for (String line : text.split("\n")) {
            String trimmed = line.strip();
            boolean log = trimmed.matches("(DEBUG|INFO|WARN|ERROR) .*");
            if (!log && !line.isEmpty()) {
                kept.append(line).append('\n');
            }
        }
        return kept.toString().equals("ok\n") ? "" : kept.toString();
    }

    private void run(ConformanceFile.Case test) throws Failure {
        switch (test.directive()) {
            case "_breakpoint" -> test.wordCount(0, 0);
            case "add-nodes" -> addNodes(test);
            case "campaign" -> onePlain(test).raw.campaign(0);
            case "compact" -> {
                test.onlyKeys();
                test.wordCount(2, 2);
                compact(first(test).storage, Long.parseLong(test.words().get(1)));
                print(raftLog(first(test)));
            }
            case "deliver-msgs" -> deliverMessages(test);
            case "process-ready" -> forEach(test, "handling Ready", this::processReady);
            case "process-append-thread" -> forEach(test, "processing append thread", this::processAppend);
            case "process-apply-thread" -> forEach(test, "processing apply thread", this::processApply);
            case "log-level" -> {
                test.onlyKeys();
                test.wordCount(1, 1);
                setLevel(test.words().get(0));
            }
            case "raft-log" -> print(raftLog(onePlain(test)));
            case "raft-state" -> {
                test.onlyKeys();
                test.wordCount(0, 0);
                nodes.forEach(this::printState);
            }
            case "set-randomized-election-timeout" -> {
                test.onlyKeys("timeout");
                test.wordCount(1, 1);
                first(test).raw.setRandomizedElectionTick(Integer.parseInt(test.value("timeout", "")));
            }
            case "stabilize" -> stabilize(test);
            case "status" ->
                onePlain(test)
                        .raw
                        .status()
                        .peers()
                        .forEach(peer -> print(Long.toUnsignedString(peer.id()) + ": "
                                + ConformanceText.progress(peer.summary()) + "\n"));
            case "tick-election" -> tick(onePlain(test), onePlain(test).electionTick);
            case "tick-heartbeat" -> tick(onePlain(test), onePlain(test).heartbeatTick);
            case "transfer-leadership" -> {
                test.onlyKeys("from", "to");
                test.wordCount(0, 0);
                node(test.value("from", "")).raw.transferLeader(Long.parseLong(test.value("to", "")), 0);
            }
            case "forget-leader" -> onePlain(test).raw.forgetLeader();
            case "send-snapshot" -> sendSnapshot(test);
            case "propose" -> {
                test.onlyKeys();
                test.wordCount(2, 2);
                String data = test.words().get(1);
                propose(() -> first(test).raw.propose(data.getBytes(StandardCharsets.UTF_8)));
            }
            case "propose-conf-change" -> proposeConfChange(test);
            case "report-unreachable" -> {
                test.onlyKeys();
                test.wordCount(2, 2);
                first(test).raw.reportUnreachable(Long.parseLong(test.words().get(1)));
            }
            default -> throw new ConformanceFile.UnknownDirective(test.directive());
        }
    }

    // ---- helpers -------------------------------------------------------------------------------------------------

    private void print(String text) {
        if (!quiet) {
            output.append(text);
        }
    }

    private void indented(Step step) throws Failure {
        StringBuilder outer = output;
        output = new StringBuilder();
        try {
            step.run();
        } finally {
            String inner = output.toString();
            output = outer;
            inner.lines().forEach(line -> print("  " + line + "\n"));
        }
    }

    private Node node(String id) {
        Node node = nodes.get(Long.parseLong(id));
        if (node == null) {
            throw new IllegalArgumentException("there is no node " + id);
        }
        return node;
    }

    private Node first(ConformanceFile.Case test) {
        return node(test.words().get(0));
    }

    private Node onePlain(ConformanceFile.Case test) {
        test.onlyKeys();
        test.wordCount(1, 1);
        return first(test);
    }

    private interface NodeStep {
        void run(Node node) throws Failure;
    }

    private void forEach(ConformanceFile.Case test, String what, NodeStep step) throws Failure {
        test.onlyKeys();
        for (String id : test.words()) {
            if (test.words().size() == 1) {
                step.run(node(id));
            } else {
                print("> " + id + " " + what + "\n");
                indented(() -> step.run(node(id)));
            }
        }
    }

    private void setLevel(String level) {
        switch (level.toUpperCase(Locale.ROOT)) {
            case "DEBUG", "INFO", "WARN", "ERROR", "FATAL" -> quiet = false;
            case "NONE" -> quiet = true;
            default -> throw new ConformanceFile.UnknownDirective("log-level " + level);
        }
    }

    private static void tick(Node node, int count) {
        for (int i = 0; i < count; i++) {
            node.raw.tick(0);
        }
    }

    private interface Proposal {
        void run() throws ProposalDroppedException;
    }

    private static void propose(Proposal proposal) throws Failure {
        try {
            proposal.run();
        } catch (ProposalDroppedException e) {
            throw new Failure("raft proposal dropped");
        }
    }

    // ---- directives ----------------------------------------------------------------------------------------------

    private void addNodes(ConformanceFile.Case test) throws Failure {
        test.onlyKeys(
                "voters",
                "learners",
                "index",
                "content",
                "inflight",
                "async-storage-writes",
                "prevote",
                "checkquorum",
                "max-committed-size-per-ready",
                "disable-conf-change-validation",
                "read-only",
                "step-down-on-removal");
        test.wordCount(1, 1);
        ConfState members = ConfState.of(ids(test.values("voters")), ids(test.values("learners")));
        long index = Long.parseLong(test.value("index", "0"));
        byte[] content = test.value("content", "").getBytes(StandardCharsets.UTF_8);
        boolean begins = index > 0 || content.length > 0 || !members.equals(ConfState.EMPTY);
        if (begins && index <= 1) {
            throw new Failure("index must be specified as > 1 due to bootstrap");
        }
        int count = Integer.parseInt(test.words().get(0));
        for (int i = 0; i < count; i++) {
            Node node = new Node();
            Snapshot snapshot = new Snapshot(index, begins ? 1 : 0, members, content);
            if (begins) {
                node.storage.applySnapshot(snapshot);
            }
            node.history.add(snapshot);
            node.electionTick = 3;
            node.heartbeatTick = 1;
            node.async = test.flag("async-storage-writes");
            long id = nodes.size() + 1L;
            node.raw = new RawNode(config(test, id, node).applied(index).build(), 0);
            nodes.put(id, node);
        }
    }

    private static Config.Builder config(ConformanceFile.Case test, long id, Node node) {
        ReadOnlyOption readOnly = switch (test.value("read-only", "safe")) {
            case "safe" -> ReadOnlyOption.SAFE;
            case "lease-based" -> ReadOnlyOption.LEASE_BASED;
            default -> throw new ConformanceFile.UnknownDirective("read-only=" + test.value("read-only", ""));
        };
        return Config.builder(id, new NewestSnapshot(node))
                .electionTick(node.electionTick)
                .heartbeatTick(node.heartbeatTick)
                .maxSizePerMessageBytes(Long.MAX_VALUE)
                .maxCommittedPerReadyBytes(
                        Long.parseLong(test.value("max-committed-size-per-ready", "" + Long.MAX_VALUE)))
                .maxUncommittedBytes(Long.MAX_VALUE)
                .maxInflightMessages(Integer.parseInt(test.value("inflight", "" + Integer.MAX_VALUE)))
                .asyncStorageWrites(node.async)
                .preVote(test.flag("prevote"))
                .checkQuorum(test.flag("checkquorum"))
                .confChangeValidation(!test.flag("disable-conf-change-validation"))
                .readOnlyOption(readOnly)
                .stepDownOnRemoval(test.flag("step-down-on-removal"))
                .handOverOnRemoval(false)
                .tellNewerTerm(false)
                .commitByVote(false)
                .batchedAppends(false)
                .holdUntilDurable(false);
    }

    private static List<Long> ids(List<String> texts) {
        return texts == null ? List.of() : texts.stream().map(Long::parseLong).toList();
    }

    private void processReady(Node node) {
        Ready ready = node.raw.ready();
        print(ConformanceText.ready(ready));
        if (!node.async) {
            store(node, ready.hardState(), ready.entries(), ready.snapshot());
            apply(node, ready.committedEntries());
        }
        List<Message> sent = new ArrayList<>(ready.messagesBeforePersist());
        sent.addAll(ready.messagesAfterPersist());
        for (Message message : sent) {
            if (message.to() == Message.APPEND_THREAD) {
                node.appendWork.add(message);
            } else if (message.to() == Message.APPLY_THREAD) {
                node.applyWork.add(message);
            } else {
                messages.add(message);
            }
        }
        if (!node.async) {
            node.raw.advance();
        }
    }

    private static void store(Node node, HardState state, List<Entry> entries, Snapshot snapshot) {
        if (state != null) {
            node.storage.setHardState(state);
        }
        if (snapshot != null) {
            node.storage.applySnapshot(snapshot);
        }
        node.storage.append(entries);
    }

    private static void apply(Node node, List<Entry> entries) {
        for (Entry entry : entries) {
            Snapshot last = node.history.get(node.history.size() - 1);
            ConfState members = last.confState();
            byte[] update = entry.data();
            if (entry.type() != EntryType.NORMAL) {
                ConfChange change = ConfChange.decode(entry);
                members = node.raw.applyConfChange(change);
                update = change.context();
            }
            byte[] data = Arrays.copyOf(last.data(), last.data().length + update.length);
            System.arraycopy(update, 0, data, last.data().length, update.length);
            node.history.add(new Snapshot(entry.index(), entry.term(), members, data));
        }
    }

    private void processAppend(Node node) {
        Message work = node.appendWork.poll();
        if (work == null) {
            print("no append work to perform\n");
            return;
        }
        printWork(work);
        store(node, work.hardState(), work.entries(), work.snapshot());
        messages.addAll(work.responses());
    }

    private void processApply(Node node) {
        Message work = node.applyWork.poll();
        if (work == null) {
            print("no apply work to perform\n");
            return;
        }
        printWork(work);
        apply(node, work.entries());
        messages.addAll(work.responses());
    }

    private void printWork(Message work) {
        Message bare = Message.to(work.to(), work.type())
                .from(work.from())
                .term(work.term())
                .vote(work.vote())
                .commit(work.commit())
                .entries(work.entries())
                .snapshot(work.snapshot())
                .build();
        print("Processing:\n" + ConformanceText.message(bare) + "\nResponses:\n");
        work.responses().forEach(response -> print(ConformanceText.message(response) + "\n"));
    }

    private static void compact(MemoryStorage storage, long index) throws Failure {
        if (index < storage.firstIndex()) {
            throw new Failure("requested index is unavailable due to compaction");
        }
        storage.compact(index);
    }

    private static String raftLog(Node node) {
        long first = node.storage.firstIndex();
        long last = node.storage.lastIndex();
        return last < first
                ? "log is empty: first index=" + first + ", last index=" + last + "\n"
                : ConformanceText.entries(node.storage.entries(first, last + 1, Long.MAX_VALUE));
    }

    private void printState(long id, Node node) {
        Status status = node.raw.status();
        ConfState members = status.confState();
        boolean voter =
                members.voters().contains(id) || members.votersOutgoing().contains(id);
        print(id + ": " + ConformanceText.role(status.softState().role()) + (voter ? " (Voter)" : " (Non-Voter)")
                + " Term:" + status.hardState().term() + " Lead:"
                + status.softState().leader() + "\n");
    }

    private void sendSnapshot(ConformanceFile.Case test) {
        test.onlyKeys();
        test.wordCount(2, 2);
        Node from = first(test);
        long fromId = Long.parseLong(test.words().get(0));
        Message message = Message.to(Long.parseLong(test.words().get(1)), MessageType.SNAP)
                .from(fromId)
                .term(from.raw.term())
                .snapshot(from.history.get(from.history.size() - 1))
                .build();
        messages.add(message);
        print(ConformanceText.message(message) + "\n");
    }

    private void proposeConfChange(ConformanceFile.Case test) throws Failure {
        test.onlyKeys("v1", "transition");
        test.wordCount(1, 1);
        List<ConfChange.Single> changes = ConformanceConfChange.parse(String.join(" ", test.input()));
        ConfChange.Transition transition = switch (test.value("transition", "auto")) {
            case "auto" -> ConfChange.Transition.AUTO;
            case "implicit" -> ConfChange.Transition.JOINT_IMPLICIT;
            case "explicit" -> ConfChange.Transition.JOINT_EXPLICIT;
            default -> throw new ConformanceFile.UnknownDirective("transition=" + test.value("transition", ""));
        };
        boolean one = test.flag("v1");
        if (one && (changes.size() != 1 || transition != ConfChange.Transition.AUTO)) {
            throw new Failure("v1 conf change can only have one operation and no transition");
        }
        ConfChange change =
                one ? ConfChange.one(changes.get(0).kind(), changes.get(0).peer()) : ConfChange.of(transition, changes);
        propose(() -> first(test).raw.forceConfChange(change));
    }

    // ---- delivery ------------------------------------------------------------------------------------------------

    private void deliverMessages(ConformanceFile.Case test) {
        test.onlyKeys("drop", "type");
        String type = test.value("type", null);
        if (type != null
                && Arrays.stream(MessageType.values())
                        .noneMatch(each -> ConformanceText.type(each).equals(type))) {
            throw new ConformanceFile.UnknownDirective("deliver-msgs type=" + type);
        }
        List<String> dropped = test.values("drop");
        if (dropped != null && dropped.stream().anyMatch(test.words()::contains)) {
            throw new IllegalArgumentException("messages are both delivered and dropped: " + test.arguments());
        }
        int count = 0;
        for (ConformanceFile.Argument argument : test.arguments()) {
            if (argument.isWord()) {
                count += deliver(Long.parseLong(argument.key()), type, false);
            } else if (argument.key().equals("drop")) {
                for (String id : argument.values()) {
                    count += deliver(Long.parseLong(id), type, true);
                }
            }
        }
        if (count == 0) {
            print("no messages\n");
        }
    }

    private static boolean isLocal(Message m) {
        return m.from() == m.to() || m.from() == Message.APPEND_THREAD || m.from() == Message.APPLY_THREAD;
    }

    private List<Message> split(long to, String type, boolean drop) {
        List<Message> taken = new ArrayList<>();
        List<Message> left = new ArrayList<>();
        for (Message m : messages) {
            boolean matches = m.to() == to
                    && !(drop && isLocal(m))
                    && (type == null || ConformanceText.type(m.type()).equals(type));
            (matches ? taken : left).add(m);
        }
        messages = left;
        return taken;
    }

    private int deliver(long to, String type, boolean drop) {
        List<Message> taken = split(to, type, drop);
        for (Message m : taken) {
            print((drop ? "dropped: " : "") + ConformanceText.message(m) + "\n");
            if (!drop) {
                switch (nodes.get(to).raw.step(m, 0)) {
                    case TAKEN -> {}
                    case UNKNOWN_PEER -> print("raft: cannot step as peer not found\n");
                    case PROPOSAL_DROPPED -> print("raft proposal dropped\n");
                    case LOCAL_MESSAGE -> print("raft: cannot step raft local message\n");
                }
            }
        }
        return taken.size();
    }

    private void stabilize(ConformanceFile.Case test) throws Failure {
        test.onlyKeys("log-level");
        boolean wasQuiet = quiet;
        if (test.value("log-level", null) != null) {
            setLevel(test.value("log-level", null));
        }
        try {
            LinkedHashMap<Long, Node> chosen = new LinkedHashMap<>();
            test.words().forEach(id -> chosen.put(Long.parseLong(id), node(id)));
            stabilize(chosen.isEmpty() ? nodes : chosen);
        } finally {
            quiet = wasQuiet;
        }
    }

    /** Nodes have their turns in the order in which they are given. */
    private void stabilize(Map<Long, Node> chosen) throws Failure {
        boolean moved = true;
        while (moved) {
            moved = false;
            for (var each : chosen.entrySet()) {
                if (each.getValue().raw.hasReady()) {
                    print("> " + each.getKey() + " handling Ready\n");
                    indented(() -> processReady(each.getValue()));
                    moved = true;
                }
            }
            for (long id : chosen.keySet()) {
                if (messages.stream().anyMatch(m -> m.to() == id)) {
                    print("> " + id + " receiving messages\n");
                    indented(() -> deliver(id, null, false));
                    moved = true;
                }
            }
            for (var each : chosen.entrySet()) {
                moved |=
                        work(each.getKey(), "append", each.getValue().appendWork, () -> processAppend(each.getValue()));
            }
            for (var each : chosen.entrySet()) {
                moved |= work(each.getKey(), "apply", each.getValue().applyWork, () -> processApply(each.getValue()));
            }
        }
    }

    private boolean work(long id, String thread, ArrayDeque<Message> queue, Step step) throws Failure {
        if (queue.isEmpty()) {
            return false;
        }
        print("> " + id + " processing " + thread + " thread\n");
        while (!queue.isEmpty()) {
            indented(step);
        }
        return true;
    }
}
