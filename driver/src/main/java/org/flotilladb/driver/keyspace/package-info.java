/**
 * The engine's port to the key space over the transaction client: the place where answers are waited for ({@link
 * org.flotilladb.driver.keyspace.Waiting}), and where that waiting is ended ({@link
 * org.flotilladb.driver.keyspace.WaitGuard}).
 */
package org.flotilladb.driver.keyspace;
