package org.flotilladb.proto.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.netty.buffer.PooledByteBufAllocator;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GetRequest;
import org.flotilladb.proto.Handshake;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.NodeStatusRequest;
import org.flotilladb.proto.NodeStatusResponse;
import org.flotilladb.proto.RaftBatch;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.Transport.Failure;
import org.flotilladb.proto.Transport.ResponseHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A living server and those who send it nonsense: it hangs up on them, serves the others, and keeps its memory. */
@Timeout(120)
class BadInputTest {
    private static final long SEED = Long.getLong("flotilla.seed", 20261129L);
    private static final long LONG_MS = 30_000;

    private static final Envelope QUESTION = Envelope.newBuilder()
            .setStatusRequest(NodeStatusRequest.getDefaultInstance())
            .build();

    private final NettyThreads threads = new NettyThreads("test-bad", 2);
    private final NettyTransport transport = new NettyTransport(threads, HandshakePolicy.CLIENT, () -> {});
    private final AtomicInteger messages = new AtomicInteger();
    private final BlockingQueue<MessageHandler.Responder> held = new LinkedBlockingQueue<>();

    @AfterEach
    void close() {
        transport.close();
        threads.close();
    }

    private NettyServer serve(long intakeBytes) throws IOException {
        MessageHandler handler = new MessageHandler() {
            @Override
            public void onMessage(Envelope message) {
                messages.incrementAndGet();
            }

            @Override
            public void onRequest(Envelope request, Responder responder) {
                if (request.hasStatusRequest()) {
                    responder.respond(Envelope.newBuilder()
                            .setStatusResponse(NodeStatusResponse.getDefaultInstance())
                            .build());
                } else {
                    held.add(responder);
                }
            }
        };
        return NettyServer.bind(
                threads,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0),
                HandshakePolicy.CLIENT,
                handler,
                intakeBytes);
    }

    private Object ask(NettyServer server, Envelope question) throws Exception {
        return begin(server, question).get(LONG_MS, TimeUnit.MILLISECONDS);
    }

    private CompletableFuture<Object> begin(NettyServer server, Envelope question) {
        CompletableFuture<Object> outcome = new CompletableFuture<>();
        transport.request("127.0.0.1:" + server.address().getPort(), question, LONG_MS, new ResponseHandler() {
            @Override
            public void onResponse(Envelope response) {
                outcome.complete(response);
            }

            @Override
            public void onFailure(Failure failure) {
                outcome.complete(failure);
            }
        });
        return outcome;
    }

    private static Socket socket(NettyServer server) throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), server.address().getPort());
    }

    private static byte[] frame(long id, Envelope envelope) {
        byte[] body = envelope.toByteArray();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeInt(8 + body.length);
            out.writeLong(id);
            out.write(body);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return bytes.toByteArray();
    }

    private static byte[] handshake(int version) {
        return frame(
                0,
                Envelope.newBuilder()
                        .setHandshake(Handshake.newBuilder().setProtocolVersion(version))
                        .build());
    }

    private static Envelope get(int keyBytes) {
        return Envelope.newBuilder()
                .setRegionRequest(RegionRequest.newBuilder()
                        .setGet(GetRequest.newBuilder().setKey(ByteString.copyFrom(new byte[keyBytes]))))
                .build();
    }

    /** Shakes hands as a client does. */
    private static void welcome(Socket socket) throws IOException {
        socket.getOutputStream().write(handshake(HandshakePolicy.PROTOCOL_VERSION));
        DataInputStream in = new DataInputStream(socket.getInputStream());
        in.skipNBytes(in.readInt());
    }

    private static byte[] join(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }

    private static byte[] nonsense(SplittableRandom random) {
        byte[] noise = new byte[random.nextInt(1, 300)];
        random.nextBytes(noise);
        byte[] hello = handshake(HandshakePolicy.PROTOCOL_VERSION);
        byte[] request = frame(5, get(random.nextInt(200)));
        return switch (random.nextInt(7)) {
            case 0 -> noise;
            case 1 -> join(hello, noise);
            // Cut short: the sender hangs up in the middle.
            case 2 -> Arrays.copyOf(hello, random.nextInt(hello.length));
            case 3 -> join(hello, Arrays.copyOf(request, random.nextInt(request.length)));
            // A length that is not that of what follows.
            case 4 -> {
                request[random.nextInt(2)] ^= (byte) random.nextInt(1, 256);
                yield join(hello, request);
            }
            case 5 -> {
                for (int i = random.nextInt(1, 5); i > 0; i--) {
                    request[4 + random.nextInt(request.length - 4)] = (byte) random.nextInt();
                }
                yield join(hello, request);
            }
            default -> join(handshake(random.nextInt()), request);
        };
    }

    @Test
    void aLivingServerServesOnWhileOthersSendItNonsense() throws Exception {
        SplittableRandom random = new SplittableRandom(SEED);
        try (NettyServer server = serve(1 << 20)) {
            for (int i = 0; i < 500; i++) {
                try (Socket socket = socket(server)) {
                    socket.getOutputStream().write(nonsense(random));
                } catch (IOException e) {
                    // It has hung up before all of it was sent.
                }
                if (i % 50 == 0) {
                    assertTrue(ask(server, QUESTION) instanceof Envelope, "seed " + SEED + ", round " + i);
                }
            }
            assertTrue(ask(server, QUESTION) instanceof Envelope, "seed " + SEED);
            assertEquals(0, messages.get(), "nothing but a handshake of a node lets messages in");
        }
    }

    @Test
    void lengthsThatAreOnlyClaimedTakeNoMemory() throws Exception {
        List<Socket> sockets = new ArrayList<>();
        try (NettyServer server = serve(1 << 20)) {
            ask(server, QUESTION);
            long before = PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory()
                    + PooledByteBufAllocator.DEFAULT.metric().usedHeapMemory();
            int strangers = 200;
            for (int i = 0; i < strangers; i++) {
                Socket socket = socket(server);
                sockets.add(socket);
                welcome(socket);
                DataOutputStream out = new DataOutputStream(socket.getOutputStream());
                out.writeInt(60 << 20);
                out.writeLong(1);
            }
            // All of it has been read when the last one's neighbour is answered, on each of the two event loops.
            for (int i = 0; i < 4; i++) {
                try (Socket last = socket(server)) {
                    welcome(last);
                    last.getOutputStream().write(frame(1, QUESTION));
                    DataInputStream in = new DataInputStream(last.getInputStream());
                    in.skipNBytes(in.readInt());
                }
            }
            long after = PooledByteBufAllocator.DEFAULT.metric().usedDirectMemory()
                    + PooledByteBufAllocator.DEFAULT.metric().usedHeapMemory();
            assertTrue(after - before < 60 << 20, strangers + " claims of 60 MiB took " + (after - before) + " bytes");
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void messagesOfClientsEndTheirConnection() throws Exception {
        try (NettyServer server = serve(1 << 20);
                Socket socket = socket(server)) {
            welcome(socket);
            socket.getOutputStream()
                    .write(frame(
                            0,
                            Envelope.newBuilder()
                                    .setRaft(RaftBatch.getDefaultInstance())
                                    .build()));
            assertEquals(-1, socket.getInputStream().read(), "the server should hang up");
            assertEquals(0, messages.get());
        }
    }

    @Test
    void requestsUnderWayAreBoundedByTheirBytesOverAllConnections() throws Exception {
        int size = 256 << 10;
        int connections = 8;
        int each = 16;
        long limit = 1 << 20;
        List<Socket> sockets = new ArrayList<>();
        try (NettyServer server = serve(limit)) {
            List<Thread> writers = new ArrayList<>();
            for (int i = 0; i < connections; i++) {
                Socket socket = socket(server);
                sockets.add(socket);
                welcome(socket);
                Thread writer = new Thread(() -> {
                    try {
                        for (int id = 1; id <= each; id++) {
                            socket.getOutputStream().write(frame(id, get(size)));
                        }
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
                writer.start();
                writers.add(writer);
            }
            int answered = 0;
            int most = 0;
            while (answered < connections * each) {
                MessageHandler.Responder next = held.poll(LONG_MS, TimeUnit.MILLISECONDS);
                assertTrue(next != null, "only " + answered + " requests were read: nobody reads on");
                most = Math.max(most, held.size() + 1);
                next.respond(Envelope.newBuilder()
                        .setStatusResponse(NodeStatusResponse.getDefaultInstance())
                        .build());
                answered++;
            }
            for (Thread writer : writers) {
                writer.join();
            }
            // What is read past the limit is one request of each connection.
            assertTrue(most <= limit / size + connections, most + " requests of " + size + " bytes were under way");
            assertTrue(ask(server, QUESTION) instanceof Envelope);
        } finally {
            for (Socket socket : sockets) {
                socket.close();
            }
        }
    }

    @Test
    void requestsThatWaitForAConnectionAreBoundedByTheirBytes() throws Exception {
        try (java.net.ServerSocket silent = new java.net.ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + silent.getLocalPort();
            Envelope large = get(16 << 20);
            List<CompletableFuture<Failure>> outcomes = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                CompletableFuture<Failure> outcome = new CompletableFuture<>();
                outcomes.add(outcome);
                transport.request(address, large, LONG_MS, new ResponseHandler() {
                    @Override
                    public void onResponse(Envelope response) {
                        outcome.completeExceptionally(new AssertionError("nobody answers there"));
                    }

                    @Override
                    public void onFailure(Failure failure) {
                        outcome.complete(failure);
                    }
                });
            }
            assertTrue(outcomes.get(4).isDone(), "64 MiB wait, and one more was taken");
            assertEquals(Failure.Kind.NOT_SENT, outcomes.get(4).get().kind());
            assertTrue(outcomes.get(4).get().message().contains("too many requests wait"));
        }
    }
}
