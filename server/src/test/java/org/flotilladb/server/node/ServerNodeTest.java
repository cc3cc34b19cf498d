package org.flotilladb.server.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.Handshake;
import org.flotilladb.proto.NodeStatusRequest;
import org.flotilladb.proto.Transport.Failure;
import org.flotilladb.proto.Transport.ResponseHandler;
import org.flotilladb.proto.netty.HandshakePolicy;
import org.flotilladb.proto.netty.NettyThreads;
import org.flotilladb.proto.netty.NettyTransport;
import org.flotilladb.region.runtime.StorageException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Nodes in this process: what they start with, whom they refuse, and that the same directory is the same node. */
@Timeout(120)
class ServerNodeTest {
    @TempDir
    private Path folder;

    private final List<ServerNode> nodes = new ArrayList<>();
    private final CompletableFuture<String> fatal = new CompletableFuture<>();

    @AfterEach
    void close() {
        nodes.forEach(ServerNode::close);
    }

    static List<String> addresses(int count) throws IOException {
        List<ServerSocket> sockets = new ArrayList<>();
        List<String> addresses = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ServerSocket socket = new ServerSocket();
            // Free for the next one at once: nobody connects to it.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
            sockets.add(socket);
            addresses.add("127.0.0.1:" + socket.getLocalPort());
        }
        for (ServerSocket socket : sockets) {
            socket.close();
        }
        addresses.sort(null);
        return addresses;
    }

    private ServerNode start(String directory, String listen, List<String> peers) {
        ServerNode node = ServerNode.start(folder.resolve(directory), listen, peers, fatal::complete);
        nodes.add(node);
        return node;
    }

    private void stop(ServerNode node) {
        nodes.remove(node);
        node.close();
    }

    /** One statement, tried while the cluster is still forming. */
    private static String value(List<String> addresses, String database, String sql) throws SQLException {
        String url = "jdbc:flotilla://" + String.join(",", addresses) + "/" + database;
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            if (!statement.execute(sql)) {
                return Integer.toString(statement.getUpdateCount());
            }
            try (ResultSet rows = statement.getResultSet()) {
                rows.next();
                return rows.getString(1);
            }
        }
    }

    private String refusal(String directory, String listen, List<String> peers) {
        RuntimeException e = assertThrows(RuntimeException.class, () -> start(directory, listen, peers));
        assertTrue(e instanceof NodeStartException || e instanceof StorageException, e.toString());
        assertTrue(e.getMessage().endsWith("."), e.getMessage());
        return e.getMessage();
    }

    @Test
    void aNodeStartsStopsAndStartsAgain() throws Exception {
        List<String> address = addresses(1);
        for (int round = 1; round <= 3; round++) {
            ServerNode node = start("n1", address.get(0), address);
            assertEquals(1, node.nodeId());
            value(address, "d", "CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY)");
            value(address, "d", "INSERT INTO t VALUES (" + round + ")");
            assertEquals("" + round, value(address, "d", "SELECT COUNT(*) FROM t"));
            stop(node);
        }
        assertEquals("rwx------", PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("n1"))));
    }

    @Test
    void theSameStoreMayListenElsewhereLater() throws Exception {
        List<String> before = addresses(1);
        ServerNode node = start("n1", before.get(0), before);
        value(before, "d", "CREATE TABLE t (id INT PRIMARY KEY)");
        stop(node);
        List<String> after = addresses(1);
        start("n1", after.get(0), after);
        assertEquals("0", value(after, "d", "SELECT COUNT(*) FROM t"));
    }

    @Test
    void aDirectoryThatAnApplicationMadeIsServedByANodeAndTheOtherWayRound() throws Exception {
        String url = "jdbc:flotilla:file:" + folder.resolve("shop");
        try (Connection connection = DriverManager.getConnection(url);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
            statement.execute("INSERT INTO t VALUES (1)");
        }
        List<String> address = addresses(1);
        ServerNode node = start("shop", address.get(0), address);
        assertEquals("1", value(address, "shop", "SELECT COUNT(*) FROM t"));
        value(address, "shop", "INSERT INTO t VALUES (2)");
        stop(node);
        Files.move(folder.resolve("shop"), folder.resolve("moved"));
        try (Connection connection = DriverManager.getConnection("jdbc:flotilla:file:" + folder.resolve("moved"));
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT COUNT(*) FROM t")) {
            rows.next();
            assertEquals(2, rows.getInt(1), "the database keeps its name when its directory is moved");
        }
    }

    @Test
    void aDirectoryOfOneNodeIsNotOpenedAsOneOfThree() throws Exception {
        List<String> one = addresses(1);
        ServerNode node = start("n1", one.get(0), one);
        value(one, "d", "CREATE TABLE t (id INT PRIMARY KEY)");
        stop(node);
        List<String> three = addresses(3);
        start("n1", three.get(0), three);
        String sentence = fatal.get(60, TimeUnit.SECONDS);
        assertTrue(
                sentence.contains("belongs to a cluster of 1 node and cannot be opened as one of 3 nodes"), sentence);
    }

    @Test
    void aDirectoryOfAClusterIsNotOpenedByAnApplication() throws Exception {
        List<String> three = addresses(3);
        for (int i = 0; i < 3; i++) {
            start("n" + i, three.get(i), three);
        }
        value(three, "d", "CREATE TABLE t (id INT PRIMARY KEY)");
        stop(nodes.get(0));
        SQLException e = assertThrows(
                SQLException.class,
                () -> DriverManager.getConnection("jdbc:flotilla:file:" + folder.resolve("n0"))
                        .close());
        assertTrue(e.getMessage().contains("belongs to a cluster of 3 nodes"), e.getMessage());
        // It was only refused: the node starts as before.
        start("n0", three.get(0), three);
        assertEquals("0", value(List.of(three.get(0)), "d", "SELECT COUNT(*) FROM t"));
    }

    @Test
    void whatCannotWorkIsSaidAtOnce() throws Exception {
        List<String> three = addresses(3);
        assertTrue(refusal("n", "127.0.0.1:1", three).contains("is not among --peers"));
        assertTrue(
                refusal("n", three.get(0), List.of(three.get(0), three.get(0))).contains("names a node twice"));
        assertTrue(refusal("n", three.get(0), three.subList(0, 2)).contains("name 1, 3 or 5"));
        assertTrue(refusal("n", "192.0.2.1:7411", List.of("192.0.2.1:7411")).contains("loopback addresses only"));
        assertTrue(refusal("n", "0.0.0.0:7411", List.of("0.0.0.0:7411")).contains("loopback addresses only"));
        assertTrue(refusal("n", "no.such.host.invalid:1", List.of("no.such.host.invalid:1"))
                .contains("is not known"));
        assertTrue(refusal("n", three.get(0), List.of(three.get(0), "b:1", "c:1", "d:1", "e:1", "f:1"))
                .contains("at most 5 nodes"));
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            String address = "127.0.0.1:" + taken.getLocalPort();
            assertTrue(refusal("n", address, List.of(address)).contains("in use"));
        }
        Files.writeString(folder.resolve("file"), "");
        assertTrue(refusal("file", three.get(0), three).contains("is a file, not a directory"));
        // Nothing is left open: the same directory can be used now.
        start("n", three.get(0), three);
        assertTrue(refusal("n", three.get(0), three).contains("in use by another process"));
    }

    @Test
    void anEmptyDirectoryUnderARegisteredIdIsRefused() throws Exception {
        List<String> three = addresses(3);
        for (int i = 0; i < 3; i++) {
            start("n" + i, three.get(i), three);
        }
        value(three, "d", "CREATE TABLE t (id INT PRIMARY KEY)");
        awaitRegistered(three.get(0), 3, three);
        stop(nodes.get(2));
        start("empty", three.get(2), three);
        String sentence = fatal.get(60, TimeUnit.SECONDS);
        assertTrue(sentence.contains("the data directory of node 3 is empty"), sentence);
        assertTrue(sentence.contains("give it its old directory back"), sentence);
    }

    @Test
    void aNodeWithAnotherPeersListIsRefused() throws Exception {
        List<String> three = addresses(3);
        List<String> others = addresses(1);
        start("n0", three.get(0), three);
        start("n1", three.get(1), List.of(three.get(0), three.get(1), others.get(0)));
        String sentence = fatal.get(60, TimeUnit.SECONDS);
        assertTrue(sentence.contains("another --peers list"), sentence);
        assertTrue(sentence.contains("start all nodes with the same list"), sentence);
    }

    /** A stranger's handshake, and what the node says to it; null when it is welcome. */
    private static String answerTo(String address, Handshake own) throws Exception {
        HandshakePolicy policy = new HandshakePolicy() {
            @Override
            public Handshake own() {
                return own;
            }

            @Override
            public String refuse(Handshake remote) {
                return null;
            }
        };
        CompletableFuture<String> answer = new CompletableFuture<>();
        try (NettyThreads threads = new NettyThreads("stranger", 1);
                NettyTransport transport = new NettyTransport(threads, policy, () -> {})) {
            transport.request(
                    address,
                    Envelope.newBuilder()
                            .setStatusRequest(NodeStatusRequest.getDefaultInstance())
                            .build(),
                    30_000,
                    new ResponseHandler() {
                        @Override
                        public void onResponse(Envelope response) {
                            answer.complete(null);
                        }

                        @Override
                        public void onFailure(Failure failure) {
                            answer.complete(failure.kind() + " " + failure.message());
                        }
                    });
            return answer.get(60, TimeUnit.SECONDS);
        }
    }

    private static Handshake.Builder as(int nodeId, List<String> peers) {
        return Handshake.newBuilder()
                .setProtocolVersion(HandshakePolicy.PROTOCOL_VERSION)
                .setNodeId(nodeId)
                .setPeersHash(ServerNode.hash(peers));
    }

    /** Registration comes some time after the start; until then an empty directory is welcome. */
    private static void awaitRegistered(String address, int nodeId, List<String> peers) throws Exception {
        while (answerTo(address, as(nodeId, peers).build()) == null) {
            LockSupport.parkNanos(20_000_000);
        }
    }

    @Test
    void aHandshakeOfAnotherClusterStoreOrVersionIsRefusedWithASentence() throws Exception {
        List<String> address = addresses(1);
        start("n1", address.get(0), address);
        value(address, "d", "CREATE TABLE t (id INT PRIMARY KEY)");
        String at = address.get(0);
        awaitRegistered(at, 1, address);
        assertRefused(answerTo(at, as(1, address).build()), "is empty", "give it its old directory back");
        assertRefused(answerTo(at, as(1, address).setStoreId(7).build()), "the directory of Store 7");
        assertRefused(answerTo(at, as(1, address).setClusterId(9).build()), "belongs to cluster 9");
        assertRefused(answerTo(at, as(1, List.of("127.0.0.1:1")).build()), "another --peers list");
        assertRefused(
                answerTo(at, as(0, address).setProtocolVersion(9).build()), "protocol version 9", "the same version");
        assertEquals(null, answerTo(at, HandshakePolicy.CLIENT.own()), "a client is welcome");
    }

    private static void assertRefused(String answer, String... words) {
        for (String word : words) {
            assertTrue(answer != null && answer.startsWith("REFUSED") && answer.contains(word), answer);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"format=99\n", "format=1\ncluster=zzz\n", "", "no properties at all \u0000"})
    void aDirectoryThatCannotBeReadIsRefusedAndNotTouched(String identity) throws Exception {
        Path data = Files.createDirectory(folder.resolve("n"));
        Files.writeString(data.resolve("FLOTILLA"), identity);
        List<String> address = addresses(1);
        String sentence = refusal("n", address.get(0), address);
        assertTrue(sentence.contains(identity.contains("99") ? "newer version" : "is damaged"), sentence);
        assertEquals(identity, Files.readString(data.resolve("FLOTILLA")));
    }

    @Test
    void aNodeServesOnWhileStrangersSendItNonsense() throws Exception {
        long seed = Long.getLong("flotilla.seed", 20261129L);
        SplittableRandom random = new SplittableRandom(seed);
        List<String> address = addresses(1);
        start("n1", address.get(0), address);
        value(address, "d", "CREATE TABLE t (id INT PRIMARY KEY)");
        int port = Integer.parseInt(address.get(0).substring(address.get(0).lastIndexOf(':') + 1));
        byte[] hello = frame(
                0,
                Envelope.newBuilder()
                        .setHandshake(HandshakePolicy.CLIENT.own())
                        .build()
                        .toByteArray());
        for (int i = 1; i <= 200; i++) {
            byte[] noise = new byte[random.nextInt(1, 200)];
            random.nextBytes(noise);
            try (Socket socket = new Socket(InetAddress.getByName("127.0.0.1"), port)) {
                if (random.nextBoolean()) {
                    socket.getOutputStream().write(hello);
                }
                socket.getOutputStream().write(random.nextBoolean() ? noise : frame(random.nextInt(3), noise));
            } catch (IOException e) {
                // It has hung up before all of it was sent.
            }
            if (i % 50 == 0) {
                assertEquals("1", value(address, "d", "INSERT INTO t VALUES (" + i + ")"), "seed " + seed);
            }
        }
        assertEquals("4", value(address, "d", "SELECT COUNT(*) FROM t"));
    }

    private static byte[] frame(long id, byte[] body) {
        return ByteBuffer.allocate(12 + body.length)
                .putInt(8 + body.length)
                .putLong(id)
                .put(body)
                .array();
    }
}
