package org.flotilladb.region.runtime;

/** A node in this process: what may be had from it on the caller's thread. Safe for many threads. */
public interface LocalNode extends LocalReads {

    /** A timestamp of its own, or -1 when this node does not lead the Placement Driver or cannot prove it just now. */
    long tryTimestamp();

    /** The catalog epoch as last applied on this node. */
    long catalogEpoch();
}
