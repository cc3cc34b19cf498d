package org.flotilladb.driver.keyspace;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.engine.keyspace.KeySpace.NodeCounter;
import org.flotilladb.proto.NodeStatusResponse;

/** What a node says about itself, line by line. */
public final class StatusLines {
    private StatusLines() {}

    public static List<NodeCounter> of(String node, NodeStatusResponse status) {
        List<NodeCounter> lines = new ArrayList<>();
        lines.add(new NodeCounter(node, "version", status.getVersion()));
        lines.add(new NodeCounter(node, "pid", Long.toString(status.getPid())));
        lines.add(new NodeCounter(node, "store_id", Long.toHexString(status.getStoreId())));
        lines.add(new NodeCounter(node, "regions", Long.toString(status.getRegions())));
        lines.add(new NodeCounter(node, "leaders", Long.toString(status.getLeaders())));
        lines.add(new NodeCounter(node, "syncs", Long.toString(status.getLogSyncs())));
        lines.add(new NodeCounter(node, "one_phase_commits", Long.toString(status.getOnePhaseCommits())));
        lines.add(new NodeCounter(node, "two_phase_commits", Long.toString(status.getTwoPhaseCommits())));
        lines.add(new NodeCounter(node, "process_cpu_ms", Long.toString(status.getProcessCpuMs())));
        lines.add(new NodeCounter(node, "heap_used_bytes", Long.toString(status.getHeapUsedBytes())));
        return lines;
    }
}
