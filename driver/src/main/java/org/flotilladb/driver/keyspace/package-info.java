/** The engine's port to the key space over the transaction client: the place where answers are waited for. */
package org.flotilladb.driver.keyspace;
