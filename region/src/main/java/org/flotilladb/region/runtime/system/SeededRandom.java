package org.flotilladb.region.runtime.system;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import org.flotilladb.region.runtime.RandomSource;

/** SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014). Not thread-safe. */
public final class SeededRandom implements RandomSource {
    private final long seed;
    private long state;

    public SeededRandom(long seed) {
        this.seed = seed;
        this.state = seed;
    }

    /** A source with a seed from the system. */
    public static SeededRandom fromSystem() {
        return new SeededRandom(new SecureRandom().nextLong());
    }

    @Override
    public long nextLong() {
        state += 0x9e3779b97f4a7c15L;
        return mix(state);
    }

    @Override
    public int nextInt(int bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("bound " + bound + " must be above 0");
        }
        return (int) Long.remainderUnsigned(nextLong() >>> 1, bound);
    }

    @Override
    public RandomSource fork(String name) {
        long hash = seed;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = mix(hash ^ b);
        }
        return new SeededRandom(hash);
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }
}
