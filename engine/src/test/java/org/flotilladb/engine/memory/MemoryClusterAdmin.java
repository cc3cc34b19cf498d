package org.flotilladb.engine.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.flotilladb.engine.keyspace.ClusterAdmin;
import org.flotilladb.engine.keyspace.KeySpace.KeyRange;
import org.flotilladb.engine.keyspace.KeySpaceException;

/** A cluster of three Stores that notes what it is told, and refuses what concerns Region {@value #STUBBORN}. */
final class MemoryClusterAdmin implements ClusterAdmin {
    private static final int STUBBORN = 99;
    private static final int PAGE = 2;
    private static final byte[] NOTHING = {};
    /** The middle one is a negative number to Java. */
    private static final long[] STORES = {0x1aL, 0xfedcba9876543210L, 0x3cL};

    private final MemoryKeySpace keySpace;

    MemoryClusterAdmin(MemoryKeySpace keySpace) {
        this.keySpace = keySpace;
    }

    private void looked() {
        keySpace.cluster.questions.incrementAndGet();
    }

    @Override
    public List<StoreLine> stores() {
        looked();
        List<StoreLine> stores = new ArrayList<>();
        for (int i = 0; i < STORES.length; i++) {
            boolean alive = i < 2;
            stores.add(new StoreLine(
                    STORES[i],
                    "memory:" + (i + 1),
                    alive ? "UP" : "DRAINING",
                    alive,
                    i,
                    "zone=z" + i,
                    1,
                    0,
                    5,
                    i,
                    i,
                    7,
                    8));
        }
        return stores;
    }

    @Override
    public RegionPage regions(byte[] from) {
        looked();
        List<KeyRange> all = keySpace.ranges(from, NOTHING);
        List<RegionLine> page = new ArrayList<>();
        for (KeyRange each : all.subList(0, Math.min(PAGE, all.size()))) {
            page.add(new RegionLine(
                    new RegionRange(each.regionId(), each.start(), each.end()),
                    1,
                    2,
                    List.of(
                            new PeerPlace(11, STORES[0], ""),
                            new PeerPlace(12, STORES[1], ""),
                            new PeerPlace(13, STORES[2], "learner")),
                    each.regionId() == 1 ? STORES[1] : 0,
                    100,
                    10,
                    3,
                    4,
                    List.of(13L),
                    List.of()));
        }
        return new RegionPage(page, all.size() > PAGE ? all.get(PAGE).start() : null);
    }

    @Override
    public RegionRange region(long regionId) {
        for (KeyRange each : keySpace.ranges(NOTHING, NOTHING)) {
            if (each.regionId() == regionId) {
                return new RegionRange(regionId, each.start(), each.end());
            }
        }
        return null;
    }

    @Override
    public List<OperatorLine> operators() {
        looked();
        return List.of(
                new OperatorLine(5, 1, "asked for", "a move", "RUNNING", 1, List.of("add", "remove"), true, 20),
                new OperatorLine(4, 1, "drain", "Store 1a", "DONE", 1, List.of("transfer"), false, 30));
    }

    @Override
    public SortedMap<String, String> settings() {
        looked();
        return new TreeMap<>(java.util.Map.of("replicas", "3", "balance", "true"));
    }

    @Override
    public void set(String name, String value) {
        note("set " + name + "=" + value);
    }

    private void note(String command) {
        keySpace.cluster.commands.add(command);
    }

    @Override
    public long transferLeader(long regionId, long toStoreId) {
        if (regionId == STUBBORN) {
            throw new KeySpaceException(KeySpaceException.Kind.REFUSED, "Region 99 does not want to.");
        }
        note("lead " + regionId + " on " + Long.toHexString(toStoreId));
        return toStoreId == STORES[0] ? 0 : 7;
    }

    @Override
    public long movePeer(long regionId, long fromStoreId, long toStoreId) {
        note("move " + regionId + " from " + Long.toHexString(fromStoreId) + " to " + Long.toHexString(toStoreId));
        return 8;
    }

    @Override
    public boolean cancelOperator(long operatorId) {
        note("cancel " + operatorId);
        return operatorId == 5;
    }

    @Override
    public void setStoreState(long storeId, WantedState state) {
        note(Long.toHexString(storeId) + " " + state);
    }

    @Override
    public String toString() {
        return "a cluster of the Stores " + Arrays.toString(STORES);
    }
}
