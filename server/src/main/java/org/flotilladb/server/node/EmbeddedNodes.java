package org.flotilladb.server.node;

import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.driver.EmbeddedNodeProvider;
import org.flotilladb.driver.keyspace.RegionKeySpace;
import org.flotilladb.driver.keyspace.StatusLines;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeySpace.NodeCounter;
import org.flotilladb.region.client.ClientEnvironment;
import org.flotilladb.region.client.ClientSettings;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.LocalNode;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.runtime.system.LocalTransport;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.runtime.system.SystemClock;
import org.flotilladb.region.runtime.system.ThreadScheduler;
import org.flotilladb.region.store.SplitSettings;
import org.flotilladb.region.store.Store;
import org.flotilladb.region.store.StoreSettings;
import org.flotilladb.region.store.rocks.DataDirectory;
import org.flotilladb.region.store.rocks.RocksKvStore;
import org.flotilladb.region.store.rocks.RocksLogStore;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.flotilladb.region.store.storage.MemoryLogStore;

/** Nodes inside this process: Stores whose clients reach them by method calls. */
public final class EmbeddedNodes implements EmbeddedNodeProvider {
    private static final long CACHE_BYTES = 64L << 20;
    private static final long MIN_USABLE_BYTES = 64L << 20;

    @Override
    public KeySpace openMemory(String name, int nodes, long regionSplitBytes) {
        Parts parts = new Parts("flotilla-mem-" + name);
        List<String> addresses = new ArrayList<>();
        for (int i = 1; i <= nodes; i++) {
            addresses.add("memory:" + i);
        }
        for (int i = 1; i <= nodes; i++) {
            LogStore logs = new MemoryLogStore();
            KvStore data = new MemoryKvStore();
            parts.closeables.add(logs);
            parts.closeables.add(data);
            parts.add(settings(i, addresses, regionSplitBytes), logs, data, null);
        }
        return parts.start(addresses);
    }

    @Override
    public KeySpace openFile(Path path, int nodes, long regionSplitBytes, boolean mustExist) throws SQLException {
        if (mustExist && !StoreDirectories.hold(path)) {
            throw new SQLException(
                    "There is no database in " + path + ", and IFEXISTS=TRUE does not create one: check the path.",
                    "90146",
                    90146);
        }
        Parts parts = new Parts("flotilla-" + path.getFileName());
        try {
            List<Path> directories = StoreDirectories.of(path, nodes);
            List<String> addresses =
                    directories.stream().map(each -> "file:" + each).toList();
            for (int i = 1; i <= directories.size(); i++) {
                DataDirectory directory = DataDirectory.open(directories.get(i - 1));
                parts.closeables.add(directory);
                LogStore logs = new RocksLogStore(directory.logPath());
                parts.closeables.add(logs);
                KvStore data = new RocksKvStore(directory.dataPath(), CACHE_BYTES / directories.size());
                parts.closeables.add(data);
                parts.add(
                        settings(i, addresses, regionSplitBytes).withDisk(directory::usableBytes, MIN_USABLE_BYTES),
                        logs,
                        data,
                        directory);
            }
            return parts.start(addresses);
        } catch (StorageException e) {
            parts.close();
            throw new SQLException(
                    e.getMessage(), e.kind() == StorageException.Kind.FULL ? "53100" : "08001", 90020, e);
        }
    }

    private static StoreSettings settings(int nodeId, List<String> addresses, long regionSplitBytes) {
        SplitSettings splits =
                regionSplitBytes == 0 ? SplitSettings.EMBEDDED : SplitSettings.EMBEDDED.withMaxBytes(regionSplitBytes);
        return StoreSettings.of(nodeId, addresses, GroupSettings.DEFAULT, true).withSplits(splits);
    }

    private static void closeQuietly(AutoCloseable each) {
        try {
            each.close();
        } catch (Exception e) {
            throw new IllegalStateException("cannot close " + each, e);
        }
    }

    /** What one embedded database is made of. */
    private static final class Parts {
        private final SystemClock clock = new SystemClock();
        private final ThreadScheduler scheduler;
        private final LocalTransport transport = new LocalTransport(null);
        private final List<Store> stores = new ArrayList<>();
        private final List<AutoCloseable> closeables = new ArrayList<>();

        Parts(String name) {
            scheduler = new ThreadScheduler(name, 1);
        }

        void add(StoreSettings settings, LogStore logs, KvStore data, DataDirectory directory) {
            Store store = new Store(
                    settings,
                    clock,
                    scheduler,
                    SeededRandom.fromSystem(),
                    transport,
                    logs,
                    data,
                    init -> {
                        if (directory != null) {
                            Identities.keep(directory, init, settings.nodeId(), settings.nodeAddresses());
                        }
                    },
                    cause -> {});
            transport.register(settings.nodeAddresses().get(settings.nodeId() - 1), store);
            stores.add(store);
        }

        KeySpace start(List<String> addresses) {
            stores.forEach(Store::start);
            if (failure() instanceof StorageException refused) {
                throw refused;
            }
            LocalNode local = stores.size() == 1 ? stores.get(0) : null;
            TransactionClient client = new TransactionClient(
                    ClientSettings.of(addresses),
                    new ClientEnvironment(clock, scheduler, SeededRandom.fromSystem(), transport, local));
            return new RegionKeySpace(client, () -> status(addresses), this::failure, this::close);
        }

        private RuntimeException failure() {
            for (Store store : stores) {
                if (store.failure() != null) {
                    return store.failure();
                }
            }
            return null;
        }

        private List<NodeCounter> status(List<String> addresses) {
            List<NodeCounter> lines = new ArrayList<>();
            for (int i = 0; i < stores.size(); i++) {
                lines.addAll(StatusLines.of(addresses.get(i), ProcessStatus.of(stores.get(i))));
            }
            return lines;
        }

        private void close() {
            stores.forEach(Store::closeAndWait);
            scheduler.close();
            // Of each node the data before the log; its directory is unlocked last.
            for (int i = closeables.size() - 1; i >= 0; i--) {
                closeQuietly(closeables.get(i));
            }
        }
    }
}
