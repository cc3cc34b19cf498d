package org.flotilladb.region.store;

import java.util.List;
import java.util.function.LongSupplier;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.runtime.FailPoints;

/**
 * How a Store runs.
 *
 * @param nodeId this node's position in the sorted peers list, from 1
 * @param nodeAddresses the sorted peers list; one entry for an embedded database
 * @param callerRuns whether whoever submits work runs the loop when it is free
 * @param usableBytes room left on the disk
 * @param minUsableBytes below it writes are refused
 * @param maxQueued inputs waiting for the loop, past which requests are answered busy
 * @param logKeepEntries entries kept behind the slowest peer, and the least number dropped at once
 * @param members how peers that come, go and fall behind are treated
 * @param splits when Regions are to be split without anybody asking for it
 * @param failPoints places where a test may make something go wrong
 */
public record StoreSettings(
        int nodeId,
        List<String> nodeAddresses,
        GroupSettings groups,
        boolean callerRuns,
        LongSupplier usableBytes,
        long minUsableBytes,
        int maxQueued,
        long logKeepEntries,
        MemberSettings members,
        SplitSettings splits,
        FailPoints failPoints) {

    private static final int DEFAULT_MAX_QUEUED = 20_000;
    private static final long DEFAULT_LOG_KEEP_ENTRIES = 2000;

    /** With the usual limits. */
    public static StoreSettings of(int nodeId, List<String> nodeAddresses, GroupSettings groups, boolean callerRuns) {
        return new StoreSettings(
                nodeId,
                List.copyOf(nodeAddresses),
                groups,
                callerRuns,
                () -> Long.MAX_VALUE,
                0,
                DEFAULT_MAX_QUEUED,
                DEFAULT_LOG_KEEP_ENTRIES,
                MemberSettings.DEFAULT,
                SplitSettings.DEFAULT,
                FailPoints.OFF);
    }

    /** The same, with a limit for the disk. */
    public StoreSettings withDisk(LongSupplier usable, long minUsable) {
        return new StoreSettings(
                nodeId,
                nodeAddresses,
                groups,
                callerRuns,
                usable,
                minUsable,
                maxQueued,
                logKeepEntries,
                members,
                splits,
                failPoints);
    }

    /** The same, with another length of the log. */
    public StoreSettings withLogKeepEntries(long entries) {
        return new StoreSettings(
                nodeId,
                nodeAddresses,
                groups,
                callerRuns,
                usableBytes,
                minUsableBytes,
                maxQueued,
                entries,
                members,
                splits,
                failPoints);
    }

    /** The same, with other settings for peers that come, go and fall behind. */
    public StoreSettings withMembers(MemberSettings other) {
        return new StoreSettings(
                nodeId,
                nodeAddresses,
                groups,
                callerRuns,
                usableBytes,
                minUsableBytes,
                maxQueued,
                logKeepEntries,
                other,
                splits,
                failPoints);
    }

    /** The same, with other limits of a Region's size. */
    public StoreSettings withSplits(SplitSettings limits) {
        return new StoreSettings(
                nodeId,
                nodeAddresses,
                groups,
                callerRuns,
                usableBytes,
                minUsableBytes,
                maxQueued,
                logKeepEntries,
                members,
                limits,
                failPoints);
    }

    /** The same, with places that may fail. */
    public StoreSettings withFailPoints(FailPoints points) {
        return new StoreSettings(
                nodeId,
                nodeAddresses,
                groups,
                callerRuns,
                usableBytes,
                minUsableBytes,
                maxQueued,
                logKeepEntries,
                members,
                splits,
                points);
    }
}
