/** The wire: protobuf messages, the {@link org.flotilladb.proto.Transport} interface; {@code netty} implements it. */
package org.flotilladb.proto;
