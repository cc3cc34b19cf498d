/** A key space in memory, for tests of the SQL layer alone: several processes can share one. */
package org.flotilladb.engine.memory;
