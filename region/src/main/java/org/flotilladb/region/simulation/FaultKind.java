package org.flotilladb.region.simulation;

/** What can go wrong in a simulated world. */
public enum FaultKind {
    /** Messages are lost. */
    LOSS,
    /** One-way messages arrive twice. */
    REPETITION,
    /** Messages arrive much later than others sent after them. */
    DELAY,
    /** A node is cut off from everybody, or from the other nodes only; both ways or one way. */
    PARTITION,
    /** The leader of some Region is cut off from the other nodes; clients still reach it. */
    LEADER_CUT_OFF,
    /** The leader of the Placement Driver is cut off. */
    PLACEMENT_CUT_OFF,
    /** A client is cut off from some nodes. */
    CLIENT_CUT_OFF,
    /** A node dies between two tasks, or during a write or before a message, and comes back. */
    CRASH,
    /** A node dies while it takes in a snapshot. */
    SNAPSHOT_CRASH,
    /** Rows of a snapshot are damaged on their way. */
    SNAPSHOT_DAMAGE,
    /** All nodes die at once. */
    CRASH_ALL,
    /** Two nodes cannot talk to one another; whoever wins an election is cut off from the third too, which dies. */
    DUEL,
    /** A process stands still; then its old timers fire. */
    PAUSE,
    /** A machine is suspended: its monotonic clock stands still, the wall clock goes on. */
    SUSPEND,
    /** A wall clock jumps by up to an hour. */
    WALL_CLOCK,
    /** A log write fails: the Store stops. */
    DISK_FAILURE,
    /** A disk has no room for a while. */
    DISK_FULL,
    /** A client dies between two of its messages; another one starts. */
    CLIENT_DEATH
}
