package org.flotilladb.server.cli;

/** The form of {@code HOST:PORT}, and URLs made of it; whether one can listen or connect there shows later. */
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

    /** The JDBC URL for what a person gives: one, or the addresses of a cluster's nodes. */
    static String url(String command, String given) {
        if (given.startsWith("jdbc:")) {
            return given;
        }
        for (String address : given.split(",")) {
            check(command, address);
        }
        return "jdbc:flotilla://" + given;
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
