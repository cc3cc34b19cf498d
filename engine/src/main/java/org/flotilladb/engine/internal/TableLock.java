package org.flotilladb.engine.internal;

import java.util.HashMap;
import java.util.Map;
import org.h2.api.ErrorCode;
import org.h2.engine.SessionLocal;
import org.h2.message.DbException;
import org.h2.table.Table;

/**
 * Writers share a table within this process, a change of its definition has it alone: an index that is being built must
 * not miss rows. Held until the end of the transaction.
 */
final class TableLock {
    private static final long LOOK_AGAIN_MS = 50;

    private final Map<SessionLocal, Boolean> holders = new HashMap<>();
    private volatile SessionLocal exclusive;

    boolean heldExclusivelyBy(SessionLocal session) {
        return exclusive == session;
    }

    SessionLocal exclusive() {
        return exclusive;
    }

    boolean heldExclusively() {
        return exclusive != null;
    }

    /**
     * Returns true if the session had not held it at all before.
     *
     * @param definition a definition that lets open transactions go on while it waits for them to end, or null
     */
    boolean acquire(SessionLocal session, boolean alone, Table table, DefinitionGate.Pass definition) {
        long deadlineMs = nowMs() + session.getLockTimeout();
        boolean aside = false;
        while (true) {
            synchronized (this) {
                while (!free(session, alone)) {
                    if (definition != null && !aside) {
                        definition.stepAside();
                        aside = true;
                    }
                    awaitChange(session, deadlineMs, table);
                }
                if (!aside) {
                    boolean first = !holders.containsKey(session);
                    holders.put(session, alone || Boolean.TRUE.equals(holders.get(session)));
                    if (alone) {
                        exclusive = session;
                    }
                    return first;
                }
            }
            // Not yet taken: a statement that has passed the gate meanwhile may ask for it, and is waited for.
            definition.stepBack(Math.max(1, deadlineMs - nowMs()));
            aside = false;
        }
    }

    private static long nowMs() {
        return System.nanoTime() / 1_000_000L;
    }

    private synchronized void awaitChange(SessionLocal session, long deadlineMs, Table table) {
        if (nowMs() >= deadlineMs) {
            throw DbException.get(ErrorCode.LOCK_TIMEOUT_1, table.getName());
        }
        session.checkCanceled();
        try {
            wait(LOOK_AGAIN_MS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw DbException.get(ErrorCode.STATEMENT_WAS_CANCELED);
        }
    }

    private boolean free(SessionLocal session, boolean alone) {
        if (exclusive == session) {
            return true;
        }
        if (exclusive != null) {
            return false;
        }
        return !alone || holders.isEmpty() || (holders.size() == 1 && holders.containsKey(session));
    }

    synchronized void release(SessionLocal session) {
        holders.remove(session);
        if (exclusive == session) {
            exclusive = null;
        }
        notifyAll();
    }
}
