package org.flotilladb.region.store.rocks;

import org.flotilladb.region.runtime.StorageException;
import org.rocksdb.RocksDBException;
import org.rocksdb.Status;

/** Turns RocksDB's errors into typed ones. */
final class RocksErrors {
    private RocksErrors() {}

    static StorageException of(String action, String where, RocksDBException e) {
        Status status = e.getStatus();
        StorageException.Kind kind = StorageException.Kind.IO;
        if (status != null) {
            if (status.getSubCode() == Status.SubCode.NoSpace) {
                kind = StorageException.Kind.FULL;
            } else if (status.getCode() == Status.Code.Corruption) {
                kind = StorageException.Kind.CORRUPT;
            }
        }
        if (e.getMessage() != null && e.getMessage().contains("No space left")) {
            kind = StorageException.Kind.FULL;
        }
        String hint = switch (kind) {
            case FULL -> " The disk is full: make room and open the database again; nothing acknowledged is lost.";
            case CORRUPT -> " The files are damaged: restore this directory from a replica or a backup.";
            default -> "";
        };
        return new StorageException(kind, "Cannot " + action + " " + where + ": " + e.getMessage() + "." + hint, e);
    }
}
