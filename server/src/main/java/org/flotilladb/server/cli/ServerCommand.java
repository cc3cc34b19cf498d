package org.flotilladb.server.cli;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.flotilladb.driver.EmbeddedNodeProvider;
import org.flotilladb.region.store.SplitSettings;
import org.flotilladb.server.node.ServerMain;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code server}: one node of a cluster, in the foreground until it gets SIGTERM. */
@Command(
        name = "server",
        description = "Start one node of a cluster; the same command starts it again.",
        footer = {
            "",
            "A first cluster on one machine, one command in each of three terminals:",
            "  flotilla server --data n1 --listen 127.0.0.1:7411 \\",
            "      --peers 127.0.0.1:7411,127.0.0.1:7412,127.0.0.1:7413",
            "and the same with n2 and :7412, n3 and :7413. Then:",
            "  flotilla shell jdbc:flotilla://127.0.0.1:7411,127.0.0.1:7412,127.0.0.1:7413/main"
        })
final class ServerCommand implements Callable<Integer> {

    @Option(names = "--data", required = true, paramLabel = "DIR", description = "Where this node keeps its data.")
    private Path data;

    @Option(
            names = "--listen",
            required = true,
            paramLabel = "HOST:PORT",
            description = "Where it listens, for nodes and clients alike; loopback addresses only for now.")
    private String listen;

    @Option(
            names = "--peers",
            required = true,
            split = ",",
            paramLabel = "HOST:PORT",
            description = "All nodes of the cluster, this one too, the same list on each.")
    private List<String> peers;

    @Option(
            names = "--region-split-bytes",
            paramLabel = "N",
            description =
                    "Bytes of rows in a Region, past which it is split; by default ${DEFAULT-VALUE}. The same on each"
                            + " node.")
    private long regionSplitBytes = SplitSettings.DEFAULT.maxBytes();

    @Override
    public Integer call() {
        Addresses.check("--listen", listen);
        peers.forEach(peer -> Addresses.check("--peers", peer));
        if (regionSplitBytes < EmbeddedNodeProvider.MIN_REGION_SPLIT_BYTES) {
            throw new UsageException("--region-split-bytes must be " + EmbeddedNodeProvider.MIN_REGION_SPLIT_BYTES
                    + " or more, it is " + regionSplitBytes);
        }
        return ServerMain.run(data, listen, List.copyOf(peers), SplitSettings.DEFAULT.withMaxBytes(regionSplitBytes));
    }
}
