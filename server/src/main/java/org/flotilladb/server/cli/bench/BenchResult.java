package org.flotilladb.server.cli.bench;

import java.util.Locale;
import org.HdrHistogram.Histogram;

/**
 * What one run measured.
 *
 * @param elapsedNs from the start of the first client to the end of the last
 * @param latencies in nanoseconds
 * @param retries operations run again after a conflict
 * @param processor time used meanwhile
 */
public record BenchResult(
        Workload workload,
        int clients,
        long elapsedNs,
        Histogram latencies,
        long retries,
        ProcessorTime.Sample processor) {

    static final String HEADER = String.format(
            Locale.ROOT,
            "%-13s %7s %10s %9s %9s %9s %9s %9s %8s %10s %11s",
            "workload",
            "clients",
            "ops/s",
            "p50 us",
            "p95 us",
            "p99 us",
            "p99.9 us",
            "max us",
            "retries",
            "own us/op",
            "nodes us/op");

    long operations() {
        return latencies.getTotalCount();
    }

    double perSecond() {
        return operations() / (elapsedNs / 1e9);
    }

    private double microsAt(double percentile) {
        return latencies.getValueAtPercentile(percentile) / 1e3;
    }

    private double microsPerOperation(long ns) {
        return operations() == 0 ? 0 : ns / 1e3 / operations();
    }

    String row(boolean hasOthers) {
        return String.format(
                Locale.ROOT,
                "%-13s %7d %10.0f %9.1f %9.1f %9.1f %9.1f %9.1f %8d %10.1f %11s",
                workload.label(),
                clients,
                perSecond(),
                microsAt(50),
                microsAt(95),
                microsAt(99),
                microsAt(99.9),
                latencies.getMaxValue() / 1e3,
                retries,
                microsPerOperation(processor.ownNs()),
                hasOthers ? String.format(Locale.ROOT, "%.1f", microsPerOperation(processor.othersNs())) : "-");
    }

    String json(boolean hasOthers) {
        return String.format(
                Locale.ROOT,
                "{\"workload\":\"%s\",\"clients\":%d,\"operations\":%d,\"seconds\":%.3f,\"opsPerSecond\":%.1f,"
                        + "\"latencyUs\":{\"mean\":%.1f,\"p50\":%.1f,\"p95\":%.1f,\"p99\":%.1f,\"p999\":%.1f,\"max\":%.1f},"
                        + "\"retries\":%d,\"ownCpuUsPerOp\":%.2f,\"nodesCpuUsPerOp\":%s}",
                workload.label(),
                clients,
                operations(),
                elapsedNs / 1e9,
                perSecond(),
                latencies.getMean() / 1e3,
                microsAt(50),
                microsAt(95),
                microsAt(99),
                microsAt(99.9),
                latencies.getMaxValue() / 1e3,
                retries,
                microsPerOperation(processor.ownNs()),
                hasOthers ? String.format(Locale.ROOT, "%.2f", microsPerOperation(processor.othersNs())) : "null");
    }
}
