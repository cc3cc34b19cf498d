package org.flotilladb.sqltests.load;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.flotilladb.driver.Databases;
import org.flotilladb.sqltests.processes.ClusterProcesses;

/**
 * Loads a large table into three node processes whose Regions split early, and says into how many Regions it has split by
 * itself, how well these are spread over the nodes a minute after the load, and what the client has noticed.
 */
public final class RegionsFigure {
    private static final int BATCH = 1000;
    private static final int LOADERS = 2;
    private static final long SETTLES_S = 60;
    private static final int WANTED_REGIONS = 60;
    private static final double WANTED_SPREAD_PERCENT = 10;

    private final String url;
    private final int rows;
    private final AtomicLong failures = new AtomicLong();
    private boolean missed;

    private RegionsFigure(String url, int rows) {
        this.url = url;
        this.rows = rows;
    }

    /** Arguments: how many rows, and the bytes at which a Region is split. Exits with 1 when an aim is missed. */
    public static void main(String[] args) throws Exception {
        int rows = args.length > 0 ? Integer.parseInt(args[0]) : 2_000_000;
        String splitBytes = args.length > 1 ? args[1] : "4000000";
        Path directory = Files.createTempDirectory("flotilla-regions");
        boolean missed;
        try (ClusterProcesses cluster =
                ClusterProcesses.start(directory, 3, List.of("--region-split-bytes", splitBytes))) {
            System.out.println(rows + " rows of about 100 bytes in batches of " + BATCH + " by " + LOADERS
                    + " clients, three nodes, Regions split at " + splitBytes + " bytes, "
                    + Runtime.getRuntime().availableProcessors() + " cores");
            RegionsFigure figure = new RegionsFigure(cluster.url("figure"), rows);
            figure.run();
            missed = figure.missed;
        } finally {
            delete(directory);
        }
        System.exit(missed ? 1 : 0);
    }

    private static void delete(Path directory) throws IOException {
        try (var paths = Files.walk(directory)) {
            paths.sorted((a, b) -> b.compareTo(a)).forEach(path -> path.toFile().delete());
        }
    }

    private void run() throws Exception {
        // One connection stays, so that the client below is one and the same.
        try (Connection connection = DriverManager.getConnection(url)) {
            try (Statement statement = connection.createStatement()) {
                statement.execute("CREATE TABLE t (id BIGINT PRIMARY KEY, v VARCHAR(200))");
            }
            long beginNs = System.nanoTime();
            load();
            long loadedNs = System.nanoTime();
            print("load", seconds(loadedNs - beginNs), "s");
            print(
                    "Regions at the end of the load",
                    regions(connection, "LEADER").values(),
                    "by leader");
            LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(SETTLES_S));
            print("after the load", seconds(System.nanoTime() - loadedNs), "s");
            report(connection);
        }
    }

    private void load() throws InterruptedException {
        List<Thread> loaders = new ArrayList<>();
        for (int i = 0; i < LOADERS; i++) {
            int from = (int) ((long) rows * i / LOADERS);
            int to = (int) ((long) rows * (i + 1) / LOADERS);
            Thread loader = new Thread(() -> load(from, to), "loader " + i);
            loader.start();
            loaders.add(loader);
        }
        for (Thread loader : loaders) {
            loader.join();
        }
    }

    private void load(int from, int to) {
        int next = from;
        while (next < to) {
            try (Connection connection = DriverManager.getConnection(url);
                    PreparedStatement insert = connection.prepareStatement("INSERT INTO t VALUES (?, ?)")) {
                connection.setAutoCommit(false);
                while (next < to) {
                    int end = Math.min(next + BATCH, to);
                    for (int id = next; id < end; id++) {
                        insert.setLong(1, id);
                        insert.setString(2, String.format("row %08d ", id) + "x".repeat(70));
                        insert.addBatch();
                    }
                    insert.executeBatch();
                    connection.commit();
                    next = end;
                }
            } catch (SQLException e) {
                System.out.println("SQLException at row " + next + ": " + e.getSQLState() + " " + e.getMessage());
                if (failures.incrementAndGet() > 100) {
                    return;
                }
            }
        }
    }

    private void report(Connection connection) throws SQLException {
        Collection<Integer> leaders = regions(connection, "LEADER").values();
        int count = leaders.stream().mapToInt(Integer::intValue).sum();
        aim("Regions of the table", count, "at least " + WANTED_REGIONS, count >= WANTED_REGIONS);
        print("of the table, by leader", leaders, "");
        spread("leaders on each node", counters(connection, "leaders"));
        spread("Regions on each node", counters(connection, "regions"));
        aim("SQLExceptions", failures.get(), "0", failures.get() == 0);
        print("requests that the router sent again", Databases.commitCounts(url).retries(), "");
        long found;
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT COUNT(*) FROM t")) {
            result.next();
            found = result.getLong(1);
        }
        aim("rows in the table", found, String.valueOf(rows), found == rows);
    }

    private static TreeMap<String, Integer> regions(Connection connection, String column) throws SQLException {
        TreeMap<String, Integer> counts = new TreeMap<>();
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT * FROM FLOTILLA_REGIONS('T')")) {
            while (result.next()) {
                counts.merge(String.valueOf(result.getString(column)), 1, Integer::sum);
            }
        }
        return counts;
    }

    /** What each node counts under a name. */
    private static List<Long> counters(Connection connection, String name) throws SQLException {
        List<Long> counts = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet result = statement.executeQuery("SELECT * FROM FLOTILLA_STATUS()")) {
            while (result.next()) {
                if (result.getString("NAME").equalsIgnoreCase(name)) {
                    counts.add(result.getLong("VALUE"));
                }
            }
        }
        return counts;
    }

    private void spread(String what, List<Long> counts) {
        long most = counts.stream().mapToLong(Long::longValue).max().orElse(0);
        long least = counts.stream().mapToLong(Long::longValue).min().orElse(0);
        double mean = counts.stream().mapToLong(Long::longValue).average().orElse(0);
        double percent = mean == 0 ? 100 : 100 * (most - least) / mean;
        print(what, counts, "");
        aim(
                "  (max - min) / mean",
                String.format("%.1f %%", percent),
                "at most " + WANTED_SPREAD_PERCENT + " %",
                counts.size() == 3 && percent <= WANTED_SPREAD_PERCENT);
    }

    private static String seconds(long ns) {
        return String.format("%.1f", ns / 1e9);
    }

    private static void print(String what, Object value, String unit) {
        System.out.println(String.format("%-40s %s %s", what, value, unit).stripTrailing());
    }

    private void aim(String what, Object value, String wanted, boolean reached) {
        print(what, value, "(aim: " + wanted + (reached ? ")" : "; MISSED)"));
        missed |= !reached;
    }
}
