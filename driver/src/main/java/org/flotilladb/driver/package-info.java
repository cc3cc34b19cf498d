/**
 * URLs, and the databases that are open in this process. {@code JdbcUrl} takes a URL apart with the definitions of {@code
 * Setting}; {@code OpenDatabases} keeps each database open once, while a connection lives; a key space comes from a cluster,
 * or from an {@link org.flotilladb.driver.EmbeddedNodeProvider} that is found on the class path.
 */
package org.flotilladb.driver;
