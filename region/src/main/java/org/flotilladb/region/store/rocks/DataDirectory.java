package org.flotilladb.region.store.rocks;

import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Properties;
import org.flotilladb.region.runtime.StorageException;

/**
 * The directory of a Store: {@code FLOTILLA} (format, cluster, Store), {@code LOCK} (held while open), {@code log/} and
 * {@code data/}. One process at a time.
 */
public final class DataDirectory implements AutoCloseable {
    /** The format this version writes and reads. */
    public static final int FORMAT = 1;

    private static final String IDENTITY = "FLOTILLA";

    private final Path path;
    private final FileChannel lockChannel;
    private long clusterId;
    private long storeId;

    private DataDirectory(Path path, FileChannel lockChannel) {
        this.path = path;
        this.lockChannel = lockChannel;
    }

    /** Opens the directory, creating it if it does not exist, and locks it. */
    public static DataDirectory open(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        try {
            Files.createDirectories(absolute);
        } catch (FileAlreadyExistsException e) {
            throw refused(absolute + " is a file, not a directory: name a directory for the data.", e);
        } catch (IOException e) {
            throw refused(
                    "Cannot create the data directory " + absolute + " (" + e.getMessage()
                            + "): name one that this user may write to.",
                    e);
        }
        keepToOwner(absolute);
        FileChannel channel = lock(absolute);
        try {
            DataDirectory directory = new DataDirectory(absolute, channel);
            directory.readIdentity();
            return directory;
        } catch (RuntimeException e) {
            closeQuietly(channel);
            throw e;
        }
    }

    /** A new directory is its owner's alone; one that holds a Store keeps what an administrator may have chosen. */
    private static void keepToOwner(Path directory) {
        if (Files.exists(directory.resolve(IDENTITY))) {
            return;
        }
        try {
            Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx------"));
        } catch (UnsupportedOperationException | IOException e) {
            // No such permissions on this file system, or the directory is somebody else's: then locking it fails.
        }
    }

    private static FileChannel lock(Path directory) {
        FileChannel channel = null;
        try {
            channel = FileChannel.open(directory.resolve("LOCK"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            FileLock lock = channel.tryLock();
            if (lock != null) {
                return channel;
            }
        } catch (OverlappingFileLockException e) {
            // Open in this process: the same sentence.
        } catch (IOException e) {
            closeQuietly(channel);
            throw refused(
                    "Cannot lock the data directory " + directory + " (" + e.getMessage()
                            + "): check that this user may write to it.",
                    e);
        }
        closeQuietly(channel);
        throw refused(
                "The data directory " + directory + " is in use by another process: stop that one, or connect to it as"
                        + " a server (jdbc:flotilla://host:port/NAME).",
                null);
    }

    private static void closeQuietly(FileChannel channel) {
        if (channel != null) {
            try {
                channel.close();
            } catch (IOException e) {
                // Nothing was written through it.
            }
        }
    }

    private void readIdentity() {
        Path file = path.resolve(IDENTITY);
        String text;
        try {
            text = Files.readString(file, StandardCharsets.UTF_8);
        } catch (NoSuchFileException e) {
            return;
        } catch (IOException e) {
            throw refused("Cannot read " + file + ": " + e.getMessage() + ".", e);
        }
        Properties properties = new Properties();
        try {
            properties.load(new StringReader(text));
            int format = Integer.parseInt(properties.getProperty("format", ""));
            if (format > FORMAT) {
                throw refused(
                        "The data directory " + path + " has format " + format + "; this version reads up to format "
                                + FORMAT + ": use a newer version of Flotilla.",
                        null);
            }
            clusterId = Long.parseUnsignedLong(properties.getProperty("cluster", ""), 16);
            storeId = Long.parseUnsignedLong(properties.getProperty("store", ""), 16);
        } catch (IOException | IllegalArgumentException e) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT,
                    file + " is damaged: restore it from a backup, or empty the directory and let the cluster replace"
                            + " this node.",
                    e);
        }
    }

    private static StorageException refused(String message, Throwable cause) {
        return new StorageException(StorageException.Kind.REFUSED, message, cause);
    }

    public Path path() {
        return path;
    }

    public Path logPath() {
        return path.resolve("log");
    }

    public Path dataPath() {
        return path.resolve("data");
    }

    /** 0: not known yet. */
    public long clusterId() {
        return clusterId;
    }

    /** 0: not known yet. */
    public long storeId() {
        return storeId;
    }

    /** Room left on the file system, in bytes; {@link Long#MAX_VALUE} when it cannot be told. */
    public long usableBytes() {
        try {
            return Files.getFileStore(path).getUsableSpace();
        } catch (IOException e) {
            return Long.MAX_VALUE;
        }
    }

    /** Writes the identity for good; durable on return. A second one must be equal. */
    public void setIdentity(long newClusterId, long newStoreId) {
        if (storeId != 0) {
            if (storeId != newStoreId || clusterId != newClusterId) {
                throw refused(
                        "The data directory " + path + " belongs to Store " + Long.toHexString(storeId) + " of cluster "
                                + Long.toHexString(clusterId) + ", not to Store " + Long.toHexString(newStoreId)
                                + " of cluster " + Long.toHexString(newClusterId)
                                + ": start this node with its own directory.",
                        null);
            }
            return;
        }
        String text = "format=" + FORMAT + "\ncluster=" + Long.toHexString(newClusterId) + "\nstore="
                + Long.toHexString(newStoreId) + "\n";
        Path temporary = path.resolve(IDENTITY + ".new");
        try {
            try (FileChannel channel = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE,
                    StandardOpenOption.TRUNCATE_EXISTING)) {
                ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
                while (bytes.hasRemaining()) {
                    channel.write(bytes);
                }
                channel.force(true);
            }
            Files.move(temporary, path.resolve(IDENTITY), StandardCopyOption.ATOMIC_MOVE);
            try (FileChannel directory = FileChannel.open(path, StandardOpenOption.READ)) {
                directory.force(true);
            }
        } catch (IOException e) {
            throw new StorageException(
                    StorageException.Kind.IO, "Cannot write the identity in " + path + ": " + e.getMessage() + ".", e);
        }
        clusterId = newClusterId;
        storeId = newStoreId;
    }

    @Override
    public void close() {
        closeQuietly(lockChannel);
    }
}
