package org.flotilladb.engine.internal;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.TreeSet;
import java.util.concurrent.ThreadLocalRandom;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;

/**
 * A change of the catalog under way, and how it keeps writers with an older catalog out of the tables it touches: before
 * it reads a table's rows, it
 *
 * <ol>
 *   <li>announces itself and the table, in a transaction of its own,
 *   <li>raises the catalog's epoch, which comes with every timestamp from then on,
 *   <li>touches the table's fence, in a transaction of its own,
 *   <li>reads at a timestamp taken after that.
 * </ol>
 *
 * Every transaction that writes a table has its fence checked when it commits. One whose timestamp is
 * older than the epoch either commits before the fence is touched, and then its rows are read, or does not commit. One
 * that has heard of the epoch looks for the announcement, finds it, and waits. The announcement goes with the commit of
 * the change; if it was removed by somebody who believed this process dead, the change does not commit. Used by the
 * session's thread.
 */
final class Definition {
    private final Mirror mirror;
    private final long token = ThreadLocalRandom.current().nextLong();
    private final TreeSet<Long> tables = new TreeSet<>();
    private byte[] announced;

    Definition(Mirror mirror) {
        this.mirror = mirror;
    }

    private byte[] announcementKey() {
        return CatalogKeys.announcement(mirror.databaseId());
    }

    boolean fences(long table) {
        return tables.contains(table);
    }

    /** The tables named by an announcement. */
    static boolean names(byte[] announcement, long table) {
        if (announcement == null) {
            return false;
        }
        ByteBuffer in = ByteBuffer.wrap(announcement, Long.BYTES, announcement.length - Long.BYTES);
        while (in.hasRemaining()) {
            if (in.getLong() == table) {
                return true;
            }
        }
        return false;
    }

    /** Tells every process that the catalog is being changed. */
    void announce() {
        if (announced == null) {
            replaceAnnouncement();
        }
    }

    private void replaceAnnouncement() {
        ByteBuffer value = ByteBuffer.allocate(Long.BYTES * (1 + tables.size())).putLong(token);
        tables.forEach(value::putLong);
        byte[] next = value.array();
        byte[] before = announced;
        mirror.owner().autonomous(own -> {
            byte[] there = own.get(announcementKey());
            // One that stands there when this begins is of a process that has died: the lock was free.
            if (before != null && !Arrays.equals(there, before)) {
                throw new KeySpaceException(
                        KeySpaceException.Kind.STALE_SCHEMA,
                        "another process has taken over the right to change the catalog");
            }
            own.put(announcementKey(), next);
            return 0;
        });
        announced = next;
        mirror.keySpace().raiseCatalogEpoch();
    }

    /** Keeps writers out; the caller reads at a new timestamp from here on. */
    void fence(long table) {
        if (!tables.add(table)) {
            return;
        }
        replaceAnnouncement();
        mirror.owner().autonomous(own -> {
            own.delete(CatalogKeys.fence(mirror.databaseId(), table));
            return 0;
        });
    }

    /** Adds what makes the change known to the transaction that is about to be committed. */
    void complete(KeyTransaction ending) {
        ending.beginStatement();
        byte[] versionKey = CatalogKeys.catalogVersion(mirror.databaseId());
        CatalogVersion before = CatalogVersion.of(ending.get(versionKey));
        if (before.number() != mirror.version() || !Arrays.equals(ending.get(announcementKey()), announced)) {
            throw new KeySpaceException(
                    KeySpaceException.Kind.CONFLICT,
                    "The catalog was changed by another process while this statement changed it: run it again.");
        }
        ending.put(versionKey, before.next(tables).toBytes());
        ending.delete(announcementKey());
    }

    /** Nothing was changed: writers may go on. */
    void withdraw() {
        if (announced != null) {
            removeAnnouncement(mirror, announced);
        }
    }

    private static void removeAnnouncement(Mirror mirror, byte[] announcement) {
        byte[] key = CatalogKeys.announcement(mirror.databaseId());
        try {
            mirror.owner().autonomous(own -> {
                if (Arrays.equals(own.get(key), announcement)) {
                    own.delete(key);
                }
                return 0;
            });
        } catch (KeySpaceException e) {
            // Whoever waits for it removes it.
        }
    }

    /**
     * Waits until the change that was announced is over; removes the announcement of a process that has died with its
     * lock on the catalog.
     *
     * @param lockTimeoutMs how long to wait
     */
    static void await(Mirror mirror, byte[] announcement, long lockTimeoutMs) {
        KeyTransaction waiter = mirror.keySpace()
                .begin(new TransactionMode(TransactionMode.Isolation.READ_COMMITTED, true, lockTimeoutMs));
        try {
            waiter.lock(CatalogKeys.catalogVersion(mirror.databaseId()));
        } finally {
            waiter.rollback();
        }
        removeAnnouncement(mirror, announcement);
    }
}
