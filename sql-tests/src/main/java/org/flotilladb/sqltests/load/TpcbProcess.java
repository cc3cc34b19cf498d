package org.flotilladb.sqltests.load;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;

/**
 * The load in a process of its own, to be killed: prints {@code try ID} before a transaction and {@code ack ID AMOUNT}
 * after its commit returned, each as one line that is in the pipe before the next transaction begins. Ends when its
 * standard input ends, so it does not outlive whoever started it.
 */
public final class TpcbProcess {

    private TpcbProcess() {}

    /** Arguments: URL, first id, seed, and {@code create} to create the tables first. */
    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(
                new java.io.FileOutputStream(java.io.FileDescriptor.out), false, StandardCharsets.UTF_8);
        try (TpcbLoad load =
                new TpcbLoad(args[0], new Acknowledged(), Long.parseLong(args[1]), Long.parseLong(args[2]))) {
            if (args.length > 3 && args[3].equals("create")) {
                try (Connection connection = load.connection()) {
                    TpcbSchema.create(connection);
                    TpcbSchema.split(connection);
                }
            }
            load.listen(id -> print(out, "try " + id), (id, amount) -> print(out, "ack " + id + " " + amount));
            load.start();
            while (System.in.read() >= 0) {
                // Whatever comes means: go on.
            }
            load.stop();
        }
    }

    /** One write call for the line, so that lines of several clients do not mix. */
    private static synchronized void print(PrintStream out, String line) {
        byte[] bytes = (line + "\n").getBytes(StandardCharsets.UTF_8);
        out.write(bytes, 0, bytes.length);
        out.flush();
    }
}
