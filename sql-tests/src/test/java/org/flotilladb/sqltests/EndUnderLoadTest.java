package org.flotilladb.sqltests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.flotilladb.sqltests.processes.JavaProcess;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.io.TempDir;

/** A process ends while its threads read and write: the database is closed under them, and nothing crashes. */
class EndUnderLoadTest {
    private static final int ROWS = 2000;

    /** The process: eight threads that read, scan and write until it exits, which it does when its input ends. */
    public static void main(String[] args) throws Exception {
        CountDownLatch busy = new CountDownLatch(8);
        try (Connection connection = DriverManager.getConnection(args[0]);
                Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE t (id INT PRIMARY KEY, v INT)");
            statement.execute("INSERT INTO t SELECT x, x FROM SYSTEM_RANGE(1, " + ROWS + ")");
            for (int i = 0; i < 8; i++) {
                int thread = i;
                Thread worker = new Thread(() -> work(args[0], thread, busy));
                worker.setDaemon(true);
                worker.start();
            }
            busy.await();
            System.out.println("busy");
            while (System.in.read() >= 0) {
                // Whatever comes means: go on.
            }
            System.exit(0);
        }
    }

    private static void work(String url, int thread, CountDownLatch busy) {
        String sql = thread % 4 == 0
                ? "UPDATE t SET v = v + 1 WHERE id = ?"
                : thread % 4 == 1 ? "SELECT SUM(v) FROM t WHERE id > ?" : "SELECT v FROM t WHERE id = ?";
        try (Connection connection = DriverManager.getConnection(url);
                PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int n = 0; ; n++) {
                statement.setInt(1, n % ROWS + 1);
                statement.execute();
                if (n == 100) {
                    busy.countDown();
                }
            }
        } catch (SQLException e) {
            // The end.
        }
    }

    @RepeatedTest(2)
    void aDatabaseOnDiskIsClosedUnderItsReaders(@TempDir Path folder) throws Exception {
        String url = "jdbc:flotilla:file:" + folder.resolve("d");
        try (JavaProcess process = JavaProcess.start(folder, EndUnderLoadTest.class.getName(), List.of(url))) {
            process.awaitOutput("busy"::equals, 120_000);
            process.endInput();
            assertEquals(0, process.waitFor(120_000), process.toString());
            try (Stream<Path> files = Files.list(folder)) {
                assertTrue(files.noneMatch(file -> file.getFileName().toString().startsWith("hs_err")));
            }
        }
    }
}
