package org.flotilladb.driver.keyspace;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeySpace.NodeCounter;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.NodeStatusRequest;
import org.flotilladb.proto.Transport;
import org.flotilladb.proto.netty.HandshakePolicy;
import org.flotilladb.proto.netty.NettyThreads;
import org.flotilladb.proto.netty.NettyTransport;
import org.flotilladb.region.client.ClientEnvironment;
import org.flotilladb.region.client.ClientSettings;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.runtime.system.SystemClock;
import org.flotilladb.region.runtime.system.ThreadScheduler;

/** Key spaces of clusters, over the network. */
public final class ClusterKeySpaces {
    private static final long CONNECT_TIMEOUT_MS = 10_000;
    private static final long STATUS_TIMEOUT_MS = 2000;

    private ClusterKeySpaces() {}

    /**
     * Connects to a cluster by some of its nodes; fails with one sentence when none answers in time.
     *
     * @param operationTimeoutMs after which a statement that gets no answer fails
     */
    public static KeySpace connect(List<String> hosts, long operationTimeoutMs) throws SQLException {
        if (operationTimeoutMs < 1) {
            throw new SQLException("OPERATION_TIMEOUT_MS must be above 0, it is " + operationTimeoutMs + ".", "08001");
        }
        NettyThreads threads = new NettyThreads("flotilla-client", 1);
        ThreadScheduler scheduler = new ThreadScheduler("flotilla-client-timer", 1);
        SystemClock clock = new SystemClock();
        Transport transport = new NettyTransport(threads, HandshakePolicy.CLIENT, threads::close);
        ClientEnvironment environment =
                new ClientEnvironment(clock, scheduler, SeededRandom.fromSystem(), transport, null);
        ClientSettings given = ClientSettings.of(hosts);
        ClientSettings usual =
                new ClientSettings(hosts, operationTimeoutMs, given.requestTimeoutMs(), given.lockTtlMs());
        ClientSettings atFirst = new ClientSettings(
                hosts, Math.min(CONNECT_TIMEOUT_MS, operationTimeoutMs), given.requestTimeoutMs(), given.lockTtlMs());
        try {
            Waiting.await(
                    new TransactionClient(atFirst, environment).placement().timestamp());
        } catch (KeySpaceException e) {
            transport.close();
            scheduler.close();
            throw new SQLException(e.getMessage(), "08001", 90067, e);
        }
        TransactionClient client = new TransactionClient(usual, environment);
        return new RegionKeySpace(client, () -> status(transport, hosts), () -> null, () -> {
            transport.close();
            scheduler.close();
        });
    }

    private static List<NodeCounter> status(Transport transport, List<String> hosts) {
        Envelope question = Envelope.newBuilder()
                .setStatusRequest(NodeStatusRequest.getDefaultInstance())
                .build();
        List<CompletableFuture<List<NodeCounter>>> answers = new ArrayList<>();
        for (String host : hosts) {
            CompletableFuture<List<NodeCounter>> answer = new CompletableFuture<>();
            answers.add(answer);
            transport.request(host, question, STATUS_TIMEOUT_MS, new Transport.ResponseHandler() {
                @Override
                public void onResponse(Envelope response) {
                    answer.complete(StatusLines.of(host, response.getStatusResponse()));
                }

                @Override
                public void onFailure(Transport.Failure failure) {
                    answer.complete(List.of(new NodeCounter(host, "unreachable", failure.message())));
                }
            });
        }
        List<NodeCounter> lines = new ArrayList<>();
        answers.forEach(answer -> lines.addAll(Waiting.await(answer)));
        return lines;
    }
}
