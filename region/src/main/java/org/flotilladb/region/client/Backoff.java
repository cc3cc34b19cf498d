package org.flotilladb.region.client;

import org.flotilladb.region.runtime.RandomSource;

/** Growing, jittered pauses. Not thread-safe. */
final class Backoff {
    private static final long FIRST_MS = 2;
    private static final long MAX_MS = 200;
    private static final int MAX_DOUBLINGS = 10;

    private final RandomSource random;
    private int attempts;

    Backoff(RandomSource random) {
        this.random = random;
    }

    /** The next pause in nanoseconds. */
    long nextNs() {
        long base = Math.min(MAX_MS, FIRST_MS << Math.min(attempts, MAX_DOUBLINGS));
        attempts++;
        int draw;
        synchronized (random) {
            draw = random.nextInt(1000);
        }
        return base * (500_000L + draw * 500L);
    }

    int attempts() {
        return attempts;
    }
}
