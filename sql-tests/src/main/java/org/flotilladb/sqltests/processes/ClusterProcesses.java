package org.flotilladb.sqltests.processes;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A cluster of node processes on loopback, each with a data directory of its own. Not thread-safe. */
public final class ClusterProcesses implements AutoCloseable {

    private static final String MAIN = "org.flotilladb.server.cli.Main";

    private final Path directory;
    private final List<String> options;
    private final List<String> addresses = new ArrayList<>();
    private final List<JavaProcess> nodes = new ArrayList<>();

    private ClusterProcesses(Path directory, int count, List<String> options) throws IOException {
        this.directory = directory;
        this.options = List.copyOf(options);
        for (int port : FreePorts.find(count)) {
            addresses.add("127.0.0.1:" + port);
            nodes.add(null);
        }
    }

    /** Starts {@code count} nodes and waits until they serve SQL. */
    public static ClusterProcesses start(Path directory, int count) throws IOException {
        return start(directory, count, List.of());
    }

    /** @param options of the command {@code server}, the same for each node */
    public static ClusterProcesses start(Path directory, int count, List<String> options) throws IOException {
        ClusterProcesses cluster = new ClusterProcesses(directory, count, options);
        try {
            for (int i = 0; i < count; i++) {
                cluster.start(i);
            }
            cluster.awaitSql(60_000);
            return cluster;
        } catch (RuntimeException | IOException e) {
            cluster.close();
            throw e;
        }
    }

    /** The arguments that start node {@code index}. */
    public List<String> arguments(int index) {
        List<String> arguments = new ArrayList<>(List.of(
                "server",
                "--data",
                directory.resolve("node" + (index + 1)).toString(),
                "--listen",
                addresses.get(index),
                "--peers",
                String.join(",", addresses)));
        arguments.addAll(options);
        return arguments;
    }

    /** Starts a node that does not run, on the directory and port it had. */
    public void start(int index) throws IOException {
        JavaProcess before = nodes.get(index);
        if (before != null && before.isAlive()) {
            throw new IllegalStateException("node " + index + " runs already");
        }
        Files.createDirectories(directory);
        nodes.set(index, JavaProcess.start(directory, MAIN, arguments(index)));
    }

    /** Sends SIGKILL to a node. */
    public void kill(int index) {
        nodes.get(index).kill();
    }

    /** Sends SIGTERM to a node, waits for its end and returns its exit code. */
    public int stop(int index) {
        nodes.get(index).terminate();
        return nodes.get(index).waitFor(60_000);
    }

    public String address(int index) {
        return addresses.get(index);
    }

    public List<Long> pids() {
        return nodes.stream().map(JavaProcess::pid).toList();
    }

    public String url(String database) {
        return "jdbc:flotilla://" + String.join(",", addresses) + "/" + database;
    }

    /** Which node leads the first Region of a table, by asking the database. */
    public int leaderOf(Connection connection, String table) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT * FROM FLOTILLA_REGIONS('" + table + "')")) {
            while (rows.next()) {
                int leader = addresses.indexOf(rows.getString("LEADER"));
                if (leader >= 0) {
                    return leader;
                }
            }
        }
        throw new IllegalStateException("no node of " + addresses + " leads a Region of " + table + logs());
    }

    /** Waits until the cluster answers a query. */
    public void awaitSql(long timeoutMs) {
        long deadlineNs = System.nanoTime() + timeoutMs * 1_000_000;
        while (true) {
            try (Connection connection = DriverManager.getConnection(url("main"));
                    var statement = connection.createStatement()) {
                statement.execute("SELECT 1");
                return;
            } catch (SQLException e) {
                boolean allDead = nodes.stream().noneMatch(JavaProcess::isAlive);
                if (allDead || System.nanoTime() > deadlineNs) {
                    throw new IllegalStateException("the cluster does not serve SQL: " + e.getMessage() + logs(), e);
                }
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(100));
            }
        }
    }

    /** What all nodes have printed, for the message of a failure. */
    public String logs() {
        StringBuilder logs = new StringBuilder();
        for (int i = 0; i < nodes.size(); i++) {
            JavaProcess node = nodes.get(i);
            logs.append("\nnode ").append(addresses.get(i)).append(node == null ? ": not started" : node);
        }
        return logs.toString();
    }

    @Override
    public void close() {
        for (JavaProcess node : nodes) {
            if (node != null) {
                node.close();
            }
        }
    }
}
