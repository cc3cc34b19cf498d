/** The production side of the doors: the machine's clocks, threads and random seeds. */
package org.flotilladb.region.runtime.system;
