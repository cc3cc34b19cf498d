package org.flotilladb.server.node;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.driver.EmbeddedNodeProvider;
import org.flotilladb.region.runtime.StorageException;

/**
 * Where the Stores of a database in a directory lie: one in the directory itself; several in {@code node-1}, {@code
 * node-2}, ... within it, with their number in a file {@code NODES}, which is there, durably, before any of them.
 */
final class StoreDirectories {
    private static final String COUNT = "NODES";
    private static final String IDENTITY = "FLOTILLA";

    private StoreDirectories() {}

    /** Whether there is a database in the directory. */
    static boolean hold(Path path) {
        return Files.exists(path.resolve(IDENTITY)) || Files.exists(path.resolve(COUNT));
    }

    /**
     * The directory of each Store, the first one's first.
     *
     * @param nodes how many there should be; 0: as many as there are, one in a new directory
     * @throws StorageException when there are others than were asked for; nothing is changed
     */
    static List<Path> of(Path path, int nodes) {
        int present = present(path);
        if (nodes != 0 && present != 0 && nodes != present) {
            throw refused("The database in " + path + " is kept by "
                    + (present == 1 ? "1 Store" : present + " Stores") + " and cannot be opened with NODES=" + nodes
                    + ": leave NODES out.");
        }
        int count = nodes == 0 ? Math.max(1, present) : nodes;
        if (count == 1) {
            return List.of(path);
        }
        if (present == 0) {
            note(path, count);
        }
        List<Path> directories = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            directories.add(path.resolve("node-" + i));
        }
        return directories;
    }

    /** 0: there is no database yet. */
    private static int present(Path path) {
        Path file = path.resolve(COUNT);
        if (!Files.exists(file)) {
            return Files.exists(path.resolve(IDENTITY)) ? 1 : 0;
        }
        try {
            int count = Integer.parseInt(
                    Files.readString(file, StandardCharsets.UTF_8).trim());
            if (count >= 2 && count <= EmbeddedNodeProvider.MAX_NODES) {
                return count;
            }
        } catch (IOException | NumberFormatException e) {
            throw new StorageException(StorageException.Kind.CORRUPT, unreadable(file), e);
        }
        throw new StorageException(StorageException.Kind.CORRUPT, unreadable(file));
    }

    private static String unreadable(Path file) {
        return file + " should hold the number of Stores beside it, from 2 to " + EmbeddedNodeProvider.MAX_NODES
                + ": write how many folders node-1, node-2, ... there are.";
    }

    private static void note(Path path, int count) {
        Path temporary = path.resolve(COUNT + ".new");
        try {
            Files.createDirectories(path);
            try (FileChannel channel = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                channel.write(ByteBuffer.wrap((count + "\n").getBytes(StandardCharsets.UTF_8)));
                channel.force(true);
            }
            Files.move(temporary, path.resolve(COUNT), StandardCopyOption.ATOMIC_MOVE);
            try (FileChannel directory = FileChannel.open(path, StandardOpenOption.READ)) {
                directory.force(true);
            }
        } catch (AtomicMoveNotSupportedException e) {
            throw refused("The file system of " + path + " cannot rename a file at once: name a local directory.");
        } catch (IOException e) {
            throw new StorageException(
                    StorageException.Kind.REFUSED,
                    "Cannot create the data directory " + path + " (" + e.getMessage()
                            + "): name one that this user may write to.",
                    e);
        }
    }

    private static StorageException refused(String message) {
        return new StorageException(StorageException.Kind.REFUSED, message);
    }
}
