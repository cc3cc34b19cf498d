package org.flotilladb.engine.internal;

import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.h2.command.ddl.CreateTableData;
import org.h2.engine.Database;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;

/**
 * One in-memory database of H2 that mirrors the catalog at one version. The catalog table itself (SYS) is one of our
 * tables, so H2 builds the mirror when it opens the database, and writes each change of the catalog into the key space.
 * A mirror whose catalog has become old is retired: sessions move to a new one at the end of their transactions.
 */
final class Mirror {
    private static final ConcurrentHashMap<String, Mirror> BY_NAME = new ConcurrentHashMap<>();
    private static final AtomicLong NAMES = new AtomicLong();

    private final FlotillaDatabase owner;
    private final String h2Name;
    private final ConcurrentHashMap<SessionLocal, SessionState> states = new ConcurrentHashMap<>();
    private final AtomicLong stateIds = new AtomicLong();
    private final AtomicInteger sessions = new AtomicInteger();
    private volatile Database database;
    private volatile Anchor anchor;
    private volatile long version;
    private volatile long epoch;
    private volatile boolean retired;
    private JdbcConnection keeper;
    private SequenceBlocks sequences;

    private Mirror(FlotillaDatabase owner, String h2Name) {
        this.owner = owner;
        this.h2Name = h2Name;
    }

    /** Builds a mirror of the catalog as it is now; the first user of a new database becomes its administrator. */
    static Mirror open(FlotillaDatabase owner, String user, String passwordHash) throws SQLException {
        Mirror mirror = new Mirror(owner, "flotilla-" + NAMES.incrementAndGet() + "/" + owner.name());
        mirror.epoch = owner.keySpace().catalogEpoch(true);
        mirror.readVersion();
        BY_NAME.put(mirror.h2Name, mirror);
        try {
            mirror.keeper = mirror.connect(user, passwordHash, Map.of());
            mirror.database = ((SessionLocal) mirror.keeper.getSession()).getDatabase();
            FunctionSchema.addTo(mirror.database, (SessionLocal) mirror.keeper.getSession());
            mirror.sequences = new SequenceBlocks(mirror);
            mirror.sequences.loadAll();
            return mirror;
        } catch (SQLException | RuntimeException e) {
            mirror.close();
            throw e;
        }
    }

    private void readVersion() {
        KeyTransaction reader = owner.readOnly();
        version = number(reader.get(CatalogKeys.catalogVersion(owner.id())));
        reader.rollback();
    }

    /** The mirror that a session of H2 belongs to. */
    static Mirror of(SessionLocal session) {
        return of(session.getDatabase());
    }

    static Mirror of(Database database) {
        Mirror mirror = BY_NAME.get(plainName(database));
        if (mirror == null) {
            throw new IllegalStateException("database " + database.getName() + " is no mirror");
        }
        mirror.database = database;
        return mirror;
    }

    private static String plainName(Database database) {
        String name = database.getName();
        int at = name.indexOf("flotilla-");
        return at < 0 ? name : name.substring(at);
    }

    /** Opens a session of H2. */
    JdbcConnection connect(String user, String passwordHash, Map<String, String> sessionSettings) throws SQLException {
        StringBuilder url = new StringBuilder("jdbc:h2:mem:").append(h2Name);
        url.append(";DEFAULT_TABLE_ENGINE=").append(FlotillaTableEngine.class.getName());
        owner.settings().forEach((key, value) -> append(url, key, value));
        sessionSettings.forEach((key, value) -> {
            if (!owner.settings().containsKey(key)) {
                append(url, key, value);
            }
        });
        if (passwordHash != null) {
            url.append(";PASSWORD_HASH=TRUE");
        }
        Properties properties = new Properties();
        return new JdbcConnection(url.toString(), properties, user, passwordHash == null ? "" : passwordHash, false);
    }

    private static void append(StringBuilder url, String key, String value) {
        // H2 takes what follows a backslash as it is.
        url.append(';')
                .append(key)
                .append('=')
                .append(value.replace("\\", "\\\\").replace(";", "\\;"));
    }

    KeySpace keySpace() {
        return owner.keySpace();
    }

    FlotillaDatabase owner() {
        return owner;
    }

    long databaseId() {
        return owner.id();
    }

    Database database() {
        return database;
    }

    /** Whether it is built, and users' sessions may be on it. */
    boolean complete() {
        return sequences != null;
    }

    SequenceBlocks sequences() {
        return sequences;
    }

    long version() {
        return version;
    }

    /** A transaction of this mirror's own has changed the catalog. */
    void changedTo(long newVersion) {
        version = newVersion;
    }

    boolean retired() {
        return retired;
    }

    /** Its memory does not agree with the catalog any more: no transaction is begun on it. */
    void retire() {
        retired = true;
    }

    /**
     * Whether the catalog may have changed since this mirror last agreed with it, as far as this process has heard; then
     * the version is looked up.
     *
     * @param reader a transaction begun for the statement that is to be run
     */
    boolean current(KeyTransaction reader) {
        if (retired) {
            return false;
        }
        long now = keySpace().catalogEpoch(false);
        if (now == epoch) {
            return true;
        }
        if (number(reader.get(CatalogKeys.catalogVersion(databaseId()))) != version) {
            retired = true;
            return false;
        }
        epoch = now;
        return true;
    }

    Anchor anchor() {
        Anchor known = anchor;
        if (known == null) {
            synchronized (this) {
                known = anchor;
                if (known == null) {
                    CreateTableData data = new CreateTableData();
                    data.schema = database.getMainSchema();
                    data.tableName = "FLOTILLA_ANCHOR";
                    data.id = -1;
                    data.columns = new ArrayList<>();
                    data.temporary = true;
                    data.globalTemporary = true;
                    known = new Anchor(data, this);
                    anchor = known;
                }
            }
        }
        return known;
    }

    SessionState state(SessionLocal session) {
        SessionState state = states.get(session);
        return state != null
                ? state
                : states.computeIfAbsent(session, s -> new SessionState(this, stateIds.incrementAndGet()));
    }

    /** A session of a user has moved here. */
    void entered() {
        sessions.incrementAndGet();
    }

    /** A session of a user has left. */
    void left(SessionLocal session) {
        SessionState state = states.remove(session);
        if (state != null) {
            state.dropPrepared();
        }
        if (sessions.decrementAndGet() == 0 && retired) {
            close();
        }
    }

    /** Closes a retired mirror that nobody uses. */
    void closeIfUnused() {
        if (sessions.get() == 0) {
            close();
        }
    }

    void close() {
        if (BY_NAME.get(h2Name) == null) {
            return;
        }
        if (sequences != null && !retired) {
            sequences.giveBack();
        }
        retired = true;
        Database closing = database;
        if (closing != null) {
            closing.shutdownImmediately();
        }
        BY_NAME.remove(h2Name);
        states.values().forEach(SessionState::abandon);
        states.clear();
    }

    static long number(byte[] stored) {
        return stored == null ? 0 : ByteBuffer.wrap(stored).getLong();
    }

    static byte[] bytes(long number) {
        return ByteBuffer.allocate(8).putLong(number).array();
    }
}
