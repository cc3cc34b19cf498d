package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
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
import org.flotilladb.sqltests.processes.ClusterProcesses;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What idle Regions cost: three processes with default settings and many Regions, each with a peer on every node, of which
 * nobody wants anything. Printed, not asserted; asserted is that all of them are there and serve afterwards.
 */
@Tag("figures")
class IdleFigures {

    private static final int REGIONS = Integer.getInteger("flotilla.regions", 10_000);
    private static final int SECONDS = Integer.getInteger("flotilla.seconds", 60);
    private static final int NODES = 3;
    private static final long PATIENCE_S = 600;
    /** Linux counts in ticks of 1/100 s. */
    private static final double TICKS_PER_SECOND = 100;

    @Test
    void whatIdleRegionsCost(@TempDir Path folder) throws Exception {
        try (ClusterProcesses cluster = ClusterProcesses.start(folder, NODES);
                Client client = new Client(cluster)) {
            try {
                figures(cluster, client.transactions);
            } catch (Exception | AssertionError e) {
                System.out.println("What the nodes printed:" + cluster.logs());
                throw e;
            }
        }
    }

    private static void figures(ClusterProcesses cluster, TransactionClient client) throws Exception {
        List<Long> pids = cluster.pids();
        awaitRest(pids);
        List<Double> few = idle(pids);
        long fewRegions = regions(client);
        List<Long> heapBefore = liveHeap(pids);
        List<Long> residentBefore = resident(pids);

        long beganNs = System.nanoTime();
        client.splitAll(keys()).get(PATIENCE_S, TimeUnit.SECONDS);
        long splitMs = (System.nanoTime() - beganNs) / 1_000_000;
        long restMs = awaitRest(pids);
        long regions = regions(client);

        List<Double> many = idle(pids);
        List<Long> heapAfter = liveHeap(pids);
        List<Long> residentAfter = resident(pids);
        System.out.printf(
                "%s: %d Regions made in %.1f s, at rest after %.1f s; idle for %d s%n",
                Instant.now(), regions, splitMs / 1e3, restMs / 1e3, SECONDS);
        for (int i = 0; i < NODES; i++) {
            System.out.printf(
                    "node %d: processor %.1f %% of one core (%.1f %% with %d Regions); heap after a collection %d KB, %.1f KB"
                            + " for each Region; resident %d KB, %.1f KB more for each Region%n",
                    i + 1,
                    100 * many.get(i),
                    100 * few.get(i),
                    fewRegions,
                    heapAfter.get(i) >> 10,
                    (heapAfter.get(i) - heapBefore.get(i)) / 1024.0 / (regions - fewRegions),
                    residentAfter.get(i),
                    (double) (residentAfter.get(i) - residentBefore.get(i)) / (regions - fewRegions));
        }
        assertEquals(fewRegions + REGIONS, regions);
        // They serve.
        for (byte[] key : List.of(keys().get(0), keys().get(REGIONS / 2), keys().get(REGIONS - 1))) {
            beganNs = System.nanoTime();
            client.begin(false).get(key).get(PATIENCE_S, TimeUnit.SECONDS);
            System.out.printf("a read that wakes a Region: %.1f ms%n", (System.nanoTime() - beganNs) / 1e6);
        }
    }

    /** Behind all keys of tables. */
    private static List<byte[]> keys() {
        List<byte[]> keys = new ArrayList<>(REGIONS);
        for (int i = 0; i < REGIONS; i++) {
            keys.add(String.format("~%08d", i).getBytes(StandardCharsets.UTF_8));
        }
        return keys;
    }

    private static long regions(TransactionClient client) throws Exception {
        return client.regions(new byte[0], new byte[0])
                .get(PATIENCE_S, TimeUnit.SECONDS)
                .size();
    }

    /** Waits until no node does much; in milliseconds. */
    private static long awaitRest(List<Long> pids) throws Exception {
        long beganNs = System.nanoTime();
        while (System.nanoTime() - beganNs < PATIENCE_S * 1_000_000_000L) {
            if (busy(pids, 5).stream().allMatch(share -> share < 0.2)) {
                break;
            }
        }
        return (System.nanoTime() - beganNs) / 1_000_000;
    }

    private static List<Double> idle(List<Long> pids) throws Exception {
        return busy(pids, SECONDS);
    }

    /** The share of a core that each process uses for so many seconds. */
    private static List<Double> busy(List<Long> pids, int seconds) throws Exception {
        List<Long> before = ticks(pids);
        long beganNs = System.nanoTime();
        TimeUnit.SECONDS.sleep(seconds);
        List<Long> after = ticks(pids);
        double passedS = (System.nanoTime() - beganNs) / 1e9;
        List<Double> shares = new ArrayList<>();
        for (int i = 0; i < pids.size(); i++) {
            shares.add((after.get(i) - before.get(i)) / TICKS_PER_SECOND / passedS);
        }
        return shares;
    }

    /** User and system time. */
    private static List<Long> ticks(List<Long> pids) throws IOException {
        List<Long> ticks = new ArrayList<>();
        for (long pid : pids) {
            String stat = Files.readString(Path.of("/proc", Long.toString(pid), "stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
            ticks.add(Long.parseLong(fields[11]) + Long.parseLong(fields[12]));
        }
        return ticks;
    }

    /** Bytes of what is reachable on the heap: the histogram is taken after a full collection. */
    private static List<Long> liveHeap(List<Long> pids) throws Exception {
        List<Long> bytes = new ArrayList<>();
        for (long pid : pids) {
            Process histogram = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "jcmd")
                                    .toString(),
                            Long.toString(pid),
                            "GC.class_histogram")
                    .redirectErrorStream(true)
                    .start();
            String text = new String(histogram.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            String directory = System.getProperty("flotilla.histograms");
            if (directory != null) {
                Files.writeString(Path.of(directory, "histogram-" + pid + "-" + System.nanoTime()), text);
            }
            String total = text.lines()
                    .filter(line -> line.startsWith("Total"))
                    .findFirst()
                    .orElseThrow(() -> new IOException("jcmd answers: " + text));
            bytes.add(Long.parseLong(total.trim().split("\\s+")[2]));
        }
        return bytes;
    }

    /** In kilobytes. */
    private static List<Long> resident(List<Long> pids) throws IOException {
        List<Long> kilobytes = new ArrayList<>();
        for (long pid : pids) {
            kilobytes.add(Files.readAllLines(Path.of("/proc", Long.toString(pid), "status")).stream()
                    .filter(line -> line.startsWith("VmRSS:"))
                    .map(line -> Long.parseLong(line.replaceAll("[^0-9]", "")))
                    .findFirst()
                    .orElseThrow());
        }
        return kilobytes;
    }

    /** A client of the key space itself. */
    private static final class Client implements AutoCloseable {
        private final ThreadScheduler scheduler = new ThreadScheduler("idle-figures", 1);
        private final Transport transport;
        final TransactionClient transactions;

        Client(ClusterProcesses cluster) {
            NettyThreads threads = new NettyThreads("idle-figures", 1);
            transport = new NettyTransport(threads, HandshakePolicy.CLIENT, threads::close);
            List<String> addresses = new ArrayList<>();
            for (int i = 0; i < NODES; i++) {
                addresses.add(cluster.address(i));
            }
            transactions = new TransactionClient(
                    ClientSettings.of(addresses),
                    new ClientEnvironment(new SystemClock(), scheduler, SeededRandom.fromSystem(), transport, null));
        }

        @Override
        public void close() {
            transport.close();
            scheduler.close();
        }
    }
}
