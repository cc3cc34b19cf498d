package org.flotilladb.raft.sim;

/** Numbers from a seed (SplitMix64; Steele, Lea and Flood, 2014), forked by name so that a new draw shifts no other. */
public final class SimRandom {
    private final long origin;
    private long state;

    public SimRandom(long seed) {
        origin = mix(seed + 0x9e3779b97f4a7c15L);
        state = origin;
    }

    /** An independent source. */
    public SimRandom fork(String name) {
        long hash = origin;
        for (int i = 0; i < name.length(); i++) {
            hash = mix(hash ^ name.charAt(i));
        }
        return new SimRandom(hash);
    }

    private static long mix(long value) {
        long z = (value ^ (value >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return z ^ (z >>> 31);
    }

    public long next() {
        state += 0x9e3779b97f4a7c15L;
        return mix(state);
    }

    /** From 0 to below the bound. */
    public long below(long bound) {
        return Long.remainderUnsigned(next(), bound);
    }

    /** From low to high, both included. */
    public long between(long low, long high) {
        return low + below(high - low + 1);
    }

    public boolean chance(double probability) {
        return (next() >>> 11) * 0x1.0p-53 < probability;
    }

    public double fraction() {
        return (next() >>> 11) * 0x1.0p-53;
    }
}
