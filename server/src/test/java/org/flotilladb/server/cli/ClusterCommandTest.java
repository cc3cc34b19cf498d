package org.flotilladb.server.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** {@code cluster} on a database of four Stores in this process, three of which have each Region. */
@Timeout(120)
class ClusterCommandTest {
    private static final AtomicInteger NAMES = new AtomicInteger();

    private final String url = "jdbc:flotilla:mem:cluster-command-" + NAMES.incrementAndGet() + ";NODES=4";
    private Connection connection;

    @BeforeEach
    void open() throws SQLException {
        connection = DriverManager.getConnection(url);
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY)");
        }
        awaitValue("SELECT COUNT(*) FROM FLOTILLA.STORES WHERE ALIVE", "4");
        awaitValue("SELECT COUNT(*) FROM FLOTILLA.REGIONS WHERE LEADER IS NOT NULL", "1");
    }

    @AfterEach
    void close() throws SQLException {
        connection.close();
    }

    private String value(String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            return rows.next() ? rows.getString(1) : "none";
        }
    }

    /** What is under way comes to be so; the test's time limit ends a wait in vain. */
    private void awaitValue(String sql, String expected) throws SQLException {
        while (!expected.equals(value(sql))) {
            LockSupport.parkNanos(20_000_000);
        }
    }

    private String run(String... command) {
        CapturedMain run = CapturedMain.run(arguments(command));
        assertEquals("", run.err());
        assertEquals(0, run.code());
        return run.out();
    }

    private String[] arguments(String... command) {
        List<String> all = new ArrayList<>(List.of("cluster", url));
        all.addAll(Arrays.asList(command));
        return all.toArray(new String[0]);
    }

    @Test
    void storesAreListedWithTabsBetweenTheirColumns() throws SQLException {
        String[] lines = run("stores").split("\n");
        assertEquals(5, lines.length);
        assertTrue(lines[0].startsWith("STORE_ID\tADDRESS\tSTATE\tALIVE\t"), lines[0]);
        String first = value("SELECT STORE_ID FROM FLOTILLA.STORES WHERE ADDRESS = 'memory:1'");
        assertTrue(
                Arrays.stream(lines).anyMatch(line -> line.startsWith(first + "\tmemory:1\tUP\tTRUE\t")),
                String.join("\n", lines));
        assertEquals(5, run().split("\n").length, "and without a command");
    }

    @Test
    void regionsAreListedInWordsAndSplitByTheirKeys() throws SQLException {
        assertTrue(run("regions").contains("\tbeginning .. end\tmemory:"), run("regions"));
        String region = value("SELECT REGION_ID FROM FLOTILLA.REGIONS");
        assertEquals("Region " + region + " is split.\n", run("split", region, "7a"));
        awaitValue("SELECT COUNT(*) FROM FLOTILLA.REGIONS WHERE LEADER IS NOT NULL", "2");
        String keys = run("regions", "--keys");
        assertTrue(keys.lines().anyMatch(line -> line.endsWith("\t\t7a")), keys);
        assertTrue(keys.lines().anyMatch(line -> line.endsWith("\t7a\t")), keys);
    }

    @Test
    void aLeaderAndAPeerMoveAndTheOperatorIsListed() throws SQLException {
        String region = value("SELECT REGION_ID FROM FLOTILLA.REGIONS");
        String peers = value("SELECT PEERS FROM FLOTILLA.REGIONS");
        String free =
                value("SELECT STORE_ID FROM FLOTILLA.STORES WHERE '" + peers + "' NOT LIKE '%' || STORE_ID || '%'");
        String leader = value("SELECT LEADER_STORE FROM FLOTILLA.REGIONS");
        String follower = Arrays.stream(peers.split(","))
                .filter(peer -> !peer.equals(leader))
                .findAny()
                .orElseThrow();
        assertTrue(run("transfer-leader", region, follower).matches("Operator \\d+ does it; .*\n"));
        awaitValue("SELECT LEADER_STORE FROM FLOTILLA.REGIONS", follower);
        assertEquals("It is so already.\n", run("transfer-leader", region, follower));

        String begun = run("move-peer", region, leader, free);
        String operator = begun.split(" ")[1];
        assertTrue(
                run("operators").lines().anyMatch(line -> line.startsWith(operator + "\t" + region + "\tasked for\t")),
                run("operators"));
        awaitValue("SELECT STATE FROM FLOTILLA.OPERATORS WHERE OPERATOR_ID = " + operator, "DONE");
        awaitValue(
                "SELECT PEERS LIKE '%" + free + "%' AND PEERS NOT LIKE '%" + leader + "%' FROM FLOTILLA.REGIONS",
                "TRUE");
    }

    @Test
    void aDrainWaitsUntilTheStoreIsEmptyAndCanBeCalledOff() throws SQLException {
        String store = value("SELECT LEADER_STORE FROM FLOTILLA.REGIONS");
        String said = run("drain", store, "--wait");
        assertTrue(said.startsWith("Store " + store + " is being emptied.\n"), said);
        assertTrue(said.contains("holds 1 Region and leads 1."), said);
        assertTrue(said.endsWith("Store " + store + " is empty: its node can be stopped for good.\n"), said);
        assertEquals("DRAINING", value("SELECT STATE FROM FLOTILLA.STORES WHERE STORE_ID = '" + store + "'"));
        assertEquals("Store " + store + " takes Regions again.\n", run("undrain", store));
        assertEquals("UP", value("SELECT STATE FROM FLOTILLA.STORES WHERE STORE_ID = '" + store + "'"));
    }

    @Test
    void aStoreThatIsToBeRestartedLeadsNothing() throws SQLException {
        String address = value("SELECT LEADER FROM FLOTILLA.REGIONS");
        String said = run("prepare-restart", address, "--wait");
        assertTrue(said.endsWith(" leads nothing: its node can be restarted.\n"), said);
        assertEquals("0", value("SELECT LEADERS FROM FLOTILLA.STORES WHERE ADDRESS = '" + address + "'"));
    }

    @Test
    void settingsAreListedAndChanged() throws SQLException {
        assertTrue(run("settings").contains("replicas\t3\n"), run("settings"));
        assertEquals("gone_after_ms is 60000 from now on.\n", run("set", "gone_after_ms", "60000"));
        assertTrue(run("settings").contains("gone_after_ms\t60000\n"), run("settings"));
        assertEquals("BALANCE is off from now on.\n", run("set", "BALANCE", "off"));
        assertEquals("false", value("SELECT SETTING_VALUE FROM FLOTILLA.PLACEMENT WHERE SETTING_NAME = 'balance'"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "1 | cancel 12345678 | operator 12345678 does not run (any more)",
                "1 | drain nowhere | There is no Store 'nowhere'",
                "1 | gone memory:1 | is alive: drain it, stop it, and only then say that it is gone",
                "1 | set replicas many | replicas is a whole number, not 'many'.",
                "1 | set replicas 10 | Replicas must be 1 to 9, not 10.",
                "1 | set colour red | There is no placement setting 'colour'; there are balance,",
                "1 | set balance maybe | balance is true or false, not 'maybe'.",
                "1 | transfer-leader 4711 memory:1 | There is no Region 4711.",
                "1 | move-peer 1 memory:1 memory:1 | must have a peer on Store",
                "1 | split 4711 7a | There is no Region 4711",
                "1 | split 1 xyz | 'xyz' is no key",
                "2 | split one 7a | 'one'",
                "2 | sail | there is no command 'sail'",
                "2 | drain | STORE",
            })
    void aCommandThatCannotBeCarriedOutIsOneSentence(int code, String command, String words) {
        CapturedMain run = CapturedMain.run(arguments(command.split(" ")));
        assertEquals(code, run.code(), run.err());
        assertEquals("", run.out());
        assertTrue(run.err().startsWith("flotilla: "), run.err());
        assertEquals(1, run.err().lines().count(), run.err());
        assertTrue(run.err().contains(words), run.err());
    }
}
