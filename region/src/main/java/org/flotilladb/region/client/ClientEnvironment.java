package org.flotilladb.region.client;

import org.flotilladb.proto.Transport;
import org.flotilladb.region.runtime.Clock;
import org.flotilladb.region.runtime.LocalNode;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.Scheduler;

/**
 * What a client stands on.
 *
 * @param local the node in this process, or null
 */
public record ClientEnvironment(
        Clock clock, Scheduler scheduler, RandomSource random, Transport transport, LocalNode local) {}
