package org.flotilladb.region.client;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.MutationKind;

/** A transaction's writes and locks in key order, with an undo list whose length is the mark. Not thread-safe. */
public final class WriteBuffer {
    /** Bytes of keys and values one transaction may buffer. */
    public static final long MAX_BYTES = 256L << 20;

    private static final int ENTRY_OVERHEAD_BYTES = 64;

    /**
     * What is buffered for a key.
     *
     * @param forUpdateTs a version above it is a conflict; 0: above the start
     * @param held whether the key is locked in its leader's memory
     */
    public record Change(MutationKind kind, byte[] value, long forUpdateTs, boolean held) {
        /** Whether it changes what this transaction reads. */
        public boolean writes() {
            return kind == MutationKind.PUT || kind == MutationKind.INSERT || kind == MutationKind.DELETE;
        }
    }

    private record Undo(byte[] key, Change before, long addedBytes) {}

    private final TreeMap<byte[], Change> changes = new TreeMap<>(Arrays::compareUnsigned);
    private final List<Undo> undo = new ArrayList<>();
    /** For the last mark that was asked for: what was buffered then for each key set since; null for nothing. */
    private final TreeMap<byte[], Change> past = new TreeMap<>(Arrays::compareUnsigned);

    private long pastMark = -1;
    /** How far the undo list is known to {@link #past}. */
    private int pastSeen;

    private long bytes;
    private int writeCount;

    boolean isEmpty() {
        return changes.isEmpty();
    }

    /** Whether anything here changes what is read. */
    public boolean hasWrites() {
        return writeCount > 0;
    }

    /** What is buffered for a key, or null. */
    public Change get(byte[] key) {
        return changes.isEmpty() ? null : changes.get(key);
    }

    /** What is buffered in {@code [start, end)}; null or empty end: no bound. */
    public NavigableMap<byte[], Change> range(byte[] start, byte[] end) {
        return between(changes, start, end);
    }

    private static NavigableMap<byte[], Change> between(NavigableMap<byte[], Change> map, byte[] start, byte[] end) {
        return end == null || end.length == 0
                ? map.tailMap(start, true)
                : Arrays.compareUnsigned(start, end) >= 0
                        ? Collections.emptyNavigableMap()
                        : map.subMap(start, true, end, false);
    }

    /** As {@link #range}, as it was at a mark that is not undone. */
    public NavigableMap<byte[], Change> rangeAt(byte[] start, byte[] end, long mark) {
        lookBack(mark);
        TreeMap<byte[], Change> then = new TreeMap<>(Arrays::compareUnsigned);
        then.putAll(range(start, end));
        between(past, start, end).forEach((key, change) -> {
            if (change == null) {
                then.remove(key);
            } else {
                then.put(key, change);
            }
        });
        return then;
    }

    /** Whether anything was buffered for the key since a mark that is not undone. */
    public boolean changedSince(byte[] key, long mark) {
        lookBack(mark);
        return past.containsKey(key);
    }

    private void lookBack(long mark) {
        if (pastMark != mark) {
            past.clear();
            pastMark = mark;
            pastSeen = (int) mark;
        }
        for (; pastSeen < undo.size(); pastSeen++) {
            Undo step = undo.get(pastSeen);
            if (!past.containsKey(step.key)) {
                past.put(step.key, step.before);
            }
        }
    }

    void put(byte[] key, byte[] value, long forUpdateTs) {
        Change before = changes.get(key);
        boolean insert = before != null && before.kind == MutationKind.INSERT;
        set(
                key,
                new Change(
                        insert ? MutationKind.INSERT : MutationKind.PUT, value, ts(before, forUpdateTs), held(before)));
    }

    void insert(byte[] key, byte[] value, long forUpdateTs) {
        Change before = changes.get(key);
        boolean replaces = before != null && before.kind == MutationKind.DELETE;
        set(
                key,
                new Change(
                        replaces ? MutationKind.PUT : MutationKind.INSERT,
                        value,
                        ts(before, forUpdateTs),
                        held(before)));
    }

    void delete(byte[] key, long forUpdateTs) {
        Change before = changes.get(key);
        boolean own = before != null && before.kind == MutationKind.INSERT;
        set(
                key,
                new Change(own ? MutationKind.LOCK : MutationKind.DELETE, null, ts(before, forUpdateTs), held(before)));
    }

    /** Notes a lock that the key's leader has given. */
    void lock(byte[] key, long forUpdateTs) {
        Change before = changes.get(key);
        if (before == null || isShared(before.kind)) {
            set(key, new Change(MutationKind.LOCK, null, ts(before, forUpdateTs), true));
        } else if (!before.held) {
            set(key, new Change(before.kind, before.value, before.forUpdateTs, true));
        }
    }

    void lockShared(byte[] key, long forUpdateTs) {
        Change before = changes.get(key);
        if (before == null || before.kind == MutationKind.CHECK) {
            set(key, new Change(MutationKind.SHARED_LOCK, null, ts(before, forUpdateTs), false));
        }
    }

    /** Notes that nobody else may have written the key by the commit. */
    void check(byte[] key, long forUpdateTs) {
        if (changes.get(key) == null) {
            set(key, new Change(MutationKind.CHECK, null, forUpdateTs, false));
        }
    }

    /** Whether a key is only looked after, beside others who do the same. */
    static boolean isShared(MutationKind kind) {
        return kind == MutationKind.SHARED_LOCK || kind == MutationKind.CHECK;
    }

    /** Whether there is anything to commit: checks alone protect nothing. */
    boolean hasEffects() {
        for (Change change : changes.values()) {
            if (change.kind != MutationKind.CHECK) {
                return true;
            }
        }
        return false;
    }

    /**
     * The first timestamp counts: what is written later derives from what was seen then, so a version between the two
     * must be a conflict. 0 stands for the start, the earliest of all.
     */
    private static long ts(Change before, long forUpdateTs) {
        return before == null ? forUpdateTs : before.forUpdateTs;
    }

    private static boolean held(Change before) {
        return before != null && before.held;
    }

    private void set(byte[] key, Change change) {
        long added = key.length + ENTRY_OVERHEAD_BYTES + (change.value == null ? 0 : change.value.length);
        if (bytes + added > MAX_BYTES) {
            throw new ClientException(
                    ClientException.Kind.TOO_LARGE,
                    "The transaction has buffered " + (bytes >> 20) + " MB, the limit is " + (MAX_BYTES >> 20)
                            + " MB: commit more often.");
        }
        bytes += added;
        Change before = changes.put(key, change);
        count(before, change);
        undo.add(new Undo(key, before, added));
    }

    private void count(Change before, Change after) {
        writeCount += after != null && after.writes() ? 1 : 0;
        writeCount -= before != null && before.writes() ? 1 : 0;
    }

    long mark() {
        return undo.size();
    }

    /** Undoes writes since the mark; locks taken since stay noted, as they stay held. */
    void rollbackTo(long mark) {
        while (undo.size() > mark) {
            Undo last = undo.remove(undo.size() - 1);
            Change now = changes.get(last.key);
            bytes -= last.addedBytes;
            Change then = last.before;
            if (now.held && then == null) {
                then = new Change(MutationKind.LOCK, null, now.forUpdateTs, true);
            } else if (now.held && !then.held) {
                MutationKind kind = isShared(then.kind) ? MutationKind.LOCK : then.kind;
                then = new Change(kind, then.value, then.forUpdateTs, true);
            }
            if (then == null) {
                changes.remove(last.key);
            } else {
                changes.put(last.key, then);
            }
            count(now, then);
        }
        pastSeen = Math.min(pastSeen, undo.size());
        if (undo.size() < pastMark) {
            pastMark = -1;
        }
    }

    List<Mutation> mutations() {
        List<Mutation> result = new ArrayList<>(changes.size());
        changes.forEach((key, change) -> {
            Mutation.Builder mutation = Mutation.newBuilder()
                    .setKind(change.kind)
                    .setKey(Transaction.wrap(key))
                    .setForUpdateTs(change.forUpdateTs);
            if (change.value != null) {
                mutation.setValue(Transaction.wrap(change.value));
            }
            result.add(mutation.build());
        });
        return result;
    }

    void clear() {
        changes.clear();
        undo.clear();
        past.clear();
        pastMark = -1;
        writeCount = 0;
        bytes = 0;
    }
}
