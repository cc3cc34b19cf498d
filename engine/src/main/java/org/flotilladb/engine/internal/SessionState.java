package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.engine.keyspace.KeySpace;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.flotilladb.engine.keyspace.KeyTransaction;
import org.flotilladb.engine.keyspace.TransactionMode;
import org.h2.command.Command;
import org.h2.engine.IsolationLevel;
import org.h2.engine.SessionLocal;
import org.h2.message.DbException;
import org.h2.mvstore.tx.Transaction;
import org.h2.mvstore.tx.TransactionMap;
import org.h2.mvstore.type.LongDataType;

/**
 * What belongs to one of H2's sessions: the transaction on the key space that its present transaction has opened, and the
 * way back when H2 rolls back to a savepoint. H2's own undo log keeps, under this session's key, how long our undo list
 * was after each write; when H2 undoes that, the next access finds the older length and trims the list. Used by the
 * session's thread.
 */
final class SessionState {
    private static final String MARKS = "flotilla.marks";
    private static final int SERIAL_SHIFT = 40;

    private final Mirror mirror;
    private final long id;
    /** H2's transaction that ours belongs to; null when there is none. */
    private Transaction ownTransaction;

    private KeyTransaction transaction;
    /** Taken before the statement, to learn of a newer catalog; not yet used by any table. */
    private KeyTransaction prepared;

    /** Whether it reads at a new timestamp for each statement. */
    private boolean readCommitted;
    /** Whether a statement has been run in it. */
    private boolean started;
    /** The catalog's epoch as known before the present statement's timestamp was taken. */
    private long epochBefore;

    private TransactionMap<Long, Long> marks;
    private long serial;
    private boolean newStatement = true;
    private Command lastCommand;
    /** The length of the undo list behind the first change of the catalog; -1 before. */
    private long catalogMark = -1;
    /** The change of the catalog that this transaction makes, from its lock on; null before. */
    private Definition definition;
    /** A change of the catalog was undone: H2's memory of it cannot be relied on. */
    private boolean catalogUndone;
    /** How the statement that runs has passed the gate; null between statements. */
    private DefinitionGate.Pass pass;

    /** The mirror's version when it did. */
    private long passedAtVersion;
    /** H2 has committed within a definition statement that goes on: ours ends with the statement. */
    private boolean held;
    /** The mirror's version when the transaction began. */
    private long beganAtVersion;

    /** What was written up to the last such commit. */
    private long heldMark;

    private long commits;
    /** A row locked by this statement was newer than what the statement reads: so may be the entries that belong to it. */
    private boolean behind;
    /** Between the first and the last write of one row: the mark is behind. */
    private boolean writing;

    private final RowCounts rowCounts = new RowCounts();
    private final InsertChecks checks = new InsertChecks(this);
    /** Tables whose fence this transaction has locked. */
    private final Set<RegionTable> fenced = Collections.newSetFromMap(new IdentityHashMap<>());
    /** Where the undo list stood when the statement that writes a table began. */
    private final Map<RegionTable, Long> writtenFrom = new IdentityHashMap<>();
    /** While the catalog has moved on under the transaction: the tables that were touched, null for all. */
    private Set<Long> touched = Set.of();

    /** Tables that this transaction drops, by their numbers. */
    private final Set<Long> dropped = new TreeSet<>();

    private final List<RegionTable> lockedTables = new ArrayList<>();

    SessionState(Mirror mirror, long id) {
        this.mirror = mirror;
        this.id = id;
    }

    /** Whether anything is buffered or locked. */
    boolean hasWrites() {
        return transaction != null && transaction.hasWrites();
    }

    boolean inTransaction() {
        return transaction != null;
    }

    /** Checks of inserted rows that are still to be made. */
    InsertChecks checks() {
        return checks;
    }

    /** Whether this statement has met rows newer than what it reads. */
    boolean isBehind() {
        return behind;
    }

    /** A statement has passed the gate, or null: is over. */
    void passes(DefinitionGate.Pass next) {
        pass = next;
        passedAtVersion = mirror.version();
    }

    /** The statement that runs is about to change definitions: it does so alone, on the catalog it was planned with. */
    void defines(SessionLocal session) {
        if (pass == null || pass.defines()) {
            return;
        }
        pass.becomeDefinition(session.getLockTimeout());
        if (mirror.version() != passedAtVersion) {
            throw new KeySpaceException(
                    KeySpaceException.Kind.STALE_SCHEMA,
                    "another session of this process has changed it since this statement began");
        }
    }

    /** Whether a definition runs, and nothing beside it. */
    boolean definesAlone() {
        return pass != null && pass.defines();
    }

    /** The change of the catalog that the present transaction makes, or null. */
    Definition definition() {
        return definition;
    }

    /** The definition that runs and may still step aside at the gate, as it has changed nothing yet; else null. */
    DefinitionGate.Pass mayStepAside() {
        return pass != null && pass.defines() && catalogMark < 0 ? pass : null;
    }

    /** A statement is about to be run: reads see what is committed by now. */
    void statementBegins() {
        newStatement = true;
    }

    /** Takes a timestamp for the statement about to be run, outside of a transaction. */
    void prepare(SessionLocal session, KeySpace keySpace) {
        if (transaction == null && prepared == null) {
            prepared = keySpace.begin(mode(session));
        }
        if (prepared != null) {
            epochBefore = keySpace.catalogEpoch(false);
            prepared.beginStatement();
            prepared.start();
        }
    }

    /** Whether the mirror is as new as the timestamp of the prepared transaction. */
    boolean current() {
        return mirror.current(prepared, epochBefore);
    }

    /** The prepared transaction was not used: forget it. */
    void dropPrepared() {
        if (prepared != null) {
            prepared.rollback();
            prepared = null;
        }
    }

    /** Whether each statement of the session's next transaction reads at a timestamp of its own. */
    static boolean readsCommitted(SessionLocal session) {
        IsolationLevel level = session.getIsolationLevel();
        return level == IsolationLevel.READ_UNCOMMITTED || level == IsolationLevel.READ_COMMITTED;
    }

    private static TransactionMode mode(SessionLocal session) {
        return mode(session, readsCommitted(session));
    }

    private static TransactionMode mode(SessionLocal session, boolean readCommitted) {
        return new TransactionMode(
                readCommitted ? TransactionMode.Isolation.READ_COMMITTED : TransactionMode.Isolation.SNAPSHOT,
                !session.getAutoCommit(),
                session.getLockTimeout());
    }

    /** The transaction to read and write with, begun if need be and trimmed to what H2 has not undone. */
    KeyTransaction transaction(SessionLocal session) {
        if (transaction == null) {
            begin(session);
        } else {
            if (held && ownTransaction == null) {
                ownTransaction = session.getTransaction();
                session.registerTableAsLocked(mirror.anchor());
            }
            if (!writing && transaction.mark() > 0) {
                trim();
            }
        }
        Command command = session.getCurrentCommand();
        if (newStatement || (command != lastCommand && command != null)) {
            newStatement = false;
            writtenFrom.clear();
            rowCounts.separate();
            behind = false;
            lastCommand = command;
            statementReads();
        }
        return transaction;
    }

    /** Sees to it that what the statement reads fits the mirror, on which the catalog may have moved. */
    private void statementReads() {
        boolean first = !started;
        started = true;
        if (prepared == null) {
            if (first || readCommitted) {
                epochBefore = mirror.keySpace().catalogEpoch(false);
            }
            transaction.beginStatement();
        }
        prepared = null;
        if ((first || readCommitted) && definition == null) {
            transaction.start();
            touched = mirror.changedSince(transaction, epochBefore);
        }
    }

    /** The transaction to read and write a table with; refused where the catalog has moved on and that concerns the table. */
    KeyTransaction transaction(SessionLocal session, RegionTable table) {
        KeyTransaction tx = transaction(session);
        if (touched == null || (!touched.isEmpty() && touched.contains(table.physicalId()))) {
            throw stale(table);
        }
        if (!readCommitted && definition == null && beganAtVersion != mirror.version()) {
            // Another session of this process has changed H2's objects, which now stand for more than the snapshot has.
            throw stale(table);
        }
        return tx;
    }

    private static KeySpaceException stale(RegionTable table) {
        return new KeySpaceException(
                KeySpaceException.Kind.STALE_SCHEMA,
                "the definition of " + table.getName() + " was changed after this transaction had begun");
    }

    /** Makes sure that the transaction does not commit writes to a table whose definition is changed meanwhile. */
    private void lockFence(SessionLocal session, RegionTable table) {
        if (table.physicalId() == 0 || fenced.contains(table)) {
            return;
        }
        if (definition != null && definition.fences(table.physicalId())) {
            return;
        }
        KeyTransaction tx = transaction(session, table);
        tx.start();
        byte[] announcement = mirror.announcement(tx, epochBefore);
        if (Definition.names(announcement, table.physicalId())) {
            if (tx.hasWrites()) {
                // The change may wait for rows that are locked here.
                throw stale(table);
            }
            Definition.await(mirror, announcement, session.getLockTimeout());
            throw stale(table);
        }
        tx.check(table.fenceKey());
        fenced.add(table);
    }

    private void begin(SessionLocal session) {
        ownTransaction = session.getTransaction();
        beganAtVersion = mirror.version();
        transaction = prepared != null ? prepared : mirror.keySpace().begin(mode(session));
        readCommitted = readsCommitted(session);
        started = false;
        newStatement = true;
        fenced.clear();
        writtenFrom.clear();
        touched = Set.of();
        marks = null;
        serial++;
        catalogMark = -1;
        catalogUndone = false;
        held = false;
        heldMark = 0;
        session.registerTableAsLocked(mirror.anchor());
    }

    /** Several writes to a table follow that belong together; {@link #wrote} ends them. */
    void writes(SessionLocal session, RegionTable table) {
        transaction(session, table);
        lockFence(session, table);
        writing = true;
    }

    /** The writes have failed: they are undone down to where they began. */
    void failed(long mark) {
        writing = false;
        if (transaction != null && transaction.mark() > mark) {
            transaction.rollbackTo(mark);
            fenced.clear();
        }
    }

    /** A statement that writes the table begins, or ends. */
    void statementWrites(SessionLocal session, RegionTable table, boolean begins) {
        if (begins) {
            writtenFrom.put(table, transaction(session).mark());
        } else {
            writtenFrom.remove(table);
        }
    }

    /**
     * How much of what is buffered a read of the table shows: a statement does not see the rows that it writes itself, but
     * the checks of constraints do.
     *
     * @return a mark, or -1 for all
     */
    long readsUpTo(RegionTable table) {
        Long from = writtenFrom.isEmpty() ? null : writtenFrom.get(table);
        return from != null && definition == null && transaction.mark() > from && DefinitionStack.readsWhileItInserts()
                ? from
                : -1;
    }

    /** A row was added to or taken from a table, whose approximate count follows if that is undone. */
    void countRow(AtomicLong count, int change) {
        rowCounts.changed(count, change, transaction == null ? 0 : transaction.mark());
    }

    /** Called after buffered writes: H2's undo log learns where ours stands. */
    void wrote(SessionLocal session) {
        writing = false;
        if (marks == null) {
            TransactionMap<Long, Long> map =
                    session.getTransaction().openMap(MARKS, LongDataType.INSTANCE, LongDataType.INSTANCE);
            marks = map;
        }
        marks.put(id, serial << SERIAL_SHIFT | transaction.mark());
    }

    private void trim() {
        Long stored = marks == null ? null : marks.get(id);
        long mark =
                stored != null && stored >>> SERIAL_SHIFT == serial ? stored & ((1L << SERIAL_SHIFT) - 1) : heldMark;
        if (mark < transaction.mark()) {
            transaction.rollbackTo(mark);
            fenced.clear();
            dropped.clear();
            rowCounts.undoTo(mark);
            catalogUndone |= held || mark < catalogMark;
            if (mark < catalogMark) {
                catalogMark = -1;
            }
        }
    }

    /** A row was newer than this statement's reads when it was locked. */
    void fallBehind() {
        behind = true;
    }

    /** H2 may try again what it does in this statement: then it must read what it has just met. */
    void foundDuplicate() {
        newStatement |= behind;
    }

    /** What stands at a key that belongs to a locked row and is about to be written. */
    byte[] entry(KeyTransaction tx, byte[] key) {
        return behind ? tx.lock(key) : tx.get(key);
    }

    /** As {@link #entry} where what stands there does not matter. */
    void overwrite(KeyTransaction tx, byte[] key) {
        if (behind) {
            tx.lock(key);
        }
    }

    /** Whether rows should be locked as they are written: in a transaction of several statements. */
    static boolean locksRows(SessionLocal session) {
        return !session.getAutoCommit();
    }

    /** Keeps everybody else from changing the catalog until the end of this transaction; this mirror must be as new as it. */
    void lockCatalog(SessionLocal session) {
        KeyTransaction tx = transaction(session);
        if (definition != null) {
            return;
        }
        if (!readCommitted && !tx.hasWrites()) {
            // A definition reads what is newest.
            tx.rollback();
            transaction = mirror.keySpace().begin(mode(session, true));
            readCommitted = true;
            tx = transaction;
        }
        long version = Mirror.number(tx.lock(CatalogKeys.catalogVersion(mirror.databaseId())));
        wrote(session);
        if (version != mirror.version()) {
            mirror.retire();
            throw new KeySpaceException(
                    KeySpaceException.Kind.STALE_SCHEMA,
                    "the catalog is at version " + version + ", this session was planned at " + mirror.version());
        }
        definition = new Definition(mirror);
        // What this statement reads from here on is as new as the lock.
        tx.beginStatement();
    }

    /** The catalog is about to be changed by this transaction. */
    void changeCatalog(SessionLocal session) {
        KeyTransaction tx = transaction(session);
        if (catalogMark >= 0) {
            return;
        }
        lockCatalog(session);
        definition.announce();
        catalogMark = tx.mark() + 1;
    }

    /** A definition of this session is about to read or remove a table's rows: nobody writes them meanwhile. */
    void fence(SessionLocal session, RegionTable table) {
        if (definition != null && definition.fences(table.physicalId())) {
            return;
        }
        transaction(session);
        lockCatalog(session);
        definition.fence(table.physicalId());
        transaction.beginStatement();
    }

    /** How often a transaction of this session that had written was, or may have been, committed. */
    long commits() {
        return commits;
    }

    /** A table is dropped: what was noted of its number goes with the commit, or stays if anything is undone before. */
    void tableDropped(long physicalId) {
        dropped.add(physicalId);
    }

    /** H2 makes the copy of an altered table twice, and drops the first: the number is in use. */
    void tableMade(long physicalId) {
        dropped.remove(physicalId);
    }

    List<RegionTable> lockedTables() {
        return lockedTables;
    }

    /** H2 ends the session's transaction. */
    void transactionEnds(SessionLocal session) {
        KeyTransaction ending = transaction;
        if (ending == null) {
            return;
        }
        writing = false;
        if (ending.mark() > 0) {
            trim();
        }
        boolean commit = session.getTransaction() == ownTransaction;
        // H2's definitions that copy a table commit several times; all of it must happen or nothing.
        if (commit
                && definition != null
                && session != session.getDatabase().getSystemSession()
                && DefinitionStack.inside()) {
            held = true;
            heldMark = ending.mark();
            ownTransaction = null;
            marks = null;
            return;
        }
        end(session, ending, commit && !(held && catalogUndone));
    }

    /**
     * A statement is over. A definition whose last commit of H2's was followed by no access to the key space still waits
     * for the end of its transaction.
     */
    void statementEnds(SessionLocal session, boolean succeeded) {
        KeyTransaction ending = transaction;
        if (held && ownTransaction == null && ending != null) {
            if (ending.mark() > 0) {
                trim();
            }
            end(session, ending, succeeded && !catalogUndone);
        }
    }

    private void end(SessionLocal session, KeyTransaction ending, boolean commit) {
        boolean catalog = catalogMark >= 0;
        boolean keeps = !catalog && !catalogUndone;
        Definition ended = definition;
        definition = null;
        transaction = null;
        ownTransaction = null;
        prepared = null;
        writtenFrom.clear();
        marks = null;
        catalogMark = -1;
        newStatement = true;
        long before = commits;
        boolean committed = false;
        try {
            if (!commit) {
                ending.rollback();
            } else if (catalog) {
                commitCatalog(ending, ended);
                ended = null;
                keeps = !catalogUndone;
            } else {
                commits += ending.mark() > 0 ? 1 : 0;
                ending.commit();
            }
            committed = commit;
        } catch (KeySpaceException e) {
            if (e.kind() == KeySpaceException.Kind.CONFLICT) {
                commits = before;
            }
            session.rollback();
            throw Errors.convert(e);
        } finally {
            rowCounts.end(committed);
            if (ended != null) {
                ended.withdraw();
            }
            if (!keeps) {
                mirror.retire();
            }
            List<Long> gone = committed ? new ArrayList<>(dropped) : List.of();
            dropped.clear();
            gone.forEach(mirror.owner()::forget);
            releaseTables(session);
        }
    }

    void releaseTables(SessionLocal session) {
        List<RegionTable> tables = new ArrayList<>(lockedTables);
        lockedTables.clear();
        tables.forEach(table -> table.release(session));
    }

    private void commitCatalog(KeyTransaction ending, Definition ended) {
        boolean complete = false;
        try {
            ended.complete(ending);
            complete = true;
        } finally {
            if (!complete) {
                ending.rollback();
            }
        }
        commits++;
        ending.commit();
        mirror.changedTo(mirror.version() + 1);
        try {
            mirror.keySpace().raiseCatalogEpoch();
        } catch (KeySpaceException e) {
            throw new KeySpaceException(
                    KeySpaceException.Kind.UNKNOWN_OUTCOME,
                    "The catalog was changed, but whether other processes hear of it at once is not known: "
                            + e.getMessage(),
                    e);
        }
    }

    /** The mirror is closed under the session: what is open is undone. */
    void abandon() {
        dropPrepared();
        if (transaction != null) {
            transaction.rollback();
            transaction = null;
        }
    }

    /** Turns errors of the key space into errors of H2. */
    static DbException convert(KeySpaceException e) {
        return Errors.convert(e);
    }
}
