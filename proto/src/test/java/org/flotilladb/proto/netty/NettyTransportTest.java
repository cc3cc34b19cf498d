package org.flotilladb.proto.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.flotilladb.proto.ClusterInfoResponse;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GetRequest;
import org.flotilladb.proto.GetResponse;
import org.flotilladb.proto.Handshake;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.NodeStatusRequest;
import org.flotilladb.proto.NodeStatusResponse;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RaftBatch;
import org.flotilladb.proto.RegionError;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.Transport.Failure;
import org.flotilladb.proto.Transport.ResponseHandler;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Connections over loopback: answers, failures by kind, and connections that come back. */
@Timeout(60)
class NettyTransportTest {
    private static final long LONG_MS = 30_000;

    private final NettyThreads threads = new NettyThreads("test-net", 2);
    private final NettyTransport transport = new NettyTransport(threads, HandshakePolicy.CLIENT, () -> {});

    @AfterEach
    void close() {
        transport.close();
        threads.close();
    }

    /** Answers a status request with the pid it counts; other requests wait for whoever takes their responder. */
    private static final class Node implements MessageHandler {
        private final BlockingQueue<Envelope> messages = new LinkedBlockingQueue<>();
        private final BlockingQueue<Responder> held = new LinkedBlockingQueue<>();
        private long count;

        @Override
        public void onMessage(Envelope message) {
            messages.add(message);
        }

        @Override
        public synchronized void onRequest(Envelope request, Responder responder) {
            if (request.hasStatusRequest()) {
                responder.respond(status(++count));
            } else {
                held.add(responder);
            }
        }
    }

    private static Envelope status(long pid) {
        return Envelope.newBuilder()
                .setStatusResponse(NodeStatusResponse.newBuilder().setPid(pid))
                .build();
    }

    private static final Envelope QUESTION = Envelope.newBuilder()
            .setStatusRequest(NodeStatusRequest.getDefaultInstance())
            .build();

    private static final Envelope HELD = Envelope.newBuilder()
            .setRegionRequest(RegionRequest.newBuilder().setGet(GetRequest.getDefaultInstance()))
            .build();

    private NettyServer serve(int port, MessageHandler handler) throws IOException {
        return NettyServer.bind(
                threads,
                new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
                HandshakePolicy.CLIENT,
                handler);
    }

    private static String address(NettyServer server) {
        return "127.0.0.1:" + server.address().getPort();
    }

    /** What came of one request: never twice. */
    private static final class Outcome implements ResponseHandler {
        private final CompletableFuture<Object> result = new CompletableFuture<>();

        @Override
        public void onResponse(Envelope response) {
            if (!result.complete(response)) {
                throw new IllegalStateException("answered twice");
            }
        }

        @Override
        public void onFailure(Failure failure) {
            if (!result.complete(failure)) {
                throw new IllegalStateException("answered twice");
            }
        }

        Object get() throws Exception {
            return result.get(LONG_MS, TimeUnit.MILLISECONDS);
        }

        Failure failure() throws Exception {
            return (Failure) get();
        }
    }

    private Outcome ask(String address, Envelope question, long timeoutMs) {
        Outcome outcome = new Outcome();
        transport.request(address, question, timeoutMs, outcome);
        return outcome;
    }

    /** Asks again while there is no connection, as a client would. */
    private Envelope askUntilAnswered(String address) throws Exception {
        while (true) {
            Object outcome = ask(address, QUESTION, LONG_MS).get();
            if (outcome instanceof Envelope answer) {
                return answer;
            }
            assertEquals(Failure.Kind.NOT_SENT, ((Failure) outcome).kind());
        }
    }

    @Test
    void requestsAreAnsweredAndMessagesArrive() throws Exception {
        Node node = new Node();
        try (NettyServer server = serve(0, node)) {
            assertEquals(status(1), ask(address(server), QUESTION, LONG_MS).get());
            Envelope message = Envelope.newBuilder()
                    .setRaft(RaftBatch.getDefaultInstance())
                    .build();
            NettyTransport ofNode = new NettyTransport(threads, new AsNode(), () -> {});
            Outcome connected = new Outcome();
            ofNode.request(address(server), QUESTION, LONG_MS, connected);
            assertEquals(status(2), connected.get());
            ofNode.send(address(server), message);
            assertEquals(message, node.messages.poll(LONG_MS, TimeUnit.MILLISECONDS));
            ofNode.close();
        }
    }

    /** A node, not a client. */
    private static final class AsNode implements HandshakePolicy {
        @Override
        public Handshake own() {
            return Handshake.newBuilder()
                    .setProtocolVersion(PROTOCOL_VERSION)
                    .setStoreId(7)
                    .build();
        }

        @Override
        public String refuse(Handshake remote) {
            return null;
        }
    }

    @Test
    void answersMayComeInAnyOrder() throws Exception {
        Node node = new Node();
        try (NettyServer server = serve(0, node)) {
            Outcome first = ask(address(server), HELD, LONG_MS);
            MessageHandler.Responder firstResponder = node.held.take();
            Outcome second = ask(address(server), HELD, LONG_MS);
            node.held.take().respond(status(2));
            assertEquals(status(2), second.get());
            firstResponder.respond(status(1));
            assertEquals(status(1), first.get());
        }
    }

    @Test
    void withoutAnswerARequestFailsWhenItsTimeIsUpAndALateAnswerIsDropped() throws Exception {
        Node node = new Node();
        try (NettyServer server = serve(0, node)) {
            Outcome outcome = ask(address(server), HELD, 100);
            assertEquals(Failure.Kind.TIMED_OUT, outcome.failure().kind());
            assertTrue(
                    outcome.failure().message().contains("100 ms"),
                    outcome.failure().message());
            node.held.take().respond(status(9));
            assertEquals(status(1), ask(address(server), QUESTION, LONG_MS).get());
        }
    }

    @Test
    void whereNobodyListensNothingIsSent() throws Exception {
        String address;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            address = "127.0.0.1:" + socket.getLocalPort();
        }
        Failure failure = ask(address, QUESTION, LONG_MS).failure();
        assertEquals(Failure.Kind.NOT_SENT, failure.kind());
        assertEquals("no connection to " + address + ": connection refused", failure.message());
        // While it pauses before the next attempt, requests fail at once and still say why.
        assertTrue(ask(address, QUESTION, LONG_MS).failure().message().contains("refused"));
    }

    @Test
    void anAddressThatIsNoneIsAFailureAndNoException() throws Exception {
        for (String address : List.of("no port", "127.0.0.1:x", "127.0.0.1:99999", "")) {
            assertEquals(
                    Failure.Kind.NOT_SENT,
                    ask(address, QUESTION, LONG_MS).failure().kind(),
                    address);
        }
    }

    @Test
    void aConnectionThatBreaksFailsWhatWasSentAndComesBack() throws Exception {
        Node node = new Node();
        NettyServer server = serve(0, node);
        int port = server.address().getPort();
        Outcome lost = ask(address(server), HELD, LONG_MS);
        node.held.take();
        server.close();
        assertEquals(Failure.Kind.LOST, lost.failure().kind());
        Node after = new Node();
        try (NettyServer again = serve(port, after)) {
            assertEquals(status(1), askUntilAnswered(address(again)));
        }
    }

    @Test
    void aRefusalReachesTheOtherSideAsItsSentence() throws Exception {
        HandshakePolicy hostile = new HandshakePolicy() {
            @Override
            public Handshake own() {
                return CLIENT.own();
            }

            @Override
            public String refuse(Handshake remote) {
                return "it has no business here";
            }
        };
        try (NettyServer server = NettyServer.bind(
                threads, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), hostile, new Node())) {
            Failure failure = ask(address(server), QUESTION, LONG_MS).failure();
            assertEquals(Failure.Kind.REFUSED, failure.kind());
            assertTrue(failure.message().contains("it has no business here"), failure.message());
        }
    }

    @Test
    void anotherVersionOfTheProtocolIsRefusedByBothSides() throws Exception {
        HandshakePolicy later = new HandshakePolicy() {
            @Override
            public Handshake own() {
                return Handshake.newBuilder()
                        .setProtocolVersion(PROTOCOL_VERSION + 1)
                        .build();
            }

            @Override
            public String refuse(Handshake remote) {
                return null;
            }
        };
        try (NettyServer server = NettyServer.bind(
                threads, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), later, new Node())) {
            Failure failure = ask(address(server), QUESTION, LONG_MS).failure();
            assertEquals(Failure.Kind.REFUSED, failure.kind());
            assertTrue(failure.message().contains("use the same version"), failure.message());
        }
        NettyTransport newer = new NettyTransport(threads, later, () -> {});
        try (NettyServer server = serve(0, new Node())) {
            Outcome outcome = new Outcome();
            newer.request(address(server), QUESTION, LONG_MS, outcome);
            assertEquals(Failure.Kind.REFUSED, outcome.failure().kind());
            assertTrue(
                    outcome.failure().message().contains("version 2"),
                    outcome.failure().message());
        } finally {
            newer.close();
        }
    }

    @Test
    void whoeverAcceptsAndSaysNothingIsGivenUp() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            Failure failure =
                    ask("127.0.0.1:" + silent.getLocalPort(), QUESTION, LONG_MS).failure();
            assertEquals(Failure.Kind.NOT_SENT, failure.kind());
            assertTrue(failure.message().contains("does not answer"), failure.message());
        }
    }

    @Test
    void requestsThatWaitForAConnectionAreBounded() throws Exception {
        try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            String address = "127.0.0.1:" + silent.getLocalPort();
            List<Outcome> outcomes = new ArrayList<>();
            for (int i = 0; i < 5000; i++) {
                outcomes.add(ask(address, QUESTION, LONG_MS));
            }
            Outcome last = outcomes.get(outcomes.size() - 1);
            assertTrue(last.result.isDone(), "the request above the bound waits too");
            assertTrue(
                    last.failure().message().contains("too many requests"),
                    last.failure().message());
            transport.close();
            for (Outcome outcome : outcomes) {
                outcome.get();
            }
        }
    }

    @Test
    void theServerReadsNoMoreThanItsBoundOfRequestsUntilAnswersLeave() throws Exception {
        Node node = new Node();
        int requests = 6000;
        try (NettyServer server = serve(0, node)) {
            // The connection first: without it, requests wait in a shorter queue.
            ask(address(server), QUESTION, LONG_MS).get();
            List<Outcome> outcomes = new ArrayList<>();
            for (int i = 0; i < requests; i++) {
                outcomes.add(ask(address(server), HELD, LONG_MS));
            }
            for (int i = 0; i < requests; i++) {
                MessageHandler.Responder next = node.held.poll(LONG_MS, TimeUnit.MILLISECONDS);
                next.respond(status(i));
            }
            for (Outcome outcome : outcomes) {
                assertTrue(outcome.get() instanceof Envelope, String.valueOf(outcome.get()));
            }
        }
    }

    @Test
    void aHandlerThatTurnsToAnotherNodeFromAFailureDoesNotBlockAnybody() throws Exception {
        String dead;
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            dead = "127.0.0.1:" + socket.getLocalPort();
        }
        ask(dead, QUESTION, LONG_MS).failure();
        try (NettyServer server = serve(0, new Node())) {
            Outcome elsewhere = new Outcome();
            transport.request(dead, QUESTION, LONG_MS, new ResponseHandler() {
                @Override
                public void onResponse(Envelope response) {
                    elsewhere.onResponse(response);
                }

                @Override
                public void onFailure(Failure failure) {
                    transport.request(address(server), QUESTION, LONG_MS, elsewhere);
                }
            });
            assertEquals(status(1), elsewhere.get());
        }
    }

    @Test
    void nonsenseEndsItsOwnConnectionOnly() throws Exception {
        try (NettyServer server = serve(0, new Node())) {
            for (byte[] nonsense : List.of(
                    "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
                    new byte[] {0x7f, 0x7f, 0x7f, 0x7f},
                    new byte[] {0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0x0c},
                    new byte[] {0, 0, 0, 1, 0})) {
                try (Socket socket = new Socket(
                        InetAddress.getLoopbackAddress(), server.address().getPort())) {
                    socket.getOutputStream().write(nonsense);
                    assertEquals(-1, socket.getInputStream().read(), "the server should hang up");
                }
            }
            assertEquals(status(1), ask(address(server), QUESTION, LONG_MS).get());
        }
    }

    @Test
    void answersThatNobodyReadsStopTheReadingOfRequests() throws Exception {
        byte[] large = new byte[1 << 20];
        CountDownLatch many = new CountDownLatch(200);
        MessageHandler generous = new MessageHandler() {
            @Override
            public void onMessage(Envelope message) {}

            @Override
            public void onRequest(Envelope request, Responder responder) {
                many.countDown();
                responder.respond(Envelope.newBuilder()
                        .setRegionResponse(RegionResponse.newBuilder()
                                .setGet(GetResponse.newBuilder().setValue(ByteString.copyFrom(large))))
                        .build());
            }
        };
        try (NettyServer server = serve(0, generous);
                Socket socket = new Socket(
                        InetAddress.getLoopbackAddress(), server.address().getPort())) {
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            DataInputStream in = new DataInputStream(socket.getInputStream());
            write(
                    out,
                    0,
                    Envelope.newBuilder()
                            .setHandshake(HandshakePolicy.CLIENT.own())
                            .build());
            in.skipNBytes(in.readInt());
            for (int i = 1; i <= 200; i++) {
                write(out, i, HELD);
            }
            out.flush();
            // Another connection is served meanwhile; by then the first one's requests have had their turn.
            ask(address(server), HELD, LONG_MS).get();
            assertTrue(many.getCount() > 100, "only " + many.getCount() + " requests were left unread");
            for (int i = 1; i <= 200; i++) {
                in.skipNBytes(in.readInt());
            }
            assertTrue(many.await(LONG_MS, TimeUnit.MILLISECONDS));
        }
    }

    private static ByteString bytes(int size) {
        return ByteString.copyFrom(new byte[size]);
    }

    /** Answers every request with this. */
    private record Always(Envelope answer) implements MessageHandler {
        @Override
        public void onMessage(Envelope message) {}

        @Override
        public void onRequest(Envelope request, Responder responder) {
            responder.respond(answer);
        }
    }

    @Test
    void anAnswerAboveTheLimitOfAFrameBecomesAnErrorThatSaysSo() throws Exception {
        Envelope ofRegion = Envelope.newBuilder()
                .setRegionResponse(RegionResponse.newBuilder()
                        .setGet(GetResponse.newBuilder().setValue(bytes(Frames.MAX_BYTES))))
                .build();
        try (NettyServer server = serve(0, new Always(ofRegion))) {
            Envelope answer = (Envelope) ask(address(server), HELD, LONG_MS).get();
            RegionError error = answer.getRegionResponse().getError();
            assertEquals(RegionError.KindCase.ENTRY_TOO_LARGE, error.getKindCase());
            assertEquals(ofRegion.getSerializedSize(), error.getEntryTooLarge().getSizeBytes());
            assertTrue(error.getMessage().contains("limit of " + Frames.MAX_ENVELOPE_BYTES), error.getMessage());
        }
        Envelope ofPlacement = Envelope.newBuilder()
                .setPlacementResponse(PlacementResponse.newBuilder()
                        .setClusterInfo(ClusterInfoResponse.newBuilder()
                                .setInit(ClusterInit.newBuilder().addNodeAddressesBytes(bytes(Frames.MAX_BYTES)))))
                .build();
        try (NettyServer server = serve(0, new Always(ofPlacement))) {
            Envelope answer = (Envelope) ask(address(server), HELD, LONG_MS).get();
            PlacementError error = answer.getPlacementResponse().getError();
            assertTrue(error.getMessage().contains("limit of " + Frames.MAX_ENVELOPE_BYTES), error.getMessage());
        }
    }

    private static Envelope version(int sizeBytes) {
        return Envelope.newBuilder()
                .setStatusResponse(NodeStatusResponse.newBuilder().setVersionBytes(bytes(sizeBytes)))
                .build();
    }

    @Test
    void theLargestAnswerArrives() throws Exception {
        int smaller = Frames.MAX_ENVELOPE_BYTES - 100;
        Envelope largest = version(Frames.MAX_ENVELOPE_BYTES - (version(smaller).getSerializedSize() - smaller));
        assertEquals(Frames.MAX_ENVELOPE_BYTES, largest.getSerializedSize());
        try (NettyServer server = serve(0, new Always(largest))) {
            Envelope answer = (Envelope) ask(address(server), QUESTION, LONG_MS).get();
            assertEquals(Frames.MAX_ENVELOPE_BYTES, answer.getSerializedSize());
        }
    }

    @Test
    void anAnswerThatCannotBeWrittenEndsTheConnectionAndNobodyWaitsForIt() throws Exception {
        // It is of a kind that has no error.
        try (NettyServer server = serve(0, new Always(version(Frames.MAX_BYTES)))) {
            assertEquals(
                    Failure.Kind.LOST,
                    ask(address(server), QUESTION, LONG_MS).failure().kind());
        }
    }

    @Test
    void aRequestAboveTheLimitIsCertainlyNotSentAndTheConnectionGoesOn() throws Exception {
        Node node = new Node();
        Envelope large = Envelope.newBuilder()
                .setRegionRequest(RegionRequest.newBuilder()
                        .setGet(GetRequest.newBuilder().setKey(bytes(Frames.MAX_BYTES))))
                .build();
        try (NettyServer server = serve(0, node)) {
            Outcome other = ask(address(server), HELD, LONG_MS);
            MessageHandler.Responder responder = node.held.take();
            Failure failure = ask(address(server), large, LONG_MS).failure();
            assertEquals(Failure.Kind.NOT_SENT, failure.kind());
            assertTrue(failure.message().contains("above the limit"), failure.message());
            responder.respond(status(3));
            assertEquals(status(3), other.get());
        }
    }

    private static void write(DataOutputStream out, long id, Envelope envelope) throws IOException {
        byte[] bytes = envelope.toByteArray();
        out.writeInt(8 + bytes.length);
        out.writeLong(id);
        out.write(bytes);
    }

    @Test
    void aPortInUseIsABindException() throws Exception {
        try (NettyServer server = serve(0, new Node())) {
            assertThrows(BindException.class, () -> serve(server.address().getPort(), new Node()));
        }
    }

    /** Passes on what comes to a server, and counts connections and the frames that came on each until its end. */
    private static final class Door implements AutoCloseable {
        private final ServerSocket socket = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        private final NettyServer server;
        final BlockingQueue<CompletableFuture<Integer>> connections = new LinkedBlockingQueue<>();

        Door(NettyServer server) throws IOException {
            this.server = server;
            run(() -> {
                while (true) {
                    Socket from = socket.accept();
                    Socket to = new Socket(
                            InetAddress.getLoopbackAddress(), server.address().getPort());
                    CompletableFuture<Integer> frames = new CompletableFuture<>();
                    connections.add(frames);
                    run(() -> frames.complete(pass(from, to)));
                    run(() -> to.getInputStream().transferTo(from.getOutputStream()));
                }
            });
        }

        private static int pass(Socket from, Socket to) throws IOException {
            DataInputStream in = new DataInputStream(from.getInputStream());
            DataOutputStream out = new DataOutputStream(to.getOutputStream());
            int frames = 0;
            while (true) {
                int length;
                try {
                    length = in.readInt();
                } catch (EOFException e) {
                    to.close();
                    return frames;
                }
                byte[] frame = in.readNBytes(length);
                out.writeInt(length);
                out.write(frame);
                frames++;
            }
        }

        private interface Task {
            void run() throws IOException;
        }

        private static void run(Task task) {
            Thread thread = new Thread(() -> {
                try {
                    task.run();
                } catch (IOException e) {
                    // The test is over, or one side has hung up.
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        String address() {
            return "127.0.0.1:" + socket.getLocalPort();
        }

        @Override
        public void close() throws IOException {
            socket.close();
            server.close();
        }
    }

    @Test
    void afterCloseEveryRequestFailsAndMessagesAreDropped() throws Exception {
        Node node = new Node();
        // One loop: what is done first is done first.
        try (NettyThreads one = new NettyThreads("test-one", 1);
                Door door = new Door(serve(0, node))) {
            NettyTransport closed = new NettyTransport(one, HandshakePolicy.CLIENT, () -> {});
            NettyTransport later = new NettyTransport(one, HandshakePolicy.CLIENT, () -> {});
            Outcome waiting = new Outcome();
            closed.request(door.address(), HELD, LONG_MS, waiting);
            node.held.take();
            closed.close();
            assertEquals(Failure.Kind.CLOSED, waiting.failure().kind());
            Outcome late = new Outcome();
            closed.request(door.address(), QUESTION, LONG_MS, late);
            assertEquals(Failure.Kind.CLOSED, late.failure().kind());
            closed.send(door.address(), QUESTION);
            int handshakeAndRequest = 2;
            assertEquals(handshakeAndRequest, door.connections.take().get(LONG_MS, TimeUnit.MILLISECONDS));
            // A connection that the message had made would have come before this one.
            Outcome answered = new Outcome();
            later.request(door.address(), QUESTION, LONG_MS, answered);
            assertEquals(status(1), answered.get());
            later.close();
            assertEquals(handshakeAndRequest, door.connections.take().get(LONG_MS, TimeUnit.MILLISECONDS));
            assertTrue(door.connections.isEmpty());
        }
    }
}
