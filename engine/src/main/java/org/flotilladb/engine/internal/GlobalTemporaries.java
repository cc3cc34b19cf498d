package org.flotilladb.engine.internal;

import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.api.ErrorCode;
import org.h2.message.DbException;
import org.h2.table.Table;

/**
 * The global temporary tables of a mirror, which all sessions of this process share. They go to the mirror's successor
 * with what is committed of their rows; from then on whoever is still in a transaction here may not use them, nor commit what it
 * has written to them. Safe for many threads.
 */
final class GlobalTemporaries {
    private static final long MAX_WAIT_MS = 10_000;

    private final Mirror mirror;
    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private volatile boolean exist;
    private volatile boolean carried;

    GlobalTemporaries(Mirror mirror) {
        this.mirror = mirror;
    }

    /** One was created. */
    void exist() {
        exist = true;
    }

    /** Whether a statement's text may name one. */
    boolean named(String sql) {
        if (!exist || sql == null) {
            return false;
        }
        for (Table table : TemporaryTables.global(mirror.database())) {
            if (StatementTraits.contains(sql, table.getName())) {
                return true;
            }
        }
        return false;
    }

    /** A statement uses them, or a transaction that has is committed; {@link #used} ends it. */
    void use() {
        lock.readLock().lock();
        if (carried) {
            lock.readLock().unlock();
            throw new KeySpaceException(
                    KeySpaceException.Kind.STALE_SCHEMA,
                    "a global temporary table has moved on with it while this transaction used it");
        }
    }

    void used() {
        lock.readLock().unlock();
    }

    /** Goes on in a newer mirror; one that does not fit the catalog there is not found there. */
    void carryTo(Mirror newer) throws SQLException {
        if (!exist || carried || mirror.database() == null || mirror.keeper().isClosed()) {
            return;
        }
        boolean locked = false;
        try {
            locked = lock.writeLock().tryLock(MAX_WAIT_MS, TimeUnit.MILLISECONDS);
            if (!locked) {
                throw DbException.get(ErrorCode.LOCK_TIMEOUT_1, "the global temporary tables")
                        .getSQLException();
            }
            for (Table table : TemporaryTables.global(mirror.database())) {
                carry(table, newer);
            }
            carried = true;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw DbException.get(ErrorCode.STATEMENT_WAS_CANCELED).getSQLException();
        } finally {
            if (locked) {
                lock.writeLock().unlock();
            }
        }
    }

    private void carry(Table table, Mirror newer) {
        try {
            TemporaryTables.carry(
                    List.of(table), mirror.keeper(), newer.database().getSystemSession());
        } catch (DbException | KeySpaceException e) {
            newer.database().getSystemSession().rollback();
        }
    }
}
