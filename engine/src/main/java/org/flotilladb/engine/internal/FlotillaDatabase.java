package org.flotilladb.engine.internal;

import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.flotilladb.engine.SqlDatabase;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;
import org.h2.api.ErrorCode;
import org.h2.engine.SessionLocal;
import org.h2.message.DbException;
import org.h2.security.SHA256;
import org.h2.util.StringUtils;

/** One database in this process: its number in the key space, and the newest mirror of its catalog. */
final class FlotillaDatabase implements SqlDatabase {
    private static final int MAX_ATTEMPTS = 100;
    private static final int FREE_ATTEMPTS = 10;
    private static final long RETRY_PAUSE_NS = 1_000_000;
    private static final int MAX_OPEN_ATTEMPTS = 50;
    private static final long TABLE_ID_BLOCK = 16;
    private static final long ASSUMED_ROWS = 1000;
    private static final long LOCK_TIMEOUT_MS = 5000;

    /** A piece of work on the key space in a transaction of its own. */
    interface Work {
        long run(KeyTransaction transaction);
    }

    private final KeySpace keySpace;
    private final String name;
    private final Map<String, String> settings;
    private final long id;
    private final ConcurrentHashMap<Long, RowNumbers> rowNumbers = new ConcurrentHashMap<>();
    private final ConcurrentHashMap<Long, AtomicLong> approximateRows = new ConcurrentHashMap<>();
    /** What retired mirrors have left of their sequences' blocks, until the next mirror is there. */
    private final Map<Integer, SequenceBlock> sequenceRests = new TreeMap<>();

    private volatile Mirror mirror;
    private long nextTableId = 1;
    private long tableIdsEnd = 1;
    private volatile boolean closed;

    FlotillaDatabase(KeySpace keySpace, String name, Map<String, String> settings, boolean ifExists)
            throws SQLException {
        this.keySpace = keySpace;
        this.name = name;
        this.settings = new TreeMap<>(settings);
        try {
            this.id = autonomous(transaction -> {
                byte[] key = CatalogKeys.databaseByName(name);
                byte[] known = transaction.get(key);
                if (known != null) {
                    return Mirror.number(known);
                }
                if (ifExists) {
                    return 0;
                }
                long next = Mirror.number(transaction.get(CatalogKeys.nextDatabase())) + 1;
                transaction.put(CatalogKeys.nextDatabase(), Mirror.bytes(next));
                transaction.insert(key, Mirror.bytes(next));
                return next;
            });
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
        }
        if (id == 0) {
            throw DbException.get(ErrorCode.DATABASE_NOT_FOUND_WITH_IF_EXISTS_1, name)
                    .getSQLException();
        }
    }

    KeySpace keySpace() {
        return keySpace;
    }

    long id() {
        return id;
    }

    @Override
    public String name() {
        return name;
    }

    Map<String, String> settings() {
        return settings;
    }

    /** Runs a small transaction until it commits. */
    long autonomous(Work work) {
        for (int attempt = 1; ; attempt++) {
            KeyTransaction transaction =
                    keySpace.begin(new TransactionMode(TransactionMode.Isolation.SNAPSHOT, false, LOCK_TIMEOUT_MS));
            boolean committed = false;
            try {
                long result = work.run(transaction);
                transaction.commit();
                committed = true;
                return result;
            } catch (KeySpaceException e) {
                if (e.kind() != KeySpaceException.Kind.CONFLICT || attempt == MAX_ATTEMPTS) {
                    throw e;
                }
            } finally {
                if (!committed) {
                    transaction.rollback();
                }
            }
            if (attempt > FREE_ATTEMPTS) {
                LockSupport.parkNanos(RETRY_PAUSE_NS);
            }
        }
    }

    /** Moves a counter on by {@code step}; where it stood before ({@code first} if it did not exist). */
    long advance(byte[] key, long first, long step) {
        return autonomous(transaction -> {
            byte[] stored = transaction.get(key);
            long at = stored == null ? first : Mirror.number(stored);
            transaction.put(key, Mirror.bytes(at + step));
            return at;
        });
    }

    /** Moves a counter to at least this. */
    void raise(byte[] key, long to) {
        autonomous(transaction -> {
            if (Mirror.number(transaction.get(key)) < to) {
                transaction.put(key, Mirror.bytes(to));
            }
            return to;
        });
    }

    /** A transaction for a few reads at one timestamp. */
    KeyTransaction readOnly() {
        return keySpace.begin(new TransactionMode(TransactionMode.Isolation.SNAPSHOT, false, LOCK_TIMEOUT_MS));
    }

    synchronized long nextTableId() {
        if (nextTableId == tableIdsEnd) {
            nextTableId = advance(CatalogKeys.nextTable(id), 1, TABLE_ID_BLOCK);
            tableIdsEnd = nextTableId + TABLE_ID_BLOCK;
        }
        approximateRows.put(nextTableId, new AtomicLong());
        return nextTableId++;
    }

    RowNumbers rowNumbers(long table) {
        return rowNumbers.computeIfAbsent(table, t -> new RowNumbers(this, CatalogKeys.rowNumbers(id, t)));
    }

    /** A table was dropped: what was noted of it goes. */
    void forget(long table) {
        rowNumbers.remove(table);
        approximateRows.remove(table);
        try {
            autonomous(transaction -> {
                for (byte[] key :
                        new byte[][] {CatalogKeys.rowNumbers(id, table), CatalogKeys.mainColumnRefused(id, table)}) {
                    if (transaction.get(key) != null) {
                        transaction.delete(key);
                    }
                }
                return 0;
            });
        } catch (KeySpaceException e) {
            // A few bytes stay behind, under a number that is never used again.
        }
    }

    /** How many rows this process believes a table to have; for plans. */
    AtomicLong approximateRows(long table) {
        return approximateRows.computeIfAbsent(table, t -> new AtomicLong(ASSUMED_ROWS));
    }

    boolean mainColumnRefused(long table) {
        KeyTransaction reader = readOnly();
        boolean refused = reader.get(CatalogKeys.mainColumnRefused(id, table)) != null;
        reader.rollback();
        return refused;
    }

    void refuseMainColumn(SessionLocal session, RegionTable table) {
        table.transaction(session).put(CatalogKeys.mainColumnRefused(id, table.physicalId()), new byte[] {1});
        table.wrote(session);
    }

    @Override
    public SqlSession connect(String user, char[] password, Map<String, String> sessionSettings) throws SQLException {
        String upper = StringUtils.toUpperEnglish(user == null ? "" : user);
        String hash = password == null || (password.length == 0 && upper.isEmpty())
                ? null
                : StringUtils.convertBytesToHex(SHA256.getKeyPasswordHash(upper, password.clone()));
        try {
            return new FlotillaSession(this, upper, hash, new TreeMap<>(sessionSettings));
        } catch (DbException e) {
            throw e.getSQLException();
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
        }
    }

    /**
     * The newest mirror that this process has, built if there is none.
     *
     * @param from the mirror at whose gate the caller's statement has passed, or null
     */
    Mirror mirror(String user, String passwordHash, Mirror from) throws SQLException {
        Mirror known = mirror;
        if (known != null && known.closedByH2()) {
            known.retire();
        }
        if (known != null && !known.retired()) {
            return known;
        }
        synchronized (this) {
            if (closed) {
                throw DbException.get(ErrorCode.DATABASE_IS_CLOSED).getSQLException();
            }
            known = mirror;
            if (known == null || known.retired()) {
                if (known != null && known.complete()) {
                    sequenceRests.putAll(known.sequences().handOver(known == from ? 1 : 0));
                }
                Mirror newest = openMirror(user, passwordHash);
                sequenceRests.clear();
                if (known != null) {
                    known.temporaries().carryTo(newest);
                }
                mirror = newest;
                if (known != null) {
                    known.closeIfUnused();
                }
            }
            return mirror;
        }
    }

    /** Somebody else may be changing the catalog, or making the very database, at this moment. */
    private Mirror openMirror(String user, String passwordHash) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            try {
                return Mirror.open(this, user, passwordHash, sequenceRests);
            } catch (SQLException e) {
                if (!Errors.passes(e) || attempt == MAX_OPEN_ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    @Override
    public void close() {
        Mirror last;
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
            last = mirror;
        }
        if (last != null) {
            if (last.complete() && last.retired()) {
                last.sequences().giveBack();
            }
            last.close();
        }
    }
}
