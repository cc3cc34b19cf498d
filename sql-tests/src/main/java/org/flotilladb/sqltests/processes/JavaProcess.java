package org.flotilladb.sqltests.processes;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** A JVM with this one's class path. All that still run are killed when this JVM ends. Safe for many threads. */
public final class JavaProcess implements AutoCloseable {

    private static final Set<Process> RUNNING = ConcurrentHashMap.newKeySet();
    private static final int KEPT_LINES = 10_000;

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> RUNNING.forEach(Process::destroyForcibly)));
    }

    private final Process process;
    private final Output out;
    private final Output err;

    private JavaProcess(Process process, Consumer<String> onOutputLine) {
        this.process = process;
        this.out = new Output(process.inputReader(StandardCharsets.UTF_8), onOutputLine);
        this.err = new Output(process.errorReader(StandardCharsets.UTF_8), line -> {});
    }

    /** Starts {@code mainClass} in {@code directory}. */
    public static JavaProcess start(Path directory, String mainClass, List<String> arguments) throws IOException {
        return start(directory, List.of("-Xmx512m"), mainClass, arguments, line -> {});
    }

    /** @param onOutputLine gets each line of standard output as it comes, on a thread of its own */
    public static JavaProcess start(
            Path directory,
            List<String> javaOptions,
            String mainClass,
            List<String> arguments,
            Consumer<String> onOutputLine)
            throws IOException {
        return start(directory, command(javaOptions, mainClass, arguments), onOutputLine);
    }

    /** Starts any command; what it prints must be UTF-8. */
    public static JavaProcess start(Path directory, List<String> command, Consumer<String> onOutputLine)
            throws IOException {
        Process process =
                new ProcessBuilder(command).directory(directory.toFile()).start();
        RUNNING.add(process);
        process.onExit().thenAccept(RUNNING::remove);
        return new JavaProcess(process, onOutputLine);
    }

    /** The command that starts a JVM with this one's class path. */
    public static List<String> command(List<String> javaOptions, String mainClass, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("-Dfile.encoding=UTF-8");
        if (Runtime.version().feature() >= 24) {
            // As the script does: RocksDB and Netty load native code.
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(javaOptions);
        command.addAll(List.of("-cp", classPath(), mainClass));
        command.addAll(arguments);
        return command;
    }

    /** This JVM's class path, with absolute entries. */
    public static String classPath() {
        List<String> entries = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            entries.add(Path.of(entry).toAbsolutePath().toString());
        }
        return String.join(File.pathSeparator, entries);
    }

    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** Sends SIGKILL and waits until it is dead. */
    public void kill() {
        process.destroyForcibly();
        waitFor(30_000);
    }

    /** Sends SIGTERM. */
    public void terminate() {
        process.destroy();
    }

    /** Waits for its end, all its output read, and returns the exit code. */
    public int waitFor(long timeoutMs) {
        try {
            if (!process.waitFor(timeoutMs, TimeUnit.MILLISECONDS)) {
                throw new IllegalStateException("process " + pid() + " still runs after " + timeoutMs + " ms" + this);
            }
            out.join(timeoutMs);
            err.join(timeoutMs);
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Writes to its standard input. */
    public void send(String text) throws IOException {
        Writer in = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
        in.write(text);
        in.flush();
    }

    /** Ends its standard input. */
    public void endInput() throws IOException {
        process.getOutputStream().close();
    }

    /** Waits for a line of standard output and returns it. */
    public String awaitOutput(Predicate<String> wanted, long timeoutMs) throws InterruptedException {
        return out.await(wanted, timeoutMs, this);
    }

    /** The last lines of standard output. */
    public List<String> output() {
        return out.lines();
    }

    /** The last lines of standard error. */
    public List<String> errors() {
        return err.lines();
    }

    @Override
    public String toString() {
        return "\n  command: " + process.info().commandLine().orElse("?") + "\n  output: "
                + String.join("\n    ", output()) + "\n  errors: " + String.join("\n    ", errors());
    }

    @Override
    public void close() {
        kill();
    }

    /** One of the two streams: read to its end, the last lines kept. */
    private static final class Output {
        private final List<String> lines = new ArrayList<>();
        private final Thread reader;
        private boolean ended;

        Output(BufferedReader in, Consumer<String> onLine) {
            reader = new Thread(() -> read(in, onLine), "process output");
            reader.setDaemon(true);
            reader.start();
        }

        private void read(BufferedReader in, Consumer<String> onLine) {
            try (in) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    onLine.accept(line);
                    add(line);
                }
            } catch (IOException e) {
                add("(reading ended: " + e.getMessage() + ")");
            } finally {
                end();
            }
        }

        private synchronized void add(String line) {
            if (lines.size() >= KEPT_LINES) {
                lines.subList(0, KEPT_LINES / 2).clear();
            }
            lines.add(line);
            notifyAll();
        }

        private synchronized void end() {
            ended = true;
            notifyAll();
        }

        synchronized List<String> lines() {
            return List.copyOf(lines);
        }

        void join(long timeoutMs) throws InterruptedException {
            reader.join(timeoutMs);
        }

        synchronized String await(Predicate<String> wanted, long timeoutMs, JavaProcess process)
                throws InterruptedException {
            long deadlineNs = System.nanoTime() + timeoutMs * 1_000_000;
            int seen = 0;
            while (true) {
                // Lines are seldom dropped; then they are simply looked at again.
                seen = Math.min(seen, lines.size());
                for (; seen < lines.size(); seen++) {
                    if (wanted.test(lines.get(seen))) {
                        return lines.get(seen);
                    }
                }
                long leftMs = (deadlineNs - System.nanoTime()) / 1_000_000;
                if (ended || leftMs <= 0) {
                    throw new IllegalStateException("the expected line did not come" + process);
                }
                wait(leftMs);
            }
        }
    }
}
