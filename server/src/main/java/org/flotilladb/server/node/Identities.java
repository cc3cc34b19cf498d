package org.flotilladb.server.node;

import java.util.List;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.rocks.DataDirectory;

/** Who a directory belongs to. */
final class Identities {
    private Identities() {}

    /**
     * Writes what the cluster has fixed into the directory, or finds it there.
     *
     * @throws StorageException when the directory is not that of this node in this cluster; nothing is changed
     */
    static void keep(DataDirectory directory, ClusterInit init, int nodeId, List<String> peers) {
        int nodes = init.getStoreIdsCount();
        if (nodes != peers.size()) {
            throw new StorageException(
                    StorageException.Kind.REFUSED,
                    "The data directory " + directory.path() + " belongs to a cluster of " + count(nodes)
                            + " and cannot be opened as one of " + count(peers.size()) + ": start "
                            + (nodes == 1
                                    ? "it as jdbc:flotilla:file:" + directory.path() + ", or as a server with itself as"
                                            + " the only one of --peers."
                                    : "./flotilla server with the --peers list that the cluster was started with."));
        }
        directory.setIdentity(init.getClusterId(), init.getStoreIds(nodeId - 1));
    }

    private static String count(int nodes) {
        return nodes == 1 ? "1 node" : nodes + " nodes";
    }
}
