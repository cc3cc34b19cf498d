package org.flotilladb.engine.internal;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/**
 * What stands at the catalog's version key: the number, and which tables each of the last changes has touched, so that
 * a transaction that runs while the catalog moves on can tell whether that concerns it. Immutable.
 */
final class CatalogVersion {
    private static final int KEPT_CHANGES = 32;
    private static final int MAX_TABLES = 256;
    private static final CatalogVersion NONE = new CatalogVersion(0, List.of());

    /** Tables by their number in the key space; null: too many to name. */
    private record Change(long version, List<Long> tables) {}

    private final long number;
    private final List<Change> changes;

    private CatalogVersion(long number, List<Change> changes) {
        this.number = number;
        this.changes = changes;
    }

    static CatalogVersion of(byte[] stored) {
        if (stored == null) {
            return NONE;
        }
        ByteBuffer in = ByteBuffer.wrap(stored);
        long number = in.getLong();
        List<Change> changes = new ArrayList<>();
        while (in.hasRemaining()) {
            long version = in.getLong();
            int count = in.getInt();
            List<Long> tables = count < 0 ? null : new ArrayList<>(count);
            for (int i = 0; i < count; i++) {
                tables.add(in.getLong());
            }
            changes.add(new Change(version, tables));
        }
        return new CatalogVersion(number, changes);
    }

    long number() {
        return number;
    }

    /** The version behind this one, by a change that touched these tables. */
    CatalogVersion next(Collection<Long> tables) {
        List<Change> kept =
                new ArrayList<>(changes.subList(Math.max(0, changes.size() - KEPT_CHANGES + 1), changes.size()));
        kept.add(new Change(number + 1, tables.size() > MAX_TABLES ? null : List.copyOf(tables)));
        return new CatalogVersion(number + 1, kept);
    }

    /** The tables touched since a version; null when that cannot be told, or are all. */
    TreeSet<Long> touchedSince(long version) {
        TreeSet<Long> touched = new TreeSet<>();
        if (number - version > changes.size()) {
            return null;
        }
        for (Change change : changes) {
            if (change.version > version) {
                if (change.tables == null) {
                    return null;
                }
                touched.addAll(change.tables);
            }
        }
        return touched;
    }

    byte[] toBytes() {
        int size = Long.BYTES;
        for (Change change : changes) {
            size += Long.BYTES + Integer.BYTES + (change.tables == null ? 0 : change.tables.size() * Long.BYTES);
        }
        ByteBuffer out = ByteBuffer.allocate(size).putLong(number);
        for (Change change : changes) {
            out.putLong(change.version).putInt(change.tables == null ? -1 : change.tables.size());
            if (change.tables != null) {
                change.tables.forEach(out::putLong);
            }
        }
        return out.array();
    }
}
