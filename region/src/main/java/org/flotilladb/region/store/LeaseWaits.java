package org.flotilladb.region.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.region.store.RegionPeer.Command;

/**
 * Commands that came while their Region's leader could not prove its lease, in order of arrival: a round of heartbeats
 * brings it, where the leader was at rest. Used by the loop alone.
 */
final class LeaseWaits {
    private static final int MAX_WAITING = 1000;

    /** Null while nobody waits: most Regions are at rest most of the time. */
    private ArrayDeque<Command> waiting;

    boolean isEmpty() {
        return waiting == null;
    }

    /** False when too many wait already. */
    boolean add(Command command) {
        if (waiting == null) {
            waiting = new ArrayDeque<>();
        }
        return waiting.size() < MAX_WAITING && waiting.add(command);
    }

    /** All of them; they wait no more. */
    List<Command> takeAll() {
        List<Command> taken = waiting == null ? new ArrayList<>() : new ArrayList<>(waiting);
        waiting = null;
        return taken;
    }

    /** Those that arrived at that time or before; they wait no more. */
    List<Command> takeArrivedUntil(long timeNs) {
        List<Command> taken = new ArrayList<>();
        while (waiting != null && waiting.peek().arrivedNs <= timeNs) {
            taken.add(waiting.poll());
            if (waiting.isEmpty()) {
                waiting = null;
            }
        }
        return taken;
    }
}
