package org.flotilladb.sqltests.processes;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Ports to listen on. They lie below those that systems hand out to clients, so that a restart finds its own free. */
public final class FreePorts {

    private static final int FIRST = 12_000;
    private static final int END = 32_000;

    private FreePorts() {}

    public static List<Integer> find(int count) throws IOException {
        List<Integer> ports = new ArrayList<>();
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int attempt = 0; ports.size() < count; attempt++) {
                if (attempt > 1000) {
                    throw new IOException("no free ports between " + FIRST + " and " + END);
                }
                int port = ThreadLocalRandom.current().nextInt(FIRST, END);
                ServerSocket socket = new ServerSocket();
                try {
                    socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
                    sockets.add(socket);
                    ports.add(port);
                } catch (IOException taken) {
                    socket.close();
                }
            }
        } finally {
            for (ServerSocket socket : sockets) {
                socket.close();
            }
        }
        return ports;
    }
}
