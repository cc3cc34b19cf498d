package org.flotilladb.region.runtime;

/** Time. Only the rate of the monotonic clock is trusted; wall time is for timestamps and for humans. */
public interface Clock {
    /** Monotonic nanoseconds; the origin means nothing and does not outlive the process. */
    long nanoTime();

    /** Wall clock, milliseconds since the epoch; may jump either way. */
    long wallMs();
}
