package org.flotilladb.region.client;

import java.util.List;

/**
 * How a client behaves.
 *
 * @param addresses nodes to ask first, {@code host:port}
 * @param operationTimeoutMs after which one read, or the attempts of one commit, are given up
 * @param requestTimeoutMs after which one request is sent again
 * @param lockTtlMs how long a transaction's locks outlive a client that died
 */
public record ClientSettings(List<String> addresses, long operationTimeoutMs, long requestTimeoutMs, long lockTtlMs) {
    private static final long OPERATION_TIMEOUT_MS = 20_000;
    private static final long REQUEST_TIMEOUT_MS = 3000;
    private static final long LOCK_TTL_MS = 6000;

    /** The usual times. */
    public static ClientSettings of(List<String> addresses) {
        return new ClientSettings(List.copyOf(addresses), OPERATION_TIMEOUT_MS, REQUEST_TIMEOUT_MS, LOCK_TTL_MS);
    }
}
