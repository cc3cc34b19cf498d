package org.flotilladb.region.client;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.BatchGetRequest;
import org.flotilladb.proto.BatchGetResponse;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.GetRequest;
import org.flotilladb.proto.GetResponse;
import org.flotilladb.proto.KeyValue;
import org.flotilladb.proto.LockInfo;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.ScanRequest;
import org.flotilladb.proto.ScanResponse;
import org.flotilladb.region.client.RegionCache.Route;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.LocalNode;
import org.flotilladb.region.runtime.LocalReads.Page;
import org.flotilladb.region.runtime.LocalReads.Read;

/**
 * One transaction: reads at timestamps, merged with what it has buffered; commit in one or two phases. One caller at a
 * time; futures are completed on whatever thread brings the answer, or within the call. A caller who goes on without
 * waiting for a future has given it up: what comes of it late changes nothing. Timestamps and the buffer belong to this
 * object's monitor, since answers note what they bring.
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
    private final TransactionLocks locks;
    /** Counts the moments from which on a timestamp must be newer than one asked for before. */
    private long statement;

    private volatile boolean over;

    Transaction(TransactionClient client, boolean readCommitted) {
        this.client = client;
        this.readCommitted = readCommitted;
        this.locks = new TransactionLocks(this);
    }

    static ByteString wrap(byte[] bytes) {
        return UnsafeByteOperations.unsafeWrap(bytes);
    }

    /** What is buffered; for the caller's thread. */
    public WriteBuffer buffer() {
        locks.callerWaitsNoMore();
        return buffer;
    }

    /** What is to be committed; nothing changes it any more. */
    List<Mutation> mutations() {
        return buffer.mutations();
    }

    boolean isOver() {
        return over;
    }

    /** 0 until a timestamp was needed. */
    public synchronized long startTs() {
        return startTs;
    }

    TransactionClient client() {
        return client;
    }

    boolean readCommitted() {
        return readCommitted;
    }

    /** From here on, under READ COMMITTED, reads see everything committed before this call. */
    public void beginStatement() {
        locks.callerWaitsNoMore();
        synchronized (this) {
            if (readCommitted) {
                readTs = 0;
                statement++;
            }
        }
    }

    /** The timestamp that reads use now, or -1 when it must be asked for. */
    private long tryReadTs() {
        long askedBy;
        synchronized (this) {
            if (readTs != 0) {
                return readTs;
            }
            if (!readCommitted && startTs != 0) {
                useReadTs(startTs);
                return readTs;
            }
            askedBy = statement;
        }
        // Not under the monitor: whoever takes a timestamp may run the Store's loop.
        long ts = client.placement().tryTimestamp();
        return ts <= 0 ? -1 : useReadTs(ts, askedBy);
    }

    private synchronized void useReadTs(long ts) {
        readTs = ts;
        hasSeen(ts);
        if (startTs == 0) {
            startTs = ts;
            startedNs = client.environment().clock().nanoTime();
        }
    }

    /** A timestamp that was asked for by request; one that comes late for its statement is not the next one's. */
    private synchronized long useReadTs(long fresh, long askedBy) {
        if (askedBy != statement) {
            return fresh;
        }
        if (readTs == 0) {
            useReadTs(!readCommitted && startTs != 0 ? startTs : fresh);
        }
        return readTs;
    }

    synchronized void hasSeen(long ts) {
        highestReadTs = Math.max(highestReadTs, ts);
    }

    /** What it commits must come after everything it has seen: the highest timestamp that it has read at. */
    synchronized long minCommitTs() {
        return highestReadTs;
    }

    /** How long ago it has begun, in milliseconds. */
    synchronized long ageMs() {
        return startTs == 0 ? 0 : (client.environment().clock().nanoTime() - startedNs) / 1_000_000L;
    }

    /** The timestamp that reads use now. */
    public CompletableFuture<Long> readTs() {
        long ts = tryReadTs();
        if (ts > 0) {
            return CompletableFuture.completedFuture(ts);
        }
        long askedBy;
        synchronized (this) {
            askedBy = statement;
        }
        return client.placement().timestamp().thenApply(fresh -> useReadTs(fresh, askedBy));
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
        WriteBuffer.Change own = buffer().get(key);
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
        return getAll(keys, true);
    }

    /** As {@link #getAll(List)}, without what is buffered. */
    public CompletableFuture<List<byte[]>> getAllCommitted(List<byte[]> keys) {
        return getAll(keys, false);
    }

    private CompletableFuture<List<byte[]>> getAll(List<byte[]> keys, boolean merged) {
        TreeMap<byte[], byte[]> found = new TreeMap<>(Arrays::compareUnsigned);
        List<byte[]> missing = new ArrayList<>();
        for (byte[] key : keys) {
            WriteBuffer.Change own = merged ? buffer().get(key) : null;
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
    private synchronized long writeTs() {
        return readCommitted && readTs > startTs ? readTs : 0;
    }

    public void put(byte[] key, byte[] value) {
        buffer().put(key, value, writeTs());
    }

    /** A write of a key that must not exist at commit. */
    public void insert(byte[] key, byte[] value) {
        buffer().insert(key, value, writeTs());
    }

    public void delete(byte[] key) {
        buffer().delete(key, writeTs());
    }

    /** Somebody else's write of the key before this commit makes the commit fail; two of these do not disturb. */
    public void check(byte[] key) {
        buffer().check(key, writeTs());
    }

    /** As {@link #check}, and whoever writes the key later learns of this commit too. */
    public void lockShared(byte[] key) {
        buffer().lockShared(key, writeTs());
    }

    public long mark() {
        return buffer().mark();
    }

    public void rollbackTo(long mark) {
        buffer().rollbackTo(mark);
    }

    public boolean hasWrites() {
        return !buffer().isEmpty();
    }

    /**
     * Locks a key exclusively in the memory of its Region's leader and returns its newest value, merged with the buffer.
     *
     * @param waitMs how long to wait for another's lock
     */
    public CompletableFuture<byte[]> lock(byte[] key, long waitMs) {
        WriteBuffer.Change own = buffer().get(key);
        if (own != null && own.writes() && own.held()) {
            return CompletableFuture.completedFuture(own.value());
        }
        return locks.lock(key, waitMs);
    }

    /** The key's leader has given the lock; the newest value as this transaction sees it. Under its monitor. */
    byte[] locked(byte[] key, long forUpdateTs, byte[] newest) {
        buffer.lock(key, forUpdateTs);
        WriteBuffer.Change own = buffer.get(key);
        return own != null && own.writes() ? own.value() : newest;
    }

    /** Whether a lock of the key has been noted. Under its monitor. */
    boolean holds(byte[] key) {
        WriteBuffer.Change own = buffer.get(key);
        return own != null && own.held();
    }

    /** Whether a commit is about the key. Under its monitor. */
    boolean writesOrLocks(byte[] key) {
        return buffer.get(key) != null;
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
        locks.callerWaitsNoMore();
        synchronized (this) {
            if (over) {
                return CompletableFuture.failedFuture(new IllegalStateException("the transaction is over"));
            }
            over = true;
            statement++;
        }
        if (!buffer.hasEffects()) {
            locks.letGoOfAll(false);
            return CompletableFuture.completedFuture(null);
        }
        long known = startTs();
        CompletableFuture<Long> start = known != 0 ? CompletableFuture.completedFuture(known) : readTs();
        return start.thenCompose(ts -> new Committer(this, ts).run())
                .whenComplete((done, failure) -> locks.letGoOfAll(failure == null));
    }

    /** Ends the transaction without effect. */
    public void rollback() {
        locks.callerWaitsNoMore();
        synchronized (this) {
            if (over) {
                return;
            }
            over = true;
        }
        locks.letGoOfAll(false);
    }
}
