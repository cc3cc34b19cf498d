package org.flotilladb.proto.netty;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.EncoderException;
import io.netty.util.Timeout;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.Handshake;
import org.flotilladb.proto.Transport;
import org.flotilladb.proto.netty.Frames.Frame;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Messages to other nodes: one connection to each address, made on use and again after a pause when it breaks. One-way
 * messages are dropped while there is none or its buffer is full; requests wait for the handshake, up to a bound.
 */
public final class NettyTransport implements Transport {
    private static final Logger LOG = LoggerFactory.getLogger(NettyTransport.class);
    private static final int CONNECT_TIMEOUT_MS = 2000;
    private static final long HANDSHAKE_TIMEOUT_MS = 5000;
    private static final int MAX_WAITING = 4096;
    /** Of requests that wait for one connection; one is always taken. */
    static final long MAX_WAITING_BYTES = 64L << 20;

    private static final int MAX_PENDING = 65_536;
    private static final long FIRST_PAUSE_NS = 50_000_000L;
    private static final long MAX_PAUSE_NS = 1_000_000_000L;
    private static final int LOW_WATER_BYTES = 4 << 20;
    private static final int HIGH_WATER_BYTES = 16 << 20;
    private static final Failure CLOSED = new Failure(Failure.Kind.CLOSED, "the connection to the cluster is closed");

    private final NettyThreads threads;
    private final HandshakePolicy policy;
    private final Runnable onClose;
    private final ConcurrentHashMap<String, Link> links = new ConcurrentHashMap<>();
    private final AtomicLong ids = new AtomicLong();
    private volatile boolean closed;

    /** @param onClose run when the transport is closed; closes the threads where they are its own */
    public NettyTransport(NettyThreads threads, HandshakePolicy policy, Runnable onClose) {
        this.threads = threads;
        this.policy = policy;
        this.onClose = onClose;
    }

    @Override
    public void send(String address, Envelope message) {
        if (!closed) {
            link(address).send(message);
        }
    }

    @Override
    public void request(String address, Envelope request, long timeoutMs, ResponseHandler handler) {
        if (closed) {
            handler.onFailure(CLOSED);
            return;
        }
        Pending pending = new Pending(ids.incrementAndGet(), request, handler);
        Link link = link(address);
        link.register(pending, timeoutMs);
        link.submit(pending);
    }

    private Link link(String address) {
        Link link = links.get(address);
        return link != null ? link : links.computeIfAbsent(address, Link::new);
    }

    @Override
    public void close() {
        closed = true;
        links.values().forEach(Link::close);
        onClose.run();
    }

    /** One request until it has been answered; whoever removes it from its link's map answers it. */
    private static final class Pending {
        final long id;
        /** Let go once it is handed to the connection: an answer may be long in coming. */
        volatile Envelope request;

        final ResponseHandler handler;
        volatile Timeout timer;

        Pending(long id, Envelope request, ResponseHandler handler) {
            this.id = id;
            this.request = request;
            this.handler = handler;
        }
    }

    /** The connection to one address. */
    private final class Link {
        private final String address;
        private final ConcurrentHashMap<Long, Pending> pending = new ConcurrentHashMap<>();
        /** Requests that wait for the handshake; guarded by this. */
        private final List<Pending> waiting = new ArrayList<>();

        private long waitingBytes;

        private volatile Channel open;
        private boolean connecting;
        private long pauseNs = FIRST_PAUSE_NS;
        private long nextAttemptNs = System.nanoTime();
        private String lastFailure = "";

        Link(String address) {
            this.address = address;
        }

        void send(Envelope message) {
            Channel channel = open;
            if (channel == null) {
                connect();
            } else if (channel.isWritable()) {
                channel.writeAndFlush(new Frame(0, message), channel.voidPromise());
            }
        }

        void register(Pending one, long timeoutMs) {
            pending.put(one.id, one);
            try {
                one.timer = threads.timer()
                        .newTimeout(timeout -> timedOut(one, timeoutMs), timeoutMs, TimeUnit.MILLISECONDS);
            } catch (IllegalStateException e) {
                // The threads are closed, and so is whoever asks.
                fail(one.id, CLOSED);
            }
        }

        private void timedOut(Pending one, long timeoutMs) {
            fail(
                    one.id,
                    new Failure(Failure.Kind.TIMED_OUT, "no answer from " + address + " within " + timeoutMs + " ms"));
        }

        void submit(Pending one) {
            Channel channel = open;
            if (channel == null) {
                Failure refused = null;
                synchronized (this) {
                    channel = open;
                    if (channel == null) {
                        refused = whyNotToWait();
                        if (refused == null) {
                            waiting.add(one);
                            waitingBytes += one.request.getSerializedSize();
                        }
                    }
                }
                if (refused != null) {
                    // Outside of the lock: a handler may turn to another link.
                    fail(one.id, refused);
                    return;
                }
                if (channel == null) {
                    connect();
                    return;
                }
            }
            write(channel, one);
        }

        private Failure whyNotToWait() {
            if (closed) {
                return CLOSED;
            }
            if (waiting.size() >= MAX_WAITING || waitingBytes >= MAX_WAITING_BYTES) {
                return new Failure(Failure.Kind.NOT_SENT, "too many requests wait for " + address);
            }
            if (!connecting && System.nanoTime() - nextAttemptNs < 0) {
                return new Failure(Failure.Kind.NOT_SENT, "no connection to " + address + ": " + lastFailure);
            }
            return null;
        }

        private void write(Channel channel, Pending one) {
            if (!channel.isWritable() || pending.size() > MAX_PENDING) {
                fail(one.id, new Failure(Failure.Kind.NOT_SENT, "the connection to " + address + " is congested"));
                return;
            }
            Frame frame = new Frame(one.id, one.request);
            one.request = null;
            channel.writeAndFlush(frame).addListener(written -> {
                if (written.isSuccess()) {
                    return;
                }
                Throwable cause = written.cause();
                if (cause instanceof EncoderException) {
                    // Not a byte of it has left.
                    Throwable why = cause.getCause() == null ? cause : cause.getCause();
                    fail(
                            one.id,
                            new Failure(Failure.Kind.NOT_SENT, "nothing sent to " + address + ": " + why.getMessage()));
                } else {
                    fail(
                            one.id,
                            new Failure(
                                    Failure.Kind.LOST,
                                    "the connection to " + address + " broke: " + cause.getMessage()));
                }
            });
        }

        private void fail(long id, Failure failure) {
            Pending one = pending.remove(id);
            if (one != null) {
                if (one.timer != null) {
                    one.timer.cancel();
                }
                one.handler.onFailure(failure);
            }
        }

        private void connect() {
            synchronized (this) {
                if (connecting || open != null || closed || System.nanoTime() - nextAttemptNs < 0) {
                    return;
                }
                connecting = true;
            }
            ChannelFuture connected;
            try {
                connected = bootstrap().connect(target());
            } catch (RuntimeException e) {
                down(null, new Failure(Failure.Kind.NOT_SENT, String.valueOf(e.getMessage())));
                return;
            }
            connected.addListener(done -> {
                if (!done.isSuccess()) {
                    down(null, new Failure(Failure.Kind.NOT_SENT, reason(done.cause())));
                }
            });
        }

        /** Unresolved: names are looked up on the event loop, since callers must not block. */
        private InetSocketAddress target() {
            int colon = address.lastIndexOf(':');
            return InetSocketAddress.createUnresolved(
                    address.substring(0, Math.max(0, colon)), Integer.parseInt(address.substring(colon + 1)));
        }

        private static String reason(Throwable cause) {
            if (cause instanceof UnknownHostException) {
                return "the host is not known";
            }
            if (cause instanceof ConnectTimeoutException) {
                return "nobody answers";
            }
            return cause instanceof ConnectException ? "connection refused" : String.valueOf(cause.getMessage());
        }

        private Bootstrap bootstrap() {
            return new Bootstrap()
                    .group(threads.group())
                    .channel(NioSocketChannel.class)
                    .option(ChannelOption.TCP_NODELAY, true)
                    .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MS)
                    .option(
                            ChannelOption.WRITE_BUFFER_WATER_MARK,
                            new WriteBufferWaterMark(LOW_WATER_BYTES, HIGH_WATER_BYTES))
                    .handler(new ChannelInitializer<SocketChannel>() {
                        @Override
                        protected void initChannel(SocketChannel channel) {
                            Frames.addTo(channel.pipeline());
                            channel.pipeline().addLast(new Answers(Link.this));
                        }
                    });
        }

        /** The handshake was accepted: what waited goes out. */
        void up(Channel channel) {
            List<Pending> ready;
            synchronized (this) {
                if (closed) {
                    channel.close();
                    return;
                }
                open = channel;
                connecting = false;
                pauseNs = FIRST_PAUSE_NS;
                ready = new ArrayList<>(waiting);
                waiting.clear();
                waitingBytes = 0;
            }
            for (Pending one : ready) {
                if (pending.containsKey(one.id)) {
                    write(channel, one);
                }
            }
        }

        /** There is no connection any more, or none was made. */
        void down(Channel channel, Failure why) {
            List<Pending> never;
            boolean wasOpen;
            synchronized (this) {
                if (channel != null && open != null && open != channel) {
                    return;
                }
                wasOpen = open != null;
                open = null;
                connecting = false;
                lastFailure = why.message();
                nextAttemptNs = System.nanoTime() + pauseNs;
                pauseNs = Math.min(MAX_PAUSE_NS, pauseNs * 2);
                never = new ArrayList<>(waiting);
                waiting.clear();
                waitingBytes = 0;
            }
            for (Pending one : never) {
                fail(
                        one.id,
                        why.kind() == Failure.Kind.REFUSED
                                ? why
                                : new Failure(
                                        Failure.Kind.NOT_SENT, "no connection to " + address + ": " + why.message()));
            }
            if (wasOpen) {
                for (Long id : new ArrayList<>(pending.keySet())) {
                    fail(id, new Failure(Failure.Kind.LOST, "the connection to " + address + " broke"));
                }
            }
        }

        void answer(long id, Envelope response) {
            Pending one = pending.remove(id);
            if (one != null) {
                Timeout timer = one.timer;
                if (timer != null) {
                    timer.cancel();
                }
                one.handler.onResponse(response);
            }
        }

        void close() {
            // Before the channel: what waits learns that it was closed, not that the connection broke.
            for (Long id : new ArrayList<>(pending.keySet())) {
                fail(id, CLOSED);
            }
            synchronized (this) {
                waiting.clear();
                waitingBytes = 0;
            }
            Channel channel = open;
            if (channel != null) {
                channel.close();
            }
        }
    }

    /** What comes back on one connection; runs on its event loop. */
    private final class Answers extends SimpleChannelInboundHandler<ByteBuf> {
        private final Link link;
        private boolean welcome;
        private Failure why = new Failure(Failure.Kind.NOT_SENT, "the connection was closed");

        Answers(Link link) {
            this.link = link;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.writeAndFlush(new Frame(
                    0, Envelope.newBuilder().setHandshake(policy.own()).build()));
            // A process that is stopped still accepts connections: without this the link would wait for it for ever.
            context.executor().schedule(() -> giveUp(context), HANDSHAKE_TIMEOUT_MS, TimeUnit.MILLISECONDS);
        }

        private void giveUp(ChannelHandlerContext context) {
            if (!welcome) {
                why = new Failure(Failure.Kind.NOT_SENT, "it accepts connections, but does not answer");
                context.close();
            }
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf buffer) throws IOException {
            Frame frame = Frames.read(buffer);
            if (welcome) {
                link.answer(frame.id(), frame.envelope());
                return;
            }
            if (!frame.envelope().hasHandshake()) {
                throw new ProtocolException("its first frame is no handshake");
            }
            Handshake remote = frame.envelope().getHandshake();
            String refused = remote.getRefused();
            if (!refused.isEmpty()) {
                policy.refusedBy(link.address, refused);
                why = new Failure(Failure.Kind.REFUSED, "The node at " + link.address + " refuses: " + refused + ".");
                context.close();
                return;
            }
            refused = policy.refuse(remote);
            if (refused != null) {
                LOG.warn("The node at {} is refused: {}", link.address, refused);
                why = new Failure(
                        Failure.Kind.REFUSED, "The node at " + link.address + " is refused: " + refused + ".");
                context.close();
                return;
            }
            welcome = true;
            Frames.welcome(context.pipeline());
            link.up(context.channel());
        }

        @Override
        public void channelInactive(ChannelHandlerContext context) {
            link.down(context.channel(), why);
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            LOG.debug("The connection to {} fails: {}", link.address, cause.getMessage());
            why = new Failure(Failure.Kind.NOT_SENT, String.valueOf(cause.getMessage()));
            context.close();
        }
    }
}
