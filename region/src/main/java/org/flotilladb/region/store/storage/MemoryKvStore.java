package org.flotilladb.region.store.storage;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.storage.OrderedTree.Node;

/**
 * Data in memory, for databases without a disk: one persistent tree for each family, published together. A snapshot is
 * an array of roots, so readers never wait and never block the writer.
 */
public final class MemoryKvStore implements KvStore {
    private static final Family[] FAMILIES = Family.values();

    private volatile Node[] roots;
    private long edits;
    private final TreeMap<String, Batch> collections = new TreeMap<>();

    public MemoryKvStore() {
        Node[] first = new Node[FAMILIES.length];
        for (int i = 0; i < first.length; i++) {
            first[i] = OrderedTree.emptyLeaf(0);
        }
        roots = first;
    }

    @Override
    public byte[] get(Family family, byte[] key) {
        return OrderedTree.get(roots[family.ordinal()], key);
    }

    @Override
    public Pair first(Family family, byte[] key, byte[] upper) {
        return first(roots[family.ordinal()], key, upper);
    }

    @Override
    public KvCursor cursor(Family family, byte[] lower, byte[] upper) {
        return new TreeCursor(roots[family.ordinal()], lower, upper);
    }

    @Override
    public KvSnapshot snapshot() {
        return new Snapshot(roots);
    }

    @Override
    public KvBatch batch() {
        return new Batch();
    }

    @Override
    public synchronized void write(KvBatch batch) {
        long edit = ++edits;
        Node[] next = roots.clone();
        for (Change change : ((Batch) batch).changes) {
            int family = change.family.ordinal();
            if (change.end != null) {
                next[family] = removeRange(next[family], change.key, change.end, edit);
            } else if (change.value == null) {
                next[family] = OrderedTree.remove(next[family], change.key, edit);
            } else {
                next[family] = OrderedTree.put(next[family], change.key, change.value, edit);
            }
        }
        roots = next;
    }

    private static Node removeRange(Node root, byte[] start, byte[] end, long edit) {
        List<byte[]> keys = new ArrayList<>();
        try (TreeCursor cursor = new TreeCursor(root, start, end)) {
            for (boolean more = cursor.seek(start); more; more = cursor.next()) {
                keys.add(cursor.key());
            }
        }
        Node result = root;
        for (byte[] key : keys) {
            result = OrderedTree.remove(result, key, edit);
        }
        return result;
    }

    @Override
    public void sync() {}

    @Override
    public long approximateSizeBytes(byte[] start, byte[] end) {
        Node[] now = roots;
        return OrderedTree.estimateBytes(now[Family.WRITE.ordinal()], start, end)
                + OrderedTree.estimateBytes(now[Family.DEFAULT.ordinal()], start, end);
    }

    @Override
    public synchronized Collection collect(String name) {
        Batch rows = new Batch();
        collections.put(name, rows);
        return new Collection() {
            @Override
            public void put(Family family, byte[] key, byte[] value) {
                rows.put(family, key, value);
            }

            @Override
            public void finish() {}

            @Override
            public void close() {}
        };
    }

    @Override
    public synchronized void ingest(String name) {
        Batch rows = collections.get(name);
        if (rows == null) {
            throw new StorageException(StorageException.Kind.CORRUPT, "there is no collection " + name);
        }
        write(rows);
    }

    @Override
    public synchronized void dropCollection(String name) {
        collections.remove(name);
    }

    @Override
    public synchronized List<String> collections() {
        return List.copyOf(collections.keySet());
    }

    @Override
    public void close() {}

    private static Pair first(Node root, byte[] key, byte[] upper) {
        Node node = root;
        Node nextAbove = null;
        while (!node.leaf()) {
            int index = OrderedTree.childIndex(node, key);
            if (index + 1 < node.size) {
                nextAbove = node.children[index + 1];
            }
            node = node.children[index];
        }
        int at = OrderedTree.lowerBound(node, key);
        if (at == node.size) {
            if (nextAbove == null) {
                return null;
            }
            node = nextAbove;
            while (!node.leaf()) {
                node = node.children[0];
            }
            at = 0;
        }
        byte[] found = node.keys[at];
        return upper != null && Arrays.compareUnsigned(found, upper) >= 0 ? null : new Pair(found, node.values[at]);
    }

    private static final class Snapshot implements KvSnapshot {
        private final Node[] roots;

        Snapshot(Node[] roots) {
            this.roots = roots;
        }

        @Override
        public byte[] get(Family family, byte[] key) {
            return OrderedTree.get(roots[family.ordinal()], key);
        }

        @Override
        public Pair first(Family family, byte[] key, byte[] upper) {
            return MemoryKvStore.first(roots[family.ordinal()], key, upper);
        }

        @Override
        public KvCursor cursor(Family family, byte[] lower, byte[] upper) {
            return new TreeCursor(roots[family.ordinal()], lower, upper);
        }

        @Override
        public void close() {}
    }

    private record Change(Family family, byte[] key, byte[] value, byte[] end) {}

    private static final class Batch implements KvBatch {
        private final List<Change> changes = new ArrayList<>();

        @Override
        public void put(Family family, byte[] key, byte[] value) {
            changes.add(new Change(family, key, value, null));
        }

        @Override
        public void delete(Family family, byte[] key) {
            changes.add(new Change(family, key, null, null));
        }

        @Override
        public void deleteRange(Family family, byte[] start, byte[] end) {
            changes.add(new Change(family, start, null, end));
        }

        @Override
        public boolean isEmpty() {
            return changes.isEmpty();
        }
    }

    /** A path from the root to an entry of a leaf. */
    private static final class TreeCursor implements KvCursor {
        private static final int MAX_DEPTH = 16;

        private final Node[] path = new Node[MAX_DEPTH];
        private final int[] index = new int[MAX_DEPTH];
        private final Node root;
        private final byte[] lower;
        private final byte[] upper;
        private int depth;

        TreeCursor(Node root, byte[] lower, byte[] upper) {
            this.root = root;
            this.lower = lower;
            this.upper = upper;
        }

        private void descend(byte[] key) {
            Node node = root;
            depth = 0;
            while (!node.leaf()) {
                path[depth] = node;
                index[depth] = OrderedTree.childIndex(node, key);
                node = node.children[index[depth]];
                depth++;
            }
            path[depth] = node;
            index[depth] = OrderedTree.lowerBound(node, key);
        }

        @Override
        public boolean seek(byte[] key) {
            byte[] from = lower != null && Arrays.compareUnsigned(key, lower) < 0 ? lower : key;
            descend(from);
            if (index[depth] == path[depth].size) {
                return nextLeaf() && inBounds();
            }
            return inBounds();
        }

        @Override
        public boolean seekBefore(byte[] key) {
            byte[] before = key == null || (upper != null && Arrays.compareUnsigned(key, upper) > 0) ? upper : key;
            if (before == null) {
                Node node = root;
                depth = 0;
                while (!node.leaf()) {
                    path[depth] = node;
                    index[depth] = node.size - 1;
                    node = node.children[node.size - 1];
                    depth++;
                }
                path[depth] = node;
                index[depth] = node.size;
            } else {
                descend(before);
            }
            return previous();
        }

        @Override
        public boolean next() {
            index[depth]++;
            if (index[depth] < path[depth].size) {
                return inBounds();
            }
            return nextLeaf() && inBounds();
        }

        @Override
        public boolean previous() {
            index[depth]--;
            if (index[depth] < 0 && !previousLeaf()) {
                return false;
            }
            return inBounds();
        }

        private boolean nextLeaf() {
            int level = depth - 1;
            while (level >= 0 && index[level] + 1 >= path[level].size) {
                level--;
            }
            if (level < 0) {
                return false;
            }
            index[level]++;
            Node node = path[level].children[index[level]];
            while (!node.leaf()) {
                level++;
                path[level] = node;
                index[level] = 0;
                node = node.children[0];
            }
            depth = level + 1;
            path[depth] = node;
            index[depth] = 0;
            return node.size > 0;
        }

        private boolean previousLeaf() {
            int level = depth - 1;
            while (level >= 0 && index[level] == 0) {
                level--;
            }
            if (level < 0) {
                return false;
            }
            index[level]--;
            Node node = path[level].children[index[level]];
            while (!node.leaf()) {
                level++;
                path[level] = node;
                index[level] = node.size - 1;
                node = node.children[node.size - 1];
            }
            depth = level + 1;
            path[depth] = node;
            index[depth] = node.size - 1;
            return node.size > 0;
        }

        private boolean inBounds() {
            if (path[depth].size == 0) {
                return false;
            }
            byte[] key = path[depth].keys[index[depth]];
            return (upper == null || Arrays.compareUnsigned(key, upper) < 0)
                    && (lower == null || Arrays.compareUnsigned(key, lower) >= 0);
        }

        @Override
        public byte[] key() {
            return path[depth].keys[index[depth]];
        }

        @Override
        public byte[] value() {
            return path[depth].values[index[depth]];
        }

        @Override
        public void close() {}
    }
}
