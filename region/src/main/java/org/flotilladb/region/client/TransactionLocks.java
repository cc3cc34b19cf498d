package org.flotilladb.region.client;

import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.KeyError;
import org.flotilladb.proto.LockInfo;
import org.flotilladb.proto.LockKeysRequest;
import org.flotilladb.proto.LockKeysResponse;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.UnlockKeysRequest;

/**
 * The locks that one transaction has asked leaders for. At most one is waited for at a time: whatever its caller does
 * next means that it waits no more, as when the statement was cancelled. A lock that is given after that, or after the
 * end, is let go and never noted. All state belongs to the transaction's monitor, which is never held while something is
 * sent.
 */
final class TransactionLocks {
    /** Locks in memory are not renewed; they are to outlive a long transaction. */
    private static final int TTL_FACTOR = 5;

    private final Transaction transaction;
    private final TransactionClient client;
    /** Keys that locks were asked for, whether or not they were given. */
    private final TreeSet<byte[]> asked = new TreeSet<>(Arrays::compareUnsigned);

    private byte[] primary;
    /** What the caller waits for, or null. */
    private volatile Attempt waiting;

    private record Attempt(byte[] key, long deadlineNs, Backoff backoff) {}

    TransactionLocks(Transaction transaction) {
        this.transaction = transaction;
        this.client = transaction.client();
    }

    CompletableFuture<byte[]> lock(byte[] key, long waitMs) {
        callerWaitsNoMore();
        long nowNs = client.environment().clock().nanoTime();
        Attempt attempt = new Attempt(
                key,
                nowNs + waitMs * 1_000_000L,
                new Backoff(client.environment().random()));
        waiting = attempt;
        return transaction
                .readTs()
                .thenCompose(ts -> client.placement().timestamp())
                .thenCompose(ts -> ask(attempt, ts))
                .whenComplete((value, failure) -> ended(attempt));
    }

    private boolean wanted(Attempt attempt) {
        return waiting == attempt && !transaction.isOver();
    }

    private void ended(Attempt attempt) {
        synchronized (transaction) {
            if (waiting == attempt) {
                waiting = null;
            }
        }
    }

    /** The caller does something else: the lock that it waited for, if it did, is not wanted any more. */
    void callerWaitsNoMore() {
        if (waiting == null) {
            return;
        }
        Attempt left;
        synchronized (transaction) {
            left = waiting;
            waiting = null;
        }
        if (left != null) {
            letGo(left.key);
        }
    }

    private static CompletableFuture<byte[]> abandoned() {
        return CompletableFuture.failedFuture(
                new CancellationException("Nobody waits for this lock any more: its statement is over."));
    }

    private CompletableFuture<byte[]> ask(Attempt attempt, long forUpdateTs) {
        byte[] key = attempt.key;
        long nowNs = client.environment().clock().nanoTime();
        long waitMs = Math.max(0, (attempt.deadlineNs - nowNs) / 1_000_000L);
        RegionRequest.Builder request = null;
        synchronized (transaction) {
            if (wanted(attempt)) {
                request = request(key, forUpdateTs, waitMs);
            }
        }
        if (request == null) {
            letGo(key);
            return abandoned();
        }
        RegionRequest.Builder lock = request;
        long requestTimeoutMs = client.settings().requestTimeoutMs();
        long deadlineNs = Math.max(attempt.deadlineNs, nowNs) + requestTimeoutMs * 1_000_000L;
        return client.cache()
                .locate(key)
                .thenCompose(route -> client.router().call(route, lock, deadlineNs, waitMs + requestTimeoutMs))
                .thenCompose(result -> {
                    if (result.failure() != null) {
                        return CompletableFuture.failedFuture(result.failure());
                    }
                    if (result.regroup()) {
                        return client.regroup(deadlineNs, () -> ask(attempt, forUpdateTs));
                    }
                    return answered(attempt, forUpdateTs, result.response().getLockKeys());
                });
    }

    private RegionRequest.Builder request(byte[] key, long forUpdateTs, long waitMs) {
        if (primary == null) {
            primary = key;
        }
        asked.add(key);
        transaction.hasSeen(forUpdateTs);
        return RegionRequest.newBuilder()
                .setLockKeys(LockKeysRequest.newBuilder()
                        .addKeys(Transaction.wrap(key))
                        .setPrimary(Transaction.wrap(primary))
                        .setStartTs(transaction.startTs())
                        .setForUpdateTs(forUpdateTs)
                        .setTtlMs(client.settings().lockTtlMs() * TTL_FACTOR)
                        .setWaitMs(waitMs));
    }

    private CompletableFuture<byte[]> answered(Attempt attempt, long forUpdateTs, LockKeysResponse answer) {
        if (answer.getDeadlock()) {
            return CompletableFuture.failedFuture(new ClientException(
                    ClientException.Kind.CONFLICT,
                    "Deadlock: this transaction and " + answer.getHolder().getStartTs()
                            + " wait for one another; this one is to be rolled back and run again."));
        }
        if (answer.getTimedOut()) {
            return CompletableFuture.failedFuture(Transaction.lockTimeout(answer.getHolder()));
        }
        for (KeyError error : answer.getErrorsList()) {
            if (error.hasLocked()) {
                return afterLock(attempt, forUpdateTs, error.getLocked());
            }
        }
        byte[] newest =
                answer.getRowsCount() == 0 ? null : answer.getRows(0).getValue().toByteArray();
        boolean changedSince = answer.getNewestCommitTs() > forUpdateTs;
        synchronized (transaction) {
            if (wanted(attempt) && !changedSince) {
                boolean readCommitted = transaction.readCommitted();
                return !readCommitted && answer.getNewestCommitTs() > transaction.startTs()
                        ? CompletableFuture.failedFuture(changed())
                        : CompletableFuture.completedFuture(
                                transaction.locked(attempt.key, readCommitted ? forUpdateTs : 0, newest));
            }
        }
        if (changedSince && wanted(attempt)) {
            return client.placement().timestamp().thenCompose(ts -> ask(attempt, ts));
        }
        letGo(attempt.key);
        return abandoned();
    }

    private static ClientException changed() {
        return new ClientException(
                ClientException.Kind.CONFLICT,
                "A row was changed by a transaction that committed after this one had begun: run it again.");
    }

    private CompletableFuture<byte[]> afterLock(Attempt attempt, long forUpdateTs, LockInfo lock) {
        if (client.environment().clock().nanoTime() > attempt.deadlineNs) {
            return CompletableFuture.failedFuture(Transaction.lockTimeout(lock));
        }
        return client.resolver()
                .resolve(lock, 0, client.router().deadlineNs())
                .thenCompose(verdict -> verdict == LockResolver.Verdict.WAIT
                        ? client.later(attempt.backoff.nextNs(), () -> ask(attempt, forUpdateTs))
                        : ask(attempt, forUpdateTs));
    }

    /** Lets go of one key, unless an earlier statement holds it or a later one waits for it. */
    private void letGo(byte[] key) {
        synchronized (transaction) {
            Attempt now = waiting;
            boolean needed = transaction.holds(key) || (now != null && Arrays.equals(now.key, key));
            if (!asked.contains(key) || (needed && !transaction.isOver())) {
                return;
            }
        }
        unlock(List.of(key), true);
    }

    /** The transaction is over; a commit has let go of every key that it was about. */
    void letGoOfAll(boolean committed) {
        List<byte[]> keys;
        synchronized (transaction) {
            if (committed) {
                asked.removeIf(transaction::writesOrLocks);
            }
            keys = List.copyOf(asked);
        }
        if (!keys.isEmpty()) {
            unlock(keys, false);
        }
    }

    /**
     * Locks that cannot be reached end with their ttl.
     *
     * @param these whether to let go of these keys only; else of all in their Regions
     */
    private void unlock(List<byte[]> keys, boolean these) {
        long deadlineNs = client.router().deadlineNs();
        long startTs = transaction.startTs();
        client.group(keys, key -> key)
                .thenAccept(groups -> groups.forEach((route, group) -> {
                    UnlockKeysRequest.Builder request =
                            UnlockKeysRequest.newBuilder().setStartTs(startTs);
                    if (these) {
                        group.forEach(key -> request.addKeys(Transaction.wrap(key)));
                    }
                    client.router().call(route, RegionRequest.newBuilder().setUnlockKeys(request), deadlineNs);
                }));
    }
}
