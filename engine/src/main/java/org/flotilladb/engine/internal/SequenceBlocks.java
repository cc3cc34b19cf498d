package org.flotilladb.engine.internal;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.h2.engine.SessionLocal;
import org.h2.schema.Schema;
import org.h2.schema.Sequence;

/**
 * The values of sequences, shared by all processes: the key space keeps for each where the next block begins, and each
 * mirror hands out blocks of its own. H2 asks for its system session's SYS row to be written whenever a sequence's cached
 * values run out; that is when a new block is taken, long before the old one ends: what other threads take meanwhile must
 * lie in the old block still. Of a sequence with few values one process may hold all that are left; others then find it
 * exhausted. Safe for many threads.
 */
final class SequenceBlocks {
    private static final Pattern POSITION = Pattern.compile("(RESTART|START) WITH (-?\\d+)");
    private static final long MIN_BLOCK = 4096;
    private static final long SPARE_SESSIONS = 32;
    private static final int SLACKS_IN_BLOCK = 4;

    /** Values from {@code start} up to the one before {@code end}, in the sequence's direction. */
    private static final class Block {
        final Sequence sequence;
        long start;
        long end;
        /** The end is beyond the numbers. */
        boolean overflows;

        Block(Sequence sequence) {
            this.sequence = sequence;
        }

        boolean holds(long value) {
            boolean up = sequence.getIncrement() > 0;
            return up ? start <= value && (overflows || value < end) : start >= value && (overflows || value > end);
        }

        /** Values from this one on. */
        BigInteger left(long value) {
            BigInteger to = BigInteger.valueOf(overflows ? last(sequence) : end);
            return to.subtract(BigInteger.valueOf(value)).divide(BigInteger.valueOf(sequence.getIncrement()));
        }
    }

    private final Mirror mirror;
    private final Map<Integer, Block> blocks = new HashMap<>();

    SequenceBlocks(Mirror mirror) {
        this.mirror = mirror;
    }

    private byte[] key(int id) {
        return CatalogKeys.sequence(mirror.databaseId(), id);
    }

    /** What threads of this process may take while a new block is fetched. */
    private long slack(Sequence sequence) {
        return Math.max(1, sequence.getCacheSize()) * (mirror.sessionCount() + SPARE_SESSIONS);
    }

    private long size(Sequence sequence) {
        return Math.max(MIN_BLOCK, SLACKS_IN_BLOCK * slack(sequence));
    }

    private static long last(Sequence sequence) {
        return sequence.getIncrement() > 0 ? sequence.getMaxValue() : sequence.getMinValue();
    }

    private static long first(Sequence sequence) {
        return sequence.getIncrement() > 0 ? sequence.getMinValue() : sequence.getMaxValue();
    }

    private static boolean exhausted(Sequence sequence) {
        return sequence.getCycle() == Sequence.Cycle.EXHAUSTED;
    }

    private Sequence find(int id) {
        Block known = blocks.get(id);
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

    // ---- taking blocks ---------------------------------------------------------------------------------------------

    /** A new mirror takes a block for each sequence before anybody can ask for a value. */
    synchronized void loadAll() {
        List<Sequence> sequences = all();
        sequences.removeIf(SequenceBlocks::exhausted);
        if (sequences.isEmpty()) {
            return;
        }
        List<Block> taken = take(sequences, null);
        for (Block block : taken) {
            if (block.start != block.sequence.getBaseValue()
                    || block.left(block.start).signum() == 0) {
                moveTo(block);
            }
            blocks.put(block.sequence.getId(), block);
        }
    }

    /**
     * A block for each, in one transaction; an empty one where nothing is left.
     *
     * @param from they begin there or behind it; null: wherever the last ones ended
     */
    private List<Block> take(List<Sequence> sequences, Long from) {
        List<Block> taken = new ArrayList<>(sequences.size());
        List<byte[]> keys = new ArrayList<>(sequences.size());
        sequences.forEach(sequence -> keys.add(key(sequence.getId())));
        mirror.owner().autonomous(own -> {
            taken.clear();
            List<byte[]> stored = own.getAll(keys);
            for (int i = 0; i < keys.size(); i++) {
                Block block = after(stored.get(i), sequences.get(i));
                if (from != null && !block.overflows && ahead(block.sequence, from, block.start)) {
                    block = from(from, block.sequence);
                }
                taken.add(block);
                own.put(keys.get(i), stored(block));
            }
            return 0;
        });
        return taken;
    }

    /** The block that begins where the key space says the last one ended. */
    private Block after(byte[] stored, Sequence sequence) {
        if (stored == null) {
            return from(sequence.getBaseValue(), sequence);
        }
        long next = Mirror.number(stored);
        boolean up = sequence.getIncrement() > 0;
        boolean over = stored.length > Long.BYTES || (up ? next > last(sequence) : next < last(sequence));
        if (over && sequence.getCycle() == Sequence.Cycle.CYCLE) {
            return from(first(sequence), sequence);
        }
        if (over) {
            Block nothing = new Block(sequence);
            nothing.start = next;
            nothing.end = next;
            nothing.overflows = stored.length > Long.BYTES;
            return nothing;
        }
        return from(next, sequence);
    }

    private Block from(long start, Sequence sequence) {
        Block block = new Block(sequence);
        block.start = start;
        BigInteger increment = BigInteger.valueOf(sequence.getIncrement());
        BigInteger left = BigInteger.valueOf(last(sequence))
                .subtract(BigInteger.valueOf(start))
                .divide(increment)
                .add(BigInteger.ONE);
        BigInteger count = left.min(BigInteger.valueOf(size(sequence))).max(BigInteger.ZERO);
        BigInteger end = BigInteger.valueOf(start).add(count.multiply(increment));
        block.overflows = end.bitLength() >= Long.SIZE;
        block.end = block.overflows ? last(sequence) : end.longValueExact();
        return block;
    }

    private static byte[] stored(Block block) {
        ByteBuffer value =
                ByteBuffer.allocate(Long.BYTES + (block.overflows ? 1 : 0)).putLong(block.end);
        if (block.overflows) {
            value.put((byte) 1);
        }
        return value.array();
    }

    /** H2's object goes on at the beginning of a block; where nothing is left, it says so when it is asked. */
    private static void moveTo(Block block) {
        Sequence sequence = block.sequence;
        // H2 computes an impossible cache for descending sequences, which it would refuse here.
        Long cache = sequence.getCacheSize() < 1 ? 1L : null;
        if (block.start == block.end) {
            sequence.modify(null, null, null, null, null, Sequence.Cycle.EXHAUSTED, cache);
        } else {
            sequence.modify(block.start, null, null, null, null, null, cache);
        }
    }

    /** H2 has used up its cached values. */
    synchronized void positionMoved(int id) {
        Block block = blocks.get(id);
        if (block == null || exhausted(block.sequence)) {
            return;
        }
        Sequence sequence = block.sequence;
        long at = sequence.getBaseValue();
        boolean toTheEnd = block.overflows || !within(sequence, block.end);
        if (block.holds(at) && (toTheEnd || block.left(at).compareTo(BigInteger.valueOf(slack(sequence))) >= 0)) {
            return;
        }
        // An INSERT with a value of its own may have pushed it forward.
        boolean pushed = !block.overflows && ahead(sequence, at, block.end);
        Block next = take(List.of(sequence), pushed ? at : null).get(0);
        if (next.start == block.end && !block.overflows && block.holds(at) && next.start != next.end) {
            block.end = next.end;
            block.overflows = next.overflows;
            return;
        }
        blocks.put(id, next);
        moveTo(next);
    }

    private static boolean ahead(Sequence sequence, long value, long of) {
        return sequence.getIncrement() > 0 ? value > of : value < of;
    }

    private static boolean within(Sequence sequence, long value) {
        return sequence.getIncrement() > 0 ? value <= last(sequence) : value >= last(sequence);
    }

    // ---- definitions -----------------------------------------------------------------------------------------------

    /** A sequence is being created, or begins anew, in this session's transaction. */
    synchronized void created(SessionLocal session, int id, String sql) {
        blocks.remove(id);
        Sequence sequence = find(id);
        if (sequence == null) {
            return;
        }
        Block block = exhausted(sequence) ? new Block(sequence) : from(position(sql), sequence);
        if (exhausted(sequence)) {
            block.start = last(sequence);
            block.end = last(sequence);
            block.overflows = true;
        }
        blocks.put(id, block);
        KeyTransaction transaction = mirror.state(session).transaction(session);
        transaction.put(key(id), stored(block));
        mirror.state(session).wrote(session);
    }

    /** A statement has changed the sequence. If it does not ask for a restart, it goes on in the block it is at. */
    synchronized void altered(SessionLocal session, int id, String sql) {
        Block block = blocks.get(id);
        if (block == null || !block.holds(position(sql)) || StatementTraits.restartsNow()) {
            created(session, id, sql);
        }
    }

    synchronized void dropped(SessionLocal session, int id) {
        blocks.remove(id);
        mirror.state(session).transaction(session).delete(key(id));
        mirror.state(session).wrote(session);
    }

    /** What this mirror has not used goes back, if nobody has taken a block since. */
    synchronized void giveBack() {
        blocks.forEach((id, block) -> {
            if (!exhausted(block.sequence) && block.holds(block.sequence.getBaseValue())) {
                giveBack(id, block);
            }
        });
        blocks.clear();
    }

    private void giveBack(int id, Block block) {
        byte[] expected = stored(block);
        try {
            mirror.owner().autonomous(own -> {
                if (Arrays.equals(own.get(key(id)), expected)) {
                    own.put(key(id), Mirror.bytes(block.sequence.getBaseValue()));
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
