/**
 * Frames and connections over Netty. {@link org.flotilladb.proto.netty.NettyTransport} sends: one connection to each
 * address, made on use. {@link org.flotilladb.proto.netty.NettyServer} receives. Both begin with a handshake, on which a
 * {@link org.flotilladb.proto.netty.HandshakePolicy} decides, and everything either of them keeps has a bound; the table of
 * bounds is in the module's DESIGN.md. Handlers are called on event loops and must not block.
 */
package org.flotilladb.proto.netty;
