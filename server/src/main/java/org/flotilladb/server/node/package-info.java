/**
 * Nodes put together. {@link org.flotilladb.server.node.ServerNode} is one of a cluster: a directory, a Store with its peer
 * of the Placement Driver, and the network; {@link org.flotilladb.server.node.ServerMain} runs it until it is told to stop.
 * {@link org.flotilladb.server.node.EmbeddedNodes} puts the same Stores into an application's process, and is what the driver
 * finds by {@code ServiceLoader}. A failure to start is one sentence and leaves nothing open.
 */
package org.flotilladb.server.node;
