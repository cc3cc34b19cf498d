package org.flotilladb.raft.quorum;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** A set of peers in ascending order. Immutable. */
public final class IdSet {
    public static final IdSet EMPTY = new IdSet(new long[0]);

    private final long[] ids;

    private IdSet(long[] ids) {
        this.ids = ids;
    }

    public static IdSet of(long... ids) {
        return ids.length == 0
                ? EMPTY
                : new IdSet(Arrays.stream(ids).sorted().distinct().toArray());
    }

    public static IdSet of(Collection<Long> ids) {
        return of(ids.stream().mapToLong(Long::longValue).toArray());
    }

    public int size() {
        return ids.length;
    }

    public boolean isEmpty() {
        return ids.length == 0;
    }

    /** The i-th smallest. */
    public long get(int i) {
        return ids[i];
    }

    public boolean contains(long id) {
        for (long each : ids) {
            if (each == id) {
                return true;
            }
        }
        return false;
    }

    public IdSet with(long id) {
        if (contains(id)) {
            return this;
        }
        long[] more = Arrays.copyOf(ids, ids.length + 1);
        more[ids.length] = id;
        return of(more);
    }

    public IdSet without(long id) {
        return contains(id) ? of(Arrays.stream(ids).filter(each -> each != id).toArray()) : this;
    }

    public IdSet union(IdSet other) {
        IdSet all = this;
        for (long id : other.ids) {
            all = all.with(id);
        }
        return all;
    }

    public IdSet intersection(IdSet other) {
        return isEmpty() ? this : of(Arrays.stream(ids).filter(other::contains).toArray());
    }

    /** How many peers are in exactly one of the two. */
    public int difference(IdSet other) {
        int count = 0;
        for (long id : union(other).ids) {
            count += contains(id) == other.contains(id) ? 0 : 1;
        }
        return count;
    }

    public List<Long> toList() {
        List<Long> list = new ArrayList<>(ids.length);
        for (long id : ids) {
            list.add(id);
        }
        return list;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof IdSet set && Arrays.equals(ids, set.ids);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(ids);
    }

    /** Such as "(1 2 3)"; ids in hexadecimal. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("(");
        for (long id : ids) {
            text.append(text.length() > 1 ? " " : "").append(Long.toHexString(id));
        }
        return text.append(')').toString();
    }
}
