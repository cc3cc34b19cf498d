package org.flotilladb.region.client;

import org.flotilladb.proto.Transport;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.LocalNode;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.Scheduler;

/**
 * What a client stands on.
 *
 * @param local the node in this process, or null
 * @param failPoints places where a test may make something go wrong
 */
public record ClientEnvironment(
        Clock clock,
        Scheduler scheduler,
        RandomSource random,
        Transport transport,
        LocalNode local,
        FailPoints failPoints) {

    /** With all fail points off. */
    public ClientEnvironment(
            Clock clock, Scheduler scheduler, RandomSource random, Transport transport, LocalNode local) {
        this(clock, scheduler, random, transport, local, FailPoints.OFF);
    }
}
