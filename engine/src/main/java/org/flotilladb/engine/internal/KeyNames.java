package org.flotilladb.engine.internal;

import java.util.Arrays;
import java.util.HexFormat;
import java.util.TreeMap;
import org.h2.engine.SessionLocal;
import org.h2.index.Index;
import org.h2.schema.MetaSchema;
import org.h2.schema.Schema;
import org.h2.table.Table;

/**
 * Keys of the key space in words: which row of which table, as far as one database can tell. A key may be any bytes:
 * Regions can be split anywhere.
 */
final class KeyNames {
    private static final HexFormat HEX = HexFormat.of();
    private static final int MAX_NUMBER_BYTES = 8;

    private final long database;
    private final TreeMap<Long, RegionTable> tables = new TreeMap<>();

    /** With the tables that a session sees now. */
    KeyNames(SessionLocal session) {
        database = Mirror.of(session).databaseId();
        for (Schema schema : session.getDatabase().getAllSchemas()) {
            if (schema instanceof MetaSchema) {
                continue;
            }
            for (Table table : schema.getAllTablesAndViews(null)) {
                if (table instanceof RegionTable regionTable) {
                    tables.put(regionTable.physicalId(), regionTable);
                }
            }
        }
    }

    /** Where a key lies: a table of this database or none, and the words for it, the table's name apart. */
    private record Place(RegionTable table, String owner, String within) {
        String words() {
            return within.isEmpty() ? owner : owner + " " + within;
        }
    }

    /** The table that the whole range belongs to, or null. */
    String table(byte[] start, byte[] end) {
        RegionTable table = start.length == 0 ? null : place(start).table;
        if (table == null || end.length == 0) {
            return null;
        }
        byte[] behind = KeyBytes.after(CatalogKeys.tablePrefix(database, table.physicalId()));
        return Arrays.compareUnsigned(end, behind) <= 0 ? name(table) : null;
    }

    /** {@code from .. to}; both parts in words. */
    String range(byte[] start, byte[] end) {
        Place from = start.length == 0 ? null : place(start);
        Place to = end.length == 0 ? null : place(end);
        boolean same = from != null && to != null && from.table != null && from.table == to.table;
        return (from == null ? "beginning" : from.words()) + " .. "
                + (to == null ? "end" : same && !to.within.isEmpty() ? to.within : to.words());
    }

    private static String name(RegionTable table) {
        return table.getSchema().getName() + "." + table.getName();
    }

    private Place place(byte[] key) {
        Reader reader = new Reader(key);
        int kind = reader.next();
        long owner = reader.number();
        if (kind == 'm' && owner >= 0) {
            return new Place(null, owner == 0 ? "databases" : "catalog" + ofDatabase(owner), "");
        }
        long table = reader.number();
        if (kind != 't' || owner < 0 || table < 0) {
            return new Place(null, "key " + HEX.formatHex(key), "");
        }
        RegionTable known = owner == database ? tables.get(table) : null;
        String words = known == null ? "table number " + table + ofDatabase(owner) : name(known);
        return new Place(known, words, within(known, reader));
    }

    private String ofDatabase(long number) {
        return number == database ? "" : " of database number " + number;
    }

    private static String within(RegionTable table, Reader reader) {
        return switch (reader.next()) {
            case -1 -> "";
            case 'r' -> reader.atEnd() ? "rows" : "row " + reader.signed();
            case 'i' -> {
                long index = reader.number();
                yield "index " + indexName(table, index) + (reader.atEnd() ? "" : " at " + reader.rest());
            }
            case 'f' -> "references";
            case 'q' -> "fence";
            default -> "at " + reader.all();
        };
    }

    private static String indexName(RegionTable table, long id) {
        if (table != null) {
            for (Index index : table.getIndexes()) {
                if (index.getId() == id) {
                    return index.getName();
                }
            }
        }
        return "number " + id;
    }

    /** Reads what {@link KeyBytes} has written, and says -1 where it was somebody else. */
    private static final class Reader {
        private final byte[] key;
        private int at;

        Reader(byte[] key) {
            this.key = key;
        }

        boolean atEnd() {
            return at == key.length;
        }

        int next() {
            return atEnd() ? -1 : key[at++] & 0xff;
        }

        /** As {@link KeyBytes#addNumber}. */
        long number() {
            int count = next();
            if (count < 0 || count >= MAX_NUMBER_BYTES || key.length - at < count) {
                return -1;
            }
            long number = 0;
            for (int i = 0; i < count; i++) {
                number = number << 8 | next();
            }
            return number;
        }

        /** As {@link KeyBytes#addSigned}. */
        String signed() {
            int head = key[at] & 0xff;
            int count = head < 0x80 ? 0x7f - head : head - 0x80;
            if (count > MAX_NUMBER_BYTES || key.length - at - 1 != count) {
                return "at " + rest();
            }
            return Long.toString(KeyBytes.signedAt(key, at));
        }

        String rest() {
            return HEX.formatHex(key, at, key.length);
        }

        String all() {
            return HEX.formatHex(key);
        }
    }
}
