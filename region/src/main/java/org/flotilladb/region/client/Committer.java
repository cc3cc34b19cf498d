package org.flotilladb.region.client;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.flotilladb.proto.CommitRequest;
import org.flotilladb.proto.HeartbeatRequest;
import org.flotilladb.proto.KeyError;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.MutationKind;
import org.flotilladb.proto.PrewriteRequest;
import org.flotilladb.proto.PrewriteResponse;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.RollbackRequest;
import org.flotilladb.region.client.RegionCache.Route;
import org.flotilladb.region.client.Router.Result;

/**
 * The commit of one transaction. All keys in one Region: one request, one entry in the log. Else prewrite everywhere in
 * parallel, take the commit timestamp, commit the primary, answer; the others follow. After an attempt whose outcome is
 * unknown only the primary's record counts.
 */
final class Committer {
    private static final long MAX_REQUEST_BYTES = 4L << 20;
    /** A Store's loop serves nobody else while it looks at the keys of one request. */
    private static final int MAX_REQUEST_KEYS = 4096;
    /** Of a large transaction, so that none waits in a Store's queue until it is sent again. */
    private static final int REQUESTS_AT_ONCE = 8;

    private static final long LOCK_WAIT_MS = 1000;

    private final TransactionClient client;
    private final Transaction transaction;
    private final long startTs;
    private final List<Mutation> mutations;
    private final ByteString primary;
    /** What was prewritten in two phases, or may have been. */
    private final List<Mutation> begun = new ArrayList<>();

    private volatile long deadlineNs;
    private boolean maybeExecuted;
    private boolean heartbeats;
    private boolean leftLocks;
    private long minCommitTs;
    private long committedTs;

    Committer(Transaction transaction, long startTs) {
        this.transaction = transaction;
        this.client = transaction.client();
        this.startTs = startTs;
        this.mutations = transaction.mutations();
        this.primary = choosePrimary();
        this.deadlineNs = client.router().deadlineNs();
    }

    private ByteString choosePrimary() {
        for (Mutation mutation : mutations) {
            if (!WriteBuffer.isShared(mutation.getKind()) && mutation.getKind() != MutationKind.LOCK) {
                return mutation.getKey();
            }
        }
        for (Mutation mutation : mutations) {
            if (!WriteBuffer.isShared(mutation.getKind())) {
                return mutation.getKey();
            }
        }
        return mutations.get(0).getKey();
    }

    CompletableFuture<Void> run() {
        return client.group(mutations, mutation -> mutation.getKey().toByteArray())
                .handle((groups, failure) -> {
                    if (failure != null) {
                        // An attempt before the Regions changed may have gone through.
                        return failed(asClientException(failure));
                    }
                    if (groups.size() == 1 && fitsOneRequest()) {
                        return onePhase(
                                groups.keySet().iterator().next(),
                                new Backoff(client.environment().random()));
                    }
                    return twoPhases();
                })
                .thenCompose(next -> next);
    }

    private boolean fitsOneRequest() {
        long bytes = 0;
        for (Mutation mutation : mutations) {
            bytes += mutation.getKey().size() + mutation.getValue().size();
        }
        return bytes <= MAX_REQUEST_BYTES && mutations.size() <= MAX_REQUEST_KEYS;
    }

    private boolean late() {
        return client.environment().clock().nanoTime() > deadlineNs;
    }

    // ---- one phase -------------------------------------------------------------------------------------------------

    private CompletableFuture<Void> onePhase(Route route, Backoff backoff) {
        return client.router()
                .call(route, prewrite(mutations, true), deadlineNs)
                .thenCompose(result -> {
                    maybeExecuted |= result.maybeExecuted();
                    if (result.failure() != null) {
                        return failed(result.failure());
                    }
                    if (result.regroup()) {
                        return late() ? failed(tooLate()) : run();
                    }
                    PrewriteResponse answer = result.response().getPrewrite();
                    if (answer.getOnePhaseCommitTs() > 0) {
                        client.committed(true);
                        return CompletableFuture.completedFuture(null);
                    }
                    if (answer.getErrorsCount() > 0) {
                        return afterErrors(answer, backoff, () -> onePhase(route, backoff));
                    }
                    // Its keys have locks of this transaction: an earlier attempt went in two phases.
                    return twoPhases();
                });
    }

    private RegionRequest.Builder prewrite(List<Mutation> part, boolean onePhase) {
        return RegionRequest.newBuilder()
                .setPrewrite(PrewriteRequest.newBuilder()
                        .addAllMutations(part)
                        .setPrimary(primary)
                        .setStartTs(startTs)
                        .setTtlMs(ttlMs())
                        .setMinCommitTs(transaction.minCommitTs())
                        .setOnePhase(onePhase)
                        .setWaitMs(LOCK_WAIT_MS)
                        .setTransactionSize(mutations.size()));
    }

    /** A lock's ttl counts from the transaction's start, which may be long ago. */
    private long ttlMs() {
        return transaction.ageMs() + client.settings().lockTtlMs();
    }

    private ClientException tooLate() {
        return new ClientException(
                ClientException.Kind.UNAVAILABLE,
                "The commit did not get through within " + client.settings().operationTimeoutMs() / 1000.0
                        + " s; nothing was committed.");
    }

    /** What to do about refused keys: resolve locks and go on, or give up. */
    private CompletableFuture<Void> afterErrors(
            PrewriteResponse answer, Backoff backoff, Supplier<CompletableFuture<Void>> again) {
        List<KeyError> locks = new ArrayList<>();
        for (KeyError error : answer.getErrorsList()) {
            if (!error.hasLocked()) {
                return failed(refused(error));
            }
            locks.add(error);
        }
        if (late()) {
            return failed(Transaction.lockTimeout(locks.get(0).getLocked()));
        }
        List<CompletableFuture<LockResolver.Verdict>> verdicts = new ArrayList<>();
        for (KeyError error : locks) {
            verdicts.add(client.resolver().resolve(error.getLocked(), 0, deadlineNs));
        }
        return CompletableFuture.allOf(verdicts.toArray(new CompletableFuture<?>[0]))
                .handle((done, failure) -> failure)
                .thenCompose(failure -> {
                    if (failure != null) {
                        return failed(asClientException(failure));
                    }
                    boolean wait = verdicts.stream().anyMatch(v -> v.join() == LockResolver.Verdict.WAIT);
                    return wait ? client.later(backoff.nextNs(), again) : again.get();
                });
    }

    private static ClientException refused(KeyError error) {
        String why = "";
        if (error.hasConflict()) {
            why = "another transaction has written one of its rows since ("
                    + error.getConflict().getReason() + ")";
        } else if (!error.getAlreadyExists().isEmpty()) {
            why = "another transaction has inserted a row with the same key";
        } else if (!error.getAborted().isEmpty()) {
            why = error.getAborted();
        } else {
            why = error.getRefused();
        }
        return new ClientException(
                ClientException.Kind.CONFLICT, "The transaction was not committed, run it again: " + why + ".");
    }

    static ClientException asClientException(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause instanceof ClientException known
                ? known
                : new ClientException(ClientException.Kind.INTERNAL, String.valueOf(cause));
    }

    // ---- two phases ------------------------------------------------------------------------------------------------

    private CompletableFuture<Void> twoPhases() {
        leftLocks = true;
        startHeartbeats();
        return prewriteAll(mutations).handle((done, failure) -> failure).thenCompose(failure -> {
            if (committedTs > 0) {
                return finished(committedTs);
            }
            return failure != null ? failed(asClientException(failure)) : commitPrimary();
        });
    }

    private void startHeartbeats() {
        if (heartbeats) {
            return;
        }
        heartbeats = true;
        scheduleHeartbeat();
    }

    /** While the commit goes on, others are told that this client lives. */
    private void scheduleHeartbeat() {
        long pauseMs = client.settings().lockTtlMs() / 3;
        client.environment().scheduler().schedule(pauseMs * 1_000_000L, () -> {
            if (heartbeats && !late()) {
                RegionRequest.Builder request = RegionRequest.newBuilder()
                        .setHeartbeat(HeartbeatRequest.newBuilder()
                                .setPrimary(primary)
                                .setStartTs(startTs)
                                .setTtlMs(ttlMs()));
                client.callKey(primary.toByteArray(), request, deadlineNs);
                scheduleHeartbeat();
            }
        });
    }

    private CompletableFuture<Void> prewriteAll(List<Mutation> part) {
        return client.group(part, mutation -> mutation.getKey().toByteArray()).thenCompose(groups -> {
            List<Supplier<CompletableFuture<Void>>> parts = new ArrayList<>();
            for (Map.Entry<Route, List<Mutation>> group : groups.entrySet()) {
                for (List<Mutation> chunk : chunks(group.getValue())) {
                    parts.add(() -> begin(group.getKey(), chunk));
                }
            }
            return Window.run(parts, REQUESTS_AT_ONCE);
        });
    }

    private static List<List<Mutation>> chunks(List<Mutation> list) {
        List<List<Mutation>> result = new ArrayList<>();
        List<Mutation> chunk = new ArrayList<>();
        long size = 0;
        for (Mutation mutation : list) {
            long bytes = mutation.getKey().size() + mutation.getValue().size();
            if (!chunk.isEmpty() && (size + bytes > MAX_REQUEST_BYTES || chunk.size() == MAX_REQUEST_KEYS)) {
                result.add(chunk);
                chunk = new ArrayList<>();
                size = 0;
            }
            chunk.add(mutation);
            size += bytes;
        }
        result.add(chunk);
        return result;
    }

    private CompletableFuture<Void> begin(Route route, List<Mutation> part) {
        synchronized (begun) {
            begun.addAll(part);
        }
        // A large transaction takes its time: it is given up when nothing goes on, not when it is not done.
        deadlineNs = client.router().deadlineNs();
        return prewriteOne(route, part, new Backoff(client.environment().random()));
    }

    /** Prewrites one Region's keys; fails with what refuses them. */
    private CompletableFuture<Void> prewriteOne(Route route, List<Mutation> part, Backoff backoff) {
        return client.router().call(route, prewrite(part, false), deadlineNs).thenCompose(result -> {
            if (result.failure() != null) {
                return CompletableFuture.failedFuture(result.failure());
            }
            if (result.regroup()) {
                return client.regroup(deadlineNs, () -> prewriteAll(part));
            }
            PrewriteResponse answer = result.response().getPrewrite();
            if (answer.getOnePhaseCommitTs() > 0) {
                // An earlier attempt in one phase went through: everything is committed.
                committedTs = answer.getOnePhaseCommitTs();
                return CompletableFuture.completedFuture(null);
            }
            for (KeyError error : answer.getErrorsList()) {
                if (!error.hasLocked()) {
                    return CompletableFuture.failedFuture(refused(error));
                }
            }
            if (answer.getErrorsCount() > 0) {
                if (late()) {
                    return CompletableFuture.failedFuture(
                            Transaction.lockTimeout(answer.getErrors(0).getLocked()));
                }
                List<CompletableFuture<LockResolver.Verdict>> verdicts = new ArrayList<>();
                for (KeyError error : answer.getErrorsList()) {
                    verdicts.add(client.resolver().resolve(error.getLocked(), 0, deadlineNs));
                }
                return CompletableFuture.allOf(verdicts.toArray(new CompletableFuture<?>[0]))
                        .thenCompose(done -> {
                            boolean wait = verdicts.stream().anyMatch(v -> v.join() == LockResolver.Verdict.WAIT);
                            return wait
                                    ? client.later(backoff.nextNs(), () -> prewriteOne(route, part, backoff))
                                    : prewriteOne(route, part, backoff);
                        });
            }
            return CompletableFuture.completedFuture(null);
        });
    }

    private CompletableFuture<Void> commitPrimary() {
        return client.placement()
                .timestamp()
                .handle((ts, failure) -> failure == null
                        ? commitPrimaryAt(Math.max(ts, minCommitTs))
                        : failed(asClientException(failure)))
                .thenCompose(next -> next);
    }

    private CompletableFuture<Void> commitPrimaryAt(long commitTs) {
        RegionRequest.Builder request = RegionRequest.newBuilder()
                .setCommit(CommitRequest.newBuilder()
                        .addKeys(primary)
                        .setStartTs(startTs)
                        .setCommitTs(commitTs)
                        .setWithPrimary(true));
        return callPrimary(request).thenCompose(result -> {
            if (result.failure() != null) {
                // The request may be in the log: only the primary's record tells.
                maybeExecuted = true;
                return failed(result.failure());
            }
            KeyError error = result.response().getCommit().getError();
            if (!result.response().getCommit().hasError()) {
                return finished(commitTs);
            }
            if (error.getCommitTsTooLowMin() > 0) {
                return late() ? failed(tooLate()) : commitPrimary();
            }
            maybeExecuted |= result.maybeExecuted();
            return failed(refused(error));
        });
    }

    /** To the primary's Region, wherever it is by now; remembers whether an attempt may have been executed. */
    private CompletableFuture<Result> callPrimary(RegionRequest.Builder request) {
        return client.cache()
                .locate(primary.toByteArray())
                .thenCompose(route -> client.router().call(route, request, deadlineNs))
                .thenCompose(result -> {
                    maybeExecuted |= result.maybeExecuted();
                    if (result.regroup() && !late()) {
                        return callPrimary(request);
                    }
                    return CompletableFuture.completedFuture(
                            result.regroup() ? new Result(null, maybeExecuted, tooLate()) : result);
                })
                .exceptionally(failure -> new Result(null, maybeExecuted, asClientException(failure)));
    }

    private CompletableFuture<Void> finished(long commitTs) {
        heartbeats = false;
        client.committed(false);
        commitSecondaries(commitTs);
        return CompletableFuture.completedFuture(null);
    }

    /** The outcome stands; who meets a lock that this does not reach resolves it. */
    private void commitSecondaries(long commitTs) {
        List<ByteString> keys = new ArrayList<>();
        for (Mutation mutation : mutations) {
            if (!mutation.getKey().equals(primary)) {
                keys.add(mutation.getKey());
            }
        }
        forEachRegion(
                keys,
                (route, part) -> RegionRequest.newBuilder()
                        .setCommit(CommitRequest.newBuilder()
                                .addAllKeys(part)
                                .setStartTs(startTs)
                                .setCommitTs(commitTs)));
    }

    private interface RequestMaker {
        RegionRequest.Builder make(Route route, List<ByteString> keys);
    }

    private void forEachRegion(List<ByteString> keys, RequestMaker maker) {
        client.group(keys, ByteString::toByteArray).thenCompose(groups -> {
            List<Supplier<CompletableFuture<Result>>> parts = new ArrayList<>();
            groups.forEach((route, part) -> {
                for (int i = 0; i < part.size(); i += MAX_REQUEST_KEYS) {
                    List<ByteString> chunk = part.subList(i, Math.min(part.size(), i + MAX_REQUEST_KEYS));
                    parts.add(() -> client.router()
                            .call(
                                    route,
                                    maker.make(route, chunk),
                                    client.router().deadlineNs()));
                }
            });
            return Window.run(parts, REQUESTS_AT_ONCE);
        });
    }

    // ---- failure ---------------------------------------------------------------------------------------------------

    /** Ends with this failure, once it is certain that nothing is committed; otherwise with what is found out. */
    private CompletableFuture<Void> failed(ClientException why) {
        heartbeats = false;
        if (!maybeExecuted || client.environment().failPoints().hit("unknown-as-failed")) {
            if (leftLocks) {
                rollBackLocks();
            }
            return CompletableFuture.failedFuture(why);
        }
        return outcome(client.router().deadlineNs(), why);
    }

    private void rollBackLocks() {
        List<ByteString> keys = new ArrayList<>();
        synchronized (begun) {
            begun.forEach(mutation -> keys.add(mutation.getKey()));
        }
        forEachRegion(
                keys,
                (route, part) -> RegionRequest.newBuilder()
                        .setRollback(
                                RollbackRequest.newBuilder().addAllKeys(part).setStartTs(startTs)));
    }

    /** Asks the primary for its record, and commits a rollback record where there is none. */
    private CompletableFuture<Void> outcome(long untilNs, ClientException why) {
        RegionRequest.Builder rollback = RegionRequest.newBuilder()
                .setRollback(RollbackRequest.newBuilder().addKeys(primary).setStartTs(startTs));
        return client.callKey(primary.toByteArray(), rollback, untilNs)
                .thenApply(RegionResponse::getRollback)
                .handle((answer, failure) -> {
                    if (failure != null) {
                        return CompletableFuture.<Void>failedFuture(new ClientException(
                                ClientException.Kind.UNKNOWN_OUTCOME,
                                "It could not be found out in time whether the transaction is committed ("
                                        + asClientException(failure).getMessage()
                                        + "): check before running it again."));
                    }
                    if (answer.getCommittedTs() > 0) {
                        client.committed(false);
                        commitSecondaries(answer.getCommittedTs());
                        return CompletableFuture.<Void>completedFuture(null);
                    }
                    if (leftLocks) {
                        rollBackLocks();
                    }
                    return CompletableFuture.<Void>failedFuture(
                            why.kind() == ClientException.Kind.CONFLICT
                                    ? why
                                    : new ClientException(
                                            ClientException.Kind.CONFLICT,
                                            "The transaction was not committed, run it again: " + why.getMessage()));
                })
                .thenCompose(next -> next);
    }
}
