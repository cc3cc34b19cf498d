package org.flotilladb.server.node;

import java.nio.file.Path;
import java.util.List;

/** Starts one node and runs it until it is told to stop. */
public final class ServerMain {

    private ServerMain() {}

    /** Returns the exit code of the process: 0 after a clean stop. */
    public static int run(Path data, String listen, List<String> peers) {
        System.err.println("flotilla: this build has no server yet (asked to serve " + data + " on " + listen + " with "
                + peers.size() + " peers).");
        return 1;
    }
}
