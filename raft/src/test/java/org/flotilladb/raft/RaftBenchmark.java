package org.flotilladb.raft;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * What the library itself costs, without network and disk: proposals of 100 bytes through a group of three in one thread,
 * and a tick of a Store with many groups at rest. {@code .ci/raft-figures} runs {@link #main}: beside each score stand the
 * bytes allocated (gc.alloc.rate.norm) and the processor time (cpu) per operation, all three peers and the proposal's own
 * bytes included. Half of the bytes are what one entry costs for one follower.
 */
@Fork(
        value = 1,
        jvmArgs = {"-Xmx1g", "-XX:+UseParallelGC"})
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RaftBenchmark {
    private static final int BATCH = 64;

    public static void main(String[] args) throws RunnerException {
        new Runner(new OptionsBuilder()
                        .include(RaftBenchmark.class.getSimpleName())
                        .addProfiler("gc")
                        .addProfiler(ProcessorTime.class)
                        .build())
                .run();
    }

    /** Three peers and nothing between them. */
    @State(Scope.Thread)
    public static class Three {
        private static final int KEEP = 10_000;

        final List<RawNode> nodes = new ArrayList<>();
        final List<MemoryStorage> storages = new ArrayList<>();
        final ArrayDeque<Message> wire = new ArrayDeque<>();

        @Setup
        public void setup() {
            for (long id = 1; id <= 3; id++) {
                MemoryStorage storage = new MemoryStorage();
                storage.setConfState(ConfState.ofVoters(1L, 2L, 3L));
                storages.add(storage);
                nodes.add(new RawNode(Config.builder(id, storage).seed(id).build(), 0));
            }
            nodes.get(0).campaign(0);
            pump();
        }

        void pump() {
            boolean moved = true;
            while (moved) {
                moved = false;
                for (int i = 0; i < 3; i++) {
                    RawNode node = nodes.get(i);
                    if (node.hasReady()) {
                        moved = true;
                        Ready ready = node.ready();
                        wire.addAll(ready.messagesBeforePersist());
                        if (ready.hardState() != null) {
                            storages.get(i).setHardState(ready.hardState());
                        }
                        storages.get(i).append(ready.entries());
                        wire.addAll(ready.messagesAfterPersist());
                        node.advance();
                    }
                }
                Message message;
                while ((message = wire.poll()) != null) {
                    moved = true;
                    nodes.get((int) message.to() - 1).step(message, 0);
                }
            }
        }

        void compact() {
            for (int i = 0; i < 3; i++) {
                long applied = nodes.get(i).appliedIndex();
                if (applied - storages.get(i).firstIndex() > 2 * KEEP) {
                    storages.get(i).compact(applied - KEEP);
                }
            }
        }
    }

    @Benchmark
    @BenchmarkMode(Mode.Throughput)
    @OutputTimeUnit(TimeUnit.SECONDS)
    @OperationsPerInvocation(BATCH)
    public long proposalsInBatches(Three group) throws ProposalDroppedException {
        for (int i = 0; i < BATCH; i++) {
            group.nodes.get(0).propose(new byte[100]);
        }
        group.pump();
        group.compact();
        return group.nodes.get(0).commitIndex();
    }

    @Benchmark
    @BenchmarkMode(Mode.Throughput)
    @OutputTimeUnit(TimeUnit.SECONDS)
    public long proposalsOneByOne(Three group) throws ProposalDroppedException {
        group.nodes.get(0).propose(new byte[100]);
        group.pump();
        group.compact();
        return group.nodes.get(0).commitIndex();
    }

    /** A Store's part in many groups: all of them at rest, but for ten. */
    @State(Scope.Thread)
    public static class Many {
        private static final int AWAKE = 10;

        @Param({"10", "10000"})
        int resting;

        final List<RawNode> all = new ArrayList<>();
        final TickList list = new TickList();

        @Setup
        public void setup() {
            for (int i = 0; i < resting + AWAKE; i++) {
                MemoryStorage storage = new MemoryStorage();
                storage.setConfState(ConfState.ofVoters(1L, 2L, 3L));
                RawNode node = new RawNode(
                        Config.builder(2, storage)
                                .seed(i)
                                .electionTick(1_000_000_000)
                                .restAfterTicks(10)
                                .build(),
                        0);
                Message heartbeat =
                        Message.to(2, MessageType.HEARTBEAT).from(1).term(1).build();
                node.step(heartbeat, 0);
                node.step(entry(), 0);
                storage.append(node.ready().entries());
                node.advance();
                boolean rests = i >= AWAKE;
                node.step(
                        Message.to(2, MessageType.HEARTBEAT)
                                .from(1)
                                .term(1)
                                .commit(1)
                                .log(1, rests ? 1 : 0)
                                .build(),
                        0);
                node.ready();
                node.advance();
                if (node.isResting() != rests) {
                    throw new IllegalStateException("group " + i + " " + node);
                }
                all.add(node);
                list.touched(node);
            }
            list.tick(0, node -> {});
        }

        private static Message entry() {
            return Message.to(2, MessageType.APP)
                    .from(1)
                    .term(1)
                    .entries(List.of(new Entry(EntryType.NORMAL, 1, 1, null)))
                    .build();
        }
    }

    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    @OutputTimeUnit(TimeUnit.NANOSECONDS)
    public int tickOfAStore(Many many) {
        many.list.tick(0, node -> {});
        return many.list.size();
    }

    @Benchmark
    @BenchmarkMode(Mode.AverageTime)
    @OutputTimeUnit(TimeUnit.NANOSECONDS)
    public int tickOfAStoreThatAsksEveryGroup(Many many) {
        for (RawNode node : many.all) {
            node.tick(0);
        }
        return many.all.size();
    }
}
