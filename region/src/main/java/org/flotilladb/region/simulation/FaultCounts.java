package org.flotilladb.region.simulation;

import java.util.Map;
import java.util.TreeMap;

/** How often each kind of fault has happened in a run. */
public final class FaultCounts {
    private final TreeMap<String, Long> counts = new TreeMap<>();

    public void add(String kind) {
        add(kind, 1);
    }

    void add(String kind, long times) {
        counts.merge(kind, times, Long::sum);
    }

    public void addAll(FaultCounts other) {
        other.counts.forEach((kind, count) -> counts.merge(kind, count, Long::sum));
    }

    public long count(String kind) {
        return counts.getOrDefault(kind, 0L);
    }

    /** Kinds in alphabetical order. */
    public Map<String, Long> all() {
        return new TreeMap<>(counts);
    }

    @Override
    public String toString() {
        return counts.toString();
    }
}
