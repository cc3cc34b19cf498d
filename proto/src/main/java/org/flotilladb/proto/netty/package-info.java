/** Frames and connections over Netty. */
package org.flotilladb.proto.netty;
