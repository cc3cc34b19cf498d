package org.flotilladb.region.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.BatchGetRequest;
import org.flotilladb.proto.BatchGetResponse;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.GetRequest;
import org.flotilladb.proto.GetResponse;
import org.flotilladb.proto.KeyError;
import org.flotilladb.proto.KeyValue;
import org.flotilladb.proto.LockInfo;
import org.flotilladb.proto.LockKeysRequest;
import org.flotilladb.proto.LockKeysResponse;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.ScanRequest;
import org.flotilladb.proto.ScanResponse;
import org.flotilladb.proto.UnlockKeysRequest;
import org.flotilladb.region.client.RegionCache.Route;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.LocalNode;
import org.flotilladb.region.runtime.LocalReads.Page;
import org.flotilladb.region.runtime.LocalReads.Read;

/**
 * One transaction: reads at timestamps, merged with what it has buffered; commit in one or two phases. One caller at a
 * time; futures are completed on whatever thread brings the answer, or within the call.
 */
public final class Transaction {
    private static final long[] NO_STARTS = new long[0];

    private final TransactionClient client;
    private final boolean readCommitted;
    private final WriteBuffer buffer = new WriteBuffer();
    private long startTs;
    private long readTs;
    private long highestReadTs;
    private long startedNs;
    private byte[] lockPrimary;
    /** Keys that locks were asked for, whether or not they were given. */
    private final TreeSet<byte[]> lockKeys = new TreeSet<>(Arrays::compareUnsigned);

    private boolean over;

    Transaction(TransactionClient client, boolean readCommitted) {
        this.client = client;
        this.readCommitted = readCommitted;
    }

    static ByteString wrap(byte[] bytes) {
        return UnsafeByteOperations.unsafeWrap(bytes);
    }

    public WriteBuffer buffer() {
        return buffer;
    }

    /** 0 until a timestamp was needed. */
    public long startTs() {
        return startTs;
    }

    TransactionClient client() {
        return client;
    }

    boolean readCommitted() {
        return readCommitted;
    }

    byte[] lockPrimary() {
        return lockPrimary;
    }

    /** From here on, under READ COMMITTED, reads see everything committed before this call. */
    public void beginStatement() {
        if (readCommitted) {
            readTs = 0;
        }
    }

    /** The timestamp that reads use now, or -1 when it must be asked for. */
    private long tryReadTs() {
        if (readTs == 0) {
            long ts = !readCommitted && startTs != 0
                    ? startTs
                    : client.placement().tryTimestamp();
            if (ts <= 0) {
                return -1;
            }
            useReadTs(ts);
        }
        return readTs;
    }

    private void useReadTs(long ts) {
        readTs = ts;
        highestReadTs = Math.max(highestReadTs, ts);
        if (startTs == 0) {
            startTs = ts;
            startedNs = client.environment().clock().nanoTime();
        }
    }

    /** What it commits must come after everything it has seen: the highest timestamp that it has read at. */
    long minCommitTs() {
        return highestReadTs;
    }

    /** How long ago it has begun, in milliseconds. */
    long ageMs() {
        return startTs == 0 ? 0 : (client.environment().clock().nanoTime() - startedNs) / 1_000_000L;
    }

    /** The timestamp that reads use now. */
    public CompletableFuture<Long> readTs() {
        long ts = tryReadTs();
        if (ts > 0) {
            return CompletableFuture.completedFuture(ts);
        }
        return client.placement().timestamp().thenApply(fresh -> {
            useReadTs(fresh);
            return fresh;
        });
    }

    // ---- reads -----------------------------------------------------------------------------------------------------

    /** The committed value if this process can tell on this thread; else {@link Read#NOT_SERVED}. Skips the buffer. */
    public Read tryGet(byte[] key) {
        LocalNode local = client.environment().local();
        if (local == null) {
            return Read.NOT_SERVED;
        }
        long ts = tryReadTs();
        if (ts < 0) {
            return Read.NOT_SERVED;
        }
        Read read = local.get(key, ts);
        return read.locked() == null ? read : Read.NOT_SERVED;
    }

    /** The value of a key, or null, merged with the buffer. */
    public CompletableFuture<byte[]> get(byte[] key) {
        WriteBuffer.Change own = buffer.get(key);
        if (own != null && own.writes()) {
            return CompletableFuture.completedFuture(own.value());
        }
        Read local = tryGet(key);
        if (local != Read.NOT_SERVED) {
            return CompletableFuture.completedFuture(local.value());
        }
        return readTs().thenCompose(
                        ts -> getCommitted(key, ts, NO_STARTS, client.router().deadlineNs(), newBackoff()));
    }

    private Backoff newBackoff() {
        return new Backoff(client.environment().random());
    }

    private CompletableFuture<byte[]> getCommitted(
            byte[] key, long ts, long[] bypass, long deadlineNs, Backoff backoff) {
        RegionRequest.Builder request = RegionRequest.newBuilder()
                .setContext(context(bypass))
                .setGet(GetRequest.newBuilder().setKey(wrap(key)).setReadTs(ts));
        return client.callKey(key, request, deadlineNs).thenCompose(response -> {
            GetResponse answer = response.getGet();
            if (answer.hasLocked()) {
                return pastLock(answer.getLocked(), ts, bypass, deadlineNs, backoff)
                        .thenCompose(more -> getCommitted(key, ts, more, deadlineNs, backoff));
            }
            return CompletableFuture.completedFuture(
                    answer.getFound() ? answer.getValue().toByteArray() : null);
        });
    }

    private static Context.Builder context(long[] bypass) {
        Context.Builder context = Context.newBuilder();
        for (long start : bypass) {
            context.addBypassStarts(start);
        }
        return context;
    }

    /** Finds a way past a lock; the transactions to read past from here on. */
    private CompletableFuture<long[]> pastLock(
            LockInfo lock, long ts, long[] bypass, long deadlineNs, Backoff backoff) {
        if (client.environment().clock().nanoTime() > deadlineNs) {
            return CompletableFuture.failedFuture(new ClientException(
                    ClientException.Kind.UNAVAILABLE,
                    "a lock of transaction " + lock.getStartTs() + " could not be resolved in time"));
        }
        return client.resolver().resolve(lock, ts, deadlineNs).thenCompose(verdict -> switch (verdict) {
            case GONE -> CompletableFuture.completedFuture(bypass);
            case BYPASS -> {
                long[] more = Arrays.copyOf(bypass, bypass.length + 1);
                more[bypass.length] = lock.getStartTs();
                Arrays.sort(more);
                yield CompletableFuture.completedFuture(more);
            }
            case WAIT -> client.later(backoff.nextNs(), () -> CompletableFuture.completedFuture(bypass));
        });
    }

    /** The values of many keys in their order, null where there is none, merged with the buffer. */
    public CompletableFuture<List<byte[]>> getAll(List<byte[]> keys) {
        TreeMap<byte[], byte[]> found = new TreeMap<>(Arrays::compareUnsigned);
        List<byte[]> missing = new ArrayList<>();
        for (byte[] key : keys) {
            WriteBuffer.Change own = buffer.get(key);
            if (own != null && own.writes()) {
                if (own.value() != null) {
                    found.put(key, own.value());
                }
                continue;
            }
            Read local = tryGet(key);
            if (local == Read.NOT_SERVED) {
                missing.add(key);
            } else if (local.value() != null) {
                found.put(key, local.value());
            }
        }
        if (missing.isEmpty()) {
            return CompletableFuture.completedFuture(inOrder(keys, found));
        }
        missing.sort(Arrays::compareUnsigned);
        long deadlineNs = client.router().deadlineNs();
        return readTs().thenCompose(ts -> fetch(missing, ts, found, deadlineNs)).thenApply(v -> inOrder(keys, found));
    }

    private static List<byte[]> inOrder(List<byte[]> keys, TreeMap<byte[], byte[]> found) {
        List<byte[]> values = new ArrayList<>(keys.size());
        for (byte[] key : keys) {
            values.add(found.get(key));
        }
        return values;
    }

    private CompletableFuture<Void> fetch(List<byte[]> keys, long ts, TreeMap<byte[], byte[]> found, long deadlineNs) {
        return client.group(keys, key -> key).thenCompose(groups -> {
            List<CompletableFuture<Void>> parts = new ArrayList<>();
            for (Map.Entry<Route, List<byte[]>> group : groups.entrySet()) {
                parts.add(fetchGroup(group.getKey(), group.getValue(), ts, NO_STARTS, found, deadlineNs, newBackoff()));
            }
            return CompletableFuture.allOf(parts.toArray(new CompletableFuture<?>[0]));
        });
    }

    private CompletableFuture<Void> fetchGroup(
            Route route,
            List<byte[]> keys,
            long ts,
            long[] bypass,
            TreeMap<byte[], byte[]> found,
            long deadlineNs,
            Backoff backoff) {
        BatchGetRequest.Builder get = BatchGetRequest.newBuilder().setReadTs(ts);
        keys.forEach(key -> get.addKeys(wrap(key)));
        RegionRequest.Builder request =
                RegionRequest.newBuilder().setContext(context(bypass)).setBatchGet(get);
        return client.router().call(route, request, deadlineNs).thenCompose(result -> {
            if (result.failure() != null) {
                return CompletableFuture.failedFuture(result.failure());
            }
            if (result.regroup()) {
                return client.regroup(deadlineNs, () -> fetch(keys, ts, found, deadlineNs));
            }
            BatchGetResponse answer = result.response().getBatchGet();
            if (answer.hasLocked()) {
                return pastLock(answer.getLocked(), ts, bypass, deadlineNs, backoff)
                        .thenCompose(more -> fetchGroup(route, keys, ts, more, found, deadlineNs, backoff));
            }
            synchronized (found) {
                for (KeyValue row : answer.getRowsList()) {
                    found.put(row.getKey().toByteArray(), row.getValue().toByteArray());
                }
            }
            int done = answer.getLookedUp();
            if (done > 0 && done < keys.size()) {
                return fetchGroup(route, keys.subList(done, keys.size()), ts, bypass, found, deadlineNs, backoff);
            }
            return CompletableFuture.completedFuture(null);
        });
    }

    /**
     * A page of committed rows of {@code [start, end)}, not merged with the buffer; see {@link Page} for where to go on.
     * Never has a lock.
     */
    public CompletableFuture<Page> scan(byte[] start, byte[] end, boolean reverse, int limit, int maxBytes) {
        Page local = tryScan(start, end, reverse, limit, maxBytes);
        if (local != Page.NOT_SERVED) {
            return CompletableFuture.completedFuture(local);
        }
        long deadlineNs = client.router().deadlineNs();
        return readTs().thenCompose(ts ->
                scanCommitted(start, end, reverse, limit, maxBytes, ts, NO_STARTS, deadlineNs, newBackoff()));
    }

    /** As {@link #scan} on this thread, or {@link Page#NOT_SERVED}. */
    public Page tryScan(byte[] start, byte[] end, boolean reverse, int limit, int maxBytes) {
        LocalNode local = client.environment().local();
        long ts = local == null ? -1 : tryReadTs();
        if (ts < 0) {
            return Page.NOT_SERVED;
        }
        Page page = local.scan(start, end, reverse, limit, maxBytes, ts);
        return page.locked() == null ? page : Page.NOT_SERVED;
    }

    private CompletableFuture<Page> scanCommitted(
            byte[] start,
            byte[] end,
            boolean reverse,
            int limit,
            int maxBytes,
            long ts,
            long[] bypass,
            long deadlineNs,
            Backoff backoff) {
        return route(start, end, reverse).thenCompose(route -> {
            ScanRequest.Builder scan = ScanRequest.newBuilder()
                    .setStart(wrap(start))
                    .setReverse(reverse)
                    .setLimit(limit)
                    .setMaxBytes(maxBytes)
                    .setReadTs(ts);
            if (end != null) {
                scan.setEnd(wrap(end));
            }
            RegionRequest.Builder request =
                    RegionRequest.newBuilder().setContext(context(bypass)).setScan(scan);
            return client.router().call(route, request, deadlineNs).thenCompose(result -> {
                if (result.failure() != null) {
                    return CompletableFuture.failedFuture(result.failure());
                }
                if (result.regroup()) {
                    return client.regroup(
                            deadlineNs,
                            () -> scanCommitted(start, end, reverse, limit, maxBytes, ts, bypass, deadlineNs, backoff));
                }
                ScanResponse answer = result.response().getScan();
                if (answer.hasLocked() && answer.getRowsCount() == 0) {
                    return pastLock(answer.getLocked(), ts, bypass, deadlineNs, backoff)
                            .thenCompose(more ->
                                    scanCommitted(start, end, reverse, limit, maxBytes, ts, more, deadlineNs, backoff));
                }
                return CompletableFuture.completedFuture(page(answer, route, start, end, reverse));
            });
        });
    }

    private CompletableFuture<Route> route(byte[] start, byte[] end, boolean reverse) {
        if (!reverse) {
            return client.cache().locate(start);
        }
        Route known = client.cache().findBefore(end);
        if (known != null) {
            return CompletableFuture.completedFuture(known);
        }
        // Walk there from the start: only until the Regions in between are known.
        return walk(start, end);
    }

    private CompletableFuture<Route> walk(byte[] from, byte[] end) {
        return client.cache().locate(from).thenCompose(route -> {
            boolean reaches = route.end().length == 0
                    || (end != null && end.length > 0 && Arrays.compareUnsigned(end, route.end()) <= 0);
            return reaches ? CompletableFuture.completedFuture(route) : walk(route.end(), end);
        });
    }

    private static Page page(ScanResponse answer, Route route, byte[] start, byte[] end, boolean reverse) {
        List<Pair> rows = new ArrayList<>(answer.getRowsCount());
        for (KeyValue row : answer.getRowsList()) {
            rows.add(new Pair(row.getKey().toByteArray(), row.getValue().toByteArray()));
        }
        if (answer.getMore()) {
            return new Page(rows, answer.getResumeKey().toByteArray(), null);
        }
        byte[] resume = null;
        if (reverse) {
            resume = Arrays.compareUnsigned(start, route.start()) < 0 ? route.start() : null;
        } else if (route.end().length > 0) {
            boolean within = end != null && end.length > 0 && Arrays.compareUnsigned(end, route.end()) <= 0;
            resume = within ? null : route.end();
        }
        return new Page(rows, resume, null);
    }

    // ---- writes ----------------------------------------------------------------------------------------------------

    /** The timestamp above which another's version of a key written now is a conflict; 0: the start. */
    private long writeTs() {
        return readCommitted && readTs > startTs ? readTs : 0;
    }

    public void put(byte[] key, byte[] value) {
        buffer.put(key, value, writeTs());
    }

    /** A write of a key that must not exist at commit. */
    public void insert(byte[] key, byte[] value) {
        buffer.insert(key, value, writeTs());
    }

    public void delete(byte[] key) {
        buffer.delete(key, writeTs());
    }

    /** Somebody else's write of the key before this commit makes the commit fail; two of these do not disturb. */
    public void check(byte[] key) {
        buffer.check(key, writeTs());
    }

    /** As {@link #check}, and whoever writes the key later learns of this commit too. */
    public void lockShared(byte[] key) {
        buffer.lockShared(key, writeTs());
    }

    public long mark() {
        return buffer.mark();
    }

    public void rollbackTo(long mark) {
        buffer.rollbackTo(mark);
    }

    public boolean hasWrites() {
        return !buffer.isEmpty();
    }

    /**
     * Locks a key exclusively in the memory of its Region's leader and returns its newest value, merged with the buffer.
     *
     * @param waitMs how long to wait for another's lock
     */
    public CompletableFuture<byte[]> lock(byte[] key, long waitMs) {
        WriteBuffer.Change own = buffer.get(key);
        if (own != null && own.writes() && own.held()) {
            return CompletableFuture.completedFuture(own.value());
        }
        long now = client.environment().clock().nanoTime();
        long lockDeadlineNs = now + waitMs * 1_000_000L;
        return readTs().thenCompose(ts -> client.placement().timestamp())
                .thenCompose(ts -> lockAt(key, ts, lockDeadlineNs, newBackoff()));
    }

    private CompletableFuture<byte[]> lockAt(byte[] key, long forUpdateTs, long lockDeadlineNs, Backoff backoff) {
        if (over) {
            return CompletableFuture.failedFuture(new IllegalStateException("the transaction is over"));
        }
        if (lockPrimary == null) {
            lockPrimary = key;
        }
        lockKeys.add(key);
        highestReadTs = Math.max(highestReadTs, forUpdateTs);
        long nowNs = client.environment().clock().nanoTime();
        long waitMs = Math.max(0, (lockDeadlineNs - nowNs) / 1_000_000L);
        RegionRequest.Builder request = RegionRequest.newBuilder()
                .setLockKeys(LockKeysRequest.newBuilder()
                        .addKeys(wrap(key))
                        .setPrimary(wrap(lockPrimary))
                        .setStartTs(startTs)
                        .setForUpdateTs(forUpdateTs)
                        .setTtlMs(client.settings().lockTtlMs() * 5)
                        .setWaitMs(waitMs));
        long deadlineNs = Math.max(lockDeadlineNs, nowNs) + client.settings().requestTimeoutMs() * 1_000_000L;
        return client.cache()
                .locate(key)
                .thenCompose(route -> client.router()
                        .call(
                                route,
                                request,
                                deadlineNs,
                                waitMs + client.settings().requestTimeoutMs()))
                .thenCompose(result -> {
                    if (result.failure() != null) {
                        return CompletableFuture.failedFuture(result.failure());
                    }
                    if (result.regroup()) {
                        return client.regroup(deadlineNs, () -> lockAt(key, forUpdateTs, lockDeadlineNs, backoff));
                    }
                    return locked(key, forUpdateTs, result.response().getLockKeys(), lockDeadlineNs, backoff);
                });
    }

    private CompletableFuture<byte[]> locked(
            byte[] key, long forUpdateTs, LockKeysResponse answer, long lockDeadlineNs, Backoff backoff) {
        if (answer.getDeadlock()) {
            return CompletableFuture.failedFuture(new ClientException(
                    ClientException.Kind.CONFLICT,
                    "Deadlock: this transaction and " + answer.getHolder().getStartTs()
                            + " wait for one another; this one is to be rolled back and run again."));
        }
        if (answer.getTimedOut()) {
            return CompletableFuture.failedFuture(lockTimeout(answer.getHolder()));
        }
        for (KeyError error : answer.getErrorsList()) {
            if (error.hasLocked()) {
                long nowNs = client.environment().clock().nanoTime();
                if (nowNs > lockDeadlineNs) {
                    return CompletableFuture.failedFuture(lockTimeout(error.getLocked()));
                }
                return client.resolver()
                        .resolve(error.getLocked(), 0, client.router().deadlineNs())
                        .thenCompose(verdict -> verdict == LockResolver.Verdict.WAIT
                                ? client.later(
                                        backoff.nextNs(), () -> lockAt(key, forUpdateTs, lockDeadlineNs, backoff))
                                : lockAt(key, forUpdateTs, lockDeadlineNs, backoff));
            }
        }
        if (answer.getNewestCommitTs() > forUpdateTs) {
            return client.placement().timestamp().thenCompose(ts -> lockAt(key, ts, lockDeadlineNs, backoff));
        }
        if (!readCommitted && answer.getNewestCommitTs() > startTs) {
            return CompletableFuture.failedFuture(new ClientException(
                    ClientException.Kind.CONFLICT,
                    "A row was changed by a transaction that committed after this one had begun: run it again."));
        }
        buffer.lock(key, readCommitted ? forUpdateTs : 0);
        WriteBuffer.Change own = buffer.get(key);
        byte[] value = own != null && own.writes()
                ? own.value()
                : answer.getRowsCount() == 0
                        ? null
                        : answer.getRows(0).getValue().toByteArray();
        return CompletableFuture.completedFuture(value);
    }

    static ClientException lockTimeout(LockInfo holder) {
        return new ClientException(
                ClientException.Kind.LOCK_TIMEOUT,
                "A row is locked by another transaction (start " + holder.getStartTs()
                        + "): try again, or raise LOCK_TIMEOUT.");
    }

    // ---- the end ---------------------------------------------------------------------------------------------------

    /**
     * Commits. Done normally: committed, durably on a majority. Fails with CONFLICT: certainly not; UNKNOWN_OUTCOME: could
     * not be found out in time. The transaction is over in every case.
     */
    public CompletableFuture<Void> commit() {
        if (over) {
            return CompletableFuture.failedFuture(new IllegalStateException("the transaction is over"));
        }
        over = true;
        if (!buffer.hasEffects()) {
            unlock();
            return CompletableFuture.completedFuture(null);
        }
        CompletableFuture<Long> start = startTs != 0 ? CompletableFuture.completedFuture(startTs) : readTs();
        return start.thenCompose(ts -> new Committer(this, ts).run()).whenComplete((done, failure) -> {
            if (failure == null) {
                // The commit has let go of every key that it was about.
                lockKeys.removeIf(key -> buffer.get(key) != null);
            }
            unlock();
        });
    }

    /** Ends the transaction without effect. */
    public void rollback() {
        if (!over) {
            over = true;
            unlock();
        }
    }

    /** Lets go of locks in memory; those that cannot be reached end with their ttl. */
    private void unlock() {
        if (lockKeys.isEmpty()) {
            return;
        }
        List<byte[]> keys = List.copyOf(lockKeys);
        long deadlineNs = client.router().deadlineNs();
        long start = startTs;
        client.group(keys, key -> key)
                .thenAccept(groups -> groups.forEach((route, group) -> {
                    UnlockKeysRequest.Builder request =
                            UnlockKeysRequest.newBuilder().setStartTs(start);
                    client.router().call(route, RegionRequest.newBuilder().setUnlockKeys(request), deadlineNs);
                }));
    }
}
