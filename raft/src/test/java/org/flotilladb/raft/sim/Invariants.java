package org.flotilladb.raft.sim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;

/** What must hold whatever happens; checked after each step of each peer. The first breach throws. */
final class Invariants {
    /** Groups begin after a snapshot of this index. */
    static final long FIRST_SNAPSHOT = 1;

    private final TreeMap<Long, Long> leaderOfTerm = new TreeMap<>();
    private final TreeMap<EntryId, Known> known = new TreeMap<>();
    private final List<Entry> committed =
            new ArrayList<>(List.of(new Entry(EntryType.NORMAL, 1, FIRST_SNAPSHOT, null)));
    /** States of the one true state machine: the hash after each committed entry. */
    private final List<Long> states = new ArrayList<>(List.of(0L, 0L));

    private final TreeMap<Long, ConfState> membersAt = new TreeMap<>();
    /** The highest index that a finished write or read has shown to somebody. */
    private long shown;

    private record EntryId(long index, long term) implements Comparable<EntryId> {
        @Override
        public int compareTo(EntryId other) {
            return index != other.index ? Long.compare(index, other.index) : Long.compare(term, other.term);
        }
    }

    private record Known(byte[] data, long previousTerm) {}

    /** Raft, figure 3: election safety. */
    void leads(long term, long peer) {
        Long other = leaderOfTerm.putIfAbsent(term, peer);
        if (other != null && other != peer) {
            throw new Violation("peers " + other + " and " + peer + " both lead term " + term);
        }
    }

    int elections() {
        return leaderOfTerm.size();
    }

    /** Log matching: index and term decide an entry and all before it. */
    void appended(long peer, Entry entry, long previousTerm) {
        Known before =
                known.putIfAbsent(new EntryId(entry.index(), entry.term()), new Known(entry.data(), previousTerm));
        if (before != null && (before.previousTerm != previousTerm || !Arrays.equals(before.data, entry.data()))) {
            throw new Violation("peer " + peer + " has another entry " + entry.term() + "/" + entry.index()
                    + " than a peer before it: preceded by term " + previousTerm + ", not " + before.previousTerm);
        }
    }

    /** Leader completeness and state machine safety: what is committed never changes. */
    void committed(long peer, Entry entry) {
        long index = entry.index();
        if (index <= committed.size()) {
            Entry first = committed.get((int) index - 1);
            if (!first.equals(entry)) {
                throw new Violation("peer " + peer + " applies " + entry + " where another peer has applied " + first);
            }
        } else if (index == committed.size() + 1) {
            committed.add(entry);
            states.add(next(states.get(states.size() - 1), entry));
        } else {
            throw new Violation("peer " + peer + " applies " + entry + " after " + committed.size());
        }
    }

    static long next(long state, Entry entry) {
        return (state * 31 + entry.term()) * 31 + Arrays.hashCode(entry.data()) + entry.index();
    }

    /** Equal applied index, equal state. */
    void state(long peer, long applied, long state) {
        if (states.get((int) applied) != state) {
            throw new Violation("peer " + peer + " has a state of its own after entry " + applied);
        }
    }

    long committedCount() {
        return committed.size();
    }

    /** Equal applied index, equal membership. */
    void members(long peer, long applied, ConfState members) {
        ConfState other = membersAt.putIfAbsent(applied, members);
        if (other != null && !other.equals(members)) {
            throw new Violation("peer " + peer + " has the members " + members + " after entry " + applied
                    + " where another has " + other);
        }
    }

    /** What a read that begins now must see. */
    long shown() {
        return shown;
    }

    /** A write is acknowledged. */
    void wrote(long index) {
        shown = Math.max(shown, index);
    }

    /** A read has returned the state after {@code applied}. */
    void read(String how, long peer, long applied, long shownAtStart) {
        if (applied < shownAtStart) {
            throw new Violation(how + " at peer " + peer + " saw the state after entry " + applied
                    + ", but when it began, that after " + shownAtStart + " had been shown");
        }
        shown = Math.max(shown, applied);
    }

    /** A safety rule is broken. */
    static final class Violation extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Violation(String message) {
            super(message);
        }
    }
}
