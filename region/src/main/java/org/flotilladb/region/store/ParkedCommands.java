package org.flotilladb.region.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.flotilladb.region.store.RegionPeer.Command;

/**
 * Commands of one Region that wait until a key is let go: a latch, or a lock. Each is in one queue at most. Used by the
 * loop alone.
 */
final class ParkedCommands {
    private static final int MAX_PARKED = 20_000;

    private final StoreContext store;
    private final Consumer<Command> again;
    private final TreeMap<byte[], ArrayDeque<Command>> waiting = new TreeMap<>(Arrays::compareUnsigned);
    private int count;

    /** @param again told of a command that waits no more: its key was let go, or it has waited as long as it may */
    ParkedCommands(StoreContext store, Consumer<Command> again) {
        this.store = store;
        this.again = again;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Lets a command wait until the key is let go, at most until {@code giveUpNs}; false when too many wait. */
    boolean park(Command command, byte[] key, long giveUpNs) {
        if (count >= MAX_PARKED) {
            return false;
        }
        count++;
        command.waitsFor = key;
        command.giveUpNs = giveUpNs;
        waiting.computeIfAbsent(key, k -> new ArrayDeque<>()).add(command);
        return true;
    }

    /** The key was let go: who waits for it tries again, in order of arrival. */
    void wake(byte[] key) {
        if (waiting.isEmpty()) {
            return;
        }
        ArrayDeque<Command> queue = waiting.remove(key);
        if (queue != null) {
            count -= queue.size();
            for (Command command : queue) {
                waitsNoMore(command);
                again.accept(command);
            }
        }
    }

    /** Wakes whoever waits for a key that is not among these. */
    void wakeUnless(Predicate<byte[]> kept) {
        List<byte[]> gone = new ArrayList<>(waiting.keySet());
        gone.removeIf(kept);
        gone.forEach(this::wake);
    }

    /** Takes a transaction's requests for locks of these keys out of the queues; all of them if there are no keys. */
    List<Command> drop(long startTs, List<byte[]> keys) {
        List<Command> dropped = new ArrayList<>();
        for (Map.Entry<byte[], ArrayDeque<Command>> entry : waiting.entrySet()) {
            if (!keys.isEmpty() && keys.stream().noneMatch(key -> Arrays.equals(key, entry.getKey()))) {
                continue;
            }
            entry.getValue().removeIf(command -> {
                boolean drop = command.request.hasLockKeys()
                        && command.request.getLockKeys().getStartTs() == startTs;
                if (drop) {
                    dropped.add(command);
                }
                return drop;
            });
        }
        if (!dropped.isEmpty()) {
            count -= dropped.size();
            waiting.values().removeIf(ArrayDeque::isEmpty);
            store.waitsNoMore(startTs);
        }
        return dropped;
    }

    /** What has waited long enough is looked at once more, and answered with what stands there. */
    void expire(long nowNs) {
        if (waiting.isEmpty()) {
            return;
        }
        List<Command> expired = new ArrayList<>();
        for (Map.Entry<byte[], ArrayDeque<Command>> entry : waiting.entrySet()) {
            for (Command command : entry.getValue()) {
                if (command.giveUpNs <= nowNs) {
                    expired.add(command);
                }
            }
        }
        for (Command command : expired) {
            ArrayDeque<Command> queue = waiting.get(command.waitsFor);
            if (queue != null && queue.remove(command)) {
                count--;
                if (queue.isEmpty()) {
                    waiting.remove(command.waitsFor);
                }
                waitsNoMore(command);
                again.accept(command);
            }
        }
    }

    /** Takes all out of their queues. */
    List<Command> drain() {
        List<Command> all = new ArrayList<>();
        waiting.values().forEach(all::addAll);
        waiting.clear();
        count = 0;
        all.forEach(this::waitsNoMore);
        return all;
    }

    private void waitsNoMore(Command command) {
        if (command.request.hasLockKeys()) {
            store.waitsNoMore(command.request.getLockKeys().getStartTs());
        }
    }
}
