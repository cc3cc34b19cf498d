package org.flotilladb.region.store.rocks;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;
import org.flotilladb.region.runtime.StorageException;

/**
 * How far a log database was synced when answers left: its sequence number, in a small file beside it, written after each
 * fsync and without one of its own. It may lag, it never leads: a log that opens below it has lost entries or votes that
 * were acknowledged. Used by the Store's loop alone.
 */
final class SyncedMark {
    private static final int BYTES = 12;

    private final Path file;
    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocate(BYTES);
    private final CRC32C crc = new CRC32C();

    private SyncedMark(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Where the mark of a log directory is. */
    static Path fileOf(Path logDirectory) {
        return logDirectory.resolveSibling(logDirectory.getFileName() + ".mark");
    }

    /** Compares the mark with where the log ends. */
    static SyncedMark open(Path logDirectory, long sequence) {
        Path file = fileOf(logDirectory);
        SyncedMark mark;
        try {
            mark = new SyncedMark(
                    file,
                    FileChannel.open(
                            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE));
        } catch (IOException e) {
            throw failed("open", file, e);
        }
        long marked = mark.read();
        if (sequence < marked) {
            mark.close();
            throw new StorageException(
                    StorageException.Kind.REFUSED,
                    "The log in " + logDirectory + " ends at " + sequence + ", but it was synced up to " + marked
                            + ": something that was acknowledged is lost (an old copy was put back, or the disk did not"
                            + " keep its word). Empty this node's directory and let the cluster replace it; where there"
                            + " is no other copy, restore a backup, or delete " + file + " to accept the loss.");
        }
        return mark;
    }

    /** What the file says; 0 when it says nothing, or was torn when the power failed. */
    private long read() {
        try {
            buffer.clear();
            int length = channel.read(buffer, 0);
            return length == BYTES && buffer.getInt(8) == checksum() ? buffer.getLong(0) : 0;
        } catch (IOException e) {
            throw failed("read", file, e);
        }
    }

    private int checksum() {
        crc.reset();
        crc.update(buffer.array(), 0, 8);
        return (int) crc.getValue();
    }

    /** The log is synced up to here; returns when the system has it. */
    void raise(long sequence) {
        buffer.clear();
        buffer.putLong(0, sequence);
        buffer.putInt(8, checksum());
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer, buffer.position());
            }
        } catch (IOException e) {
            throw failed("write", file, e);
        }
    }

    private static StorageException failed(String action, Path file, IOException e) {
        return new StorageException(
                StorageException.Kind.IO, "Cannot " + action + " " + file + ": " + e.getMessage() + ".", e);
    }

    void close() {
        try {
            channel.close();
        } catch (IOException e) {
            // Nothing waits in it.
        }
    }
}
