package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The groups of one process that are to be ticked: those that do not rest. A tick costs what the groups cost that are
 * awake, however many there are. Not thread-safe.
 */
public final class TickList {
    private final List<RawNode> awake = new ArrayList<>();

    /** A peer was made, or something was asked of it or brought to it: it is ticked until it rests. */
    public void touched(RawNode node) {
        if (!node.listed) {
            node.listed = true;
            awake.add(node);
        }
    }

    /**
     * Ticks every peer that is awake, in the order in which they woke up, and forgets those that rest now.
     *
     * @param each called with every peer that was ticked, to handle what it has to say; what it throws passes, and the
     *     peers behind wait for the next call
     */
    public void tick(long nowNs, Consumer<RawNode> each) {
        int kept = 0;
        int done = 0;
        int count = awake.size();
        try {
            while (done < count) {
                RawNode node = awake.get(done++);
                if (!node.listed) {
                    continue;
                }
                awake.set(kept++, node);
                node.tick(nowNs);
                each.accept(node);
                node.listed &= !node.isResting();
                if (!node.listed) {
                    kept--;
                }
            }
        } finally {
            // Those that woke up meanwhile stand behind the others, as do those that a failure kept from their tick.
            awake.subList(kept, done).clear();
        }
    }

    /** A peer is gone for good. */
    public void remove(RawNode node) {
        node.listed = false;
    }

    /** How many were awake after the last tick, or have woken up since. */
    public int size() {
        return awake.size();
    }
}
