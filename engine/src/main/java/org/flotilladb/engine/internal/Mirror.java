package org.flotilladb.engine.internal;

import java.nio.ByteBuffer;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeySpaceException;
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
    private final List<byte[]> versionAndAnnouncement;
    private final ConcurrentHashMap<SessionLocal, SessionState> states = new ConcurrentHashMap<>();
    private final AtomicLong stateIds = new AtomicLong();
    private final AtomicInteger sessions = new AtomicInteger();
    private final DefinitionGate gate = new DefinitionGate();
    private final GlobalTemporaries temporaries = new GlobalTemporaries(this);
    private volatile Database database;
    private volatile Anchor anchor;
    private volatile CatalogTable catalog;
    private volatile long version;
    /** The epoch at which this mirror was last found to be as new as the catalog, with nobody changing it; 0: never. */
    private volatile long epoch;

    private volatile boolean retired;
    private JdbcConnection keeper;
    private SequenceBlocks sequences;

    private Mirror(FlotillaDatabase owner, String h2Name) {
        this.owner = owner;
        this.h2Name = h2Name;
        this.versionAndAnnouncement =
                List.of(CatalogKeys.catalogVersion(owner.id()), CatalogKeys.announcement(owner.id()));
    }

    /**
     * Builds a mirror of the catalog as it is now; the first user of a new database becomes its administrator.
     *
     * @param rests what older mirrors of this process have left of their sequences' blocks
     */
    static Mirror open(FlotillaDatabase owner, String user, String passwordHash, Map<Integer, SequenceBlock> rests)
            throws SQLException {
        Mirror mirror = new Mirror(owner, "flotilla-" + NAMES.incrementAndGet() + "/" + owner.name());
        mirror.readVersion();
        BY_NAME.put(mirror.h2Name, mirror);
        try {
            mirror.keeper = mirror.connect(user, passwordHash, Map.of());
            mirror.database = ((SessionLocal) mirror.keeper.getSession()).getDatabase();
            mirror.checkVersion();
            SequenceBlocks sequences = new SequenceBlocks(mirror);
            sequences.loadAll(rests);
            mirror.sequences = sequences;
            return mirror;
        } catch (SQLException | RuntimeException e) {
            mirror.close();
            throw e;
        }
    }

    private void readVersion() {
        long epochBefore = keySpace().catalogEpoch(true);
        List<byte[]> found = stored();
        version = number(found.get(0));
        compared(found, epochBefore);
    }

    private List<byte[]> stored() {
        KeyTransaction reader = owner.readOnly();
        try {
            return reader.getAll(versionAndAnnouncement);
        } finally {
            reader.rollback();
        }
    }

    /** What was loaded is of one version only if that has not changed meanwhile. */
    private void checkVersion() throws SQLException {
        long now = number(stored().get(0));
        if (now != version) {
            throw Errors.convert(new KeySpaceException(
                            KeySpaceException.Kind.STALE_SCHEMA,
                            "the catalog went from version " + version + " to " + now + " while it was loaded"))
                    .getSQLException();
        }
    }

    /** The session that is changing the catalog in this process, or null. */
    SessionLocal definer() {
        CatalogTable table = catalog;
        return table == null ? null : table.exclusiveSession();
    }

    /** H2 has made its table SYS. */
    void catalog(CatalogTable table) {
        catalog = table;
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
        if (complete()) {
            // One that was closed is not made again, empty.
            url.append(";IFEXISTS=TRUE");
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

    /** H2 has closed it under its sessions: somebody found a way to say SHUTDOWN. */
    boolean closedByH2() {
        Database known = database;
        return known != null && known.isClosing();
    }

    /** Its memory does not agree with the catalog any more: no transaction is begun on it. */
    void retire() {
        retired = true;
    }

    /**
     * Whether this mirror is as new as a timestamp. If the epoch that came with the timestamp is the one this mirror was
     * last compared at, it is; else the catalog's version is looked up.
     *
     * @param reader a transaction whose timestamp is taken
     * @param epochBefore the epoch known before that
     */
    boolean current(KeyTransaction reader, long epochBefore) {
        if (retired) {
            return false;
        }
        if (keySpace().catalogEpoch(false) == epoch) {
            return true;
        }
        List<byte[]> found = reader.getAll(versionAndAnnouncement);
        if (number(found.get(0)) != version) {
            retired = true;
            return false;
        }
        compared(found, epochBefore);
        return true;
    }

    /** A catalog that is being changed is looked up until that is over; what is known now was true at the older epoch. */
    private void compared(List<byte[]> found, long epochBefore) {
        if (found.get(1) == null && epochBefore > epoch) {
            epoch = epochBefore;
        }
    }

    /**
     * The tables that were touched by changes of the catalog since this mirror's version, for a transaction that cannot
     * move to a newer one; null when it may be any.
     */
    Set<Long> changedSince(KeyTransaction reader, long epochBefore) {
        if (!retired && keySpace().catalogEpoch(false) == epoch) {
            return Set.of();
        }
        List<byte[]> found = reader.getAll(versionAndAnnouncement);
        if (number(found.get(0)) == version) {
            compared(found, epochBefore);
            return Set.of();
        }
        return CatalogVersion.of(found.get(0)).touchedSince(version);
    }

    /** The change of the catalog under way that a writer whose timestamp is taken must know of, or null. */
    byte[] announcement(KeyTransaction writer, long epochBefore) {
        if (!retired && keySpace().catalogEpoch(false) == epoch) {
            return null;
        }
        List<byte[]> found = writer.getAll(versionAndAnnouncement);
        if (number(found.get(0)) == version) {
            compared(found, epochBefore);
        }
        return found.get(1);
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

    /** Where statements and definitions of this mirror's sessions pass one another. */
    DefinitionGate gate() {
        return gate;
    }

    /** Its global temporary tables. */
    GlobalTemporaries temporaries() {
        return temporaries;
    }

    /** A session of H2 that is nobody's. */
    SessionLocal keeper() {
        return (SessionLocal) keeper.getSession();
    }

    int sessionCount() {
        return sessions.get();
    }

    /** A session of a user has moved here. */
    void entered() {
        sessions.incrementAndGet();
    }

    /** A session of H2 has been closed. */
    void forget(SessionLocal session) {
        SessionState state = states.remove(session);
        if (state != null) {
            // H2 drops its temporary tables behind the end of its last transaction.
            state.abandon();
            state.releaseTables(session);
        }
    }

    /** A session of a user has left. */
    void left(SessionLocal session) {
        forget(session);
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
