package org.flotilladb.driver;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.flotilladb.driver.Setting.Scope;
import org.flotilladb.driver.jdbc.FlotillaConnection;
import org.flotilladb.driver.jdbc.Timers;
import org.flotilladb.driver.keyspace.ClusterKeySpaces;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;

/**
 * The databases that are open in this process, each once: it lives while a connection is open, or longer with
 * DB_CLOSE_DELAY. Safe for many threads.
 */
final class OpenDatabases {
    private static final Map<String, Open> OPEN = new HashMap<>();
    private static boolean ended;

    /** One database; its lock is held while it is being opened and closed. It leaves the map when it is closed. */
    private static final class Open {
        private final String key;
        /** Connections, and threads that are about to make one; guarded by the map's lock. */
        private int users;
        /** Guarded by the map's lock, for those who only look. */
        private KeySpace keySpace;

        private SqlDatabase database;
        private long closeDelaySeconds;
        private boolean closeOnExit = true;
        /** Grows whenever it becomes idle, so that only the newest timer closes it. */
        private long idleCount;

        Open(String key) {
            this.key = key;
        }
    }

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(OpenDatabases::closeAll, "flotilla-shutdown"));
    }

    private OpenDatabases() {}

    static Connection connect(JdbcUrl url) throws SQLException {
        Open open;
        synchronized (OPEN) {
            if (ended) {
                throw new SQLException("The process is ending: no database is opened any more.", "08001");
            }
            open = OPEN.computeIfAbsent(url.plain(), Open::new);
            open.users++;
        }
        boolean connected = false;
        try {
            SqlSession session;
            KeySpace keySpace;
            synchronized (open) {
                if (open.database == null) {
                    open.closeDelaySeconds = 0;
                    open.closeOnExit = true;
                    open(open, url);
                }
                session = open.database.connect(
                        url.text(Setting.USER),
                        url.text(Setting.PASSWORD).toCharArray(),
                        Settings.of(url.settings(), Scope.SESSION));
                synchronized (OPEN) {
                    keySpace = open.keySpace;
                }
                // Only who may enter decides how long it stays open.
                if (url.settings().containsKey(Setting.DB_CLOSE_DELAY)) {
                    open.closeDelaySeconds = url.number(Setting.DB_CLOSE_DELAY);
                }
                if (url.settings().containsKey(Setting.DB_CLOSE_ON_EXIT)) {
                    open.closeOnExit = url.flag(Setting.DB_CLOSE_ON_EXIT);
                }
            }
            connected = true;
            return new FlotillaConnection(session, url.plain(), () -> ask(keySpace), () -> released(open));
        } finally {
            if (!connected) {
                released(open);
            }
        }
    }

    /** Takes a timestamp, which only a majority of the nodes can give, in a transaction of its own. */
    private static void ask(KeySpace keySpace) {
        KeyTransaction own = keySpace.begin(new TransactionMode(TransactionMode.Isolation.SNAPSHOT, false, 0));
        try {
            own.start();
        } finally {
            own.rollback();
        }
    }

    private static void open(Open open, JdbcUrl url) throws SQLException {
        KeySpace keySpace = switch (url.kind()) {
            case MEMORY -> Providers.find().openMemory(url.name(), nodes(url), regionSplitBytes(url));
            case FILE ->
                Providers.find()
                        .openFile(
                                url.path(),
                                url.settings().containsKey(Setting.NODES) ? nodes(url) : 0,
                                regionSplitBytes(url),
                                url.flag(Setting.IFEXISTS));
            case CLUSTER -> ClusterKeySpaces.connect(url.hosts(), url.number(Setting.OPERATION_TIMEOUT_MS));
            case NODE -> {
                Providers.find();
                throw new SQLException(
                        "An application as a node (jdbc:flotilla:node:) is not available in this version: start"
                                + " ./flotilla server and connect with jdbc:flotilla://host:port/NAME.",
                        "0A000",
                        50100);
            }
        };
        try {
            open.database =
                    SqlDatabase.open(keySpace, name(url, keySpace), Settings.of(url.settings(), Scope.DATABASE));
        } catch (SQLException | RuntimeException e) {
            keySpace.close();
            throw e;
        }
        synchronized (OPEN) {
            open.keySpace = keySpace;
        }
    }

    private static long regionSplitBytes(JdbcUrl url) throws SQLException {
        long bytes = url.number(Setting.REGION_SPLIT_BYTES);
        if (bytes != 0 && bytes < EmbeddedNodeProvider.MIN_REGION_SPLIT_BYTES) {
            throw Settings.error("The setting " + Setting.REGION_SPLIT_BYTES.key() + " must be "
                    + EmbeddedNodeProvider.MIN_REGION_SPLIT_BYTES + " or more, or 0 for the usual size; it is " + bytes
                    + ".");
        }
        return bytes;
    }

    private static int nodes(JdbcUrl url) throws SQLException {
        long nodes = url.number(Setting.NODES);
        if (nodes < 1 || nodes > EmbeddedNodeProvider.MAX_NODES) {
            throw new SQLException(
                    "NODES must be from 1 to " + EmbeddedNodeProvider.MAX_NODES + ", it is " + nodes + ".", "08001");
        }
        return (int) nodes;
    }

    /** A directory that was renamed has one database still, under the name it was made with. */
    private static String name(JdbcUrl url, KeySpace keySpace) throws SQLException {
        if (url.kind() == JdbcUrl.Kind.FILE) {
            List<String> names = SqlDatabase.names(keySpace);
            if (names.size() == 1) {
                return names.get(0);
            }
        }
        return url.name();
    }

    /** One connection, or one attempt at one, less. */
    private static void released(Open open) {
        synchronized (open) {
            synchronized (OPEN) {
                if (--open.users > 0) {
                    return;
                }
            }
            long idle = ++open.idleCount;
            if (open.database == null || open.closeDelaySeconds == 0) {
                closeIfUnused(open);
            } else if (open.closeDelaySeconds > 0) {
                Timers.after(TimeUnit.SECONDS.toMillis(open.closeDelaySeconds), () -> {
                    synchronized (open) {
                        if (open.idleCount == idle) {
                            closeIfUnused(open);
                        }
                    }
                });
            }
        }
    }

    /**
     * Closes it and takes it out of the map, in this order: whoever asks for it meanwhile waits for the lock and then
     * opens it again, instead of finding its directory in use. The caller holds the lock.
     */
    private static void closeIfUnused(Open open) {
        synchronized (OPEN) {
            if (open.users > 0) {
                return;
            }
        }
        close(open);
        synchronized (OPEN) {
            if (open.users == 0) {
                OPEN.remove(open.key, open);
            }
        }
    }

    private static void close(Open open) {
        SqlDatabase database = open.database;
        KeySpace keySpace;
        synchronized (OPEN) {
            keySpace = open.keySpace;
            open.keySpace = null;
        }
        open.database = null;
        if (database != null) {
            database.close();
            keySpace.close();
        }
    }

    private static void closeAll() {
        List<Open> all;
        synchronized (OPEN) {
            ended = true;
            all = new ArrayList<>(OPEN.values());
        }
        for (Open open : all) {
            synchronized (open) {
                if (open.closeOnExit) {
                    close(open);
                }
            }
        }
    }

    /** The key space of an open database, or null; for counters. */
    static KeySpace keySpace(String plainUrl) {
        synchronized (OPEN) {
            Open open = OPEN.get(plainUrl);
            return open == null ? null : open.keySpace;
        }
    }
}
