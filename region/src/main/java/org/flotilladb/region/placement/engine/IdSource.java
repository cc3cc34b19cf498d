package org.flotilladb.region.placement.engine;

/** Ids of Regions and peers that nobody else gets. */
@FunctionalInterface
public interface IdSource {
    /** The first of {@code count} ids in a row, or 0 when there are none just now: ask again later. */
    long take(int count);
}
