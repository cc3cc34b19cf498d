package org.flotilladb.proto;

/**
 * Messages and requests to other nodes by address ({@code host:port}). Nothing here blocks; handlers run on a thread of
 * the transport (the caller's own, when the answer is at once to be had) and must not block either. Safe for many
 * threads.
 */
public interface Transport extends AutoCloseable {

    /** Sends one way: the message may be lost, arrive twice or out of order. A full queue drops it. */
    void send(String address, Envelope message);

    /**
     * Sends a request. The handler is called exactly once, with the answer or with a failure.
     *
     * @param timeoutMs after which the failure is {@link Failure.Kind#TIMED_OUT}
     */
    void request(String address, Envelope request, long timeoutMs, ResponseHandler handler);

    @Override
    void close();

    /** Takes the outcome of one request. */
    interface ResponseHandler {
        void onResponse(Envelope response);

        void onFailure(Failure failure);
    }

    /** Why there is no answer. {@code NOT_SENT} is the only kind after which the request was certainly not executed. */
    record Failure(Kind kind, String message) {
        /** Kinds of failure. */
        public enum Kind {
            /** No connection; nothing left this process. */
            NOT_SENT,
            /** The connection broke after the request had been handed to it. */
            LOST,
            TIMED_OUT,
            /** The peer refused the handshake; the message is its sentence. */
            REFUSED,
            CLOSED
        }
    }
}
