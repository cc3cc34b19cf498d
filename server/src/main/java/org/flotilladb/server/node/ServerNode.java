package org.flotilladb.server.node;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.flotilladb.driver.jdbc.Versions;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.Handshake;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.netty.HandshakePolicy;
import org.flotilladb.proto.netty.NettyServer;
import org.flotilladb.proto.netty.NettyThreads;
import org.flotilladb.proto.netty.NettyTransport;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.runtime.system.SystemClock;
import org.flotilladb.region.runtime.system.ThreadScheduler;
import org.flotilladb.region.store.SplitSettings;
import org.flotilladb.region.store.Store;
import org.flotilladb.region.store.StoreSettings;
import org.flotilladb.region.store.rocks.DataDirectory;
import org.flotilladb.region.store.rocks.RocksKvStore;
import org.flotilladb.region.store.rocks.RocksLogStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One node of a cluster: a directory, a Store with the Placement Driver's peer, and the network. */
public final class ServerNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ServerNode.class);
    private static final long CACHE_BYTES = 128L << 20;
    private static final long MIN_USABLE_BYTES = 64L << 20;
    private static final int NETWORK_THREADS = 2;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final DataDirectory directory;
    private final List<String> peers;
    private final int nodeId;
    private final Consumer<String> fatal;
    private final Store store;
    private final Set<String> refusals = ConcurrentHashMap.newKeySet();
    private volatile ClusterInit cluster;

    /**
     * Starts the node.
     *
     * @param peers of all nodes, in any order
     * @param fatal told one sentence when the node cannot go on
     * @throws NodeStartException with a sentence for the user
     */
    public static ServerNode start(Path data, String listen, List<String> peers, Consumer<String> fatal) {
        return start(data, listen, peers, SplitSettings.DEFAULT, fatal);
    }

    /**
     * The same with other limits of a Region's size.
     *
     * @param splits when Regions are split by themselves
     */
    public static ServerNode start(
            Path data, String listen, List<String> peers, SplitSettings splits, Consumer<String> fatal) {
        return new ServerNode(data, listen, peers, splits, fatal);
    }

    private ServerNode(Path path, String listen, List<String> given, SplitSettings splits, Consumer<String> fatal) {
        this.fatal = fatal;
        peers = List.copyOf(new TreeSet<>(given));
        nodeId = peers.indexOf(listen) + 1;
        if (nodeId == 0) {
            throw new NodeStartException("--listen " + listen + " is not among --peers " + String.join(",", peers)
                    + ": the list names all nodes, this one too, in the same words.");
        }
        if (peers.size() != given.size()) {
            throw new NodeStartException("--peers names a node twice: " + String.join(",", given) + ".");
        }
        if (peers.size() > 5) {
            throw new NodeStartException(
                    "A cluster has at most 5 nodes in this version; --peers names " + peers.size() + ".");
        }
        if (peers.size() % 2 == 0) {
            throw new NodeStartException("--peers names " + peers.size()
                    + " nodes, which survive no more failures than " + (peers.size() - 1) + ": name 1, 3 or 5.");
        }
        InetSocketAddress address = address(listen);
        boolean started = false;
        try {
            directory = keep(DataDirectory.open(path));
            NettyThreads threads = keep(new NettyThreads("flotilla-net", NETWORK_THREADS));
            LogStore logs = keep(new RocksLogStore(directory.logPath()));
            KvStore data = keep(new RocksKvStore(directory.dataPath(), CACHE_BYTES));
            ThreadScheduler scheduler = keep(new ThreadScheduler("flotilla-store", 1));
            Policy policy = new Policy();
            NettyTransport transport = keep(new NettyTransport(threads, policy, () -> {}));
            store = new Store(
                    StoreSettings.of(nodeId, peers, GroupSettings.DEFAULT, false)
                            .withSplits(splits)
                            .withDisk(directory::usableBytes, MIN_USABLE_BYTES),
                    new SystemClock(),
                    scheduler,
                    SeededRandom.fromSystem(),
                    transport,
                    logs,
                    data,
                    this::clusterKnown,
                    cause -> fatal.accept("The node stops: " + cause.getMessage()));
            keep(store::closeAndWait);
            keep(bind(threads, address, policy));
            store.start();
            started = true;
        } catch (BindException e) {
            throw new NodeStartException(
                    "Cannot listen on " + listen + " (" + e.getMessage()
                            + "): the port is in use or the address is not of this machine; stop the other process or choose another --listen.");
        } catch (IOException e) {
            throw new NodeStartException("Cannot listen on " + listen + ": " + e.getMessage() + ".");
        } finally {
            if (!started) {
                close();
            }
        }
    }

    private <T extends AutoCloseable> T keep(T part) {
        opened.add(part);
        return part;
    }

    private NettyServer bind(NettyThreads threads, InetSocketAddress address, Policy policy) throws IOException {
        return NettyServer.bind(threads, address, policy, new Requests());
    }

    private static InetSocketAddress address(String listen) {
        int colon = listen.lastIndexOf(':');
        InetSocketAddress address =
                new InetSocketAddress(listen.substring(0, colon), Integer.parseInt(listen.substring(colon + 1)));
        InetAddress host = address.getAddress();
        if (host == null) {
            throw new NodeStartException(
                    "The host of --listen " + listen + " is not known: use an address of this machine.");
        }
        if (!host.isLoopbackAddress()) {
            throw new NodeStartException("--listen " + listen
                    + " is not a loopback address: until access control and encryption exist a server listens on"
                    + " loopback addresses only, for example 127.0.0.1:7411.");
        }
        return address;
    }

    private void clusterKnown(ClusterInit init) {
        Identities.keep(directory, init, nodeId, peers);
        cluster = init;
    }

    public int nodeId() {
        return nodeId;
    }

    /**
     * Stops the node; what is committed is on disk. A part that cannot be closed does not keep the others open.
     *
     * @throws IllegalStateException when there was such a part, after all others are closed
     */
    @Override
    public void close() {
        closeAll(opened);
    }

    /** Closes all, the last first, and forgets them. */
    static void closeAll(List<AutoCloseable> parts) {
        IllegalStateException failure = null;
        while (!parts.isEmpty()) {
            try {
                parts.remove(parts.size() - 1).close();
            } catch (Exception e) {
                if (failure == null) {
                    failure = new IllegalStateException("a part of the node cannot be closed: " + e.getMessage(), e);
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }

    /** The Store's requests, and questions about the node itself. */
    private final class Requests implements MessageHandler {
        @Override
        public void onMessage(Envelope message) {
            store.onMessage(message);
        }

        @Override
        public void onRequest(Envelope request, Responder responder) {
            if (request.hasStatusRequest()) {
                responder.respond(Envelope.newBuilder()
                        .setStatusResponse(ProcessStatus.of(store))
                        .build());
            } else {
                store.onRequest(request, responder);
            }
        }
    }

    /** Who may talk to this node. */
    private final class Policy implements HandshakePolicy {
        @Override
        public Handshake own() {
            return Handshake.newBuilder()
                    .setProtocolVersion(PROTOCOL_VERSION)
                    .setClusterId(directory.clusterId())
                    .setStoreId(directory.storeId())
                    .setNodeId(nodeId)
                    .setPeersHash(hash(peers))
                    .setSoftware(Versions.VERSION)
                    .build();
        }

        @Override
        public String refuse(Handshake remote) {
            String protocol = HandshakePolicy.otherProtocol(remote);
            if (protocol != null || remote.getNodeId() == 0) {
                return protocol;
            }
            if (remote.getPeersHash() != hash(peers)) {
                return "it was started with another --peers list than node " + nodeId + " (" + String.join(",", peers)
                        + "): start all nodes with the same list";
            }
            long ownCluster = directory.clusterId();
            if (ownCluster != 0 && remote.getClusterId() != 0 && ownCluster != remote.getClusterId()) {
                return "it belongs to cluster " + Long.toHexString(remote.getClusterId()) + ", this node to "
                        + Long.toHexString(ownCluster) + ": each needs its own data directory and addresses";
            }
            ClusterInit known = cluster;
            if (known == null || remote.getNodeId() > known.getStoreIdsCount()) {
                return null;
            }
            long expected = known.getStoreIds(remote.getNodeId() - 1);
            if (remote.getStoreId() == 0 && store.isRegistered(expected)) {
                return "the data directory of node " + remote.getNodeId()
                        + " is empty, but the cluster knows it with Store " + Long.toHexString(expected)
                        + ": give it its old directory back";
            }
            if (remote.getStoreId() != 0 && remote.getStoreId() != expected) {
                return "node " + remote.getNodeId() + " has the directory of Store "
                        + Long.toHexString(remote.getStoreId()) + ", the cluster expects "
                        + Long.toHexString(expected);
            }
            return null;
        }

        @Override
        public void refusedBy(String address, String sentence) {
            String whole = "The node at " + address + " refuses this one: " + sentence + ".";
            if (directory.storeId() == 0) {
                fatal.accept(whole);
            } else if (refusals.add(whole)) {
                // It has data: it goes on trying, and says once what stands in the way.
                LOG.warn("{}", whole);
            }
        }
    }

    static long hash(List<String> peers) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : String.join(",", peers).getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }
}
