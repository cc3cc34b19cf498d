package org.flotilladb.region.store.rocks;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.region.runtime.LogStore.LogBatch;
import org.flotilladb.region.runtime.StorageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What only a disk can do: processes that die, files that are put back, directories of others. */
class RocksStoresTest {
    private static final long GROUP = 3;
    private static final long SMALL_BUFFER_BYTES = 256 << 10;

    @TempDir
    Path directory;

    private static void append(RocksLogStore store, long index, boolean sync) {
        LogBatch batch = store.batch();
        batch.append(GROUP, List.of(new Entry(EntryType.NORMAL, 1, index, new byte[2000])));
        store.write(batch, sync);
    }

    private Path log() {
        return directory.resolve("log");
    }

    /** Another process: appends one entry after the other, and says so after each fsync. */
    static final class Writer {
        public static void main(String[] arguments) {
            RocksLogStore store = new RocksLogStore(Path.of(arguments[0]), null, SMALL_BUFFER_BYTES);
            var state = store.load(GROUP);
            for (long index = state == null ? 1 : state.lastIndex() + 1; ; index++) {
                append(store, index, true);
                System.out.println(index);
            }
        }
    }

    @Test
    void a_killed_process_leaves_every_entry_that_it_had_synced_in_recycled_files_too() throws Exception {
        long acknowledged = 0;
        for (int life = 1; life <= 3; life++) {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-cp",
                            System.getProperty("java.class.path"),
                            Writer.class.getName(),
                            log().toString())
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                long enough = acknowledged + 700;
                while (acknowledged < enough) {
                    String line = lines.readLine();
                    assertTrue(line != null, "the writer has ended by itself");
                    acknowledged = Long.parseLong(line);
                }
                process.destroyForcibly();
            }
            process.waitFor();
            RocksLogStore store = new RocksLogStore(log(), null, SMALL_BUFFER_BYTES);
            long last = store.load(GROUP).lastIndex();
            assertTrue(last >= acknowledged, "the log ends at " + last + ", acknowledged were " + acknowledged);
            assertEquals(last, store.entries(GROUP, 1, last + 1, Long.MAX_VALUE).size());
            store.close();
        }
    }

    /** Recycling keeps a file and gives it the next number; without it, each number is a file of its own. */
    @Test
    void files_of_the_log_are_used_again() throws IOException {
        RocksLogStore store = new RocksLogStore(log(), null, SMALL_BUFFER_BYTES);
        TreeMap<Object, TreeSet<String>> namesByFile = new TreeMap<>(Comparator.comparing(String::valueOf));
        for (long index = 1; index <= 1000; index++) {
            append(store, index, true);
            if (index % 10 == 0) {
                for (Path file : logFiles()) {
                    Object inode = Files.readAttributes(file, BasicFileAttributes.class)
                            .fileKey();
                    assumeTrue(inode != null, "this file system has no file keys");
                    namesByFile
                            .computeIfAbsent(inode, i -> new TreeSet<>())
                            .add(file.getFileName().toString());
                }
            }
        }
        store.close();
        assertTrue(
                namesByFile.values().stream().anyMatch(names -> names.size() > 1),
                "no file was used again: " + namesByFile);
    }

    private List<Path> logFiles() throws IOException {
        try (Stream<Path> files = Files.list(log())) {
            return files.filter(file -> file.toString().endsWith(".log")).toList();
        }
    }

    @Test
    void a_log_that_ends_before_what_was_acknowledged_is_refused_until_somebody_accepts_the_loss() throws Exception {
        RocksLogStore store = new RocksLogStore(log());
        append(store, 1, true);
        store.close();
        Path copy = directory.resolve("copy");
        copy(log(), copy);
        store = new RocksLogStore(log());
        append(store, 2, true);
        store.close();
        delete(log());
        copy(copy, log());
        StorageException refused = assertThrows(StorageException.class, () -> new RocksLogStore(log()));
        assertEquals(StorageException.Kind.REFUSED, refused.kind());
        assertTrue(refused.getMessage().contains("acknowledged is lost"), refused.getMessage());
        Files.delete(SyncedMark.fileOf(log()));
        store = new RocksLogStore(log());
        assertEquals(1, store.load(GROUP).lastIndex());
        store.close();
    }

    @Test
    void a_closed_log_refuses_what_comes_late() {
        RocksLogStore store = new RocksLogStore(log());
        append(store, 1, true);
        store.close();
        store.close();
        assertThrows(StorageException.class, () -> append(store, 2, true));
        assertThrows(StorageException.class, () -> store.load(GROUP));
        assertThrows(StorageException.class, () -> store.entries(GROUP, 1, 2, 1000));
        assertThrows(StorageException.class, store::groups);
    }

    @Test
    void what_was_not_synced_raises_no_mark() {
        RocksLogStore store = new RocksLogStore(log());
        append(store, 1, true);
        long marked = mark(store);
        append(store, 2, false);
        assertEquals(marked, mark(store));
        append(store, 3, true);
        assertTrue(mark(store) > marked, "a synced write has not raised the mark");
        store.close();
        new RocksLogStore(log()).close();
    }

    private long mark(RocksLogStore store) {
        assertTrue(store.load(GROUP).lastIndex() > 0);
        try {
            return ByteBuffer.wrap(Files.readAllBytes(SyncedMark.fileOf(log()))).getLong(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    void a_torn_mark_says_nothing() throws IOException {
        RocksLogStore store = new RocksLogStore(log());
        append(store, 1, true);
        store.close();
        Files.write(SyncedMark.fileOf(log()), new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12});
        store = new RocksLogStore(log());
        assertEquals(1, store.load(GROUP).lastIndex());
        store.close();
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    // ---- the data directory ----------------------------------------------------------------------------------------

    private static void refuses(StorageException.Kind kind, String sentence, Path path) {
        StorageException refused = assertThrows(
                StorageException.class, () -> DataDirectory.open(path).close());
        assertEquals(kind, refused.kind());
        assertTrue(refused.getMessage().contains(sentence), refused.getMessage());
    }

    @Test
    void a_directory_in_use_is_refused_and_free_again_afterwards() {
        DataDirectory open = DataDirectory.open(directory.resolve("db"));
        refuses(StorageException.Kind.REFUSED, "is in use by another process", directory.resolve("db"));
        open.close();
        DataDirectory.open(directory.resolve("db")).close();
    }

    @Test
    void a_directory_of_a_newer_format_is_refused() throws IOException {
        Files.writeString(
                directory.resolve("FLOTILLA"),
                "format=" + (DataDirectory.FORMAT + 1) + "\ncluster=1\nstore=2\n",
                StandardCharsets.UTF_8);
        refuses(StorageException.Kind.REFUSED, "use a newer version", directory);
    }

    @Test
    void a_directory_keeps_its_identity() {
        try (DataDirectory first = DataDirectory.open(directory)) {
            first.setIdentity(0xabcL, -5);
        }
        try (DataDirectory again = DataDirectory.open(directory)) {
            assertEquals(0xabcL, again.clusterId());
            assertEquals(-5, again.storeId());
            again.setIdentity(0xabcL, -5);
            StorageException refused = assertThrows(StorageException.class, () -> again.setIdentity(0xabcL, 6));
            assertTrue(refused.getMessage().contains("start this node with its own directory"), refused.getMessage());
        }
    }

    @Test
    void a_damaged_identity_is_named() throws IOException {
        Files.writeString(directory.resolve("FLOTILLA"), "format=1\ncluster=zz\n", StandardCharsets.UTF_8);
        refuses(StorageException.Kind.CORRUPT, "is damaged", directory);
    }

    @Test
    void a_file_is_no_directory() throws IOException {
        Path file = directory.resolve("file");
        Files.writeString(file, "x", StandardCharsets.UTF_8);
        refuses(StorageException.Kind.REFUSED, "is a file, not a directory", file);
    }
}
