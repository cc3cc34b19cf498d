package org.flotilladb.engine.internal;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.h2.api.ErrorCode;
import org.h2.engine.SessionLocal;
import org.h2.message.DbException;
import org.h2.schema.Schema;
import org.h2.schema.Sequence;

/**
 * The values of sequences, shared by all processes: the key space keeps for each where the next block begins, and a mirror
 * takes a block when it is first asked for a value. Whoever is about to ask takes a {@link Turn}.
 *
 * <p>H2 counts by itself, and asks for its SYS row to be written whenever its cached values run out, when one or more are
 * already given. So a block must be larger than what all sessions may take until the next one is there, and sessions share
 * the turn. Of a sequence with too few values left for such blocks a block is a small share of what is left, down to a
 * single value, and its users take turns one after another. Safe for many threads.
 */
final class SequenceBlocks {
    private static final Pattern POSITION = Pattern.compile("(RESTART|START) WITH (-?\\d+)");
    private static final long MIN_BLOCK = 4096;
    private static final long SPARE_SESSIONS = 32;
    private static final int SLACKS_IN_BLOCK = 4;
    /** No block is more than this part of what is left. */
    private static final long SHARE = 64;

    private final Mirror mirror;
    private final Map<Integer, SequenceBlock> blocks = new HashMap<>();
    /** Where sequences without a block stand: nobody has asked for that value here. */
    private final Map<Integer, Long> positions = new HashMap<>();
    /** Sequences created or begun anew by a definition that may not have committed yet. */
    private final Map<Integer, Definition> creating = new HashMap<>();

    private final ConcurrentHashMap<Integer, ReentrantReadWriteLock> turns = new ConcurrentHashMap<>();
    /** The thread's turn for one value of each sequence. */
    private final ThreadLocal<Turn> oneValue = new ThreadLocal<>();

    SequenceBlocks(Mirror mirror) {
        this.mirror = mirror;
    }

    private byte[] key(int id) {
        return CatalogKeys.sequence(mirror.databaseId(), id);
    }

    private static boolean exhausted(Sequence sequence) {
        return sequence.getCycle() == Sequence.Cycle.EXHAUSTED;
    }

    private Sequence find(int id) {
        SequenceBlock known = blocks.get(id);
        if (known != null) {
            return known.sequence;
        }
        for (Sequence sequence : all()) {
            if (sequence.getId() == id) {
                return sequence;
            }
        }
        return null;
    }

    private List<Sequence> all() {
        List<Sequence> all = new ArrayList<>();
        for (Schema schema : mirror.database().getAllSchemas()) {
            for (Sequence sequence : schema.getAllSequences()) {
                if (!sequence.isTemporary()) {
                    all.add(sequence);
                }
            }
        }
        return all;
    }

    /** The mirror's sequence of this number, or null. */
    synchronized Sequence byId(int id) {
        return find(id);
    }

    /** The sequences that a statement's text may ask for a value: those it names, all where it may hide a name. */
    Collection<Sequence> named(String sql) {
        List<Sequence> all = all();
        if (StatementTraits.hidesNames(sql)) {
            return all;
        }
        List<Sequence> named = new ArrayList<>();
        for (Sequence sequence : all) {
            if (StatementTraits.contains(sql, sequence.getName().replace("\"", "\"\""))) {
                named.add(sequence);
            }
        }
        return named;
    }

    // ---- turns -----------------------------------------------------------------------------------------------------

    /** The right to ask sequences for values, until it is closed by the same thread. */
    final class Turn implements AutoCloseable {
        private final Map<Integer, ReentrantReadWriteLock> alone = new TreeMap<>();
        private final List<ReentrantReadWriteLock> shared = new ArrayList<>(1);
        private final Map<Sequence, Long> cacheSizes = new HashMap<>();

        @Override
        public void close() {
            cacheSizes.forEach((sequence, size) -> sequence.modify(null, null, null, null, null, null, size));
            alone.values().forEach(lock -> lock.writeLock().unlock());
            shared.forEach(lock -> lock.readLock().unlock());
            if (oneValue.get() == this) {
                oneValue.remove();
            }
        }
    }

    /**
     * Waits for the turn at sequences, up to the session's lock timeout, and sees to it that there are values to give.
     *
     * @param single at most one value of each is asked for; else as many as the thread likes
     */
    Turn turn(SessionLocal session, Collection<Sequence> sequences, boolean single) {
        mirror.state(session).checks().takesValues(sequences.stream().anyMatch(SequenceBlocks::small));
        Turn turn = new Turn();
        boolean done = false;
        try {
            // In order of their ids, so that nobody waits in a circle.
            Map<Integer, Sequence> inOrder = new TreeMap<>();
            sequences.forEach(sequence -> inOrder.put(sequence.getId(), sequence));
            for (Sequence sequence : inOrder.values()) {
                join(turn, session, sequence, single);
            }
            if (single) {
                oneValue.set(turn);
            }
            done = true;
            return turn;
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        } finally {
            if (!done) {
                turn.close();
            }
        }
    }

    private ReentrantReadWriteLock lock(int id) {
        return turns.computeIfAbsent(id, unused -> new ReentrantReadWriteLock());
    }

    private void join(Turn turn, SessionLocal session, Sequence sequence, boolean single) {
        ReentrantReadWriteLock lock = lock(sequence.getId());
        boolean small = small(sequence);
        if (!lock.isWriteLockedByCurrentThread() && lock.getReadHoldCount() == 0) {
            await(session, sequence, small ? lock.writeLock() : lock.readLock());
            if (small) {
                turn.alone.put(sequence.getId(), lock);
                if (!single && !exhausted(sequence) && !mirror.state(session).definesAlone()) {
                    // H2 then tells of each value that it has given. A definition would write this down.
                    turn.cacheSizes.put(sequence, Math.max(1, sequence.getCacheSize()));
                    sequence.modify(null, null, null, null, null, null, 1L);
                }
            } else {
                turn.shared.add(lock);
            }
        }
        provide(session, sequence);
    }

    private static void await(SessionLocal session, Sequence sequence, Lock lock) {
        try {
            if (!lock.tryLock(session.getLockTimeout(), TimeUnit.MILLISECONDS)) {
                throw DbException.get(ErrorCode.LOCK_TIMEOUT_1, sequence.getName());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw DbException.get(ErrorCode.STATEMENT_WAS_CANCELED);
        }
    }

    /** Whether blocks that can be shared would use up too much of it; a matter of its definition alone. */
    private static boolean small(Sequence sequence) {
        BigInteger values = new SequenceBlock(sequence, SequenceBlock.first(sequence), 0).toTheLast();
        return values.compareTo(BigInteger.valueOf(SHARE * MIN_BLOCK)) < 0;
    }

    /** What threads of this process may take while a new block is fetched. */
    private long slack(SessionLocal session, Sequence sequence) {
        long cache = Math.max(1, sequence.getCacheSize());
        if (!lock(sequence.getId()).isWriteLockedByCurrentThread()) {
            return cache * (mirror.sessionCount() + SPARE_SESSIONS);
        }
        return mirror.state(session).definesAlone() ? cache : 1;
    }

    private BigInteger size(SessionLocal session, Sequence sequence, long start) {
        long slack = slack(session, sequence);
        if (!small(sequence)) {
            return BigInteger.valueOf(Math.max(MIN_BLOCK, SLACKS_IN_BLOCK * slack));
        }
        BigInteger left = new SequenceBlock(sequence, start, 0).toTheLast();
        return left.divide(BigInteger.valueOf(SHARE)).max(BigInteger.valueOf(slack));
    }

    // ---- taking blocks ---------------------------------------------------------------------------------------------

    /**
     * A new mirror's sequences stand where the key space says that the next block begins, or go on with what an older
     * mirror of this process has left.
     */
    synchronized void loadAll(Map<Integer, SequenceBlock> rests) {
        List<Sequence> sequences = all();
        sequences.removeIf(SequenceBlocks::exhausted);
        if (sequences.isEmpty()) {
            return;
        }
        List<byte[]> keys = new ArrayList<>(sequences.size());
        sequences.forEach(sequence -> keys.add(key(sequence.getId())));
        KeyTransaction reader = mirror.owner().readOnly();
        List<byte[]> stored;
        try {
            stored = reader.getAll(keys);
        } finally {
            reader.rollback();
        }
        for (int i = 0; i < keys.size(); i++) {
            Sequence sequence = sequences.get(i);
            SequenceBlock rest = rests.get(sequence.getId());
            if (rest != null
                    && rest.generation == SequenceBlock.storedGeneration(stored.get(i))
                    && rest.sameOptions(sequence)) {
                SequenceBlock block = SequenceBlock.rest(rest, sequence);
                block.moveTo();
                blocks.put(sequence.getId(), block);
                continue;
            }
            SequenceBlock next = after(stored.get(i), sequence, BigInteger.ONE);
            if (next.empty()) {
                blocks.put(sequence.getId(), next);
            } else {
                positions.put(sequence.getId(), next.start);
            }
            if (next.start != sequence.getBaseValue() || next.empty()) {
                next.moveTo();
            }
        }
    }

    /** The block that begins where the key space says the last one ended. */
    private static SequenceBlock after(byte[] stored, Sequence sequence, BigInteger size) {
        long generation = SequenceBlock.storedGeneration(stored);
        if (stored == null) {
            return SequenceBlock.of(sequence, sequence.getBaseValue(), size, generation);
        }
        long next = Mirror.number(stored);
        boolean over = SequenceBlock.storedOverflows(stored)
                || SequenceBlock.ahead(sequence, next, SequenceBlock.last(sequence));
        if (over && sequence.getCycle() == Sequence.Cycle.CYCLE) {
            return SequenceBlock.of(sequence, SequenceBlock.first(sequence), size, generation);
        }
        return over
                ? new SequenceBlock(sequence, next, generation)
                : SequenceBlock.of(sequence, next, size, generation);
    }

    /**
     * The next block; an empty one where nothing is left.
     *
     * @param from it begins there or behind it; null: wherever the last one ended
     */
    private SequenceBlock next(SessionLocal session, Sequence sequence, Long from) {
        int id = sequence.getId();
        SessionState state = mirror.state(session);
        if (creating.get(id) != null && creating.get(id) == state.definition()) {
            // Nobody else knows it yet, and what the definition has written of it nobody else can read.
            KeyTransaction transaction = state.transaction(session);
            SequenceBlock block = next(session, sequence, from, transaction);
            state.wrote(session);
            return block;
        }
        SequenceBlock[] taken = new SequenceBlock[1];
        mirror.owner().autonomous(own -> {
            taken[0] = next(session, sequence, from, own);
            return 0;
        });
        return taken[0];
    }

    private SequenceBlock next(SessionLocal session, Sequence sequence, Long from, KeyTransaction transaction) {
        byte[] key = key(sequence.getId());
        byte[] stored = transaction.get(key);
        SequenceBlock where = after(stored, sequence, BigInteger.ONE);
        long start = where.start;
        if (where.empty()) {
            return where;
        }
        if (from != null && SequenceBlock.ahead(sequence, from, start)) {
            start = from;
        }
        SequenceBlock block = SequenceBlock.of(
                sequence, start, size(session, sequence, start), SequenceBlock.storedGeneration(stored));
        transaction.put(key, block.stored());
        return block;
    }

    /** Somebody is about to ask for values. */
    private synchronized void provide(SessionLocal session, Sequence sequence) {
        if (exhausted(sequence)) {
            return;
        }
        SequenceBlock block = blocks.get(sequence.getId());
        if (block != null) {
            extend(session, block);
            return;
        }
        SequenceBlock first = next(session, sequence, null);
        blocks.put(sequence.getId(), first);
        positions.remove(sequence.getId());
        if (first.start != sequence.getBaseValue() || first.empty()) {
            first.moveTo();
        }
    }

    private void extend(SessionLocal session, SequenceBlock block) {
        Sequence sequence = block.sequence;
        long at = sequence.getBaseValue();
        BigInteger needed = BigInteger.valueOf(slack(session, sequence));
        if (block.holds(at) && (block.isLast() || block.left(at).compareTo(needed) >= 0)) {
            return;
        }
        // An INSERT with a value of its own may have pushed it forward.
        SequenceBlock next = next(session, sequence, block.isBefore(at) ? at : null);
        if (next.start == block.end && !block.overflows && block.holds(at) && !next.empty()) {
            block.end = next.end;
            block.overflows = next.overflows;
            return;
        }
        blocks.put(sequence.getId(), next);
        next.moveTo();
    }

    /** H2 has used up its cached values, or has been pushed forward. */
    synchronized void positionMoved(SessionLocal session, int id) {
        SequenceBlock block = blocks.get(id);
        if (block == null) {
            firstWithoutTurn(session, id);
            return;
        }
        if (exhausted(block.sequence)) {
            return;
        }
        Turn single = oneValue.get();
        if (single != null && single.alone.containsKey(id) && !block.isBefore(block.sequence.getBaseValue())) {
            // Whoever asks next looks after that.
            return;
        }
        extend(session, block);
    }

    /** A value was given that nobody had asked for in a way that can be seen: it is good if it is still this process's. */
    private void firstWithoutTurn(SessionLocal session, int id) {
        Sequence sequence = find(id);
        if (sequence == null) {
            return;
        }
        Long given = positions.remove(id);
        SequenceBlock next = next(session, sequence, null);
        blocks.put(id, next);
        boolean good = given != null && given == next.start && !next.empty();
        long at = sequence.getBaseValue();
        if (good && !exhausted(sequence)) {
            good = !next.isBefore(at);
            extend(session, next);
        } else if (!good) {
            next.moveTo();
        }
        if (!good) {
            throw new KeySpaceException(
                    KeySpaceException.Kind.CONFLICT,
                    "another process has taken the next values of sequence " + sequence.getName()
                            + " meanwhile: run the transaction again.");
        }
    }

    // ---- definitions -----------------------------------------------------------------------------------------------

    /** A sequence is being created, or begins anew, in this session's transaction. */
    synchronized void created(SessionLocal session, int id, String sql) {
        blocks.remove(id);
        Sequence sequence = find(id);
        if (sequence == null) {
            return;
        }
        SessionState state = mirror.state(session);
        KeyTransaction transaction = state.transaction(session);
        long generation = ThreadLocalRandom.current().nextLong();
        long position = position(sql);
        if (exhausted(sequence)) {
            blocks.put(id, new SequenceBlock(sequence, position, generation));
            transaction.put(key(id), SequenceBlock.stored(SequenceBlock.last(sequence), true, generation));
        } else {
            positions.put(id, position);
            transaction.put(key(id), SequenceBlock.stored(position, false, generation));
        }
        creating.put(id, state.definition());
        state.wrote(session);
    }

    /** A definition has changed the sequence. If it does not begin anew, it goes on in the block it is at. */
    synchronized void altered(SessionLocal session, int id, String sql) {
        SequenceBlock block = blocks.get(id);
        long position = position(sql);
        boolean unknown = block == null
                ? !Long.valueOf(position).equals(positions.get(id))
                : !block.holds(position) && position != block.end && !exhausted(block.sequence);
        Definition definition = mirror.state(session).definition();
        // H2 takes values for the rows of a new table without telling of each.
        boolean filled = definition != null && creating.get(id) == definition;
        if (StatementTraits.restartsNow() || (unknown && (filled || DefinitionStack.restartsSequences()))) {
            created(session, id, sql);
        } else if (block != null && block.isBefore(position)) {
            positionMoved(session, id);
        }
    }

    synchronized void dropped(SessionLocal session, int id) {
        blocks.remove(id);
        positions.remove(id);
        mirror.state(session).transaction(session).delete(key(id));
        mirror.state(session).wrote(session);
    }

    // ---- the end of a mirror ---------------------------------------------------------------------------------------

    /**
     * What this mirror has not used, for its successor in this process. Statements that run here keep what they may take
     * before they are back for more.
     *
     * @param ownPasses how many of the statements at the gate are the caller's, which asks for no value now
     */
    synchronized Map<Integer, SequenceBlock> handOver(int ownPasses) {
        Map<Integer, SequenceBlock> all = new HashMap<>(blocks);
        blocks.clear();
        // Who passes the gate from here on finds no block, and takes one.
        boolean nobody = mirror.gate().passed() <= ownPasses;
        Map<Integer, SequenceBlock> rests = new HashMap<>();
        all.forEach((id, block) -> {
            SequenceBlock rest = exhausted(block.sequence) ? null : handOver(id, block, nobody);
            if (rest == null) {
                blocks.put(id, block);
            } else {
                rests.put(id, rest);
            }
        });
        return rests;
    }

    private SequenceBlock handOver(int id, SequenceBlock block, boolean nobody) {
        Sequence sequence = block.sequence;
        BigInteger kept = BigInteger.ZERO;
        if (!nobody && small(sequence)) {
            if (!lock(id).writeLock().tryLock()) {
                return null;
            }
            // Who comes next finds no block.
            lock(id).writeLock().unlock();
        } else if (!nobody) {
            kept = BigInteger.valueOf(Math.max(1, sequence.getCacheSize()) * (mirror.sessionCount() + SPARE_SESSIONS));
        }
        BigInteger from = BigInteger.valueOf(sequence.getBaseValue())
                .add(kept.multiply(BigInteger.valueOf(sequence.getIncrement())));
        if (from.bitLength() >= Long.SIZE || !block.holds(from.longValueExact())) {
            return null;
        }
        SequenceBlock rest = new SequenceBlock(sequence, from.longValueExact(), block.generation);
        rest.end = block.end;
        rest.overflows = block.overflows;
        if (kept.signum() > 0) {
            block.end = rest.start;
            block.overflows = false;
            blocks.put(id, block);
        }
        return rest;
    }

    /** What this mirror has not used goes back, if nobody has taken a block since. */
    synchronized void giveBack() {
        blocks.forEach((id, block) -> {
            long at = block.sequence.getBaseValue();
            if (!exhausted(block.sequence) && block.holds(at)) {
                giveBack(id, at, block);
            }
        });
        blocks.clear();
    }

    private void giveBack(int id, long at, SequenceBlock block) {
        byte[] expected = block.stored();
        try {
            mirror.owner().autonomous(own -> {
                if (Arrays.equals(own.get(key(id)), expected)) {
                    own.put(key(id), SequenceBlock.stored(at, false, block.generation));
                }
                return 0;
            });
        } catch (KeySpaceException e) {
            // Values are skipped, no more: this is done when a database closes.
        }
    }

    private static long position(String sql) {
        long start = 1;
        Matcher matcher = POSITION.matcher(sql);
        while (matcher.find()) {
            start = Long.parseLong(matcher.group(2));
        }
        return start;
    }
}
