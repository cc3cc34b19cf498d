package org.flotilladb.region.runtime.system;

import java.util.concurrent.ConcurrentHashMap;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.Transport;

/**
 * Brings messages to nodes of this process by a method call, on the caller's thread, without turning them into bytes;
 * everything else goes to another transport. Requests to a local node have no timer: a node answers everything, also
 * when it stops.
 */
public final class LocalTransport implements Transport {
    private final ConcurrentHashMap<String, MessageHandler> nodes = new ConcurrentHashMap<>();
    private final Transport remote;

    /** @param remote for addresses that are not here; null when there are none */
    public LocalTransport(Transport remote) {
        this.remote = remote;
    }

    public void register(String address, MessageHandler node) {
        nodes.put(address, node);
    }

    public void unregister(String address) {
        nodes.remove(address);
    }

    @Override
    public void send(String address, Envelope message) {
        MessageHandler node = nodes.get(address);
        if (node != null) {
            node.onMessage(message);
        } else if (remote != null) {
            remote.send(address, message);
        }
    }

    @Override
    public void request(String address, Envelope request, long timeoutMs, ResponseHandler handler) {
        MessageHandler node = nodes.get(address);
        if (node != null) {
            node.onRequest(request, handler::onResponse);
        } else if (remote != null) {
            remote.request(address, request, timeoutMs, handler);
        } else {
            handler.onFailure(new Failure(Failure.Kind.NOT_SENT, "there is no node " + address + " in this process"));
        }
    }

    @Override
    public void close() {
        if (remote != null) {
            remote.close();
        }
    }
}
