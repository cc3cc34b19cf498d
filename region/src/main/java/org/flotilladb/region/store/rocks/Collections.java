package org.flotilladb.region.store.rocks;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.StorageException;
import org.rocksdb.ColumnFamilyHandle;
import org.rocksdb.CompressionType;
import org.rocksdb.Env;
import org.rocksdb.EnvOptions;
import org.rocksdb.IngestExternalFileOptions;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.SstFileWriter;

/** Rows that come from elsewhere: a directory for each collection beside the database, a table file for each family. */
final class Collections {
    private final Path directory;
    private final Env env;

    Collections(Path directory, Env env) {
        this.directory = directory;
        this.env = env;
    }

    private Path file(String name, Family family) {
        return directory.resolve(name).resolve(family + ".sst");
    }

    private static StorageException failed(String action, Path path, IOException e) {
        return new StorageException(
                StorageException.Kind.IO, "Cannot " + action + " " + path + ": " + e.getMessage() + ".", e);
    }

    KvStore.Collection begin(String name) {
        drop(name);
        try {
            Files.createDirectories(directory.resolve(name));
        } catch (IOException e) {
            throw failed("create", directory.resolve(name), e);
        }
        return new Collected(name);
    }

    List<String> names() {
        try (Stream<Path> paths = Files.list(directory)) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        } catch (NoSuchFileException | NotDirectoryException e) {
            return List.of();
        } catch (IOException e) {
            throw failed("read", directory, e);
        }
    }

    void drop(String name) {
        Path path = directory.resolve(name);
        try (Stream<Path> files = Files.list(path)) {
            for (Path file : files.toList()) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(path);
        } catch (NoSuchFileException e) {
            // There is none.
        } catch (IOException e) {
            throw failed("delete", path, e);
        }
    }

    /** Takes in one family's file, through a second name, so that the file stays. */
    void ingest(RocksDB db, ColumnFamilyHandle handle, String name, Family family) {
        Path file = file(name, family);
        if (!Files.isDirectory(file.getParent())) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT,
                    "The rows of an unfinished snapshot are missing: there is no " + file.getParent() + ".");
        }
        if (!Files.exists(file)) {
            return;
        }
        Path moved = file.resolveSibling(family + ".moved");
        try (IngestExternalFileOptions options = new IngestExternalFileOptions().setMoveFiles(true)) {
            Files.deleteIfExists(moved);
            try {
                Files.createLink(moved, file);
            } catch (UnsupportedOperationException | IOException e) {
                Files.copy(file, moved, StandardCopyOption.REPLACE_EXISTING);
            }
            db.ingestExternalFile(handle, List.of(moved.toString()), options);
        } catch (IOException e) {
            throw failed("read", file, e);
        } catch (RocksDBException e) {
            throw RocksErrors.of("take in", file.toString(), e);
        }
    }

    private static void sync(Path path) {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            throw failed("sync", path, e);
        }
    }

    private final class Collected implements KvStore.Collection {
        private final String name;
        private final List<Family> families = new ArrayList<>();
        private final EnvOptions envOptions = new EnvOptions();
        private final Options options = new Options().setCompressionType(CompressionType.LZ4_COMPRESSION);
        private SstFileWriter writer;

        Collected(String name) {
            this.name = name;
            if (env != null) {
                options.setEnv(env);
            }
        }

        private Family current() {
            return families.isEmpty() ? null : families.get(families.size() - 1);
        }

        @Override
        public void put(Family family, byte[] key, byte[] value) {
            try {
                if (family != current()) {
                    end();
                    if (families.contains(family)) {
                        throw new IllegalStateException("the rows of " + family + " come in two pieces");
                    }
                    families.add(family);
                    writer = new SstFileWriter(envOptions, options);
                    writer.open(file(name, family).toString());
                }
                writer.put(key, value);
            } catch (RocksDBException e) {
                throw RocksErrors.of("write", file(name, family).toString(), e);
            }
        }

        private void end() throws RocksDBException {
            if (writer != null) {
                // Waits for the disk.
                writer.finish();
                writer.close();
                writer = null;
            }
        }

        @Override
        public void finish() {
            try {
                end();
            } catch (RocksDBException e) {
                throw RocksErrors.of("write", file(name, current()).toString(), e);
            }
            sync(directory.resolve(name));
            sync(directory);
            sync(directory.toAbsolutePath().getParent());
        }

        @Override
        public void close() {
            if (writer != null) {
                writer.close();
            }
            options.close();
            envOptions.close();
        }
    }
}
