package org.flotilladb.server.cli;

/** The form of {@code HOST:PORT}; whether one can listen or connect there shows later. */
final class Addresses {

    private Addresses() {}

    static void check(String option, String address) {
        int colon = address.lastIndexOf(':');
        if (colon <= 0 || !isPort(address.substring(colon + 1))) {
            throw new UsageException(
                    option + " wants HOST:PORT with a port from 1 to 65535, for example 127.0.0.1:7411, but got '"
                            + address + "'");
        }
    }

    private static boolean isPort(String text) {
        try {
            int port = Integer.parseInt(text);
            return port >= 1 && port <= 65535;
        } catch (NumberFormatException e) {
            return false;
        }
    }
}
