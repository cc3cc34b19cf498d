package org.flotilladb.region.simulation;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.TextFormat;
import java.io.PrintStream;
import java.util.TreeMap;
import java.util.TreeSet;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.SnapshotChunkResponse;
import org.flotilladb.proto.Transport;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.Scheduler.Cancellable;

/**
 * Links between simulated processes. Every message goes through protobuf bytes. Links delay, lose, repeat and reorder
 * one-way messages; requests are delayed and lost, in either direction, but not repeated (a connection does not). A cut
 * goes one way.
 */
public final class SimNetwork {
    private final SimTime time;
    private final RandomSource random;
    private final EventHash hash;
    private final FaultCounts faults;
    private final TreeMap<String, Endpoint> endpoints = new TreeMap<>();
    private final TreeSet<String> cuts = new TreeSet<>();

    private PrintStream trace;
    private int lossPerMille;
    private int repeatPerMille;
    private int latePerMille;
    private int damagePerMille;
    private long minDelayNs = 50_000;
    private long maxDelayNs = 500_000;
    private long lateNs = 300_000_000L;

    public SimNetwork(SimTime time, RandomSource random, EventHash hash, FaultCounts faults) {
        this.time = time;
        this.random = random;
        this.hash = hash;
        this.faults = faults;
    }

    /** Prints every request and answer, and every Raft message, as it leaves. */
    public void trace(PrintStream to) {
        trace = to;
    }

    private void traced(String from, String to, String what, Envelope message) {
        if (trace != null) {
            trace.println(time.nowNs() / 1000 + " us " + from + " -> " + to + " " + what + " "
                    + TextFormat.printer().emittingSingleLine(true).printToString(message));
        }
    }

    /** Sets how bad links are; each of a thousand messages. */
    public void faults(int loss, int repeat, int late) {
        this.lossPerMille = loss;
        this.repeatPerMille = repeat;
        this.latePerMille = late;
    }

    /** Sets how often the rows of a snapshot are damaged; of a thousand answers. */
    public void damage(int perMille) {
        damagePerMille = perMille;
    }

    /** Changes a byte of a row, or loses one. */
    private Envelope damaged(Envelope answer) {
        SnapshotChunkResponse chunk = answer.getRegionResponse().getSnapshotChunk();
        if (damagePerMille == 0 || chunk.getRowsCount() == 0 || random.nextInt(1000) >= damagePerMille) {
            return answer;
        }
        faults.add("snapshot rows damaged");
        SnapshotChunkResponse.Builder other = chunk.toBuilder();
        int at = random.nextInt(chunk.getRowsCount());
        byte[] value = chunk.getRows(at).getValue().toByteArray();
        if (value.length == 0) {
            other.removeRows(at);
        } else {
            value[random.nextInt(value.length)] ^= 1;
            other.setRows(at, chunk.getRows(at).toBuilder().setValue(ByteString.copyFrom(value)));
        }
        return Envelope.newBuilder()
                .setRegionResponse(RegionResponse.newBuilder().setSnapshotChunk(other))
                .build();
    }

    /** Makes a process reachable; a later life replaces an earlier one. */
    public void register(String address, SimNode node, MessageHandler handler) {
        endpoints.put(address, new Endpoint(node, handler));
    }

    public void unregister(String address) {
        endpoints.remove(address);
    }

    /** Cuts the way from one address to another. */
    public void cut(String from, String to) {
        cuts.add(from + ">" + to);
    }

    /** Mends that way. */
    public void join(String from, String to) {
        cuts.remove(from + ">" + to);
    }

    public void healCuts() {
        cuts.clear();
    }

    /** No loss, no cuts, no late messages from here on. */
    public void heal() {
        healCuts();
        faults(0, 0, 0);
        damage(0);
    }

    /** The transport of one life of a process. */
    public Transport transport(String address, SimNode node) {
        return new SimTransport(address, node);
    }

    private boolean lost(String from, String to) {
        if (cuts.contains(from + ">" + to)) {
            faults.add("message cut");
            return true;
        }
        if (lossPerMille > 0 && random.nextInt(1000) < lossPerMille) {
            faults.add("message lost");
            return true;
        }
        return false;
    }

    /** A message on its way is lost too when the way is cut. */
    private boolean cutNow(String from, String to) {
        boolean cut = cuts.contains(from + ">" + to);
        if (cut) {
            faults.add("message cut");
        }
        return cut;
    }

    /** A suspended machine's network is off. */
    private boolean asleep(SimNode node) {
        if (node.suspended()) {
            faults.add("message to a suspended machine lost");
        }
        return node.suspended();
    }

    private long delayNs() {
        long delay = minDelayNs + random.nextInt((int) (maxDelayNs - minDelayNs));
        if (latePerMille > 0 && random.nextInt(1000) < latePerMille) {
            faults.add("message late");
            delay += random.nextInt((int) lateNs);
        }
        return delay;
    }

    private static Envelope parse(byte[] bytes) {
        try {
            return Envelope.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a message did not survive its own encoding", e);
        }
    }

    private record Endpoint(SimNode node, MessageHandler handler) {}

    private final class SimTransport implements Transport {
        private final String self;
        private final SimNode node;

        SimTransport(String self, SimNode node) {
            this.self = self;
            this.node = node;
        }

        @Override
        public void send(String address, Envelope message) {
            if (!node.maySend()) {
                return;
            }
            byte[] bytes = message.toByteArray();
            hash.event(2, bytes.length, bytes);
            traced(self, address, "sends", message);
            if (lost(self, address)) {
                return;
            }
            deliver(address, bytes);
            if (repeatPerMille > 0 && random.nextInt(1000) < repeatPerMille) {
                faults.add("message repeated");
                deliver(address, bytes);
            }
        }

        private void deliver(String address, byte[] bytes) {
            time.schedule(delayNs(), () -> {
                Endpoint to = endpoints.get(address);
                if (to != null && !cutNow(self, address) && !asleep(to.node)) {
                    to.node.run(() -> to.handler.onMessage(parse(bytes)));
                }
            });
        }

        @Override
        public void request(String address, Envelope request, long timeoutMs, ResponseHandler handler) {
            if (!node.maySend()) {
                return;
            }
            Once once = new Once(node, handler);
            once.timer = node.schedule(
                    timeoutMs * 1_000_000L,
                    () -> once.fail(new Failure(Failure.Kind.TIMED_OUT, "no answer from " + address)));
            Endpoint target = endpoints.get(address);
            if (target == null || target.node.dead()) {
                time.schedule(
                        delayNs(), () -> once.fail(new Failure(Failure.Kind.NOT_SENT, "no connection to " + address)));
                return;
            }
            byte[] bytes = request.toByteArray();
            hash.event(3, bytes.length, bytes);
            traced(self, address, "asks", request);
            if (lost(self, address)) {
                return;
            }
            time.schedule(delayNs(), () -> {
                Endpoint to = endpoints.get(address);
                if (to != target) {
                    once.fail(new Failure(Failure.Kind.LOST, "the connection to " + address + " broke"));
                    return;
                }
                if (cutNow(self, address) || asleep(to.node)) {
                    return;
                }
                to.node.run(() -> to.handler.onRequest(parse(bytes), response -> {
                    if (to.node.dead()) {
                        return;
                    }
                    byte[] answer = damaged(response).toByteArray();
                    hash.event(4, answer.length, answer);
                    traced(address, self, "answers", response);
                    if (lost(address, self)) {
                        return;
                    }
                    time.schedule(delayNs(), () -> {
                        if (!cutNow(address, self) && !asleep(node)) {
                            once.answer(parse(answer));
                        }
                    });
                }));
            });
        }

        @Override
        public void close() {}
    }

    /** Calls a handler once, in the caller's process. */
    private static final class Once {
        private final SimNode node;
        private final Transport.ResponseHandler handler;
        private boolean done;
        private Cancellable timer = () -> {};

        Once(SimNode node, Transport.ResponseHandler handler) {
            this.node = node;
            this.handler = handler;
        }

        void answer(Envelope response) {
            node.run(() -> {
                if (!done) {
                    done = true;
                    timer.cancel();
                    handler.onResponse(response);
                }
            });
        }

        void fail(Transport.Failure failure) {
            node.run(() -> {
                if (!done) {
                    done = true;
                    timer.cancel();
                    handler.onFailure(failure);
                }
            });
        }
    }
}
