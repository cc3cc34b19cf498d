package org.flotilladb.engine.internal;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.flotilladb.engine.SqlSession;
import org.flotilladb.engine.keyspace.KeySpaceException;
import org.h2.api.ErrorCode;
import org.h2.engine.SessionLocal;
import org.h2.jdbc.JdbcConnection;
import org.h2.message.DbException;
import org.h2.schema.Sequence;
import org.h2.table.Table;

/** A user's session, on whichever mirror is the newest at the beginning of each transaction. */
final class FlotillaSession implements SqlSession {
    private static final int MAX_ATTEMPTS = 64;
    private static final int MAX_STALE_ATTEMPTS = 20;
    private static final long FIRST_PAUSE_NS = 20_000;
    private static final long MAX_PAUSE_NS = 20_000_000;
    private static final int MAX_LEFT = 3;
    private static final String[] FUNCTION_PATH = {FunctionSchema.NAME};

    private final FlotillaDatabase database;
    private final String user;
    private final String passwordHash;
    private final Map<String, String> settings;
    private Mirror mirror;
    private volatile JdbcConnection h2;
    private SessionLocal session;
    private volatile boolean closed;
    private String lastSql;
    private StatementTraits lastTraits = StatementTraits.NONE;
    /** Whether a transaction was open behind the last statement. */
    private boolean inTransaction;
    /** The present transaction has used a global temporary table. */
    private boolean usesTemporaries;
    /** The sequences named by the last statement, as they were in a mirror at a version. */
    private Collection<Sequence> lastSequences;

    private Mirror lastSequencesOf;
    private long lastSequencesAt;
    /** How the checks of what is run may be postponed; null: as its text says. */
    private InsertChecks.Scope checksScope;

    private final Together together = new Together(this);
    /** Connections that this session has moved from: results of theirs may still be read. */
    private final ArrayDeque<Runnable> left = new ArrayDeque<>();

    FlotillaSession(FlotillaDatabase database, String user, String passwordHash, Map<String, String> settings)
            throws SQLException {
        this.database = database;
        this.user = user;
        this.passwordHash = passwordHash;
        this.settings = settings;
        Mirror newest = database.mirror(user, passwordHash, null);
        enter(newest, newest.connect(user, passwordHash, settings));
    }

    private void enter(Mirror newest, JdbcConnection connection) {
        mirror = newest;
        mirror.entered();
        h2 = connection;
        session = (SessionLocal) connection.getSession();
    }

    /** Also goes on in another mirror if H2 has closed this one. */
    private void checkOpen() throws SQLException {
        if (closed) {
            throw new SQLException("The connection is closed.", "08003", ErrorCode.OBJECT_CLOSED);
        }
        if (!mirror.closedByH2()) {
            return;
        }
        boolean lost = inTransaction;
        inTransaction = false;
        usesTemporaries = false;
        mirror.state(session).abandon();
        mirror.retire();
        Mirror newest = database.mirror(user, passwordHash, null);
        SessionLocal oldSession = session;
        enter(newest, newest.connect(user, passwordHash, settings));
        takeSettings(oldSession);
        if (lost) {
            throw new SQLException(
                    "Another session has shut H2 down under this transaction, which is undone: run it again.",
                    "40001",
                    ErrorCode.DEADLOCK_1);
        }
    }

    private static SQLException closedUnderStatement(boolean undone, SQLException e) {
        return undone
                ? new SQLException(
                        "H2 was shut down under this statement, which is undone with its transaction: run it again.",
                        "40001",
                        ErrorCode.DEADLOCK_1,
                        e)
                : new SQLException(
                        "H2 was shut down under this statement: whether it was committed is not known.", "08007", 0, e);
    }

    /** H2 was closed by the statement that has just been run. */
    private static SQLException shutDown() {
        return new SQLException(
                "SHUTDOWN does not exist here: a database in this process is closed with its last connection, a node is"
                        + " stopped by SIGTERM.",
                "HYC00",
                ErrorCode.FEATURE_NOT_SUPPORTED_1);
    }

    @Override
    public <T> T execute(String sql, SqlWork<T> work) throws SQLException {
        checkOpen();
        for (int attempt = 1; ; attempt++) {
            boolean single = session.getAutoCommit();
            SessionState state = mirror.state(session);
            long commits = state.commits();
            boolean alone = false;
            boolean first = false;
            boolean defines = traits(sql).defines();
            Mirror entered = mirror;
            DefinitionGate.Pass pass = enterGate(defines);
            try {
                statementBegins();
                while (mirror != entered) {
                    // It has moved to a newer mirror, where others may be changing the catalog.
                    mirror.state(session).dropPrepared();
                    pass.leave();
                    entered = mirror;
                    pass = enterGate(defines);
                    statementBegins();
                }
                state = mirror.state(session);
                commits = state.commits();
                alone = !state.hasWrites();
                first = !state.inTransaction();
                allowPostponedChecks(state, sql, single && attempt == 1);
                T result = guarded(sql, work);
                state.statementEnds(session, true);
                if (pass.defines() && mirror.closedByH2()) {
                    throw shutDown();
                }
                return result;
            } catch (SQLException e) {
                if (mirror.closedByH2()) {
                    // Alone at the gate, nobody else can have done it.
                    inTransaction = false;
                    throw pass.defines() ? shutDown() : closedUnderStatement(state.commits() == commits, e);
                }
                mirror.state(session).statementEnds(session, false);
                if (!single
                        && alone
                        && state.inTransaction()
                        && Errors.isStale(e)
                        && (first || SessionState.readsCommitted(session))) {
                    // The transaction had only read, and no snapshot is lost: it may begin again, on the newer catalog.
                    h2.rollback();
                }
                // Nothing of it has happened, so all of it may be run again.
                boolean undone = alone && !state.inTransaction() && state.commits() == commits;
                if (!undone || !runAgain(e, single, attempt)) {
                    throw surfaced(e);
                }
                pause(attempt);
            } catch (KeySpaceException e) {
                throw Errors.convert(e).getSQLException();
            } catch (DbException e) {
                throw surfaced(e.getSQLException());
            } finally {
                mirror.state(session).checks().forget();
                mirror.state(session).dropPrepared();
                mirror.state(session).passes(null);
                inTransaction = mirror.closedByH2()
                        ? inTransaction
                        : mirror.state(session).inTransaction() || session.hasPendingTransaction();
                pass.leave();
            }
        }
    }

    /** A commit that refuses a key makes the statement run again, and then it must look itself, to fail as it should. */
    private void allowPostponedChecks(SessionState state, String sql, boolean commits) {
        if (checksScope != null) {
            state.checks().allow(checksScope, together.ownsTransaction());
        } else if (traits(sql).onlyInserts()) {
            state.checks().allow(InsertChecks.Scope.STATEMENT, commits);
        }
    }

    @Override
    public <T> Optional<T> executeTogether(String sql, SqlWork<T> items) throws SQLException {
        checkOpen();
        if (!traits(sql).onlyInserts()) {
            return Optional.empty();
        }
        checksScope = InsertChecks.Scope.BATCH;
        try {
            return together.run(sql, items);
        } finally {
            checksScope = null;
        }
    }

    /** H2's session as it is now. */
    SessionLocal h2Session() {
        return session;
    }

    JdbcConnection h2Connection() {
        return h2;
    }

    SessionState state() {
        return mirror.state(session);
    }

    /** Passes the gate of this session's mirror. */
    private DefinitionGate.Pass enterGate(boolean defines) throws SQLException {
        SessionState state = mirror.state(session);
        DefinitionGate.Pass pass = defines
                ? mirror.gate().define(session.getLockTimeout())
                : mirror.gate().enter(state.inTransaction());
        state.passes(pass);
        return pass;
    }

    private boolean runAgain(SQLException e, boolean single, int attempt) {
        if (Errors.isStale(e)) {
            return attempt < MAX_STALE_ATTEMPTS;
        }
        if (Errors.find(e, Errors.ConflictException.class) != null) {
            return single && attempt < MAX_ATTEMPTS;
        }
        return attempt == 1 && missesObject(e) && newerCatalog();
    }

    private static SQLException surfaced(SQLException e) {
        // What H2 wraps as a general error keeps the state that was meant.
        KeySpaceException below = Errors.find(e, KeySpaceException.class);
        if (below != null && ErrorCode.GENERAL_ERROR_1 == e.getErrorCode()) {
            return Errors.convert(below).getSQLException();
        }
        return e;
    }

    private static boolean missesObject(SQLException e) {
        return switch (e.getErrorCode()) {
            case ErrorCode.TABLE_OR_VIEW_NOT_FOUND_1,
                    ErrorCode.TABLE_OR_VIEW_NOT_FOUND_DATABASE_EMPTY_1,
                    ErrorCode.TABLE_OR_VIEW_NOT_FOUND_WITH_CANDIDATES_2,
                    ErrorCode.COLUMN_NOT_FOUND_1,
                    ErrorCode.SCHEMA_NOT_FOUND_1,
                    ErrorCode.SEQUENCE_NOT_FOUND_1,
                    ErrorCode.INDEX_NOT_FOUND_1,
                    ErrorCode.FUNCTION_NOT_FOUND_1 -> true;
            default -> false;
        };
    }

    /** Whether somebody has changed the catalog without our hearing of it. */
    private boolean newerCatalog() {
        try {
            long epochBefore = database.keySpace().catalogEpoch(true);
            var reader = database.readOnly();
            boolean current = mirror.current(reader, epochBefore);
            reader.rollback();
            return !current;
        } catch (KeySpaceException e) {
            return false;
        }
    }

    private static void pause(int attempt) {
        long bound = Math.min(MAX_PAUSE_NS, FIRST_PAUSE_NS << Math.min(attempt, 12));
        LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(bound / 2, bound));
    }

    /** Brings the catalog up to date where a transaction may begin. */
    private void statementBegins() throws SQLException {
        SessionState state = mirror.state(session);
        state.statementBegins();
        if (state.inTransaction()) {
            return;
        }
        state.prepare(session, database.keySpace());
        if (!state.current() && canMove()) {
            state.dropPrepared();
            move();
            state = mirror.state(session);
            state.statementBegins();
            state.prepare(session, database.keySpace());
        }
    }

    private boolean canMove() {
        return !session.hasPendingTransaction() && TemporaryTables.portable(session.getLocalTempTables());
    }

    private void move() throws SQLException {
        Mirror newest = database.mirror(user, passwordHash, mirror);
        if (newest == mirror) {
            return;
        }
        JdbcConnection old = h2;
        SessionLocal oldSession = session;
        Mirror oldMirror = mirror;
        JdbcConnection next = newest.connect(user, passwordHash, settings);
        if (!carryTemporaries(oldSession, (SessionLocal) next.getSession())) {
            // They do not fit the new catalog. Here they can be read and dropped.
            next.close();
            newest.forget((SessionLocal) next.getSession());
            return;
        }
        // What the old session does from here on, H2 does when it is closed.
        oldMirror.state(oldSession).passes(null);
        enter(newest, next);
        takeSettings(oldSession);
        left.add(() -> leave(oldMirror, old, oldSession));
        if (left.size() > MAX_LEFT) {
            left.remove().run();
        }
    }

    private void takeSettings(SessionLocal oldSession) {
        session.setAutoCommit(oldSession.getAutoCommit());
        session.setIsolationLevel(oldSession.getIsolationLevel());
        session.setLockTimeout(oldSession.getLockTimeout());
        session.setQueryTimeout(oldSession.getQueryTimeout());
        session.setTimeZone(oldSession.currentTimeZone());
        for (String variable : oldSession.getVariableNames()) {
            session.setVariable(variable, oldSession.getVariable(variable));
        }
        if (session.getDatabase().findSchema(oldSession.getCurrentSchemaName()) != null) {
            session.setCurrentSchemaName(oldSession.getCurrentSchemaName());
        }
        session.setSchemaSearchPath(oldSession.getSchemaSearchPath());
        session.setLastIdentity(oldSession.getLastIdentity());
        CurrentValues.copy(oldSession, session);
    }

    private static boolean carryTemporaries(SessionLocal from, SessionLocal to) {
        List<Table> tables = from.getLocalTempTables();
        if (tables.isEmpty()) {
            return true;
        }
        try {
            TemporaryTables.carry(tables, from, to);
            return true;
        } catch (DbException | KeySpaceException e) {
            return false;
        }
    }

    private static void leave(Mirror mirror, JdbcConnection connection, SessionLocal session) {
        try {
            connection.close();
        } catch (SQLException e) {
            // The mirror goes with its memory.
        }
        mirror.left(session);
    }

    /** Prepared statements come with the same text again and again. */
    @SuppressWarnings("StringEquality")
    private StatementTraits traits(String sql) {
        if (sql != lastSql) {
            lastTraits = StatementTraits.of(sql);
            lastSequences = null;
            lastSql = sql;
        }
        return lastTraits;
    }

    /** The sequences that the statement may ask for values. */
    private Collection<Sequence> sequences(String sql) {
        if (lastSequences == null || lastSequencesOf != mirror || lastSequencesAt != mirror.version()) {
            lastSequences = mirror.sequences().named(sql);
            lastSequencesOf = mirror;
            lastSequencesAt = mirror.version();
        }
        return lastSequences;
    }

    private <T> T guarded(String sql, SqlWork<T> work) throws SQLException {
        StatementTraits traits = traits(sql);
        GlobalTemporaries temporaries = mirror.temporaries();
        usesTemporaries |= temporaries.named(sql);
        if (!usesTemporaries) {
            return withTurn(sql, traits, work);
        }
        temporaries.use();
        try {
            return withTurn(sql, traits, work);
        } finally {
            temporaries.used();
            usesTemporaries = session.hasPendingTransaction();
        }
    }

    private <T> T withTurn(String sql, StatementTraits traits, SqlWork<T> work) throws SQLException {
        traits.begin();
        try (SequenceBlocks.Turn turn =
                traits.asksSequences() ? mirror.sequences().turn(session, sequences(sql), false) : null) {
            return onPath(traits, work);
        } finally {
            traits.end();
        }
    }

    private <T> T onPath(StatementTraits traits, SqlWork<T> work) throws SQLException {
        if (!traits.callsFunctions() || session.getSchemaSearchPath() != null) {
            return guarded(traits, work);
        }
        SessionLocal here = session;
        here.setSchemaSearchPath(FUNCTION_PATH);
        try {
            return guarded(traits, work);
        } finally {
            if (here.getSchemaSearchPath() == FUNCTION_PATH) {
                here.setSchemaSearchPath(null);
            }
        }
    }

    private <T> T guarded(StatementTraits traits, SqlWork<T> work) throws SQLException {
        if (session.getAutoCommit() || !traits.changesDataInQuery()) {
            return work.run(h2);
        }
        Savepoint savepoint = h2.setSavepoint();
        try {
            return work.run(h2);
        } catch (SQLException e) {
            h2.rollback(savepoint);
            throw e;
        } finally {
            h2.releaseSavepoint(savepoint);
        }
    }

    @Override
    public Connection connection() throws SQLException {
        checkOpen();
        return h2;
    }

    @Override
    public void setAutoCommit(boolean autoCommit) throws SQLException {
        checkOpen();
        h2.setAutoCommit(autoCommit);
    }

    @Override
    public boolean getAutoCommit() {
        return session.getAutoCommit();
    }

    @Override
    public void setTransactionIsolation(int level) throws SQLException {
        checkOpen();
        h2.setTransactionIsolation(level);
    }

    @Override
    public int getTransactionIsolation() {
        return session.getIsolationLevel().getJdbc();
    }

    @Override
    public void commit() throws SQLException {
        checkOpen();
        boolean uses = false;
        try {
            if (usesTemporaries) {
                mirror.temporaries().use();
                uses = true;
            }
            h2.commit();
        } catch (SQLException e) {
            throw surfaced(e);
        } catch (DbException e) {
            throw e.getSQLException();
        } catch (KeySpaceException e) {
            h2.rollback();
            throw Errors.convert(e).getSQLException();
        } finally {
            usesTemporaries = false;
            inTransaction = false;
            if (uses) {
                mirror.temporaries().used();
            }
        }
    }

    @Override
    public void rollback() throws SQLException {
        usesTemporaries = false;
        inTransaction = false;
        checkOpen();
        h2.rollback();
    }

    /** Begins the transaction: a savepoint is H2's, and the session must not move away from it. */
    @Override
    public Savepoint setSavepoint(String name) throws SQLException {
        checkOpen();
        try {
            if (!session.getAutoCommit()) {
                statementBegins();
                mirror.state(session).transaction(session);
            }
            return name == null ? h2.setSavepoint() : h2.setSavepoint(name);
        } catch (KeySpaceException e) {
            throw Errors.convert(e).getSQLException();
        } finally {
            mirror.state(session).dropPrepared();
        }
    }

    @Override
    public void cancel() {
        SessionLocal now = session;
        if (now != null) {
            now.cancel();
        }
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        leave(mirror, h2, session);
        left.forEach(Runnable::run);
        left.clear();
    }
}
