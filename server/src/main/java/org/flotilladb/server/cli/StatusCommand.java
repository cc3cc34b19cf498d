package org.flotilladb.server.cli;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.concurrent.Callable;
import org.flotilladb.server.cli.shell.RowPrinter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code status}: what the nodes of a database say about themselves. */
@Command(name = "status", description = "Print what each node of a database says about itself.")
final class StatusCommand implements Callable<Integer> {

    @Parameters(paramLabel = "URL", description = "A jdbc:flotilla: URL, or HOST:PORT,HOST:PORT of a cluster.")
    private String url;

    @Mixin
    private Connections connections;

    @Override
    public Integer call() throws SQLException {
        try (Connection connection = connections.open(Addresses.url("status", url));
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM FLOTILLA_STATUS()")) {
            RowPrinter printer = Terminals.isInteractive() ? RowPrinter.TABLE : RowPrinter.TABS;
            printer.print(rows, System.out);
        }
        return 0;
    }
}
