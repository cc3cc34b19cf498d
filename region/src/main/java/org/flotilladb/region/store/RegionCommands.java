package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.flotilladb.proto.BatchGetRequest;
import org.flotilladb.proto.BatchGetResponse;
import org.flotilladb.proto.CheckStatusRequest;
import org.flotilladb.proto.CheckStatusResponse;
import org.flotilladb.proto.CommitRequest;
import org.flotilladb.proto.CommitResponse;
import org.flotilladb.proto.Family;
import org.flotilladb.proto.GetRequest;
import org.flotilladb.proto.GetResponse;
import org.flotilladb.proto.HeartbeatRequest;
import org.flotilladb.proto.HeartbeatResponse;
import org.flotilladb.proto.KeyError;
import org.flotilladb.proto.KeyValue;
import org.flotilladb.proto.LockKeysRequest;
import org.flotilladb.proto.LockKeysResponse;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.MutationKind;
import org.flotilladb.proto.PrewriteRequest;
import org.flotilladb.proto.PrewriteResponse;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.ResolveLockRequest;
import org.flotilladb.proto.ResolveLockResponse;
import org.flotilladb.proto.RollbackRequest;
import org.flotilladb.proto.RollbackResponse;
import org.flotilladb.proto.ScanRequest;
import org.flotilladb.proto.ScanResponse;
import org.flotilladb.proto.UnlockKeysRequest;
import org.flotilladb.proto.UnlockKeysResponse;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.KvSnapshot;
import org.flotilladb.region.runtime.LocalReads.Page;
import org.flotilladb.region.runtime.LocalReads.Read;
import org.flotilladb.region.store.RegionPeer.Command;
import org.flotilladb.region.store.RegionPeer.HeldKey;
import org.flotilladb.region.store.mvcc.Keys;
import org.flotilladb.region.store.mvcc.LockRecord;
import org.flotilladb.region.store.mvcc.Mvcc;
import org.flotilladb.region.store.mvcc.MvccReader;
import org.flotilladb.region.store.mvcc.WriteRecord;

/**
 * A Region's commands, run by the leader that serves, in the loop. Each looks at the latches of its keys first; checks
 * and proposal are one step, so nothing comes between them.
 */
final class RegionCommands {
    /** How long a command waits for another transaction's lock in the store before the client is told to look into it. */
    private static final long LOOK_INTO_LOCK_NS = 50_000_000L;

    private static final int DEFAULT_PAGE_ROWS = 4096;
    private static final int DEFAULT_PAGE_BYTES = 4 << 20;
    private static final int RESOLVE_BATCH = 1024;

    private final RegionPeer peer;
    private final StoreContext store;

    RegionCommands(RegionPeer peer, StoreContext store) {
        this.peer = peer;
        this.store = store;
    }

    void run(Command command) {
        RegionRequest request = command.request;
        switch (request.getCommandCase()) {
            case GET -> get(command, request.getGet());
            case BATCH_GET -> batchGet(command, request.getBatchGet());
            case SCAN -> scan(command, request.getScan());
            case PREWRITE -> prewrite(command, request.getPrewrite());
            case COMMIT -> commit(command, request.getCommit());
            case ROLLBACK -> rollback(command, request.getRollback());
            case CHECK_STATUS -> checkStatus(command, request.getCheckStatus());
            case RESOLVE_LOCK -> resolve(command, request.getResolveLock());
            case LOCK_KEYS -> lockKeys(command, request.getLockKeys());
            case UNLOCK_KEYS -> unlockKeys(command, request.getUnlockKeys());
            case HEARTBEAT -> heartbeat(command, request.getHeartbeat());
            case SPLIT -> peer.changes.proposeSplit(command, request.getSplit());
            case CHANGE_PEERS -> peer.changes.proposeChange(command, request.getChangePeers());
            case TRANSFER_LEADER -> peer.changes.transferLeader(command, request.getTransferLeader());
            case SNAPSHOT_CHUNK, COMMAND_NOT_SET -> command.answer.accept(RegionErrors.unknownRequest());
        }
    }

    private boolean outside(Command command, byte[] key) {
        if (peer.contains(key)) {
            return false;
        }
        command.answer.accept(RegionErrors.keyNotInRegion(key, peer.region()));
        return true;
    }

    private static long[] bypass(Command command) {
        List<Long> starts = command.request.getContext().getBypassStartsList();
        long[] result = new long[starts.size()];
        for (int i = 0; i < result.length; i++) {
            result[i] = starts.get(i);
        }
        Arrays.sort(result);
        return result;
    }

    // ---- reads -----------------------------------------------------------------------------------------------------

    private void get(Command command, GetRequest request) {
        byte[] key = request.getKey().toByteArray();
        if (outside(command, key)) {
            return;
        }
        peer.raiseMaxTs(request.getReadTs());
        if (hides(key, request.getReadTs())) {
            peer.park(command, key, Long.MAX_VALUE);
            return;
        }
        Read read = MvccReader.get(store.data(), key, request.getReadTs(), bypass(command));
        if (read.locked() != null && peer.latches.holds(key)) {
            peer.park(command, key, Long.MAX_VALUE);
            return;
        }
        GetResponse.Builder answer = GetResponse.newBuilder();
        if (read.locked() != null) {
            answer.setLocked(read.locked());
        } else if (read.value() != null) {
            answer.setFound(true).setValue(RegionPeer.wrap(read.value()));
        }
        answerRead(command, RegionResponse.newBuilder().setGet(answer).build());
    }

    private boolean hides(byte[] key, long readTs) {
        return peer.latches.hides(key, readTs) && !store.failPoints().hit("latches-unseen");
    }

    /** A read's answer leaves only if the clock, read last, is within the lease. */
    private void answerRead(Command command, RegionResponse response) {
        command.answer.accept(
                peer.leaseHolds()
                        ? response
                        : RegionErrors.notReady(
                                "the lease of Region " + peer.region().getId() + " has run out"));
    }

    private void batchGet(Command command, BatchGetRequest request) {
        peer.raiseMaxTs(request.getReadTs());
        long[] bypass = bypass(command);
        int bytes = 0;
        int lookedUp = 0;
        BatchGetResponse.Builder answer = BatchGetResponse.newBuilder();
        for (ByteString each : request.getKeysList()) {
            byte[] key = each.toByteArray();
            if (outside(command, key)) {
                return;
            }
            if (hides(key, request.getReadTs())) {
                peer.park(command, key, Long.MAX_VALUE);
                return;
            }
            Read read = MvccReader.get(store.data(), key, request.getReadTs(), bypass);
            if (read.locked() != null) {
                if (peer.latches.holds(key)) {
                    peer.park(command, key, Long.MAX_VALUE);
                    return;
                }
                answer.setLocked(read.locked());
                break;
            }
            if (read.value() != null) {
                answer.addRows(KeyValue.newBuilder().setKey(each).setValue(RegionPeer.wrap(read.value())));
                bytes += read.value().length;
            }
            lookedUp++;
            if (bytes >= DEFAULT_PAGE_BYTES) {
                break;
            }
        }
        answer.setLookedUp(lookedUp);
        answerRead(command, RegionResponse.newBuilder().setBatchGet(answer).build());
    }

    private void scan(Command command, ScanRequest request) {
        byte[] start = request.getStart().toByteArray();
        byte[] end = request.getEnd().toByteArray();
        byte[] regionStart = peer.region().getStart().toByteArray();
        byte[] regionEnd = peer.region().getEnd().toByteArray();
        if (Arrays.compareUnsigned(start, regionStart) < 0) {
            start = regionStart;
        }
        if (regionEnd.length > 0 && (end.length == 0 || Arrays.compareUnsigned(end, regionEnd) > 0)) {
            end = regionEnd;
        }
        if (end.length > 0 && Arrays.compareUnsigned(start, end) >= 0) {
            answerRead(
                    command,
                    RegionResponse.newBuilder()
                            .setScan(ScanResponse.getDefaultInstance())
                            .build());
            return;
        }
        peer.raiseMaxTs(request.getReadTs());
        byte[] hiding = peer.latches.firstHiding(start, end, request.getReadTs());
        if (hiding != null && !store.failPoints().hit("latches-unseen")) {
            peer.park(command, hiding, Long.MAX_VALUE);
            return;
        }
        Page page;
        try (KvSnapshot snapshot = store.data().snapshot()) {
            page = MvccReader.scan(
                    snapshot,
                    start,
                    end,
                    request.getReverse(),
                    request.getLimit() == 0 ? DEFAULT_PAGE_ROWS : Math.min(request.getLimit(), DEFAULT_PAGE_ROWS),
                    request.getMaxBytes() == 0
                            ? DEFAULT_PAGE_BYTES
                            : Math.min(request.getMaxBytes(), DEFAULT_PAGE_BYTES),
                    request.getReadTs(),
                    bypass(command),
                    request.getKeysOnly());
        }
        if (page.locked() != null && peer.latches.holds(page.locked().getKey().toByteArray())) {
            peer.park(command, page.locked().getKey().toByteArray(), Long.MAX_VALUE);
            return;
        }
        ScanResponse.Builder answer = ScanResponse.newBuilder();
        for (Pair row : page.rows()) {
            answer.addRows(
                    KeyValue.newBuilder().setKey(RegionPeer.wrap(row.key())).setValue(RegionPeer.wrap(row.value())));
        }
        if (page.resumeKey() != null) {
            answer.setMore(true).setResumeKey(RegionPeer.wrap(page.resumeKey()));
        }
        if (page.locked() != null) {
            answer.setLocked(page.locked());
        }
        answerRead(command, RegionResponse.newBuilder().setScan(answer).build());
    }

    // ---- prewrite and one phase ------------------------------------------------------------------------------------

    private void prewrite(Command command, PrewriteRequest request) {
        long startTs = request.getStartTs();
        long nowNs = store.clock().nanoTime();
        long lockDeadlineNs = command.arrivedNs + request.getWaitMs() * 1_000_000L;
        KvReader data = store.data();
        List<HeldKey> keys = new ArrayList<>(request.getMutationsCount());
        byte[] before = null;
        for (Mutation mutation : request.getMutationsList()) {
            byte[] key = mutation.getKey().toByteArray();
            if (outside(command, key)) {
                return;
            }
            boolean ascends = before == null || Arrays.compareUnsigned(before, key) < 0;
            if (!ascends || mutation.getKind() == MutationKind.UNRECOGNIZED) {
                String why = ascends
                        ? "this node does not know a kind of write: it runs an older version"
                        : "the keys of a prewrite must ascend, each named once";
                answerPrewrite(
                        command,
                        PrewriteResponse.newBuilder()
                                .addErrors(KeyError.newBuilder().setRefused(why)));
                return;
            }
            before = key;
            boolean shared = LockRecord.isShared(mutation.getKind());
            if (peer.latches.blocks(key, shared)) {
                peer.park(command, key, Long.MAX_VALUE);
                return;
            }
            keys.add(new HeldKey(key, shared));
        }
        // Repeats first: what this transaction has left here decides before any other check.
        PrewriteResponse.Builder answer = PrewriteResponse.newBuilder();
        List<Mutation> todo = new ArrayList<>(request.getMutationsCount());
        List<Pair> newest = new ArrayList<>(request.getMutationsCount());
        boolean[] locked = new boolean[keys.size()];
        for (int i = 0; i < keys.size(); i++) {
            if (request.getOnePhase() && request.getMutations(i).getKind() == MutationKind.CHECK) {
                // In one phase it leaves nothing; where an attempt went in two, the keys that are written tell.
                locked[todo.size()] = true;
                todo.add(request.getMutations(i));
                newest.add(Mvcc.newest(data, keys.get(i).key()));
                continue;
            }
            Pair record = Mvcc.newest(data, keys.get(i).key());
            Mvcc.Outcome outcome = Mvcc.outcome(data, keys.get(i).key(), startTs, record);
            if (outcome.committed()) {
                answerPrewrite(command, answer.setOnePhaseCommitTs(outcome.commitTs()));
                return;
            }
            if (outcome.rolledBack()) {
                answerPrewrite(
                        command,
                        answer.addErrors(KeyError.newBuilder().setAborted("the transaction was rolled back already")));
                return;
            }
            boolean shared = keys.get(i).shared();
            // An exclusive lock meets every other lock: nearly always one look tells that there is none.
            boolean mayBeLocked = shared || Mvcc.anyLock(data, keys.get(i).key());
            LockRecord own = mayBeLocked ? Mvcc.ownLock(data, keys.get(i).key(), startTs, shared) : null;
            if (own == null) {
                locked[todo.size()] = mayBeLocked;
                todo.add(request.getMutations(i));
                newest.add(record);
            } else {
                answer.setMinCommitTs(Math.max(answer.getMinCommitTs(), own.minCommitTs()));
            }
        }
        for (HeldKey held : keys) {
            if (!held.shared() && peer.memoryLocks.holder(held.key(), startTs, nowNs) != 0) {
                if (nowNs < lockDeadlineNs) {
                    peer.park(command, held.key(), lockDeadlineNs);
                } else {
                    answerPrewrite(
                            command,
                            PrewriteResponse.newBuilder()
                                    .addErrors(KeyError.newBuilder().setLocked(peer.memoryLocks.info(held.key()))));
                }
                return;
            }
        }
        boolean onePhase = request.getOnePhase() && todo.size() == keys.size();
        for (int i = 0; i < todo.size(); i++) {
            Mutation mutation = todo.get(i);
            if (mutation.getKind() == MutationKind.CHECK && store.failPoints().hit("check-dropped")) {
                continue;
            }
            KeyError error =
                    Mvcc.check(data, mutation, mutation.getKey().toByteArray(), startTs, newest.get(i), locked[i]);
            if (error != null && error.hasConflict() && store.failPoints().hit("conflict-unseen")) {
                continue;
            }
            if (error != null) {
                if (error.hasLocked() && nowNs < Math.min(lockDeadlineNs, command.arrivedNs + LOOK_INTO_LOCK_NS)) {
                    peer.park(
                            command,
                            mutation.getKey().toByteArray(),
                            Math.min(lockDeadlineNs, command.arrivedNs + LOOK_INTO_LOCK_NS));
                    return;
                }
                answer.addErrors(error);
            }
        }
        if (answer.getErrorsCount() > 0 || todo.isEmpty()) {
            answerPrewrite(command, answer);
            return;
        }
        if (onePhase) {
            onePhase(command, request, keys);
            return;
        }
        long minCommitTs = Math.max(Math.max(startTs + 1, request.getMinCommitTs()), answer.getMinCommitTs());
        Mvcc.Writes writes = new Mvcc.Writes();
        Latches.Hold hold = new Latches.Hold(startTs, Latches.INVISIBLE);
        keys.forEach(key -> peer.latches.acquire(key.key(), hold, key.shared()));
        for (Mutation mutation : todo) {
            Mvcc.prewrite(
                    mutation, request.getPrimary().toByteArray(), startTs, request.getTtlMs(), minCommitTs, writes);
        }
        answer.setMinCommitTs(minCommitTs);
        peer.propose(
                command,
                writes.list(),
                startTs,
                keys,
                RegionResponse.newBuilder().setPrewrite(answer).build());
    }

    private static void answerPrewrite(Command command, PrewriteResponse.Builder answer) {
        command.answer.accept(RegionResponse.newBuilder().setPrewrite(answer).build());
    }

    private void onePhase(Command command, PrewriteRequest request, List<HeldKey> all) {
        long startTs = request.getStartTs();
        // A check is over with this step; all other keys are held until their writes are visible.
        List<HeldKey> keys = new ArrayList<>(all.size());
        for (int i = 0; i < all.size(); i++) {
            if (request.getMutations(i).getKind() != MutationKind.CHECK) {
                keys.add(all.get(i));
            }
        }
        // The latches stand before max_ts is read: a reader either sees them or has raised max_ts.
        Latches.Hold hold = new Latches.Hold(startTs, 0);
        keys.forEach(key -> peer.latches.acquire(key.key(), hold, key.shared()));
        long commitTs = Math.max(Math.max(startTs, request.getMinCommitTs()), peer.maxTs());
        for (Mutation mutation : request.getMutationsList()) {
            commitTs = Math.max(commitTs, mutation.getForUpdateTs());
        }
        commitTs++;
        hold.commitTs = commitTs;
        Mvcc.Writes writes = new Mvcc.Writes();
        for (Mutation mutation : request.getMutationsList()) {
            Mvcc.onePhase(mutation, startTs, commitTs, writes);
        }
        store.counters().onePhaseCommit();
        peer.propose(
                command,
                writes.list(),
                startTs,
                keys,
                RegionResponse.newBuilder()
                        .setPrewrite(PrewriteResponse.newBuilder().setOnePhaseCommitTs(commitTs))
                        .build());
    }

    // ---- the second phase, and other people's transactions ---------------------------------------------------------

    /** Latches the keys of a command that changes locks; null when it waits or was refused. */
    private List<HeldKey> latchable(Command command, List<ByteString> requested) {
        List<HeldKey> keys = new ArrayList<>(requested.size());
        for (ByteString each : requested) {
            byte[] key = each.toByteArray();
            if (outside(command, key)) {
                return null;
            }
            if (peer.latches.blocks(key, false)) {
                peer.park(command, key, Long.MAX_VALUE);
                return null;
            }
            keys.add(new HeldKey(key, false));
        }
        return keys;
    }

    private void proposeLatched(
            Command command, long startTs, List<HeldKey> keys, Mvcc.Writes writes, RegionResponse response) {
        if (store.failPoints().hit("rollback-record-missing")) {
            writes.list().removeIf(write -> write.getFamily() == Family.FAMILY_ROLLBACK);
        }
        if (writes.isEmpty()) {
            command.answer.accept(response);
            return;
        }
        Latches.Hold hold = new Latches.Hold(startTs, Latches.INVISIBLE);
        keys.forEach(key -> peer.latches.acquire(key.key(), hold, false));
        peer.propose(command, writes.list(), startTs, keys, response);
    }

    private void commit(Command command, CommitRequest request) {
        List<HeldKey> keys = latchable(command, request.getKeysList());
        if (keys == null) {
            return;
        }
        Mvcc.Writes writes = new Mvcc.Writes();
        CommitResponse.Builder answer = CommitResponse.newBuilder().setCommitTs(request.getCommitTs());
        for (HeldKey key : keys) {
            KeyError error = Mvcc.commit(store.data(), key.key(), request.getStartTs(), request.getCommitTs(), writes);
            if (error != null
                    && !request.getWithPrimary()
                    && !error.getAborted().isEmpty()
                    && !Mvcc.outcome(store.data(), key.key(), request.getStartTs())
                            .rolledBack()) {
                // The primary has decided. A check that another client has resolved leaves nothing to be found.
                continue;
            }
            if (error != null) {
                command.answer.accept(RegionResponse.newBuilder()
                        .setCommit(answer.setError(error))
                        .build());
                return;
            }
        }
        if (!writes.isEmpty() && request.getWithPrimary()) {
            store.counters().twoPhaseCommit();
        }
        proposeLatched(
                command,
                request.getStartTs(),
                keys,
                writes,
                RegionResponse.newBuilder().setCommit(answer).build());
    }

    private void rollback(Command command, RollbackRequest request) {
        List<HeldKey> keys = latchable(command, request.getKeysList());
        if (keys == null) {
            return;
        }
        Mvcc.Writes writes = new Mvcc.Writes();
        for (HeldKey key : keys) {
            long committedTs = Mvcc.rollback(store.data(), key.key(), request.getStartTs(), writes);
            if (committedTs > 0) {
                command.answer.accept(RegionResponse.newBuilder()
                        .setRollback(RollbackResponse.newBuilder().setCommittedTs(committedTs))
                        .build());
                return;
            }
        }
        proposeLatched(
                command,
                request.getStartTs(),
                keys,
                writes,
                RegionResponse.newBuilder()
                        .setRollback(RollbackResponse.getDefaultInstance())
                        .build());
    }

    private void checkStatus(Command command, CheckStatusRequest request) {
        List<HeldKey> keys = latchable(command, List.of(request.getPrimary()));
        if (keys == null) {
            return;
        }
        Mvcc.Writes writes = new Mvcc.Writes();
        CheckStatusResponse answer = Mvcc.checkStatus(
                store.data(),
                keys.get(0).key(),
                request.getStartTs(),
                request.getCallerTs(),
                request.getCurrentTs(),
                request.getRollbackIfMissing(),
                writes);
        if (answer.getPushed() && store.failPoints().hit("push-not-written")) {
            writes.list().clear();
        }
        proposeLatched(
                command,
                request.getStartTs(),
                keys,
                writes,
                RegionResponse.newBuilder().setCheckStatus(answer).build());
    }

    private void resolve(Command command, ResolveLockRequest request) {
        List<ByteString> requested = request.getKeysList();
        if (requested.isEmpty()) {
            requested = new ArrayList<>();
            for (byte[] key : Mvcc.lockedKeys(
                    store.data(),
                    peer.region().getStart().toByteArray(),
                    peer.region().getEnd().toByteArray(),
                    request.getStartTs(),
                    RESOLVE_BATCH)) {
                requested.add(RegionPeer.wrap(key));
            }
        }
        List<HeldKey> keys = latchable(command, requested);
        if (keys == null) {
            return;
        }
        Mvcc.Writes writes = new Mvcc.Writes();
        for (HeldKey key : keys) {
            if (Mvcc.ownLock(store.data(), key.key(), request.getStartTs()) == null) {
                continue;
            }
            if (request.getCommitTs() == 0) {
                Mvcc.rollback(store.data(), key.key(), request.getStartTs(), writes);
            } else {
                KeyError error =
                        Mvcc.commit(store.data(), key.key(), request.getStartTs(), request.getCommitTs(), writes);
                if (error != null) {
                    command.answer.accept(RegionResponse.newBuilder()
                            .setResolveLock(ResolveLockResponse.newBuilder().setError(error))
                            .build());
                    return;
                }
            }
        }
        proposeLatched(
                command,
                request.getStartTs(),
                keys,
                writes,
                RegionResponse.newBuilder()
                        .setResolveLock(ResolveLockResponse.getDefaultInstance())
                        .build());
    }

    private void heartbeat(Command command, HeartbeatRequest request) {
        List<HeldKey> keys = latchable(command, List.of(request.getPrimary()));
        if (keys == null) {
            return;
        }
        Mvcc.Writes writes = new Mvcc.Writes();
        long ttlMs = Mvcc.heartbeat(store.data(), keys.get(0).key(), request.getStartTs(), request.getTtlMs(), writes);
        HeartbeatResponse.Builder answer =
                HeartbeatResponse.newBuilder().setFound(ttlMs >= 0).setTtlMs(Math.max(0, ttlMs));
        proposeLatched(
                command,
                request.getStartTs(),
                keys,
                writes,
                RegionResponse.newBuilder().setHeartbeat(answer).build());
    }

    // ---- locks in memory -------------------------------------------------------------------------------------------

    private void lockKeys(Command command, LockKeysRequest request) {
        long startTs = request.getStartTs();
        long nowNs = store.clock().nanoTime();
        long deadlineNs = command.arrivedNs + request.getWaitMs() * 1_000_000L;
        LockKeysResponse.Builder answer = LockKeysResponse.newBuilder();
        peer.raiseMaxTs(request.getForUpdateTs());
        for (ByteString each : request.getKeysList()) {
            byte[] key = each.toByteArray();
            if (outside(command, key)) {
                return;
            }
            if (peer.latches.blocks(key, false)) {
                peer.park(command, key, Long.MAX_VALUE);
                return;
            }
            long holder = peer.memoryLocks.holder(key, startTs, nowNs);
            if (holder != 0) {
                waitForHolder(command, key, startTs, holder, nowNs, deadlineNs);
                return;
            }
            byte[] locked = store.data().get(KvStore.Family.LOCK, Keys.prefix(key));
            if (locked != null) {
                LockRecord lock = LockRecord.decode(locked);
                if (lock.startTs() != startTs) {
                    long lookNs = Math.min(deadlineNs, command.arrivedNs + LOOK_INTO_LOCK_NS);
                    if (nowNs < lookNs) {
                        peer.park(command, key, lookNs);
                    } else {
                        answerLocks(
                                command, answer.addErrors(KeyError.newBuilder().setLocked(lock.info(key))));
                    }
                    return;
                }
            }
        }
        store.waitsNoMore(startTs);
        long expiresNs = nowNs + request.getTtlMs() * 1_000_000L;
        for (ByteString each : request.getKeysList()) {
            byte[] key = each.toByteArray();
            peer.memoryLocks.acquire(key, request.getPrimary().toByteArray(), startTs, expiresNs);
            byte[] prefix = Keys.prefix(key);
            Pair newest = store.data().first(KvStore.Family.WRITE, prefix, Keys.prefixEnd(prefix));
            long newestTs = newest == null ? 0 : Keys.commitTs(newest.key());
            answer.setNewestCommitTs(Math.max(answer.getNewestCommitTs(), newestTs));
            if (newestTs <= request.getForUpdateTs()) {
                Read read =
                        newest != null && !WriteRecord.isLock(newest.value()) && !WriteRecord.isLarge(newest.value())
                                ? new Read(
                                        WriteRecord.isDelete(newest.value()) ? null : WriteRecord.value(newest.value()),
                                        null)
                                : MvccReader.get(store.data(), key, request.getForUpdateTs());
                if (read.value() != null) {
                    answer.addRows(KeyValue.newBuilder().setKey(each).setValue(RegionPeer.wrap(read.value())));
                }
            }
        }
        answerLocks(command, answer);
    }

    private void waitForHolder(Command command, byte[] key, long startTs, long holder, long nowNs, long deadlineNs) {
        LockKeysResponse.Builder answer = LockKeysResponse.newBuilder().setHolder(peer.memoryLocks.info(key));
        if (nowNs >= deadlineNs) {
            answerLocks(command, answer.setTimedOut(true));
        } else if (store.waitsFor(startTs, holder)) {
            store.waitsNoMore(startTs);
            answerLocks(command, answer.setDeadlock(true));
        } else {
            peer.park(command, key, deadlineNs);
        }
    }

    private static void answerLocks(Command command, LockKeysResponse.Builder answer) {
        command.answer.accept(RegionResponse.newBuilder().setLockKeys(answer).build());
    }

    private void unlockKeys(Command command, UnlockKeysRequest request) {
        long startTs = request.getStartTs();
        List<byte[]> keys = new ArrayList<>(request.getKeysCount());
        request.getKeysList().forEach(key -> keys.add(key.toByteArray()));
        // What still waits for a lock that is let go must not get it.
        peer.parked
                .drop(startTs, keys)
                .forEach(late -> answerLocks(late, LockKeysResponse.newBuilder().setTimedOut(true)));
        List<byte[]> released = new ArrayList<>();
        if (keys.isEmpty()) {
            store.waitsNoMore(startTs);
            released.addAll(peer.memoryLocks.releaseAll(startTs));
        }
        for (byte[] key : keys) {
            if (peer.memoryLocks.release(key, startTs)) {
                released.add(key);
            }
        }
        command.answer.accept(RegionResponse.newBuilder()
                .setUnlockKeys(UnlockKeysResponse.getDefaultInstance())
                .build());
        released.forEach(peer.parked::wake);
    }
}
