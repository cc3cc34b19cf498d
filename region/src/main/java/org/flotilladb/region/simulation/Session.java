package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.LongSupplier;
import org.flotilladb.region.client.ClientException;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.LocalReads.Page;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.Scheduler.Cancellable;
import org.flotilladb.region.simulation.History.Op;
import org.flotilladb.region.simulation.Model.Cell;

/**
 * One session of a simulated client: transactions of all kinds, one after the other, with pauses. Every transaction that
 * writes also writes rows of history, so that each snapshot tells by itself whether it is whole.
 */
final class Session {
    private static final long LOCK_WAIT_MS = 800;
    private static final int PAGE_BYTES = 1 << 20;
    private static final CompletableFuture<Void> DONE = CompletableFuture.completedFuture(null);

    private final TransactionClient client;
    private final SimNode node;
    private final RandomSource random;
    private final History history;
    private final long pauseNs;
    private final LongSupplier lullNs;
    private Cancellable timer;
    private boolean stopped;
    private boolean busy;

    /** What a transaction does before it commits. */
    private interface Body {
        CompletableFuture<Void> run(Transaction transaction, Op op);
    }

    /** @param lullNs tells how long nobody is to begin a transaction */
    Session(
            TransactionClient client,
            SimNode node,
            RandomSource random,
            History history,
            long pauseNs,
            LongSupplier lullNs) {
        this.client = client;
        this.node = node;
        this.random = random;
        this.history = history;
        this.pauseNs = pauseNs;
        this.lullNs = lullNs;
    }

    void start() {
        pause();
    }

    void stop() {
        stopped = true;
    }

    /** Whether a transaction is under way. */
    boolean busy() {
        return busy && !node.dead();
    }

    void hurry(int withinNs) {
        if (!busy && timer != null) {
            timer.cancel();
            pause(random.nextInt(withinNs));
        }
    }

    private void pause() {
        pause(lullNs.getAsLong() + pauseNs / 4 + random.nextInt((int) pauseNs));
    }

    private void pause(long forNs) {
        timer = node.schedule(forNs, () -> {
            if (!stopped) {
                busy = true;
                next().whenComplete((done, failure) -> {
                    busy = false;
                    if (failure != null && !node.dead()) {
                        history.violated("a session failed: " + failure);
                    }
                    pause();
                });
            }
        });
    }

    private CompletableFuture<Void> next() {
        int draw = random.nextInt(130);
        if (draw >= 127) {
            return raiseFence();
        } else if (draw >= 120) {
            return write("transfer behind a fence", random.nextInt(2) == 0, this::transferBehindFence);
        } else if (draw >= 100) {
            return look();
        } else if (draw < 22) {
            return write("transfer over branches", false, (t, op) -> transfer(t, op, branch(), branch()));
        } else if (draw < 36) {
            return write("transfer in a branch", random.nextInt(2) == 0, (t, op) -> {
                int at = branch();
                return transfer(t, op, at, at);
            });
        } else if (draw < 46) {
            return write("transfer under locks", true, this::transferUnderLocks);
        } else if (draw < 54) {
            return write("two statements on one counter", true, this::countTwice);
        } else if (draw < 62) {
            return write("slot", random.nextInt(2) == 0, this::toggleSlot);
        } else if (draw < 69) {
            return write("append", random.nextInt(2) == 0, this::append);
        } else if (draw < 75) {
            return write("unique insert", false, this::insertUnique);
        } else if (draw < 82) {
            return write("child", random.nextInt(2) == 0, this::insertChild);
        } else if (draw < 86) {
            return write("parent", false, this::toggleParent);
        } else if (draw < 91) {
            return write("write, then look around", true, this::writeThenLook);
        } else if (draw < 94) {
            return lockAndLetGo();
        } else if (draw < 96) {
            return askTime();
        } else {
            return audit();
        }
    }

    private int branch() {
        return random.nextInt(Model.BRANCHES);
    }

    // ---- the frame of a transaction --------------------------------------------------------------------------------

    private CompletableFuture<Void> write(String kind, boolean readCommitted, Body body) {
        Op op = history.begin(kind);
        Transaction transaction = client.begin(readCommitted);
        return body.run(transaction, op)
                .thenRun(() -> {
                    for (int branch : op.branches) {
                        transaction.insert(
                                Model.bytes(Model.history(branch, op.uid)),
                                op.deed().encode());
                    }
                })
                .handle((done, failure) -> failure)
                .thenCompose(failure -> {
                    if (node.dead()) {
                        return DONE;
                    }
                    if (failure != null) {
                        transaction.rollback();
                        op.startTs = transaction.startTs();
                        history.refused(op, check(failure).getMessage());
                        return DONE;
                    }
                    return commit(transaction, op);
                });
    }

    private CompletableFuture<Void> commit(Transaction transaction, Op op) {
        return transaction.commit().handle((done, failure) -> {
            if (node.dead()) {
                return null;
            }
            op.startTs = transaction.startTs();
            if (failure == null) {
                history.committed(op);
                return null;
            }
            ClientException why = check(failure);
            if (why.kind() == ClientException.Kind.UNKNOWN_OUTCOME) {
                history.unknown(op, why.getMessage());
            } else {
                history.refused(op, why.getMessage());
            }
            return null;
        });
    }

    private ClientException check(Throwable failure) {
        Throwable cause = failure;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        if (cause instanceof ClientException known && known.kind() != ClientException.Kind.INTERNAL) {
            return known;
        }
        if (!node.dead()) {
            history.violated("a client failed with " + cause + trace(cause));
        }
        return new ClientException(ClientException.Kind.INTERNAL, String.valueOf(cause));
    }

    private static String trace(Throwable failure) {
        StringBuilder text = new StringBuilder();
        for (StackTraceElement element : failure.getStackTrace()) {
            text.append("\n        at ").append(element);
        }
        return text.toString();
    }

    /** A transaction that has nothing to do after all leaves no history. */
    private static CompletableFuture<Void> nothing() {
        return DONE;
    }

    private static CompletableFuture<Cell> read(Transaction transaction, Op op, String key) {
        return transaction.get(Model.bytes(key)).thenApply(value -> seen(op, value));
    }

    private static Cell seen(Op op, byte[] value) {
        Cell cell = Cell.parse(value);
        if (cell.uid() != 0 && cell.uid() != op.uid) {
            op.seen.add(cell.uid());
        }
        return cell;
    }

    private static void change(Transaction transaction, Op op, String key, Cell before, long delta) {
        op.deltas.merge(key, delta, Long::sum);
        op.branches.add(Model.branchOf(key));
        transaction.put(Model.bytes(key), new Cell(before.number() + delta, op.uid).encode());
    }

    // ---- numbers ---------------------------------------------------------------------------------------------------

    private CompletableFuture<Void> transfer(Transaction t, Op op, int fromBranch, int toBranch) {
        String from = Model.account(fromBranch, random.nextInt(Model.ACCOUNTS));
        String to = Model.account(toBranch, random.nextInt(Model.ACCOUNTS));
        long amount = 1 + random.nextInt(20);
        if (from.equals(to)) {
            return nothing();
        }
        boolean takeBack = random.nextInt(4) == 0;
        return t.getAll(List.of(Model.bytes(from), Model.bytes(to))).thenAccept(values -> {
            Cell source = seen(op, values.get(0));
            Cell target = seen(op, values.get(1));
            change(t, op, from, source, -amount);
            if (takeBack) {
                long mark = t.mark();
                t.put(Model.bytes(Model.junk(fromBranch)), Model.bytes("1"));
                t.put(Model.bytes(from), Model.bytes("-1:0"));
                t.rollbackTo(mark);
            }
            change(t, op, to, target, amount);
        });
    }

    private CompletableFuture<Void> transferUnderLocks(Transaction t, Op op) {
        String from = Model.account(branch(), random.nextInt(Model.ACCOUNTS));
        String to = Model.account(branch(), random.nextInt(Model.ACCOUNTS));
        long amount = 1 + random.nextInt(20);
        if (from.equals(to)) {
            return nothing();
        }
        return t.lock(Model.bytes(from), LOCK_WAIT_MS).thenCompose(first -> {
            Cell source = seen(op, first);
            t.beginStatement();
            return t.lock(Model.bytes(to), LOCK_WAIT_MS).thenAccept(second -> {
                Cell target = seen(op, second);
                t.beginStatement();
                change(t, op, from, source, -amount);
                change(t, op, to, target, amount);
            });
        });
    }

    /** Under READ COMMITTED: adds one, and in the next statement one more to what it has itself written. */
    private CompletableFuture<Void> countTwice(Transaction t, Op op) {
        String key = Model.counter(branch(), random.nextInt(Model.COUNTERS));
        return read(t, op, key).thenCompose(before -> {
            change(t, op, key, before, 1);
            t.beginStatement();
            // Another statement reads something else first, so that it has a timestamp of its own.
            return read(t, op, Model.account(Model.branchOf(key), 0))
                    .thenCompose(other -> read(t, op, key))
                    .thenAccept(own -> change(t, op, key, own, 1));
        });
    }

    private CompletableFuture<Void> toggleSlot(Transaction t, Op op) {
        String key = Model.slot(branch(), random.nextInt(Model.SLOTS));
        return read(t, op, key).thenAccept(before -> {
            op.branches.add(Model.branchOf(key));
            if (before.number() == 0) {
                op.deltas.put(key, 1L);
                t.insert(Model.bytes(key), new Cell(1, op.uid).encode());
            } else {
                op.deltas.put(key, -1L);
                t.delete(Model.bytes(key));
            }
        });
    }

    /** Writes first, and then reads in a later statement: what it saw there must be there wherever its write is. */
    private CompletableFuture<Void> writeThenLook(Transaction t, Op op) {
        String key = Model.counter(branch(), random.nextInt(Model.COUNTERS));
        return read(t, op, key).thenCompose(before -> {
            change(t, op, key, before, 1);
            t.beginStatement();
            List<byte[]> others = new ArrayList<>();
            for (int i = 0; i < Model.ACCOUNTS; i++) {
                others.add(Model.bytes(Model.account(branch(), i)));
            }
            return t.getAll(others).thenAccept(values -> values.forEach(value -> seen(op, value)));
        });
    }

    // ---- rows ------------------------------------------------------------------------------------------------------

    private CompletableFuture<Void> append(Transaction t, Op op) {
        String key = Model.list(branch(), random.nextInt(Model.LISTS));
        return t.get(Model.bytes(key)).thenAccept(value -> {
            String before = value == null ? "" : Model.text(value);
            List<String> uids = Model.split(before);
            if (!uids.isEmpty()) {
                op.seen.add(Long.parseLong(uids.get(uids.size() - 1)));
            }
            op.branches.add(Model.branchOf(key));
            op.rows.add(key);
            t.put(Model.bytes(key), Model.bytes(before + op.uid + ","));
        });
    }

    private CompletableFuture<Void> insertUnique(Transaction t, Op op) {
        String key = Model.unique(branch(), random.nextInt(Model.UNIQUE_KEYS));
        return t.get(Model.bytes(key)).thenAccept(value -> {
            if (value == null) {
                op.branches.add(Model.branchOf(key));
                op.rows.add(key);
                t.insert(Model.bytes(key), Model.bytes(op.uid + ","));
            }
        });
    }

    private static int childBranch(int branch) {
        return (branch + 1) % Model.BRANCHES;
    }

    private CompletableFuture<Void> insertChild(Transaction t, Op op) {
        int branch = branch();
        String parent = Model.parent(branch, random.nextInt(Model.PARENTS));
        return t.get(Model.bytes(parent)).thenAccept(value -> {
            if (value == null) {
                return;
            }
            String child = Model.child(childBranch(branch), parent, op.uid);
            t.lockShared(Model.bytes(parent));
            op.branches.add(childBranch(branch));
            op.rows.add(child);
            t.insert(Model.bytes(child), Model.bytes(op.uid + ","));
        });
    }

    /** Deletes a parent with its children, or makes a new one. */
    private CompletableFuture<Void> toggleParent(Transaction t, Op op) {
        int branch = branch();
        String parent = Model.parent(branch, random.nextInt(Model.PARENTS));
        return t.get(Model.bytes(parent)).thenCompose(value -> {
            op.branches.add(branch);
            if (value == null) {
                t.insert(Model.bytes(parent), Model.bytes(op.uid + ","));
                return DONE;
            }
            op.branches.add(childBranch(branch));
            String prefix = Model.branch(childBranch(branch)) + "c" + parent.replace('/', '.');
            TreeMap<String, String> children = new TreeMap<>();
            return scan(t, Model.bytes(prefix + "-"), Model.bytes(prefix + "."), random.nextInt(2) == 0, children)
                    .thenRun(() -> {
                        children.keySet().forEach(child -> t.delete(Model.bytes(child)));
                        t.delete(Model.bytes(parent));
                    });
        });
    }

    // ---- fences ----------------------------------------------------------------------------------------------------

    /** What it does was planned while the fence stood where it has seen it. */
    private CompletableFuture<Void> transferBehindFence(Transaction t, Op op) {
        int at = branch();
        String fence = Model.fence(at);
        return read(t, op, fence).thenCompose(stands -> {
            op.fence = fence;
            op.fenceStood = stands.number();
            t.check(Model.bytes(fence));
            return transfer(t, op, at, random.nextInt(2) == 0 ? at : branch());
        });
    }

    /** As a definition does: raises the fence, and then takes the timestamp that it is to read at. */
    private CompletableFuture<Void> raiseFence() {
        String fence = Model.fence(branch());
        Op[] raise = new Op[1];
        long[] standsAt = new long[1];
        return write("a fence is raised", false, (t, op) -> {
                    raise[0] = op;
                    return read(t, op, fence).thenAccept(before -> {
                        standsAt[0] = before.number() + 1;
                        change(t, op, fence, before, 1);
                    });
                })
                .thenCompose(done -> {
                    if (node.dead() || raise[0].state != History.State.COMMITTED) {
                        return DONE;
                    }
                    long began = history.now();
                    return client.placement().timestamp().handle((ts, failure) -> {
                        if (failure == null) {
                            history.sample(began, ts);
                            history.fenceRaised(fence, standsAt[0], ts);
                        } else {
                            check(failure);
                        }
                        return null;
                    });
                });
    }

    // ---- what leaves nothing ---------------------------------------------------------------------------------------

    private CompletableFuture<Void> lockAndLetGo() {
        long began = history.now();
        Transaction t = client.begin(random.nextInt(2) == 0);
        String key = Model.account(branch(), random.nextInt(Model.ACCOUNTS));
        return t.lock(Model.bytes(key), LOCK_WAIT_MS).handle((value, failure) -> {
            if (failure != null) {
                check(failure);
            }
            if (t.startTs() != 0) {
                history.sample(began, t.startTs());
            }
            t.rollback();
            return null;
        });
    }

    private CompletableFuture<Void> askTime() {
        long began = history.now();
        return client.placement().timestamp().handle((ts, failure) -> {
            if (failure != null) {
                check(failure);
            } else {
                history.sample(began, ts);
            }
            return null;
        });
    }

    /** Reads one branch's history at one timestamp: everything acknowledged before must be there. */
    private CompletableFuture<Void> look() {
        int branch = branch();
        long began = history.now();
        int acknowledged = history.acknowledgedCount();
        Transaction t = client.begin(random.nextInt(2) == 0);
        TreeMap<String, String> rows = new TreeMap<>();
        String prefix = Model.branch(branch);
        return scan(t, Model.bytes(prefix + "h"), Model.bytes(prefix + "i"), random.nextInt(2) == 0, rows)
                .handle((done, failure) -> {
                    if (failure != null) {
                        check(failure);
                        return null;
                    }
                    history.sample(began, t.startTs());
                    for (Op op : history.acknowledged().subList(0, acknowledged)) {
                        if (op.branches.contains(branch) && !rows.containsKey(Model.history(branch, op.uid))) {
                            history.violated("a read at " + t.startTs() + " of branch " + branch + " does not show "
                                    + op + ", which was acknowledged before it began");
                        }
                    }
                    return null;
                });
    }

    /** Reads everything at one timestamp and checks it. */
    private CompletableFuture<Void> audit() {
        return audit(random.nextInt(3) == 0).handle((done, failure) -> {
            if (failure != null) {
                check(failure);
            }
            return null;
        });
    }

    CompletableFuture<Void> audit(boolean reverse) {
        long began = history.now();
        int acknowledged = history.acknowledgedCount();
        Transaction t = client.begin(false);
        TreeMap<String, String> rows = new TreeMap<>();
        return scan(t, Model.bytes("b"), random.nextInt(2) == 0 ? Model.bytes("c") : null, reverse, rows)
                .thenRun(() -> {
                    history.sample(began, t.startTs());
                    history.audited(new History.Audit(
                            t.startTs(), began, acknowledged, Snapshots.check(rows, history, acknowledged)));
                });
    }

    private CompletableFuture<Void> scan(
            Transaction t, byte[] start, byte[] end, boolean reverse, TreeMap<String, String> rows) {
        return t.scan(start, end, reverse, 200, PAGE_BYTES).thenCompose(page -> {
            take(page, rows);
            if (page.resumeKey() == null) {
                return DONE;
            }
            return reverse ? scan(t, start, page.resumeKey(), true, rows) : scan(t, page.resumeKey(), end, false, rows);
        });
    }

    private static void take(Page page, TreeMap<String, String> rows) {
        for (Pair row : page.rows()) {
            rows.put(Model.text(row.key()), Model.text(row.value()));
        }
    }

    // ---- at the start and at the end -------------------------------------------------------------------------------

    /** The rows that everything begins with, in several transactions. */
    CompletableFuture<Void> load() {
        CompletableFuture<Void> result = DONE;
        for (int i = 0; i < Model.BRANCHES; i++) {
            int branch = i;
            result = result.thenCompose(done -> {
                Transaction t = client.begin(false);
                for (int a = 0; a < Model.ACCOUNTS; a++) {
                    t.put(Model.bytes(Model.account(branch, a)), new Cell(Model.OPENING_BALANCE, 0).encode());
                }
                return t.commit();
            });
        }
        return result;
    }

    /** One transfer that must succeed by now. */
    CompletableFuture<Boolean> probe(int branch) {
        return write("probe", false, (t, op) -> transfer(t, op, branch, (branch + 1) % Model.BRANCHES))
                .thenApply(done -> history.ops().get(history.ops().size() - 1).state != History.State.REFUSED);
    }

    /** Writes a key as it is, so that whatever lock is on it is looked into. */
    CompletableFuture<Void> touch(byte[] key) {
        Transaction t = client.begin(false);
        return t.get(key)
                .thenCompose(value -> {
                    if (value == null) {
                        t.delete(key);
                    } else {
                        t.put(key, value);
                    }
                    return t.commit();
                })
                .handle((done, failure) -> {
                    if (failure != null) {
                        check(failure);
                    }
                    return null;
                });
    }
}
