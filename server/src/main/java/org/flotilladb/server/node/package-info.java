/** Nodes put together: inside another process, and as a server. */
package org.flotilladb.server.node;
