package org.flotilladb.engine.internal;

import java.util.HashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.h2.engine.SessionLocal;
import org.h2.schema.Schema;
import org.h2.schema.Sequence;

/**
 * The values of sequences, shared by all processes: the key space keeps for each where the next block begins, and each
 * mirror hands out blocks of its own. H2 asks for its system session's SYS row to be written whenever a sequence's cached
 * values run out; that is when a new block is taken, long before the old one ends. Sequences that cycle repeat values
 * anyway and stay as H2 has them.
 */
final class SequenceBlocks {
    private static final Pattern POSITION = Pattern.compile("(RESTART|START) WITH (-?\\d+)");
    private static final long MIN_BLOCK = 4096;
    private static final long CACHES_IN_BLOCK = 128;
    private static final int SLACK_PART = 4;

    private static final class Block {
        long start;
        /** The first value behind the block, in the sequence's direction. */
        long end;
    }

    private final Mirror mirror;
    private final Map<Integer, Block> blocks = new HashMap<>();

    SequenceBlocks(Mirror mirror) {
        this.mirror = mirror;
    }

    private byte[] key(int id) {
        return CatalogKeys.sequence(mirror.databaseId(), id);
    }

    private static long size(Sequence sequence) {
        return Math.max(MIN_BLOCK, CACHES_IN_BLOCK * Math.max(1, sequence.getCacheSize()));
    }

    private static boolean shared(Sequence sequence) {
        return sequence.getCycle() != Sequence.Cycle.CYCLE && !sequence.isTemporary();
    }

    private Sequence find(int id) {
        for (Schema schema : mirror.database().getAllSchemas()) {
            for (Sequence sequence : schema.getAllSequences()) {
                if (sequence.getId() == id) {
                    return sequence;
                }
            }
        }
        return null;
    }

    /** A new mirror takes a block for each sequence before anybody can ask for a value. */
    synchronized void loadAll() {
        for (Schema schema : mirror.database().getAllSchemas()) {
            for (Sequence sequence : schema.getAllSequences()) {
                if (shared(sequence)) {
                    take(sequence);
                }
            }
        }
    }

    private void take(Sequence sequence) {
        long step = size(sequence) * sequence.getIncrement();
        Block block = blocks.get(sequence.getId());
        long start = mirror.owner().advance(key(sequence.getId()), sequence.getBaseValue(), step);
        if (block != null && block.end == start) {
            block.end = start + step;
            return;
        }
        block = new Block();
        block.start = start;
        block.end = start + step;
        blocks.put(sequence.getId(), block);
        if (start != sequence.getBaseValue()) {
            moveTo(sequence, start);
        }
    }

    private static void moveTo(Sequence sequence, long value) {
        boolean up = sequence.getIncrement() > 0;
        if (up ? value > sequence.getMaxValue() : value < sequence.getMinValue()) {
            // Nothing is left: the last value is taken, and the next request finds that out.
            return;
        }
        sequence.modify(null, value, null, null, null, null, null);
    }

    /** H2 has used up its cached values. */
    synchronized void positionMoved(int id) {
        Sequence sequence = find(id);
        Block block = blocks.get(id);
        if (sequence == null || block == null || !shared(sequence)) {
            return;
        }
        long left = (block.end - sequence.getBaseValue()) / sequence.getIncrement();
        if (left < size(sequence) / SLACK_PART) {
            take(sequence);
        }
    }

    /** A sequence is being created by this session's transaction. */
    synchronized void created(SessionLocal session, int id, String sql) {
        Sequence sequence = find(id);
        long start = position(sql);
        long increment = sequence == null ? 1 : sequence.getIncrement();
        long step = (sequence == null ? MIN_BLOCK : size(sequence)) * increment;
        Block block = new Block();
        block.start = start;
        block.end = start + step;
        blocks.put(id, block);
        putPosition(session, id, block.end);
    }

    private void putPosition(SessionLocal session, int id, long position) {
        KeyTransaction transaction = mirror.state(session).transaction(session);
        transaction.put(key(id), Mirror.bytes(position));
        mirror.state(session).wrote(session);
    }

    /** A statement has changed the sequence: a position outside of the block it was at is a new beginning. */
    synchronized void altered(SessionLocal session, int id, String sql) {
        Block block = blocks.get(id);
        long position = position(sql);
        boolean inside = block != null
                && Math.min(block.start, block.end) <= position
                && position <= Math.max(block.start, block.end);
        if (!inside) {
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
        for (Map.Entry<Integer, Block> entry : blocks.entrySet()) {
            Sequence sequence = find(entry.getKey());
            Block block = entry.getValue();
            if (sequence != null && sequence.getBaseValue() != block.end) {
                mirror.owner().replaceNumber(key(entry.getKey()), block.end, sequence.getBaseValue());
            }
        }
        blocks.clear();
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
