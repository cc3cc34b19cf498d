package org.flotilladb.region.simulation;

/** The power fails in the middle of a task. Not an exception that anybody handles: only {@link SimNode} catches it. */
final class SimCrash extends Error {
    private static final long serialVersionUID = 1L;

    SimCrash(String where) {
        super(where, null, false, false);
    }
}
