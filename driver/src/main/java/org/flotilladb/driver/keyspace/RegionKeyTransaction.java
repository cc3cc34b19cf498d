package org.flotilladb.driver.keyspace;

import java.util.Arrays;
import java.util.List;
import org.flotilladb.engine.keyspace.KeyCursor;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.region.client.ClientException;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.client.WriteBuffer;
import org.flotilladb.region.runtime.LocalReads.Read;

/** One transaction, waited for. */
final class RegionKeyTransaction implements KeyTransaction {
    private final Transaction transaction;
    private final long lockTimeoutMs;

    RegionKeyTransaction(Transaction transaction, long lockTimeoutMs) {
        this.transaction = transaction;
        this.lockTimeoutMs = lockTimeoutMs;
    }

    @Override
    public void start() {
        Waiting.await(transaction.readTs());
    }

    @Override
    public void beginStatement() {
        transaction.beginStatement();
    }

    @Override
    public byte[] get(byte[] key) {
        WriteBuffer.Change own = transaction.buffer().get(key);
        if (own != null && own.writes()) {
            return own.value();
        }
        Read read = transaction.tryGet(key);
        return read != Read.NOT_SERVED ? read.value() : Waiting.await(transaction.get(key));
    }

    @Override
    public List<byte[]> getAll(List<byte[]> keys, long mark) {
        if (keys.isEmpty()) {
            return List.of();
        }
        List<byte[]> values = Waiting.await(transaction.getAll(keys));
        for (int i = 0; mark >= 0 && i < values.size(); i++) {
            byte[] key = keys.get(i);
            if (transaction.buffer().changedSince(key, mark)) {
                KeyCursor then = scan(key, Arrays.copyOf(key, key.length + 1), false, 1, mark);
                values.set(i, then.next() ? then.value() : null);
            }
        }
        return values;
    }

    @Override
    public List<byte[]> getAllCommitted(List<byte[]> keys) {
        return keys.isEmpty() ? List.of() : Waiting.await(transaction.getAllCommitted(keys));
    }

    @Override
    public boolean buffers(byte[] key) {
        WriteBuffer.Change own = transaction.buffer().get(key);
        return own != null && own.writes();
    }

    @Override
    public KeyCursor scan(byte[] start, byte[] end, boolean reverse, int limitHint, long mark) {
        return new MergedCursor(transaction, start, end, reverse, limitHint, mark);
    }

    @Override
    public void put(byte[] key, byte[] value) {
        buffered(() -> transaction.put(key, value));
    }

    @Override
    public void insert(byte[] key, byte[] value) {
        buffered(() -> transaction.insert(key, value));
    }

    @Override
    public void delete(byte[] key) {
        buffered(() -> transaction.delete(key));
    }

    @Override
    public void check(byte[] key) {
        buffered(() -> transaction.check(key));
    }

    @Override
    public void lockShared(byte[] key) {
        buffered(() -> transaction.lockShared(key));
    }

    /** A write's conflicts are judged against this statement's timestamp: it must be known. */
    private void buffered(Runnable write) {
        start();
        try {
            write.run();
        } catch (ClientException e) {
            throw Waiting.convert(e);
        }
    }

    @Override
    public byte[] lock(byte[] key, long waitMs) {
        return Waiting.await(transaction.lock(key, waitMs < 0 ? lockTimeoutMs : waitMs));
    }

    @Override
    public long mark() {
        return transaction.mark();
    }

    @Override
    public void rollbackTo(long mark) {
        transaction.rollbackTo(mark);
    }

    @Override
    public boolean hasWrites() {
        return transaction.hasWrites();
    }

    @Override
    public void commit() {
        Waiting.awaitOutcome(transaction.commit());
    }

    @Override
    public void rollback() {
        try {
            transaction.rollback();
        } catch (ClientException | KeySpaceException e) {
            // Its locks end with their time to live.
        }
    }
}
