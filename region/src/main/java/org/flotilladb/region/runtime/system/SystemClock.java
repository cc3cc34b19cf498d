package org.flotilladb.region.runtime.system;

import org.flotilladb.region.runtime.Clock;

/** The machine's clocks. */
public final class SystemClock implements Clock {
    @Override
    public long nanoTime() {
        return System.nanoTime();
    }

    @Override
    public long wallMs() {
        return System.currentTimeMillis();
    }
}
