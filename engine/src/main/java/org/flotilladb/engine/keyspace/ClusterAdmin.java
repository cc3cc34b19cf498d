package org.flotilladb.engine.keyspace;

import java.util.List;
import java.util.SortedMap;

/**
 * What people see of the cluster that keeps a key space, and how they steer it. Commands are durable or under way when they
 * return, not done: what is under way shows in {@link #operators}. Each may be given twice. Safe for many threads; every
 * method may block and throws {@link KeySpaceException}, of kind {@code REFUSED} for what cannot be done as things are.
 */
public interface ClusterAdmin {
    /** All Stores that the cluster has ever had, by their number. */
    List<StoreLine> stores();

    /**
     * Regions in key order, as their leaders have last reported them.
     *
     * @param from the first page begins with the Region that holds this key
     */
    RegionPage regions(byte[] from);

    /** The range of a Region, or null when there is none of this number. */
    RegionRange region(long regionId);

    /** Decisions under way, then the last that ended, the newest first. */
    List<OperatorLine> operators();

    /** By their names. */
    SortedMap<String, String> settings();

    /** Changes one setting. */
    void set(String name, String value);

    /** Lets the peer on that Store lead; the number of the operator, 0 when it does already. */
    long transferLeader(long regionId, long toStoreId);

    /** Moves a peer to another Store; the number of the operator, 0 when it is there already. */
    long movePeer(long regionId, long fromStoreId, long toStoreId);

    /** Ends an operator; false when it does not run. */
    boolean cancelOperator(long operatorId);

    /** Says what is to become of a Store. */
    void setStoreState(long storeId, WantedState state);

    /** What may become of a Store by command. */
    enum WantedState {
        /** It takes peers and leads: a drain is called off. */
        UP,
        /** Others lead in its place until it has been started anew. */
        WITHOUT_LEADERS,
        /** Its leaders go, then its peers. */
        DRAINING,
        /** It does not come back: its peers are replaced at once. */
        GONE
    }

    /**
     * One Store.
     *
     * @param alive whether it was heard of lately
     * @param silentMs since it was heard of
     * @param labels as {@code key=value,key=value}
     * @param capacityBytes 0 when not known
     */
    record StoreLine(
            long id,
            String address,
            String state,
            boolean alive,
            long silentMs,
            String labels,
            int regions,
            int leaders,
            long sizeBytes,
            long capacityBytes,
            long availableBytes,
            long writesPerSecond,
            long readsPerSecond) {}

    /**
     * One peer of a Region.
     *
     * @param role empty for a voter
     */
    record PeerPlace(long peerId, long storeId, String role) {}

    /** The keys of a Region, {@code [start, end)}; an empty end is the end of the key space. */
    record RegionRange(long id, byte[] start, byte[] end) {}

    /**
     * One Region.
     *
     * @param leaderStoreId 0 when not known
     * @param pendingPeers by number: not in step with the leader
     * @param downPeers by number: not heard of
     */
    record RegionLine(
            RegionRange range,
            long confVersion,
            long rangeVersion,
            List<PeerPlace> peers,
            long leaderStoreId,
            long sizeBytes,
            long keys,
            long writesPerSecond,
            long readsPerSecond,
            List<Long> pendingPeers,
            List<Long> downPeers) {}

    /**
     * Some Regions.
     *
     * @param next where to go on, or null when there are no more
     */
    record RegionPage(List<RegionLine> regions, byte[] next) {}

    /**
     * One decision.
     *
     * @param step the step under way, from 0; the number of steps when all are done
     */
    record OperatorLine(
            long id,
            long regionId,
            String kind,
            String reason,
            String state,
            int step,
            List<String> steps,
            boolean running,
            long ageMs) {}
}
