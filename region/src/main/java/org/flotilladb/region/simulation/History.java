package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What clients have asked for and been told: each transaction as committed, not committed, or unknown, in the order in
 * which it was known; snapshots read; timestamps.
 */
final class History {

    /** What a client knows of its transaction. */
    enum State {
        /** Under way, or its client has died: nobody knows. */
        UNKNOWN,
        COMMITTED,
        REFUSED
    }

    /** One transaction of a client. */
    static final class Op {
        final long uid;
        final String kind;
        final long began;
        final TreeMap<String, Long> deltas = new TreeMap<>();
        final TreeSet<Integer> branches = new TreeSet<>();
        final TreeSet<Long> seen = new TreeSet<>();
        /** Lists appended to, unique rows and children inserted. */
        final List<String> rows = new ArrayList<>();

        /** What it has checked when it committed, and where that stood when it was planned; null: nothing. */
        String fence;

        long fenceStood;

        State state = State.UNKNOWN;
        boolean over;
        long ended;
        long startTs;
        String why = "";

        Op(long uid, String kind, long began) {
            this.uid = uid;
            this.kind = kind;
            this.began = began;
        }

        Model.Deed deed() {
            return new Model.Deed(uid, branches, deltas, seen, rows);
        }

        @Override
        public String toString() {
            return kind + " " + uid + " (start " + startTs + ", " + state + (why.isEmpty() ? "" : ": " + why) + ")";
        }
    }

    /** A whole snapshot that somebody has read. */
    record Audit(long readTs, long began, int acknowledgedBefore, TreeSet<Long> visible) {}

    /** Whoever raised a fence reads at this timestamp what was written behind it. */
    private record Raised(String fence, long standsAt, long readTs) {}

    private record Sample(long began, long ended, long timestamp) {}

    private final List<Op> ops = new ArrayList<>();
    private final List<Op> acknowledged = new ArrayList<>();
    private final List<Audit> audits = new ArrayList<>();
    private final List<Sample> samples = new ArrayList<>();
    private final List<Raised> raised = new ArrayList<>();
    private final EventHash hash;
    private final Invariants invariants;
    private long sequence;
    private long unknown;
    private long refused;
    private String violation;

    History(EventHash hash, Invariants invariants) {
        this.hash = hash;
        this.invariants = invariants;
    }

    Op begin(String kind) {
        Op op = new Op(ops.size() + 1L, kind, ++sequence);
        ops.add(op);
        return op;
    }

    /** A transaction of 0 writes that is told apart by nothing. */
    long now() {
        return ++sequence;
    }

    void committed(Op op) {
        end(op, State.COMMITTED, "");
        acknowledged.add(op);
        String wrong = op.branches.isEmpty() ? null : invariants.acknowledged(op.startTs);
        if (wrong != null) {
            violated(wrong + ": " + op);
        }
    }

    void refused(Op op, String why) {
        end(op, State.REFUSED, why);
        refused++;
    }

    void unknown(Op op, String why) {
        end(op, State.UNKNOWN, why);
        unknown++;
    }

    private void end(Op op, State state, String why) {
        op.state = state;
        op.over = true;
        op.why = why;
        op.ended = ++sequence;
        hash.event(5, op.uid, state.ordinal());
        if (op.startTs != 0) {
            sample(op.began, op.startTs);
        }
    }

    /** A timestamp that was asked for after {@code began} and is known now. */
    void sample(long began, long timestamp) {
        samples.add(new Sample(began, ++sequence, timestamp));
    }

    void audited(Audit audit) {
        audits.add(audit);
    }

    /** A fence was raised for sure; the timestamp was asked for afterwards. */
    void fenceRaised(String fence, long standsAt, long readTs) {
        raised.add(new Raised(fence, standsAt, readTs));
    }

    int acknowledgedCount() {
        return acknowledged.size();
    }

    long unknownCount() {
        return unknown;
    }

    long refusedCount() {
        return refused;
    }

    int auditCount() {
        return audits.size();
    }

    List<Op> ops() {
        return ops;
    }

    List<Op> acknowledged() {
        return acknowledged;
    }

    Op op(long uid) {
        return ops.get((int) uid - 1);
    }

    /** The first thing found wrong, or null. */
    String violation() {
        return violation;
    }

    /** Notes a broken invariant; the run stops after this task. */
    void violated(String what) {
        if (violation == null) {
            violation = what;
        }
    }

    /**
     * Timestamps: each transaction has a start of its own; one that was asked for after another was known is larger, and
     * one asked for after a commit was acknowledged is at least that commit's.
     *
     * @param commitTs of each transaction that has left something
     */
    void checkTimestamps(TreeMap<Long, Long> commitTs) {
        TreeSet<Long> starts = new TreeSet<>();
        for (Op op : ops) {
            if (op.startTs != 0 && !starts.add(op.startTs)) {
                violated("two transactions have the start " + op.startTs + ", one is " + op);
            }
        }
        TreeMap<Long, Long> floor = new TreeMap<>();
        for (Sample sample : samples) {
            floor.merge(sample.ended, sample.timestamp, Math::max);
        }
        TreeMap<Long, Long> commits = new TreeMap<>();
        for (Op op : acknowledged) {
            Long ts = commitTs.get(op.uid);
            if (ts != null) {
                commits.put(op.ended, ts);
            }
        }
        raise(floor);
        raise(commits);
        for (Sample sample : samples) {
            var before = floor.lowerEntry(sample.began);
            if (before != null && before.getValue() >= sample.timestamp) {
                violated("timestamp " + sample.timestamp + " was asked for after " + before.getValue()
                        + " had been given out");
            }
            var commit = commits.lowerEntry(sample.began);
            if (commit != null && commit.getValue() > sample.timestamp) {
                violated("timestamp " + sample.timestamp + " was asked for after a commit at " + commit.getValue()
                        + " had been acknowledged");
            }
        }
    }

    /**
     * Whoever has raised a fence and then reads sees everything that was planned before and will ever be committed.
     *
     * @param commitTs of each transaction that has left something
     */
    void checkFences(TreeMap<Long, Long> commitTs) {
        for (Op op : ops) {
            Long committed = op.fence == null ? null : commitTs.get(op.uid);
            for (Raised each : committed == null ? List.<Raised>of() : raised) {
                if (each.fence.equals(op.fence) && each.standsAt > op.fenceStood && committed > each.readTs) {
                    violated(op + " was planned when " + op.fence + " stood at " + op.fenceStood
                            + ", and is committed at " + committed + ": who raised it to " + each.standsAt
                            + " has read at " + each.readTs + " already");
                }
            }
        }
    }

    private static void raise(TreeMap<Long, Long> values) {
        long highest = Long.MIN_VALUE;
        for (var entry : values.entrySet()) {
            highest = Math.max(highest, entry.getValue());
            entry.setValue(highest);
        }
    }

    /**
     * Every snapshot shows exactly what was committed at or below its timestamp, and of the transactions refused none.
     *
     * @param commitTs of each transaction that has left something
     */
    void checkAudits(TreeMap<Long, Long> commitTs) {
        for (Audit audit : audits) {
            for (var entry : commitTs.entrySet()) {
                boolean visible = audit.visible.contains(entry.getKey());
                if (visible != entry.getValue() <= audit.readTs) {
                    violated("a snapshot at " + audit.readTs + (visible ? " shows " : " does not show ")
                            + op(entry.getKey()) + ", which is committed at " + entry.getValue());
                }
            }
            for (long uid : audit.visible) {
                if (!commitTs.containsKey(uid)) {
                    violated("a snapshot at " + audit.readTs + " has shown " + op(uid) + ", which is gone");
                }
            }
        }
        for (Op op : ops) {
            boolean there = commitTs.containsKey(op.uid);
            if (there && op.state == State.REFUSED) {
                violated("refused, and yet committed: " + op);
            }
            if (!there && op.state == State.COMMITTED && !op.branches.isEmpty()) {
                violated("acknowledged, and yet not there: " + op);
            }
        }
    }
}
