package org.flotilladb.region.simulation;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The keys and values of the workload. A branch is a key prefix with accounts, slots (rows that come and go), counters,
 * lists, unique rows, parents with children, in some a fence, and a row of history for each transaction that touched it. What a
 * transaction has done can so be read from any snapshot, and compared with what the other rows say.
 */
final class Model {
    static final int BRANCHES = 6;
    static final int ACCOUNTS = 5;
    static final int SLOTS = 3;
    static final int COUNTERS = 2;
    static final int LISTS = 1;
    static final int FENCES = 2;
    static final int PARENTS = 2;
    static final int UNIQUE_KEYS = 400;
    static final long OPENING_BALANCE = 1000;

    private Model() {}

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    static String branch(int branch) {
        return String.format("b%02d/", branch);
    }

    static String account(int branch, int number) {
        return branch(branch) + String.format("a%02d", number);
    }

    static String slot(int branch, int number) {
        return branch(branch) + String.format("s%02d", number);
    }

    static String counter(int branch, int number) {
        return branch(branch) + String.format("n%02d", number);
    }

    static String list(int branch, int number) {
        return branch(branch) + String.format("l%02d", number);
    }

    static String parent(int branch, int number) {
        return branch(branch) + String.format("p%02d", number);
    }

    /** Children of one parent; they live in another branch than it. */
    static String child(int branch, String parent, long uid) {
        return branch(branch) + "c" + parent.replace('/', '.') + "-" + uid;
    }

    static String parentOf(String childKey) {
        return childKey.substring(5, childKey.indexOf('-')).replace('.', '/');
    }

    static String unique(int branch, int number) {
        return branch(branch) + String.format("u%04d", number);
    }

    /** A number that some writers check when they commit, and others raise. */
    static String fence(int branch) {
        return branch(branch - branch % (BRANCHES / FENCES)) + "f";
    }

    static String junk(int branch) {
        return branch(branch) + "x";
    }

    static String history(int branch, long uid) {
        return branch(branch) + String.format("h%08d", uid);
    }

    static char kind(String key) {
        return key.charAt(4);
    }

    static int branchOf(String key) {
        return Integer.parseInt(key.substring(1, 3));
    }

    /** Whether a key's value is a number with the transaction that last wrote it. */
    static boolean counts(char kind) {
        return kind == 'a' || kind == 's' || kind == 'n' || kind == 'f';
    }

    static long opening(String key) {
        return kind(key) == 'a' ? OPENING_BALANCE : 0;
    }

    /** A number with the transaction that wrote it. */
    record Cell(long number, long uid) {
        static final Cell ABSENT = new Cell(0, 0);

        static Cell parse(byte[] value) {
            if (value == null) {
                return ABSENT;
            }
            String[] parts = text(value).split(":");
            return new Cell(Long.parseLong(parts[0]), Long.parseLong(parts[1]));
        }

        byte[] encode() {
            return bytes(number + ":" + uid);
        }
    }

    /** What a row of history says: the same in each branch that the transaction touched. */
    record Deed(
            long uid, TreeSet<Integer> branches, TreeMap<String, Long> deltas, TreeSet<Long> seen, List<String> rows) {

        byte[] encode() {
            StringBuilder deltaText = new StringBuilder();
            deltas.forEach((key, delta) ->
                    deltaText.append(key).append('=').append(delta).append(','));
            return bytes(uid + "|" + join(branches) + "|" + deltaText + "|" + join(seen) + "|" + String.join(",", rows)
                    + "|");
        }

        static Deed parse(byte[] value) {
            String[] parts = text(value).split("\\|", -1);
            TreeSet<Integer> branches = new TreeSet<>();
            for (String each : split(parts[1])) {
                branches.add(Integer.parseInt(each));
            }
            TreeMap<String, Long> deltas = new TreeMap<>();
            for (String each : split(parts[2])) {
                int at = each.indexOf('=');
                deltas.put(each.substring(0, at), Long.parseLong(each.substring(at + 1)));
            }
            TreeSet<Long> seen = new TreeSet<>();
            for (String each : split(parts[3])) {
                seen.add(Long.parseLong(each));
            }
            return new Deed(Long.parseLong(parts[0]), branches, deltas, seen, split(parts[4]));
        }
    }

    static String join(Collection<?> things) {
        StringBuilder text = new StringBuilder();
        things.forEach(thing -> text.append(thing).append(','));
        return text.toString();
    }

    static List<String> split(String text) {
        List<String> parts = new ArrayList<>();
        int from = 0;
        for (int at = text.indexOf(','); at >= 0; at = text.indexOf(',', from)) {
            parts.add(text.substring(from, at));
            from = at + 1;
        }
        if (from < text.length()) {
            parts.add(text.substring(from));
        }
        return parts;
    }
}
