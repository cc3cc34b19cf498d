package org.flotilladb.region.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.flotilladb.region.simulation.Model.Cell;
import org.flotilladb.region.simulation.Model.Deed;

/** What must hold in every snapshot of the workload's keys, whoever reads it and when. */
final class Snapshots {
    private final TreeMap<String, String> rows;
    private final TreeMap<Long, Deed> deeds = new TreeMap<>();
    private final List<String> wrong = new ArrayList<>();

    private Snapshots(TreeMap<String, String> rows) {
        this.rows = rows;
    }

    /**
     * Checks one snapshot.
     *
     * @param rows everything in it
     * @param mustSee transactions acknowledged before the snapshot's timestamp was asked for: the first so many
     * @return the transactions that it shows; what is wrong goes to the history
     */
    static TreeSet<Long> check(TreeMap<String, String> rows, History history, int mustSee) {
        Snapshots snapshot = new Snapshots(rows);
        snapshot.readDeeds();
        snapshot.checkNumbers();
        snapshot.checkRows();
        TreeSet<Long> visible = new TreeSet<>(snapshot.deeds.keySet());
        snapshot.checkSeen(visible);
        for (History.Op op : history.acknowledged().subList(0, mustSee)) {
            if (!op.branches.isEmpty() && !visible.contains(op.uid)) {
                snapshot.wrong.add("it does not show " + op + ", which was acknowledged before");
            }
        }
        if (!snapshot.wrong.isEmpty()) {
            history.violated("a snapshot is inconsistent: "
                    + String.join("; ", snapshot.wrong.subList(0, Math.min(4, snapshot.wrong.size()))));
        }
        return visible;
    }

    private void readDeeds() {
        TreeMap<Long, TreeSet<Integer>> found = new TreeMap<>();
        for (Map.Entry<String, String> row : rows.entrySet()) {
            if (Model.kind(row.getKey()) == 'h') {
                Deed deed = Deed.parse(Model.bytes(row.getValue()));
                deeds.put(deed.uid(), deed);
                found.computeIfAbsent(deed.uid(), uid -> new TreeSet<>()).add(Model.branchOf(row.getKey()));
            }
        }
        for (Deed deed : deeds.values()) {
            if (!found.get(deed.uid()).equals(deed.branches())) {
                wrong.add("transaction " + deed.uid() + " wrote to the branches " + deed.branches()
                        + ", and only these show it: " + found.get(deed.uid()));
            }
        }
    }

    private void checkNumbers() {
        TreeMap<String, Long> expected = new TreeMap<>();
        for (Deed deed : deeds.values()) {
            deed.deltas().forEach((key, delta) -> expected.merge(key, delta, Long::sum));
        }
        long total = 0;
        for (int branch = 0; branch < Model.BRANCHES; branch++) {
            for (int i = 0; i < Model.ACCOUNTS; i++) {
                expected.putIfAbsent(Model.account(branch, i), 0L);
            }
        }
        for (Map.Entry<String, Long> each : expected.entrySet()) {
            String key = each.getKey();
            Cell cell = cell(key);
            total += Model.kind(key) == 'a' ? cell.number() : 0;
            long should = Model.opening(key) + each.getValue();
            if (cell.number() != should) {
                wrong.add(key + " is " + cell.number() + ", the history makes it " + should);
            }
        }
        long should = Model.OPENING_BALANCE * Model.BRANCHES * Model.ACCOUNTS;
        if (total != should) {
            wrong.add("the accounts hold " + total + " instead of " + should);
        }
    }

    private Cell cell(String key) {
        String value = rows.get(key);
        return value == null ? Cell.ABSENT : Cell.parse(Model.bytes(value));
    }

    private void checkRows() {
        TreeMap<String, TreeSet<Long>> expected = new TreeMap<>();
        for (Deed deed : deeds.values()) {
            for (String row : deed.rows()) {
                expected.computeIfAbsent(row, key -> new TreeSet<>()).add(deed.uid());
            }
        }
        for (Map.Entry<String, TreeSet<Long>> each : expected.entrySet()) {
            if (Model.kind(each.getKey()) == 'u' && each.getValue().size() > 1) {
                wrong.add(each.getKey() + " was inserted by each of " + each.getValue());
            }
        }
        for (Map.Entry<String, String> row : rows.entrySet()) {
            String key = row.getKey();
            char kind = Model.kind(key);
            switch (kind) {
                case 'l', 'u', 'c' -> {
                    TreeSet<Long> here = new TreeSet<>();
                    for (String uid : Model.split(row.getValue())) {
                        if (!here.add(Long.parseLong(uid))) {
                            wrong.add(key + " has " + uid + " twice");
                        }
                    }
                    TreeSet<Long> should = expected.remove(key);
                    if (!here.equals(should)) {
                        wrong.add(key + " holds " + here + ", the history makes it " + should);
                    }
                    if (kind == 'c' && !rows.containsKey(Model.parentOf(key))) {
                        wrong.add("child " + key + " has no parent");
                    }
                }
                case 'x' -> wrong.add("a write that its transaction took back is there: " + key);
                default -> {}
            }
        }
        expected.keySet().removeIf(key -> Model.kind(key) == 'c');
        if (!expected.isEmpty()) {
            wrong.add("the history tells of rows that are not there: " + expected);
        }
    }

    private void checkSeen(TreeSet<Long> visible) {
        for (Deed deed : deeds.values()) {
            for (long seen : deed.seen()) {
                if (!visible.contains(seen)) {
                    wrong.add("transaction " + deed.uid() + " had seen " + seen + ", which is not there");
                }
            }
        }
        for (Map.Entry<String, String> row : rows.entrySet()) {
            if (Model.counts(Model.kind(row.getKey()))) {
                long uid = cell(row.getKey()).uid();
                if (uid != 0 && !visible.contains(uid)) {
                    wrong.add(row.getKey() + " was written by " + uid + ", which is not there");
                }
            }
        }
    }
}
