package org.flotilladb.region.store;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.store.mvcc.Timestamps;

/**
 * Keeps timestamps out that the Placement Driver cannot have handed out yet. A read at one of them would push all later
 * commits of its Region beyond it, and nobody else's reads would see those. What may be right and is not known to be, the
 * Placement Driver is asked about, and whoever brought it comes again. Where nobody can be asked, time is taken to have run
 * as fast as it may. For the loop.
 */
final class TimestampLimit {
    private static final long MS = 1_000_000L;
    /** A new leader of the Placement Driver begins above what the last one was allowed. */
    private static final long AHEAD_MS = 5000;
    /** Time in timestamps runs at most so much faster than a monotonic clock. */
    private static final long FASTER = 2;
    /** What is known is older than this: it is looked up, beside the requests. */
    private static final long STALE_NS = 1000 * MS;
    /** For so long time is taken to run on without anybody having been asked. */
    private static final long UNASKED_NS = 10_000 * MS;
    /** A question without an answer is asked again. */
    private static final long PATIENCE_NS = 2000 * MS;

    private final Clock clock;
    private final Consumer<LongConsumer> ask;
    private long knownMs;
    private long knownAtNs;
    private boolean asked;
    private long askedAtNs;
    /** Since when questions have had no answer. */
    private long silentSinceNs;

    /** @param ask for a fresh timestamp, which comes in the loop, or never */
    TimestampLimit(Clock clock, Consumer<LongConsumer> ask) {
        this.clock = clock;
        this.ask = ask;
    }

    /** The Placement Driver has handed out this one. */
    void known(long timestamp) {
        knownMs = Math.max(knownMs, Timestamps.physicalMs(timestamp));
        knownAtNs = clock.nanoTime();
        asked = false;
    }

    /** False: it is to come again in a moment. Before anything is known everything passes: nobody serves then. */
    boolean allows(RegionRequest request) {
        if (knownMs == 0) {
            return true;
        }
        long nowNs = clock.nanoTime();
        long elapsedNs = nowNs - knownAtNs;
        if (elapsedNs > STALE_NS) {
            look(nowNs);
        }
        long newest = newest(request);
        // Above 2^63 nothing was ever handed out.
        if (newest >= 0 && isWithin(newest, Math.min(elapsedNs, UNASKED_NS))) {
            return true;
        }
        look(nowNs);
        boolean nobodyAnswers = asked && nowNs - silentSinceNs > PATIENCE_NS;
        return newest >= 0 && isWithin(newest, nobodyAnswers ? nowNs - knownAtNs : 0);
    }

    private boolean isWithin(long timestamp, long elapsedNs) {
        return Timestamps.physicalMs(timestamp) <= knownMs + AHEAD_MS + FASTER * elapsedNs / MS;
    }

    private void look(long nowNs) {
        if (asked && nowNs - askedAtNs < PATIENCE_NS) {
            return;
        }
        if (!asked) {
            silentSinceNs = nowNs;
        }
        asked = true;
        askedAtNs = nowNs;
        ask.accept(this::known);
    }

    /** The newest timestamp in a request; below 0 when there is one above 2^63. */
    private static long newest(RegionRequest request) {
        return switch (request.getCommandCase()) {
            case GET -> request.getGet().getReadTs();
            case BATCH_GET -> request.getBatchGet().getReadTs();
            case SCAN -> request.getScan().getReadTs();
            case PREWRITE ->
                newer(
                        newest(request.getPrewrite().getMutationsList()),
                        newer(
                                request.getPrewrite().getStartTs(),
                                request.getPrewrite().getMinCommitTs()));
            case COMMIT ->
                newer(request.getCommit().getStartTs(), request.getCommit().getCommitTs());
            case ROLLBACK -> request.getRollback().getStartTs();
            case CHECK_STATUS ->
                newer(
                        request.getCheckStatus().getStartTs(),
                        newer(
                                request.getCheckStatus().getCallerTs(),
                                request.getCheckStatus().getCurrentTs()));
            case RESOLVE_LOCK ->
                newer(
                        request.getResolveLock().getStartTs(),
                        request.getResolveLock().getCommitTs());
            case LOCK_KEYS ->
                newer(request.getLockKeys().getStartTs(), request.getLockKeys().getForUpdateTs());
            case UNLOCK_KEYS -> request.getUnlockKeys().getStartTs();
            case HEARTBEAT -> request.getHeartbeat().getStartTs();
            default -> 0;
        };
    }

    private static long newest(List<Mutation> mutations) {
        long newest = 0;
        for (Mutation mutation : mutations) {
            newest = newer(newest, mutation.getForUpdateTs());
        }
        return newest;
    }

    private static long newer(long a, long b) {
        return Long.compareUnsigned(a, b) >= 0 ? a : b;
    }
}
