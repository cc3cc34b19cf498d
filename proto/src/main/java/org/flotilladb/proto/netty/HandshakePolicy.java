package org.flotilladb.proto.netty;

import org.flotilladb.proto.Handshake;

/** What this side says of itself, and whom it refuses. Called on event loops; must not block. */
public interface HandshakePolicy {
    /** The version of the protocol that this build speaks. */
    int PROTOCOL_VERSION = 1;

    Handshake own();

    /** A sentence that says why the other side is refused, or null. */
    String refuse(Handshake remote);

    /** The other side has refused this one. */
    default void refusedBy(String address, String sentence) {}

    /** For clients: they know nothing yet, and refuse only another protocol. */
    HandshakePolicy CLIENT = new HandshakePolicy() {
        private final Handshake own =
                Handshake.newBuilder().setProtocolVersion(PROTOCOL_VERSION).build();

        @Override
        public Handshake own() {
            return own;
        }

        @Override
        public String refuse(Handshake remote) {
            return otherProtocol(remote);
        }
    };

    /** The sentence for a peer of another protocol, or null. */
    static String otherProtocol(Handshake remote) {
        return remote.getProtocolVersion() == PROTOCOL_VERSION
                ? null
                : "the other side speaks protocol version " + remote.getProtocolVersion() + ", this one "
                        + PROTOCOL_VERSION + ": use the same version of Flotilla on both";
    }
}
