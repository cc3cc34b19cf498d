package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.h2.command.Command;
import org.h2.engine.SessionLocal;
import org.h2.message.DbException;
import org.h2.result.Row;

/**
 * Checks of rows that an INSERT has buffered: whether their keys are taken, whether their parents exist. They are
 * postponed and then made together, by one request for each Region, in the order in which they would have been made row
 * by row: so the first violation is the same. Until then the rows stand in the buffer as keys that must not exist at the
 * commit. Used by the session's thread.
 */
final class InsertChecks {
    /** Checks made together; a longer statement makes them in several goes. */
    private static final int MAX_PENDING = 4096;

    /** An index that may refuse a row. */
    interface Unique {
        /** What a row is refused with. */
        DbException duplicate(SessionLocal session, Row row, byte[] there);
    }

    /** How long checks may be postponed. */
    enum Scope {
        /** Each is made at once. */
        NONE,
        /** To the end of the statement. */
        STATEMENT,
        /** To the end of a batch, which is run again row by row when one of them fails. */
        BATCH
    }

    /** One check; without a key that of the row's parents. */
    private record Check(RegionTable table, Unique index, Row row, byte[] key) {}

    private final SessionState state;
    private final List<Check> pending = new ArrayList<>();
    private Scope scope = Scope.NONE;
    private boolean commitFindsDuplicates;
    /** The table that the present statement inserts into, and that statement; null when nothing is postponed. */
    private RegionTable table;

    private Command command;
    private boolean postponesReferences;
    /** The statement takes values from sequences; if it is run again, it takes others. */
    private boolean tookValues;

    private boolean tookOfFew;
    /** What is committed, while checks are made. */
    private TreeMap<byte[], byte[]> known;

    InsertChecks(SessionState state) {
        this.state = state;
    }

    /**
     * What comes may postpone its checks.
     *
     * @param commits whether the transaction is committed at the end of this scope, and run again in a narrower one if the
     *     commit finds that a key exists: then nobody need look before
     */
    void allow(Scope allowed, boolean commits) {
        pending.clear();
        over();
        scope = allowed;
        commitFindsDuplicates = commits;
        tookValues = false;
        tookOfFew = false;
    }

    /**
     * Values are about to be taken from sequences.
     *
     * @param ofFew one of them has so few that none should be taken twice for one row
     */
    void takesValues(boolean ofFew) {
        if (ofFew && scope == Scope.BATCH) {
            // Before any is taken; run one by one it goes through.
            throw DbException.getUnsupportedException("a batch run as one, with values of a short sequence");
        }
        tookValues = true;
        tookOfFew |= ofFew;
    }

    /** Nothing is postponed any more; what was is forgotten, as what has failed is undone. */
    void forget() {
        allow(Scope.NONE, false);
    }

    private void over() {
        table = null;
        command = null;
    }

    /** An INSERT begins, or a statement that inserts among other things. */
    void begins(SessionLocal session, RegionTable target) {
        if (scope == Scope.NONE || table != null || target.physicalId() == 0) {
            return;
        }
        List<?> triggers = target.getTriggers();
        if (triggers != null && !triggers.isEmpty()) {
            if (scope == Scope.BATCH) {
                // They should not be fired twice for one row.
                throw DbException.getUnsupportedException("a batch run as one, into a table with triggers");
            }
            return;
        }
        table = target;
        command = session.getCurrentCommand();
        postponesReferences = target.references().any() && !target.references().needLook();
    }

    /** The INSERT has inserted its rows. */
    void ends(SessionLocal session, RegionTable target) {
        if (target != table) {
            return;
        }
        if (scope == Scope.STATEMENT) {
            scope = Scope.NONE;
            settle(session, !commitFindsDuplicates || tookOfFew || (tookValues && severalIndexes()));
        }
        over();
    }

    /** Whether a row may be refused for something else than a number that a sequence has just given. */
    private boolean severalIndexes() {
        Unique first = null;
        for (Check check : pending) {
            if (check.index != null) {
                first = first == null ? check.index : first;
                if (check.index != first) {
                    return true;
                }
            }
        }
        return false;
    }

    /** A function within the statement may run others, whose rows are none of ours. */
    private boolean postpones(SessionLocal session, RegionTable target) {
        return table == target && command != null && session.getCurrentCommand() == command;
    }

    /** Whether the caller need not look whether a key is taken. */
    boolean postpones(
            SessionLocal session, RegionTable target, Unique index, Row row, KeyTransaction transaction, byte[] key) {
        if (!postpones(session, target) || state.isBehind() || transaction.buffers(key)) {
            return false;
        }
        pending.add(new Check(target, index, row, key));
        return true;
    }

    /** Whether the caller need not look for a row's parents. */
    boolean postponesReferences(SessionLocal session, RegionTable target, Row row) {
        if (!postpones(session, target)) {
            return false;
        }
        if (postponesReferences) {
            pending.add(new Check(target, null, row, null));
        }
        if (pending.size() >= MAX_PENDING) {
            settle(session);
        }
        return postponesReferences;
    }

    /** A statement is about to fail, unless an earlier row of it should have failed before. */
    void failing(SessionLocal session) {
        if (scope == Scope.STATEMENT && table != null) {
            settle(session);
        }
    }

    /** Makes all checks. A row that is not checked must neither be changed nor removed: its key would be checked no more. */
    void settle(SessionLocal session) {
        settle(session, true);
    }

    /** Makes the checks of a batch that is to be committed, but for those that the commit makes. */
    void settleBatch(SessionLocal session) {
        settle(session, !commitFindsDuplicates);
    }

    private void settle(SessionLocal session, boolean duplicates) {
        if (pending.isEmpty()) {
            return;
        }
        List<Check> all = new ArrayList<>(pending);
        pending.clear();
        if (duplicates) {
            make(session, all);
            return;
        }
        List<Check> references = new ArrayList<>();
        // The others wait for the commit, and for anybody who changes or removes their rows before.
        all.forEach(check -> (check.key == null ? references : pending).add(check));
        try {
            make(session, references);
        } catch (DbException e) {
            // There may be a duplicate before it.
            pending.clear();
            make(session, all);
            throw e;
        }
    }

    private void make(SessionLocal session, List<Check> checks) {
        if (checks.isEmpty()) {
            return;
        }
        try {
            known = read(session, checks);
            TreeSet<byte[]> parents = new TreeSet<>(Arrays::compareUnsigned);
            for (Check check : checks) {
                if (check.key == null) {
                    checkParents(session, check, parents);
                } else if (known.get(check.key) != null) {
                    throw check.index.duplicate(session, check.row, known.get(check.key));
                }
            }
        } catch (KeySpaceException e) {
            throw Errors.convert(e);
        } finally {
            known = null;
        }
    }

    private TreeMap<byte[], byte[]> read(SessionLocal session, List<Check> checks) {
        KeyTransaction transaction = state.transaction(session);
        TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
        for (Check check : checks) {
            if (check.key != null) {
                keys.add(check.key);
            } else {
                check.table.references().forEachParent(session, check.row, (parent, rowKey) -> {
                    if (rowKey != null && !transaction.buffers(rowKey)) {
                        keys.add(rowKey);
                    }
                });
            }
        }
        List<byte[]> list = new ArrayList<>(keys);
        List<byte[]> values = transaction.getAllCommitted(list);
        TreeMap<byte[], byte[]> result = new TreeMap<>(Arrays::compareUnsigned);
        for (int i = 0; i < list.size(); i++) {
            result.put(list.get(i), values.get(i));
        }
        return result;
    }

    /** H2 looks for the parents and fails as ever; not for those that it has just found. */
    private static void checkParents(SessionLocal session, Check check, TreeSet<byte[]> found) {
        List<byte[]> parents = new ArrayList<>();
        check.table.references().forEachParent(session, check.row, (parent, rowKey) -> parents.add(parent));
        if (!found.containsAll(parents)) {
            check.table.checkReferences(session, check.row);
            found.addAll(parents);
        }
    }

    /** The value of a key: without a request if it was read to make the checks. */
    byte[] get(KeyTransaction transaction, byte[] key) {
        return known != null && known.containsKey(key) && !transaction.buffers(key)
                ? known.get(key)
                : transaction.get(key);
    }
}
