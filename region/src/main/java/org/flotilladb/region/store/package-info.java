/** A Store: the loop that drives all peers of one data directory, Regions, and their commands. */
package org.flotilladb.region.store;
