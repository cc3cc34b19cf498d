package org.flotilladb.driver;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.flotilladb.driver.jdbc.FlotillaConnection;
import org.flotilladb.driver.keyspace.ClusterKeySpaces;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.keyspace.KeySpace;

/**
 * The databases that are open in this process, each once: it lives while a connection is open, or longer with
 * DB_CLOSE_DELAY (seconds; -1: until the process ends). Safe for many threads.
 */
final class OpenDatabases {
    private static final Map<String, Open> OPEN = new HashMap<>();
    private static ScheduledExecutorService closer;

    /** One open database; its lock is held while it is being opened. */
    private static final class Open {
        private final String key;
        private KeySpace keySpace;
        private SqlDatabase database;
        private int connections;
        private int users;
        private long closeDelaySeconds;

        Open(String key) {
            this.key = key;
        }
    }

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(OpenDatabases::closeAll, "flotilla-shutdown"));
    }

    private OpenDatabases() {}

    static Connection connect(JdbcUrl url, String user, char[] password) throws SQLException {
        if (url.kind() == JdbcUrl.Kind.NODE) {
            throw new SQLException(
                    "An application as a node (jdbc:flotilla:node:) is not available in this version: start"
                            + " ./flotilla server and connect with jdbc:flotilla://host:port/NAME.",
                    "0A000",
                    50100);
        }
        Open open;
        synchronized (OPEN) {
            open = OPEN.computeIfAbsent(url.plain(), Open::new);
            open.users++;
        }
        try {
            SqlSession session;
            synchronized (open) {
                if (open.database == null) {
                    open(open, url);
                }
                long delay = url.number("DB_CLOSE_DELAY", 0);
                session = open.database.connect(user, password, Settings.forSession(url.settings()));
                if (delay != 0) {
                    open.closeDelaySeconds = delay;
                }
                open.connections++;
            }
            Open opened = open;
            return new FlotillaConnection(session, url.plain(), () -> released(opened));
        } finally {
            synchronized (open) {
                synchronized (OPEN) {
                    open.users--;
                }
                closeIfUnused(open);
            }
        }
    }

    private static void open(Open open, JdbcUrl url) throws SQLException {
        boolean mustExist = url.flag("IFEXISTS");
        KeySpace keySpace = switch (url.kind()) {
            case MEMORY -> provider().openMemory(url.name(), (int) url.number("NODES", 1));
            case FILE -> provider().openFile(url.path(), mustExist);
            case CLUSTER -> ClusterKeySpaces.connect(url.hosts(), url.settings());
            case NODE -> throw new SQLException("not here", "0A000");
        };
        try {
            open.database = SqlDatabase.open(keySpace, url.name(), Settings.forDatabase(url.settings()));
            open.keySpace = keySpace;
        } catch (SQLException | RuntimeException e) {
            keySpace.close();
            throw e;
        }
    }

    private static EmbeddedNodeProvider provider() throws SQLException {
        for (ClassLoader loader : new ClassLoader[] {
            OpenDatabases.class.getClassLoader(), Thread.currentThread().getContextClassLoader()
        }) {
            try {
                for (EmbeddedNodeProvider provider : ServiceLoader.load(EmbeddedNodeProvider.class, loader)) {
                    return provider;
                }
            } catch (ServiceConfigurationError e) {
                throw new SQLException("The embedded node cannot be loaded: " + e.getMessage() + ".", "08001", e);
            }
        }
        throw new SQLException(
                "A database inside this process needs the node's classes: add org.flotilladb:flotilla-server to the"
                        + " class path.",
                "08001",
                90046);
    }

    private static void released(Open open) {
        synchronized (open) {
            open.connections--;
            if (open.connections > 0) {
                return;
            }
            if (open.closeDelaySeconds == 0) {
                closeIfUnused(open);
            } else if (open.closeDelaySeconds > 0) {
                closer().schedule(
                                () -> {
                                    synchronized (open) {
                                        closeIfUnused(open);
                                    }
                                },
                                open.closeDelaySeconds,
                                TimeUnit.SECONDS);
            }
        }
    }

    private static ScheduledExecutorService closer() {
        synchronized (OPEN) {
            if (closer == null) {
                closer = Executors.newSingleThreadScheduledExecutor(task -> {
                    Thread thread = new Thread(task, "flotilla-close-delay");
                    thread.setDaemon(true);
                    return thread;
                });
            }
            return closer;
        }
    }

    /** The caller holds the database's lock. */
    private static void closeIfUnused(Open open) {
        synchronized (OPEN) {
            boolean kept = open.database != null && open.connections == 0 && open.closeDelaySeconds != 0;
            if (open.connections > 0 || open.users > 0 || (kept && open.closeDelaySeconds < 0)) {
                return;
            }
            OPEN.remove(open.key, open);
        }
        close(open);
    }

    private static void close(Open open) {
        SqlDatabase database = open.database;
        KeySpace keySpace = open.keySpace;
        open.database = null;
        open.keySpace = null;
        if (database != null) {
            database.close();
            keySpace.close();
        }
    }

    private static void closeAll() {
        List<Open> all;
        synchronized (OPEN) {
            all = new ArrayList<>(OPEN.values());
            OPEN.clear();
        }
        for (Open open : all) {
            synchronized (open) {
                close(open);
            }
        }
    }

    /** Whether a directory is open in this process; for tests. */
    static boolean isOpen(Path directory) {
        synchronized (OPEN) {
            return OPEN.containsKey(JdbcUrl.PREFIX + "file:" + directory);
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
