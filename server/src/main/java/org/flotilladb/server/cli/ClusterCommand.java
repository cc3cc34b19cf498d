package org.flotilladb.server.cli;

import java.io.PrintStream;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.concurrent.Callable;
import org.flotilladb.server.cli.shell.RowPrinter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code cluster}: sees and steers the cluster behind a database, over JDBC like everybody. For administrators. */
@Command(
        name = "cluster",
        description = "See the Stores, Regions and operators of a cluster, and steer them.",
        synopsisSubcommandLabel = "[COMMAND]",
        footer = {
            "",
            "Without a command it lists the Stores. A Store is named by its STORE_ID or its ADDRESS.",
            "Where output is no terminal, rows are printed as by 'shell'."
        })
final class ClusterCommand implements Callable<Integer> {

    @Parameters(
            index = "0",
            paramLabel = "URL",
            description = "A jdbc:flotilla: URL, or HOST:PORT,HOST:PORT of a cluster.")
    private String url;

    @Mixin
    private Connections connections;

    @Override
    public Integer call() throws SQLException {
        return stores();
    }

    @Command(description = "List the Stores: where they are, what they hold.")
    int stores() throws SQLException {
        return print("SELECT STORE_ID, ADDRESS, STATE, ALIVE, SILENT_MS, REGIONS, LEADERS, SIZE_BYTES, AVAILABLE_BYTES,"
                + " WRITES_PER_SECOND, READS_PER_SECOND, LABELS FROM FLOTILLA.STORES");
    }

    @Command(description = "List the Regions: which keys they hold, who leads them.")
    int regions(
            @Option(names = "--keys", description = "With their first and last keys, to split them by.") boolean keys)
            throws SQLException {
        return print("SELECT REGION_ID, KEY_RANGE, LEADER, SIZE_BYTES, KEY_COUNT, WRITES_PER_SECOND, READS_PER_SECOND,"
                + " PEERS, PENDING_PEERS, DOWN_PEERS" + (keys ? ", START_KEY, END_KEY" : "")
                + " FROM FLOTILLA.REGIONS");
    }

    @Command(description = "List the decisions that are being carried out, and the last that were.")
    int operators() throws SQLException {
        return print("SELECT OPERATOR_ID, REGION_ID, KIND, REASON, STATE, STEP, STEPS, AGE_MS FROM FLOTILLA.OPERATORS");
    }

    @Command(description = "List the settings of placement.")
    int settings() throws SQLException {
        return print("SELECT * FROM FLOTILLA.PLACEMENT ORDER BY 1");
    }

    @Command(description = "Change a setting of placement.")
    int set(@Parameters(paramLabel = "NAME") String name, @Parameters(paramLabel = "VALUE") String value)
            throws SQLException {
        call("FLOTILLA_SET_PLACEMENT", name, value);
        out().println(name + " is " + value + " from now on.");
        return 0;
    }

    @Command(description = "Empty a Store, its leaders first, before its node is stopped for good.")
    int drain(
            @Parameters(paramLabel = "STORE") String store,
            @Option(names = "--wait", description = "Wait until it is empty, and print how far it is.") boolean wait)
            throws SQLException {
        String id = call("FLOTILLA_DRAIN", store);
        out().println("Store " + id + " is being emptied.");
        if (wait) {
            waitFor(StoreWait.Goal.EMPTY, id);
        }
        return 0;
    }

    @Command(description = "Call a drain off, and let the Store lead and take Regions again.")
    int undrain(@Parameters(paramLabel = "STORE") String store) throws SQLException {
        out().println("Store " + call("FLOTILLA_UNDRAIN", store) + " takes Regions again.");
        return 0;
    }

    @Command(
            name = "prepare-restart",
            description = "Let others lead in place of a Store until its node has been started anew.")
    int prepareRestart(
            @Parameters(paramLabel = "STORE") String store,
            @Option(names = "--wait", description = "Wait until it leads nothing, and print how far it is.")
                    boolean wait)
            throws SQLException {
        String id = call("FLOTILLA_PREPARE_RESTART", store);
        out().println("Store " + id + " gives its leaders away.");
        if (wait) {
            waitFor(StoreWait.Goal.LEADS_NOTHING, id);
        }
        return 0;
    }

    @Command(description = "Say that a Store does not come back: what it held is restored from the others, at once.")
    int gone(@Parameters(paramLabel = "STORE") String store) throws SQLException {
        out().println("Store " + call("FLOTILLA_STORE_GONE", store) + " is gone; its Regions are restored elsewhere.");
        return 0;
    }

    @Command(name = "transfer-leader", description = "Let a Region be led by its peer on a Store.")
    int transferLeader(@Parameters(paramLabel = "REGION") long region, @Parameters(paramLabel = "STORE") String store)
            throws SQLException {
        return begun(call("FLOTILLA_TRANSFER_LEADER", region, store));
    }

    @Command(name = "move-peer", description = "Move a Region's peer from one Store to another.")
    int movePeer(
            @Parameters(paramLabel = "REGION") long region,
            @Parameters(paramLabel = "FROM") String from,
            @Parameters(paramLabel = "TO") String to)
            throws SQLException {
        return begun(call("FLOTILLA_MOVE_PEER", region, from, to));
    }

    @Command(description = "Split a Region at a key, written like those that 'regions --keys' prints.")
    int split(@Parameters(paramLabel = "REGION") long region, @Parameters(paramLabel = "KEY") String key)
            throws SQLException {
        call("FLOTILLA_SPLIT_REGION", region, key);
        out().println("Region " + region + " is split.");
        return 0;
    }

    @Command(description = "End an operator; what it has done so far stays.")
    int cancel(@Parameters(paramLabel = "OPERATOR") long operator) throws SQLException {
        if (!Boolean.parseBoolean(call("FLOTILLA_CANCEL_OPERATOR", operator))) {
            throw new CliException(
                    "operator " + operator + " does not run (any more); 'operators' lists those that do");
        }
        out().println("Operator " + operator + " is ended.");
        return 0;
    }

    private int begun(String operator) {
        out().println(
                        operator == null
                                ? "It is so already."
                                : "Operator " + operator + " does it; 'operators' shows how far it is.");
        return 0;
    }

    private static PrintStream out() {
        return System.out;
    }

    private Connection open() throws SQLException {
        return connections.open(Addresses.url("cluster", url));
    }

    private int print(String query) throws SQLException {
        try (Connection connection = open();
                PreparedStatement statement = connection.prepareStatement(query);
                ResultSet rows = statement.executeQuery()) {
            RowPrinter printer = Terminals.isInteractive() ? RowPrinter.TABLE : RowPrinter.TABS;
            printer.print(rows, out());
        }
        return 0;
    }

    /** Calls one of the functions; what it returns, or null. */
    private String call(String function, Object... arguments) throws SQLException {
        String marks = ", ?".repeat(arguments.length).substring(2);
        try (Connection connection = open();
                PreparedStatement statement = connection.prepareStatement("CALL " + function + "(" + marks + ")")) {
            for (int i = 0; i < arguments.length; i++) {
                statement.setObject(i + 1, arguments[i]);
            }
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                return result.getString(1);
            }
        }
    }

    private void waitFor(StoreWait.Goal goal, String storeId) throws SQLException {
        try (Connection connection = open()) {
            new StoreWait(connection, storeId, out()).until(goal);
        }
    }
}
