/**
 * A simulated world in one thread: time, processes, links and disks that fail from a seed, under the real Stores,
 * Placement Driver and transaction clients.
 */
package org.flotilladb.region.simulation;
