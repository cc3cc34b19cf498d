package org.flotilladb.region.placement.engine;

import java.util.List;

/**
 * A decision about one Region: steps to be made in order. Never more than one at a time for a Region. Each step leaves the
 * Region in good order, so an operator may end after any of them; what it leaves behind (a learner) the checks see.
 */
public final class Operator {
    private static final long MS = 1_000_000L;
    private static final long STEP_NS = 60_000 * MS;
    /** To send a Region's data, and at how many bytes per second it is sent at least. */
    private static final long ADD_NS = 600_000 * MS;

    private static final long SLOWEST_BYTES_PER_S = 1 << 20;

    /** What an operator is for; in order of urgency. */
    public enum Kind {
        /** Somebody has asked for it. */
        MANUAL("asked for"),
        /** A peer's Store is gone. */
        REPLACE("replace gone peer"),
        /** There are fewer voters than wanted. */
        ADD("add replica"),
        /** There are more voters than wanted, or learners without use. */
        REMOVE("remove extra peer"),
        /** A leader is where none should be. */
        EVICT("move leader away"),
        /** A Store is being emptied. */
        DRAIN("drain"),
        /** The leader wants its Region to be smaller. */
        SPLIT("split"),
        /** Two peers share a zone or a host and need not. */
        SPREAD("spread by label"),
        /** A Store leads too many Regions. */
        BALANCE_LEADERS("balance leaders"),
        /** A Store has too many Regions. */
        BALANCE_REGIONS("balance Regions"),
        /** A Store leads Regions that are too busy. */
        BALANCE_LOAD("balance load");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /** Must be done whatever else is wanted; the others are called off when the Region is in need. */
        boolean urgent() {
            return compareTo(SPREAD) < 0;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    /** How it stands. */
    public enum State {
        RUNNING,
        DONE,
        /** Somebody, or something more urgent, has ended it. */
        CANCELLED,
        /** A step was not seen to be done in time. */
        TIMED_OUT,
        /** The Region has changed otherwise. */
        STALE
    }

    private final long id;
    private final long regionId;
    private final Kind kind;
    private final String reason;
    private final List<Step> steps;
    private final long sizeBytes;
    private final long createdNs;
    private int current;
    private long stepSinceNs;
    /** The configuration version of the Region when its leader was first asked for the present step, or -1. */
    private long askedInConfVersion = -1;

    private State state = State.RUNNING;
    private String ended = "";
    private long endedNs;

    Operator(long id, RegionView region, Kind kind, String reason, List<Step> steps, long nowNs) {
        if (steps.isEmpty()) {
            throw new IllegalArgumentException("an operator on " + region + " without steps: " + reason);
        }
        this.id = id;
        this.regionId = region.id();
        this.kind = kind;
        this.reason = reason;
        this.steps = List.copyOf(steps);
        this.sizeBytes = region.report().getSizeBytes();
        this.createdNs = nowNs;
        this.stepSinceNs = nowNs;
    }

    public long id() {
        return id;
    }

    public long regionId() {
        return regionId;
    }

    public Kind kind() {
        return kind;
    }

    public String reason() {
        return reason;
    }

    public List<Step> steps() {
        return steps;
    }

    /** Of the step under way, from 0; the number of steps when all are done. */
    public int current() {
        return current;
    }

    Step step() {
        return steps.get(current);
    }

    /** The steps that are not seen to be done. */
    List<Step> left() {
        return steps.subList(current, steps.size());
    }

    public State state() {
        return state;
    }

    /** Why it ended; empty while it runs and when it is done. */
    public String ended() {
        return ended;
    }

    /** How long it has run. */
    public long ageNs(long nowNs) {
        return (state == State.RUNNING ? nowNs : endedNs) - createdNs;
    }

    /** A step is done; false when it was the last. */
    boolean advance(long nowNs) {
        current++;
        stepSinceNs = nowNs;
        askedInConfVersion = -1;
        return current < steps.size();
    }

    /** The leader is to be asked for the present step; false where it was asked before and the members have changed since. */
    boolean asksIn(long confVersion) {
        if (askedInConfVersion == -1) {
            askedInConfVersion = confVersion;
        }
        return !(step() instanceof Step.ChangePeers) || askedInConfVersion == confVersion;
    }

    boolean late(long nowNs) {
        boolean sends = step() instanceof Step.ChangePeers change && change.addsTo() != 0;
        long limit = sends ? ADD_NS + sizeBytes / SLOWEST_BYTES_PER_S * 1000 * MS : STEP_NS;
        return nowNs - stepSinceNs > limit;
    }

    void end(State how, String why, long nowNs) {
        state = how;
        ended = why;
        endedNs = nowNs;
    }

    @Override
    public String toString() {
        return "operator " + id + " on Region " + regionId + " (" + kind + ": " + reason + "), step " + current + " of "
                + steps + (state == State.RUNNING ? "" : ", " + state + " " + ended);
    }
}
