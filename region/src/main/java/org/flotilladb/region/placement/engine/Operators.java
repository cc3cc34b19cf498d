package org.flotilladb.region.placement.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.region.placement.engine.Operator.Kind;
import org.flotilladb.region.placement.engine.Operator.State;

/** The operators that run, one for a Region at most, and the last ones that ended. */
final class Operators {
    /** Of all kinds together. */
    static final int MAX_RUNNING = 1024;

    static final int HISTORY = 256;
    /** A Region whose operator has failed is left alone for so long. */
    private static final long REST_NS = 5_000_000_000L;
    /** A Region that was moved for its load stays for so long: what that has done must be measured first. */
    private static final long SETTLED_NS = 60_000_000_000L;

    private static final int MAX_RESTING = 100_000;

    private final ClusterView cluster;
    private final TreeMap<Long, Operator> byRegion = new TreeMap<>();
    private final ArrayDeque<Operator> finished = new ArrayDeque<>();
    private final EnumMap<Kind, Integer> counts = new EnumMap<>(Kind.class);
    private final TreeMap<Long, Long> failedUntilNs = new TreeMap<>();
    private final TreeMap<Long, Long> settledUntilNs = new TreeMap<>();
    private Outlook outlook;
    private long nextId;

    Operators(ClusterView cluster) {
        this.cluster = cluster;
    }

    /** Forgets everything; ids go on from {@code firstId}. */
    void restart(long firstId) {
        byRegion.clear();
        finished.clear();
        counts.clear();
        failedUntilNs.clear();
        settledUntilNs.clear();
        outlook = null;
        nextId = firstId;
    }

    /** The one that runs on a Region, or null. */
    Operator of(long regionId) {
        return byRegion.get(regionId);
    }

    Collection<Operator> running() {
        return byRegion.values();
    }

    /** The newest first. */
    List<Operator> finished() {
        return new ArrayList<>(finished);
    }

    int count(Kind kind) {
        return counts.getOrDefault(kind, 0);
    }

    /** What will be when all that is under way is done. */
    Outlook outlook() {
        if (outlook == null) {
            outlook = new Outlook(
                    cluster.regions(), cluster.fails("what-is-under-way-not-counted") ? List.of() : byRegion.values());
        }
        return outlook;
    }

    /** Whether something may be begun on a Region: nothing runs, and nothing has just failed. */
    boolean free(long regionId) {
        return !byRegion.containsKey(regionId)
                && byRegion.size() < MAX_RUNNING
                && failedUntilNs.getOrDefault(regionId, Long.MIN_VALUE) <= cluster.nowNs();
    }

    /** Whether a Region may be moved for balance. */
    boolean freeForBalance(long regionId) {
        return free(regionId) && settledUntilNs.getOrDefault(regionId, Long.MIN_VALUE) <= cluster.nowNs();
    }

    /** Begins an operator on a Region on which none runs. */
    Operator start(RegionView region, Kind kind, String reason, List<Step> steps) {
        Operator operator = new Operator(nextId++, region, kind, reason, steps, cluster.nowNs());
        if (byRegion.putIfAbsent(region.id(), operator) != null) {
            throw new IllegalStateException("an operator runs on " + region + " already: " + byRegion.get(region.id()));
        }
        counts.merge(kind, 1, Integer::sum);
        outlook = null;
        return operator;
    }

    /** What the Region's leader is to do now, or null. Notes the steps that the report shows to be done. */
    RegionRequest next(RegionView region) {
        Operator operator = byRegion.get(region.id());
        if (operator == null) {
            return null;
        }
        outlook = null;
        while (true) {
            Step step = operator.step();
            switch (step.progress(region)) {
                case DONE -> {
                    if (!operator.advance(cluster.nowNs())) {
                        end(operator, State.DONE, "");
                        return null;
                    }
                }
                case WAIT -> {
                    if (step instanceof Step.ChangePeers change
                            && change.addsTo() != 0
                            && !cluster.connected(cluster.store(change.addsTo()))) {
                        end(operator, State.STALE, "the Store that was to get a peer is silent");
                    }
                    return null;
                }
                case IMPOSSIBLE -> {
                    end(operator, State.STALE, "the Region has changed: " + step + " does not fit any more");
                    return null;
                }
                case ASK -> {
                    String why = Safety.refuses(cluster, region, step);
                    if (why == null
                            && !operator.asksIn(region.region().getEpoch().getConfVersion())) {
                        // It may have been done and undone, and a peer that was removed must not come back.
                        why = "the members have changed since it was asked to " + step;
                    }
                    if (why != null) {
                        end(operator, State.STALE, why);
                        return null;
                    }
                    return step.command(region).setContext(context(region)).build();
                }
            }
        }
    }

    private static Context context(RegionView region) {
        Peer leader = region.leader();
        return Context.newBuilder()
                .setRegionId(region.id())
                .setEpoch(region.region().getEpoch())
                .setPeerId(leader == null ? 0 : leader.getId())
                .setTerm(region.report().getTerm())
                .build();
    }

    /** Ends what takes too long. */
    void expire() {
        for (Operator operator : List.copyOf(byRegion.values())) {
            if (operator.late(cluster.nowNs())) {
                end(operator, State.TIMED_OUT, operator.step() + " was not seen to be done in time");
            }
        }
        failedUntilNs.values().removeIf(until -> until <= cluster.nowNs());
        settledUntilNs.values().removeIf(until -> until <= cluster.nowNs());
    }

    void cancel(Operator operator, String why) {
        end(operator, State.CANCELLED, why);
    }

    private void end(Operator operator, State how, String why) {
        byRegion.remove(operator.regionId());
        counts.merge(operator.kind(), -1, Integer::sum);
        outlook = null;
        operator.end(how, why, cluster.nowNs());
        finished.addFirst(operator);
        if (finished.size() > HISTORY) {
            finished.removeLast();
        }
        if (how == State.STALE || how == State.TIMED_OUT) {
            rest(failedUntilNs, operator.regionId(), REST_NS);
        }
        if (operator.kind() == Kind.BALANCE_LOAD) {
            rest(settledUntilNs, operator.regionId(), SETTLED_NS);
        }
    }

    private void rest(TreeMap<Long, Long> until, long regionId, long forNs) {
        if (until.size() < MAX_RESTING) {
            until.put(regionId, cluster.nowNs() + forNs);
        }
    }

    /** Counts per Store, with what operators that run will change. */
    static final class Outlook {
        private final RegionTable regions;
        private final TreeMap<Long, Integer> regionsMore = new TreeMap<>();
        private final TreeMap<Long, Integer> leadersMore = new TreeMap<>();
        private final TreeMap<Long, Integer> receiving = new TreeMap<>();
        private final TreeMap<Long, Integer> sending = new TreeMap<>();

        Outlook(RegionTable regions, Collection<Operator> running) {
            this.regions = regions;
            for (Operator operator : running) {
                RegionView region = regions.get(operator.regionId());
                if (region != null) {
                    operator.left().forEach(step -> add(region, step));
                }
            }
        }

        private void add(RegionView region, Step step) {
            if (step instanceof Step.TransferLeader transfer && region.leaderStoreId() != transfer.storeId()) {
                leadersMore.merge(transfer.storeId(), 1, Integer::sum);
                leadersMore.merge(region.leaderStoreId(), -1, Integer::sum);
            } else if (step instanceof Step.ChangePeers change) {
                change.changes().forEach(each -> {
                    long storeId = each.getPeer().getStoreId();
                    boolean there = region.peer(each.getPeer().getId()) != null;
                    if (each.getKind() == PeerChangeKind.ADD_LEARNER) {
                        regionsMore.merge(storeId, there ? 0 : 1, Integer::sum);
                        receiving.merge(storeId, 1, Integer::sum);
                        sending.merge(region.leaderStoreId(), 1, Integer::sum);
                    } else if (each.getKind() == PeerChangeKind.REMOVE) {
                        regionsMore.merge(storeId, there ? -1 : 0, Integer::sum);
                    }
                });
            }
        }

        int regions(long storeId) {
            return regions.regionCount(storeId) + regionsMore.getOrDefault(storeId, 0);
        }

        int leaders(long storeId) {
            return regions.leaderCount(storeId) + leadersMore.getOrDefault(storeId, 0);
        }

        /** Peers that are being added there. */
        int receiving(long storeId) {
            return receiving.getOrDefault(storeId, 0);
        }

        /** Peers that are being added to Regions that are led there. */
        int sending(long storeId) {
            return sending.getOrDefault(storeId, 0);
        }
    }
}
