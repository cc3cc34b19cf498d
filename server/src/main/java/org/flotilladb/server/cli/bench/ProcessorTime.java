package org.flotilladb.server.cli.bench;

import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import org.flotilladb.server.cli.CliException;

/** Processor time used by this process and by others, user and system together. */
public final class ProcessorTime {

    /** Linux counts in ticks of 1/100 s for every program, whatever the kernel's own rate is. */
    private static final long TICK_NS = 10_000_000;

    /** Asks for what others used since they began, in nanoseconds. */
    @FunctionalInterface
    public interface Report {
        long usedNs() throws SQLException;
    }

    private final List<Long> pids;
    private final Report report;
    private final OperatingSystemMXBean self = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /**
     * @param pids processes to add, which must be running; Linux only
     * @param report what nodes say about themselves, added too; null for none
     */
    public ProcessorTime(List<Long> pids, Report report) throws SQLException {
        this.pids = List.copyOf(pids);
        this.report = report;
        sample();
    }

    /** In nanoseconds since the processes began; {@code othersNs} of processes has a resolution of 10 ms. */
    public record Sample(long ownNs, long othersNs) {
        Sample minus(Sample earlier) {
            return new Sample(ownNs - earlier.ownNs, othersNs - earlier.othersNs);
        }
    }

    boolean hasOthers() {
        return !pids.isEmpty() || report != null;
    }

    public Sample sample() throws SQLException {
        long others = report == null ? 0 : report.usedNs();
        for (long pid : pids) {
            others += ofProcess(pid);
        }
        return new Sample(self.getProcessCpuTime(), others);
    }

    private static long ofProcess(long pid) {
        try {
            return ticks(Files.readString(Path.of("/proc", Long.toString(pid), "stat"))) * TICK_NS;
        } catch (IOException e) {
            throw new CliException("--pids names " + pid + ", but no such process is running here", e);
        }
    }

    /** User and system time of the process and its reaped children is fields 14 to 17; we take 14 and 15. */
    static long ticks(String stat) {
        // The second field is the program's name in parentheses, which may hold spaces and parentheses.
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        return Long.parseLong(fields[11]) + Long.parseLong(fields[12]);
    }
}
