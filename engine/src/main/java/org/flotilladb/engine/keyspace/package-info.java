/** The engine's blocking port to the key space; the driver implements it over the transaction client. */
package org.flotilladb.engine.keyspace;
