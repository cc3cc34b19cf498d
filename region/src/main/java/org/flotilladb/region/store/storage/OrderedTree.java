package org.flotilladb.region.store.storage;

import java.util.Arrays;

/**
 * A persistent B+ tree from byte strings to byte strings: a root never changes once it is published, so a snapshot is a
 * root. An edit marks the nodes it has copied as its own and changes those in place until the edit ends; path copying
 * after Driscoll, Sarnak, Sleator and Tarjan, "Making Data Structures Persistent" (1989).
 */
final class OrderedTree {
    static final int MAX = 48;

    /** A leaf (children null) or an inner node, where keys[i] is the smallest key below children[i + 1]. */
    static final class Node {
        long edit;
        int size;
        byte[][] keys;
        byte[][] values;
        Node[] children;

        boolean leaf() {
            return children == null;
        }
    }

    private OrderedTree() {}

    static Node emptyLeaf(long edit) {
        Node node = new Node();
        node.edit = edit;
        node.keys = new byte[MAX][];
        node.values = new byte[MAX][];
        return node;
    }

    /** Index of the first key at or above {@code key} in a leaf. */
    static int lowerBound(Node leaf, byte[] key) {
        int low = 0;
        int high = leaf.size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Arrays.compareUnsigned(leaf.keys[middle], key) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Index of the child of an inner node (size = number of children) that may hold {@code key}. */
    static int childIndex(Node inner, byte[] key) {
        int low = 0;
        int high = inner.size - 1;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Arrays.compareUnsigned(inner.keys[middle], key) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    static byte[] get(Node root, byte[] key) {
        Node node = root;
        while (!node.leaf()) {
            node = node.children[childIndex(node, key)];
        }
        int at = lowerBound(node, key);
        return at < node.size && Arrays.equals(node.keys[at], key) ? node.values[at] : null;
    }

    /** About how many bytes of keys and values there are from one key to before another; null: no bound. Looks at few nodes. */
    static long estimateBytes(Node node, byte[] from, byte[] to) {
        if (node.leaf()) {
            int last = to == null ? node.size : lowerBound(node, to);
            long bytes = 0;
            for (int i = from == null ? 0 : lowerBound(node, from); i < last; i++) {
                bytes += node.keys[i].length + node.values[i].length;
            }
            return bytes;
        }
        int first = from == null ? 0 : childIndex(node, from);
        int last = to == null ? node.size - 1 : childIndex(node, to);
        if (first >= last) {
            return estimateBytes(node.children[first], from, to);
        }
        int between = last - first - 1;
        // Those between are all taken for as large as one of them.
        long each = between == 0 ? 0 : estimateBytes(node.children[(first + last) / 2], null, null);
        return estimateBytes(node.children[first], from, null)
                + between * each
                + estimateBytes(node.children[last], null, to);
    }

    /** Puts a key; returns the root to use from here on. */
    static Node put(Node root, byte[] key, byte[] value, long edit) {
        Node own = own(root, edit);
        Node right = insert(own, key, value, edit);
        if (right == null) {
            return own;
        }
        Node top = new Node();
        top.edit = edit;
        top.keys = new byte[MAX][];
        top.children = new Node[MAX];
        top.children[0] = own;
        top.children[1] = right;
        top.keys[0] = smallest(right);
        top.size = 2;
        return top;
    }

    /** Removes a key; returns the root to use from here on. */
    static Node remove(Node root, byte[] key, long edit) {
        if (get(root, key) == null) {
            return root;
        }
        Node own = own(root, edit);
        delete(own, key, edit);
        while (!own.leaf() && own.size == 1) {
            own = own.children[0];
        }
        return own.size == 0 ? emptyLeaf(edit) : own;
    }

    private static Node own(Node node, long edit) {
        if (node.edit == edit) {
            return node;
        }
        Node copy = new Node();
        copy.edit = edit;
        copy.size = node.size;
        copy.keys = node.keys.clone();
        if (node.leaf()) {
            copy.values = node.values.clone();
        } else {
            copy.children = node.children.clone();
        }
        return copy;
    }

    private static Node insert(Node node, byte[] key, byte[] value, long edit) {
        if (node.leaf()) {
            int at = lowerBound(node, key);
            if (at < node.size && Arrays.equals(node.keys[at], key)) {
                node.values[at] = value;
                return null;
            }
            Node right = null;
            Node target = node;
            if (node.size == MAX) {
                // Ascending loads fill leaves to the brim.
                int cut = at == MAX ? MAX - 1 : MAX / 2;
                right = splitLeaf(node, cut, edit);
                if (at > cut || (at == cut && at == MAX - 1)) {
                    target = right;
                    at = lowerBound(right, key);
                }
            }
            System.arraycopy(target.keys, at, target.keys, at + 1, target.size - at);
            System.arraycopy(target.values, at, target.values, at + 1, target.size - at);
            target.keys[at] = key;
            target.values[at] = value;
            target.size++;
            return right;
        }
        int index = childIndex(node, key);
        Node child = own(node.children[index], edit);
        node.children[index] = child;
        Node extra = insert(child, key, value, edit);
        if (extra == null) {
            return null;
        }
        Node right = null;
        Node target = node;
        int at = index + 1;
        if (node.size == MAX) {
            int cut = at == MAX ? MAX - 1 : MAX / 2;
            right = splitInner(node, cut, edit);
            if (at > cut) {
                target = right;
                at -= cut;
            }
        }
        System.arraycopy(target.children, at, target.children, at + 1, target.size - at);
        if (target.size - at > 0) {
            System.arraycopy(target.keys, at - 1, target.keys, at, target.size - at);
        }
        target.children[at] = extra;
        target.keys[at - 1] = smallest(extra);
        target.size++;
        return right;
    }

    private static Node splitLeaf(Node node, int cut, long edit) {
        Node right = emptyLeaf(edit);
        right.size = node.size - cut;
        System.arraycopy(node.keys, cut, right.keys, 0, right.size);
        System.arraycopy(node.values, cut, right.values, 0, right.size);
        Arrays.fill(node.keys, cut, node.size, null);
        Arrays.fill(node.values, cut, node.size, null);
        node.size = cut;
        return right;
    }

    private static Node splitInner(Node node, int cut, long edit) {
        Node right = new Node();
        right.edit = edit;
        right.keys = new byte[MAX][];
        right.children = new Node[MAX];
        right.size = node.size - cut;
        System.arraycopy(node.children, cut, right.children, 0, right.size);
        System.arraycopy(node.keys, cut, right.keys, 0, right.size - 1);
        Arrays.fill(node.children, cut, node.size, null);
        Arrays.fill(node.keys, cut - 1, node.size - 1, null);
        node.size = cut;
        return right;
    }

    private static byte[] smallest(Node node) {
        Node at = node;
        while (!at.leaf()) {
            at = at.children[0];
        }
        return at.keys[0];
    }

    /** Deletes from an owned node; it may be left empty, then its parent drops it. */
    private static void delete(Node node, byte[] key, long edit) {
        if (node.leaf()) {
            int at = lowerBound(node, key);
            System.arraycopy(node.keys, at + 1, node.keys, at, node.size - at - 1);
            System.arraycopy(node.values, at + 1, node.values, at, node.size - at - 1);
            node.size--;
            node.keys[node.size] = null;
            node.values[node.size] = null;
            return;
        }
        int index = childIndex(node, key);
        Node child = own(node.children[index], edit);
        node.children[index] = child;
        delete(child, key, edit);
        if (child.size > 0) {
            return;
        }
        System.arraycopy(node.children, index + 1, node.children, index, node.size - index - 1);
        int keyAt = Math.max(0, index - 1);
        if (node.size > 1) {
            System.arraycopy(node.keys, keyAt + 1, node.keys, keyAt, node.size - 2 - keyAt);
            node.keys[node.size - 2] = null;
        }
        node.size--;
        node.children[node.size] = null;
    }
}
