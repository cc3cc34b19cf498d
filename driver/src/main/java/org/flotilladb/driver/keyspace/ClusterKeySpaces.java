package org.flotilladb.driver.keyspace;

import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import org.flotilladb.engine.keyspace.KeySpace;

/** Key spaces of clusters, over the network. */
public final class ClusterKeySpaces {
    private ClusterKeySpaces() {}

    /** Connects to a cluster by some of its nodes. */
    public static KeySpace connect(List<String> hosts, Map<String, String> settings) throws SQLException {
        throw new SQLException("The network is not built yet.", "0A000");
    }
}
