package org.flotilladb.region.runtime;

/** Named places where a test may make something happen; off in production. */
@FunctionalInterface
public interface FailPoints {
    FailPoints OFF = name -> false;

    /** True if what this place stands for should fail now; may throw to crash. */
    boolean hit(String name);
}
