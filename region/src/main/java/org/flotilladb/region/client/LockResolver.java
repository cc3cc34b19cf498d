package org.flotilladb.region.client;

import com.google.protobuf.ByteString;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.CheckStatusRequest;
import org.flotilladb.proto.CheckStatusResponse;
import org.flotilladb.proto.LockInfo;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.ResolveLockRequest;

/**
 * Finds out through its primary what has become of a transaction whose lock stands in the way, and brings that to the
 * lock. Safe for many threads.
 */
final class LockResolver {
    /** What to do about a lock. */
    enum Verdict {
        /** The lock is gone: try again at once. */
        GONE,
        /** Its owner will commit above the reader's timestamp: read past it. */
        BYPASS,
        /** Its owner lives: try again after a while. */
        WAIT
    }

    private static final int TIMESTAMP_LOGICAL_BITS = 18;

    private final TransactionClient client;

    LockResolver(TransactionClient client) {
        this.client = client;
    }

    /** @param readTs the reader's timestamp, above which the owner is pushed; 0 for a writer */
    CompletableFuture<Verdict> resolve(LockInfo lock, long readTs, long deadlineNs) {
        if (lock.getInMemory()) {
            return CompletableFuture.completedFuture(Verdict.WAIT);
        }
        if (readTs > 0 && client.environment().failPoints().hit("locks-unseen")) {
            return CompletableFuture.completedFuture(Verdict.BYPASS);
        }
        return client.placement()
                .timestamp()
                .thenCompose(now -> checkPrimary(lock, readTs, now, deadlineNs)
                        .thenCompose(status -> act(lock, readTs, status, deadlineNs)));
    }

    private CompletableFuture<CheckStatusResponse> checkPrimary(
            LockInfo lock, long readTs, long nowTs, long deadlineNs) {
        boolean expired =
                (lock.getStartTs() >>> TIMESTAMP_LOGICAL_BITS) + lock.getTtlMs() < nowTs >>> TIMESTAMP_LOGICAL_BITS;
        return status(lock.getPrimary(), lock.getStartTs(), readTs, nowTs, expired, deadlineNs);
    }

    /** The transaction's state as its primary tells it; fails when nobody can be asked in time. */
    CompletableFuture<CheckStatusResponse> status(
            ByteString primary, long startTs, long callerTs, long nowTs, boolean rollbackIfMissing, long deadlineNs) {
        RegionRequest.Builder request = RegionRequest.newBuilder()
                .setCheckStatus(CheckStatusRequest.newBuilder()
                        .setPrimary(primary)
                        .setStartTs(startTs)
                        .setCallerTs(callerTs)
                        .setCurrentTs(nowTs)
                        .setRollbackIfMissing(rollbackIfMissing));
        return client.callKey(primary.toByteArray(), request, deadlineNs).thenApply(RegionResponse::getCheckStatus);
    }

    private CompletableFuture<Verdict> act(LockInfo lock, long readTs, CheckStatusResponse status, long deadlineNs) {
        return switch (status.getState()) {
            case COMMITTED ->
                readTs > 0 && status.getCommitTs() > readTs
                        ? CompletableFuture.completedFuture(Verdict.BYPASS)
                        : bring(lock, status.getCommitTs(), deadlineNs);
            case ROLLED_BACK -> bring(lock, 0, deadlineNs);
            case ALIVE ->
                CompletableFuture.completedFuture(
                        readTs > 0 && status.getMinCommitTs() > readTs ? Verdict.BYPASS : Verdict.WAIT);
            case NOT_FOUND, UNRECOGNIZED ->
                client.environment().failPoints().hit("missing-primary-is-rollback")
                        ? bring(lock, 0, deadlineNs)
                        : CompletableFuture.completedFuture(Verdict.WAIT);
        };
    }

    private CompletableFuture<Verdict> bring(LockInfo lock, long commitTs, long deadlineNs) {
        RegionRequest.Builder request = RegionRequest.newBuilder()
                .setResolveLock(ResolveLockRequest.newBuilder()
                        .setStartTs(lock.getStartTs())
                        .setCommitTs(commitTs)
                        .addKeys(lock.getKey()));
        return client.callKey(lock.getKey().toByteArray(), request, deadlineNs).thenApply(response -> Verdict.GONE);
    }
}
