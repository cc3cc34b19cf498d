package org.flotilladb.server.node;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.SplitSettings;

/** Starts one node and runs it until it is told to stop. */
public final class ServerMain {

    private ServerMain() {}

    /** Returns the exit code of the process: 0 after a clean stop. */
    public static int run(Path data, String listen, List<String> peers, SplitSettings splits) {
        CountDownLatch stop = new CountDownLatch(1);
        AtomicReference<String> fatal = new AtomicReference<>();
        ServerNode node;
        try {
            node = ServerNode.start(data, listen, peers, splits, sentence -> {
                fatal.compareAndSet(null, sentence);
                stop.countDown();
            });
        } catch (NodeStartException | StorageException e) {
            System.err.println("flotilla server: " + e.getMessage());
            return 1;
        }
        CountDownLatch stopped = new CountDownLatch(1);
        AtomicInteger code = new AtomicInteger();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> endWhen(stop, stopped, code), "flotilla-stop"));
        System.out.println("Node " + node.nodeId() + " of " + peers.size() + " listens on " + listen
                + " (loopback only until access control exists); data in "
                + data.toAbsolutePath().normalize());
        try {
            stop.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        close(node, fatal.get(), code, stopped);
        return code.get();
    }

    /** Closes the node and says what was wrong; whatever happens, the process can end afterwards. */
    static void close(AutoCloseable node, String fatal, AtomicInteger code, CountDownLatch stopped) {
        try {
            node.close();
        } catch (Exception e) {
            code.set(1);
            System.err.println("flotilla server: The node did not stop in order: " + e.getMessage()
                    + ". What was committed is kept; look at the log, then start it again.");
        } finally {
            if (fatal != null) {
                System.err.println("flotilla server: " + fatal);
                code.set(1);
            }
            stopped.countDown();
        }
    }

    /** Runs when the JVM ends: by a signal, which begins the stop, or because the stop is over. */
    private static void endWhen(CountDownLatch stop, CountDownLatch stopped, AtomicInteger code) {
        stop.countDown();
        try {
            stopped.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        // A JVM that a signal ends would say 128 + signal, clean or not.
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(code.get());
    }
}
