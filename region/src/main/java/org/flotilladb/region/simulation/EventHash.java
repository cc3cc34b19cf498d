package org.flotilladb.region.simulation;

/** A rolling 64-bit hash (FNV-1a) of everything that happened in a run; equal seeds give equal hashes. */
public final class EventHash {
    private static final long PRIME = 0x100000001b3L;

    private long hash = 0xcbf29ce484222325L;
    private long events;

    /** Adds one event, given as numbers that describe it. */
    public void event(long kind, long a, long b) {
        add(kind);
        add(a);
        add(b);
        events++;
    }

    /** Adds an event with bytes. */
    public void event(long kind, long a, byte[] bytes) {
        add(kind);
        add(a);
        for (byte b : bytes) {
            hash = (hash ^ (b & 0xff)) * PRIME;
        }
        events++;
    }

    private void add(long value) {
        long rest = value;
        for (int i = 0; i < 8; i++) {
            hash = (hash ^ (rest & 0xff)) * PRIME;
            rest >>>= 8;
        }
    }

    public long value() {
        return hash;
    }

    public long events() {
        return events;
    }
}
