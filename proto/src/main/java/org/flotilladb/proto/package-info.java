/**
 * The wire. The messages are generated from {@code src/main/proto}: {@code raft.proto} (what a group keeps and sends),
 * {@code region.proto} (commands on keys and their refusals), {@code placement.proto} (the Placement Driver), {@code
 * envelope.proto} (what a frame carries). {@link org.flotilladb.proto.Transport} is the door through which everything else
 * sends, {@link org.flotilladb.proto.MessageHandler} the one through which it receives; {@code netty} implements them over
 * TCP, others do in memory and in the simulator.
 */
package org.flotilladb.proto;
