/**
 * The SQL layer: H2's tables and indexes as key ranges, its transactions as transactions of the key space, its catalog
 * in the key space with a mirror in memory.
 */
package org.flotilladb.engine.internal;
