package org.flotilladb.engine.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;

/**
 * What one transaction has changed in the approximate counts of rows, so that they follow when it is undone. Used by the
 * session's thread.
 */
final class RowCounts {
    private static final class Change {
        final AtomicLong count;
        final boolean up;
        long by;
        /** The undo list's length behind the last row counted here. */
        long mark;

        Change(AtomicLong count, boolean up) {
            this.count = count;
            this.up = up;
        }
    }

    private final List<Change> changes = new ArrayList<>();
    private boolean separate = true;

    void changed(AtomicLong count, int by, long mark) {
        count.addAndGet(by);
        Change last = changes.isEmpty() ? null : changes.get(changes.size() - 1);
        if (last == null || separate || last.count != count || last.up != by > 0) {
            last = new Change(count, by > 0);
            changes.add(last);
            separate = false;
        }
        last.by += by;
        last.mark = mark;
    }

    void undoTo(long mark) {
        while (!changes.isEmpty()) {
            Change last = changes.get(changes.size() - 1);
            if (last.mark <= mark) {
                return;
            }
            last.count.addAndGet(-last.by);
            changes.remove(changes.size() - 1);
        }
    }

    /** Statements are undone as wholes: what follows is counted apart. */
    void separate() {
        separate = true;
    }

    void end(boolean committed) {
        if (!committed) {
            undoTo(-1);
        }
        changes.clear();
    }
}
