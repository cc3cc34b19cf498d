package org.flotilladb.proto;

/** The receiving side of a {@link Transport}. Called on transport threads; must not block. */
public interface MessageHandler {

    /** A one-way message. */
    void onMessage(Envelope message);

    /** A request; the responder is to be called exactly once, on any thread, at any later time. */
    void onRequest(Envelope request, Responder responder);

    /** Takes the answer to one request. */
    @FunctionalInterface
    interface Responder {
        void respond(Envelope response);
    }
}
