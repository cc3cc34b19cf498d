package org.flotilladb.region.runtime;

/** Seeded pseudo-random numbers; never for secrets. One instance belongs to one actor. */
public interface RandomSource {
    long nextLong();

    /** Uniform in {@code [0, bound)}. */
    int nextInt(int bound);

    /** A source of its own, fixed by this source's seed and the name: draws elsewhere do not shift it. */
    RandomSource fork(String name);
}
