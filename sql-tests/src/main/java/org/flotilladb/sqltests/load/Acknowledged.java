package org.flotilladb.sqltests.load;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What the database promised, kept outside of it: transactions whose commit returned, with the amount each moved, and
 * those of which nobody knows. Safe for many threads.
 */
public final class Acknowledged {

    private final Map<Long, Integer> amounts = new ConcurrentHashMap<>();
    private final Set<Long> unknown = ConcurrentHashMap.newKeySet();

    /** Notes that the commit of {@code id} returned. */
    public void add(long id, int amount) {
        Integer before = amounts.put(id, amount);
        if (before != null) {
            throw new IllegalStateException("transaction " + id + " was acknowledged twice");
        }
    }

    /** Notes that {@code id} may or may not have been committed. */
    public void addUnknown(long id) {
        unknown.add(id);
    }

    public int count() {
        return amounts.size();
    }

    public int unknownCount() {
        return unknown.size();
    }

    Map<Long, Integer> amounts() {
        return amounts;
    }

    boolean isUnknown(long id) {
        return unknown.contains(id);
    }
}
