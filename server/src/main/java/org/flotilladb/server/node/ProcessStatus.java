package org.flotilladb.server.node;

import java.lang.management.ManagementFactory;
import org.flotilladb.driver.jdbc.Versions;
import org.flotilladb.proto.NodeStatusResponse;
import org.flotilladb.region.store.Store;

/** What a node says about itself and its process. */
final class ProcessStatus {
    private ProcessStatus() {}

    static NodeStatusResponse of(Store store) {
        long[] regions = store.regionsAndLeaders();
        long cpuMs = 0;
        if (ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system) {
            cpuMs = system.getProcessCpuTime() / 1_000_000L;
        }
        Runtime runtime = Runtime.getRuntime();
        return NodeStatusResponse.newBuilder()
                .setStoreId(store.storeId())
                .setProcessCpuMs(cpuMs)
                .setPid(ProcessHandle.current().pid())
                .setRegions(regions[0])
                .setLeaders(regions[1])
                .setLogSyncs(store.logSyncs())
                .setOnePhaseCommits(store.counters().onePhaseCommits())
                .setTwoPhaseCommits(store.counters().twoPhaseCommits())
                .setHeapUsedBytes(runtime.totalMemory() - runtime.freeMemory())
                .setVersion(Versions.VERSION)
                .build();
    }
}
