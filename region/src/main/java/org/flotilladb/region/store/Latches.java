package org.flotilladb.region.store;

import java.util.Arrays;
import java.util.concurrent.ConcurrentSkipListMap;

/**
 * The keys of proposed entries, from the checks until their effects are visible. The loop writes; local readers look.
 */
final class Latches {
    /** Commit timestamp of an entry that hides nothing from readers. */
    static final long INVISIBLE = Long.MAX_VALUE;

    /** One proposal's hold on a key; shared by all its keys. */
    static final class Hold {
        final long startTs;
        /** For a one-phase commit its commit timestamp, 0 until it is chosen: until then every read waits. */
        volatile long commitTs;

        Hold(long startTs, long commitTs) {
            this.startTs = startTs;
            this.commitTs = commitTs;
        }
    }

    private record Latch(Hold exclusive, int shared) {}

    private final ConcurrentSkipListMap<byte[], Latch> held = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);

    /** Whether an entry that takes the key exclusively, or shared, must wait. */
    boolean blocks(byte[] key, boolean shared) {
        if (held.isEmpty()) {
            return false;
        }
        Latch latch = held.get(key);
        return latch != null && (latch.exclusive != null || !shared);
    }

    boolean holds(byte[] key) {
        return held.containsKey(key);
    }

    void acquire(byte[] key, Hold hold, boolean shared) {
        Latch latch = held.get(key);
        if (latch != null && latch.exclusive == hold) {
            return;
        }
        if (latch != null && !(shared && latch.exclusive == null)) {
            throw new IllegalStateException("a key is latched twice, by " + hold.startTs);
        }
        held.put(key, shared ? new Latch(null, latch == null ? 1 : latch.shared + 1) : new Latch(hold, 0));
    }

    void release(byte[] key, boolean shared) {
        if (!shared) {
            held.remove(key);
            return;
        }
        Latch latch = held.get(key);
        if (latch != null && latch.exclusive == null) {
            if (latch.shared <= 1) {
                held.remove(key);
            } else {
                held.put(key, new Latch(null, latch.shared - 1));
            }
        }
    }

    /** Whether a read at this timestamp must wait for an entry on the key. Any thread; raise max_ts before. */
    boolean hides(byte[] key, long readTs) {
        if (held.isEmpty()) {
            return false;
        }
        Latch latch = held.get(key);
        return latch != null && latch.exclusive != null && latch.exclusive.commitTs <= readTs;
    }

    /** The first key in {@code [start, end)} that hides something from a read at this timestamp, or null. Any thread. */
    byte[] firstHiding(byte[] start, byte[] end, long readTs) {
        if (held.isEmpty()) {
            return null;
        }
        var range = end == null || end.length == 0 ? held.tailMap(start, true) : held.subMap(start, true, end, false);
        for (var entry : range.entrySet()) {
            Hold hold = entry.getValue().exclusive;
            if (hold != null && hold.commitTs <= readTs) {
                return entry.getKey();
            }
        }
        return null;
    }

    void clear() {
        held.clear();
    }
}
