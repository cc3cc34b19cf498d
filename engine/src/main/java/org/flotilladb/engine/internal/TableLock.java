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

    /** Returns true if the session had not held it at all before. */
    boolean acquire(SessionLocal session, boolean alone, Table table) {
        synchronized (this) {
            long deadline = 0;
            while (!free(session, alone)) {
                long now = System.nanoTime() / 1_000_000L;
                if (deadline == 0) {
                    deadline = now + session.getLockTimeout();
                } else if (now >= deadline) {
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
            boolean first = !holders.containsKey(session);
            holders.put(session, alone || Boolean.TRUE.equals(holders.get(session)));
            if (alone) {
                exclusive = session;
            }
            return first;
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
