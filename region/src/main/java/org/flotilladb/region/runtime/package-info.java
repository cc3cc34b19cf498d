/**
 * The doors to the outside: clock, scheduler, random source, stores of logs and data, fail points (the sixth, the
 * transport, is {@link org.flotilladb.proto.Transport}). Nothing else below SQL touches the outside world.
 */
package org.flotilladb.region.runtime;
