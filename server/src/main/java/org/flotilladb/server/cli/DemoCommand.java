package org.flotilladb.server.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.flotilladb.server.cli.demo.SampleData;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code demo}: a database with sample data and the shell on it. */
@Command(
        name = "demo",
        description = "Open a database of three Stores inside this process, load sample data, start the shell on it.",
        footer = {
            "",
            "Try: SELECT c.city, COUNT(*) AS orders, SUM(l.quantity * l.price) AS total",
            "     FROM customers c JOIN orders o ON o.customer_id = c.id",
            "     JOIN order_lines l ON l.order_id = o.id GROUP BY c.city ORDER BY total DESC;"
        })
final class DemoCommand implements Callable<Integer> {

    @Option(names = "--memory", description = "In memory; nothing on disk.")
    private boolean memory;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = "flotilla-data/demo",
            description = "Where the data is kept (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Option(
            names = "--customers",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Size of the sample data (default: ${DEFAULT-VALUE}).")
    private int customers;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "7411",
            description = "What the sample data is made from (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--url", hidden = true, description = "Another database to load, for tests.")
    private String otherUrl;

    @Override
    public Integer call() throws IOException, SQLException {
        if (customers < 1 || customers > 1_000_000) {
            throw new CliException("--customers wants a number from 1 to 1000000, but got " + customers);
        }
        String url = url();
        try (Connection connection = DriverManager.getConnection(url)) {
            if (SampleData.isLoaded(connection)) {
                System.err.println("The sample data is there already: " + url);
            } else {
                System.err.println("Loading sample data into " + url + " ...");
                long startNs = System.nanoTime();
                new SampleData(seed, customers).load(connection);
                System.err.println(String.format(
                        Locale.ROOT,
                        "Loaded customers, products, orders and order_lines in %.1f s.",
                        (System.nanoTime() - startNs) / 1e9));
            }
            if (Terminals.isInteractive()) {
                System.err.println(
                        "For example:\n  SELECT city, COUNT(*) AS people FROM customers GROUP BY city ORDER BY"
                                + " people DESC;\n  SHOW TABLES;");
            }
            return ShellCommand.runStandardInput(connection, url);
        }
    }

    private String url() {
        if (otherUrl != null) {
            return otherUrl;
        }
        if (memory) {
            return "jdbc:flotilla:mem:demo;NODES=3";
        }
        // A relative path stays relative: it is what the person sees and types again.
        String path = data.isAbsolute() || data.startsWith(".") ? data.toString() : "./" + data;
        // A directory that is there already keeps the number it was made with.
        return "jdbc:flotilla:file:" + path + (Files.exists(data) ? "" : ";NODES=3");
    }
}
