package org.flotilladb.engine.internal;

import java.nio.charset.StandardCharsets;

/**
 * Where things stand in the key space: {@code m} for meta, {@code t} for tables, then the database's number, then, for
 * tables, the table's number and a marker for rows, index entries or references.
 */
final class CatalogKeys {
    private static final int META = 'm';
    private static final int TABLE = 't';

    private CatalogKeys() {}

    /** The number of the database with this name. */
    static byte[] databaseByName(String name) {
        return new KeyBytes()
                .add(META)
                .add(0)
                .add('d')
                .addAll(name.getBytes(StandardCharsets.UTF_8))
                .toBytes();
    }

    /** What the keys of all databases' names begin with. */
    static byte[] databaseNames() {
        return databaseByName("");
    }

    /** The next free number of a database. */
    static byte[] nextDatabase() {
        return new KeyBytes().add(META).add(0).add('n').toBytes();
    }

    private static KeyBytes meta(long database, char marker) {
        return new KeyBytes().add(META).addNumber(database).add(marker);
    }

    /** The prefix of the rows of H2's catalog table. */
    static byte[] catalogRows(long database) {
        return meta(database, 'c').toBytes();
    }

    /** Grows with every change of the catalog. */
    static byte[] catalogVersion(long database) {
        return meta(database, 'v').toBytes();
    }

    /** Stands there while somebody changes the catalog; see {@link Definition}. */
    static byte[] announcement(long database) {
        return meta(database, 'w').toBytes();
    }

    /** The next free number of a table. */
    static byte[] nextTable(long database) {
        return meta(database, 'p').toBytes();
    }

    /** Where the next block of a sequence begins. */
    static byte[] sequence(long database, long sequence) {
        return meta(database, 's').addNumber(sequence).toBytes();
    }

    /** Where the next block of row numbers of a table begins. */
    static byte[] rowNumbers(long database, long table) {
        return meta(database, 'r').addNumber(table).toBytes();
    }

    /** Stands there when a table's primary key is not its rows' number although it could be one. */
    static byte[] mainColumnRefused(long database, long table) {
        return meta(database, 'x').addNumber(table).toBytes();
    }

    private static KeyBytes table(long database, long table) {
        return new KeyBytes().add(TABLE).addNumber(database).addNumber(table);
    }

    /** The prefix of everything in a table. */
    static byte[] tablePrefix(long database, long table) {
        return table(database, table).toBytes();
    }

    /** Locked shared by who writes the table, touched by who changes its definition; beside the rows, never holds a value. */
    static byte[] fence(long database, long table) {
        return table(database, table).add('q').toBytes();
    }

    static byte[] rows(long database, long table) {
        return table(database, table).add('r').toBytes();
    }

    static byte[] index(long database, long table, long index) {
        return table(database, table).add('i').addNumber(index).toBytes();
    }

    /** The prefix of the keys on which writers of children and of parents meet. */
    static byte[] references(long database, long table) {
        return table(database, table).add('f').toBytes();
    }
}
