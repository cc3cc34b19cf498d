package org.flotilladb.driver.keyspace;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import org.flotilladb.engine.keyspace.KeyCursor;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.client.WriteBuffer.Change;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.LocalReads.Page;

/** Committed rows in pages that grow, merged with what the transaction had buffered when the scan began, or at a mark. */
final class MergedCursor implements KeyCursor {
    private static final int FIRST_PAGE_ROWS = 32;
    private static final int MAX_PAGE_ROWS = 2048;
    private static final int MAX_PAGE_BYTES = 1 << 20;

    private final Transaction transaction;
    private final boolean reverse;
    private final List<Map.Entry<byte[], Change>> own;
    private byte[] start;
    private byte[] end;
    private int ownAt;
    private List<Pair> page = List.of();
    private int pageAt;
    private int pageRows;
    private boolean ended;
    private byte[] key;
    private byte[] value;

    MergedCursor(Transaction transaction, byte[] start, byte[] end, boolean reverse, int limitHint, long mark) {
        this.transaction = transaction;
        this.start = start;
        this.end = end;
        this.reverse = reverse;
        this.pageRows = limitHint > 0 ? Math.min(limitHint, MAX_PAGE_ROWS) : FIRST_PAGE_ROWS;
        this.own = ownChanges(mark);
    }

    private List<Map.Entry<byte[], Change>> ownChanges(long mark) {
        if (mark < 0 && !transaction.buffer().hasWrites()) {
            return List.of();
        }
        NavigableMap<byte[], Change> range = mark < 0
                ? transaction.buffer().range(start, end)
                : transaction.buffer().rangeAt(start, end, mark);
        if (reverse) {
            range = range.descendingMap();
        }
        List<Map.Entry<byte[], Change>> changes = new ArrayList<>();
        for (Map.Entry<byte[], Change> entry : range.entrySet()) {
            if (entry.getValue().writes()) {
                changes.add(Map.entry(entry.getKey(), entry.getValue()));
            }
        }
        return changes;
    }

    @Override
    public boolean next() {
        while (true) {
            Pair committed = committed();
            Map.Entry<byte[], Change> mine = ownAt < own.size() ? own.get(ownAt) : null;
            if (committed == null && mine == null) {
                return false;
            }
            int order = committed == null ? 1 : mine == null ? -1 : compare(committed.key(), mine.getKey());
            if (order < 0) {
                pageAt++;
                key = committed.key();
                value = committed.value();
                return true;
            }
            ownAt++;
            if (order == 0) {
                pageAt++;
            }
            if (mine.getValue().value() != null) {
                key = mine.getKey();
                value = mine.getValue().value();
                return true;
            }
        }
    }

    private int compare(byte[] a, byte[] b) {
        int order = Arrays.compareUnsigned(a, b);
        return reverse ? -order : order;
    }

    private Pair committed() {
        while (pageAt >= page.size()) {
            if (ended) {
                return null;
            }
            Page next = transaction.tryScan(start, end, reverse, pageRows, MAX_PAGE_BYTES);
            if (next == Page.NOT_SERVED) {
                next = Waiting.await(transaction.scan(start, end, reverse, pageRows, MAX_PAGE_BYTES));
            }
            page = next.rows();
            pageAt = 0;
            pageRows = Math.min(MAX_PAGE_ROWS, pageRows * 4);
            if (next.resumeKey() == null) {
                ended = true;
            } else if (reverse) {
                end = next.resumeKey();
            } else {
                start = next.resumeKey();
            }
        }
        return page.get(pageAt);
    }

    @Override
    public byte[] key() {
        return key;
    }

    @Override
    public byte[] value() {
        return value;
    }
}
