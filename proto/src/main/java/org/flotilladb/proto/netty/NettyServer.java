package org.flotilladb.proto.netty;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.SocketException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.Handshake;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.netty.Frames.Frame;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes connections: a handshake in both directions, then messages and requests for a handler. Connections are bounded;
 * so are, for each of them, the requests under way, in number and bytes, and the answers that the other side does not read: it
 * is not read from until there are fewer. Clients send requests; one-way messages are for nodes. Whoever says nothing sensible within {@value #HANDSHAKE_TIMEOUT_MS} ms is shown out.
 */
public final class NettyServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NettyServer.class);
    private static final int MAX_IN_FLIGHT = 4096;
    /** Of one connection's requests under way; one more is always read. */
    static final long MAX_IN_FLIGHT_BYTES = 32L << 20;
    /** Of all connections' requests under way, as a share of the heap. */
    private static final long HEAP_SHARE = 4;

    private static final int MAX_CONNECTIONS = 10_000;
    private static final int LOW_WATER_BYTES = 4 << 20;
    private static final int HIGH_WATER_BYTES = 16 << 20;
    static final long HANDSHAKE_TIMEOUT_MS = 10_000;

    private final ChannelGroup connections = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
    private final Channel channel;

    private NettyServer(Channel channel) {
        this.channel = channel;
    }

    /**
     * Binds and begins to serve.
     *
     * @throws BindException when the address is in use or not of this machine
     */
    public static NettyServer bind(
            NettyThreads threads, InetSocketAddress address, HandshakePolicy policy, MessageHandler handler)
            throws IOException {
        return bind(
                threads,
                address,
                policy,
                handler,
                Math.max(2 * MAX_IN_FLIGHT_BYTES, Runtime.getRuntime().maxMemory() / HEAP_SHARE));
    }

    /** @param intakeBytes of all requests under way */
    static NettyServer bind(
            NettyThreads threads,
            InetSocketAddress address,
            HandshakePolicy policy,
            MessageHandler handler,
            long intakeBytes)
            throws IOException {
        NettyServer[] self = new NettyServer[1];
        Intake intake = new Intake(intakeBytes);
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(threads.group())
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childOption(
                        ChannelOption.WRITE_BUFFER_WATER_MARK,
                        new WriteBufferWaterMark(LOW_WATER_BYTES, HIGH_WATER_BYTES))
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel connection) {
                        if (self[0].connections.size() >= MAX_CONNECTIONS) {
                            LOG.warn("A connection is refused: there are {} already", MAX_CONNECTIONS);
                            connection.close();
                            return;
                        }
                        self[0].connections.add(connection);
                        Frames.addTo(connection.pipeline());
                        // Frames that were read together wait here when no more are wanted.
                        connection.pipeline().addLast(new FlowControlHandler());
                        connection.pipeline().addLast(new Connection(policy, handler, intake));
                    }
                });
        ChannelFuture registered = bootstrap.register().awaitUninterruptibly();
        if (!registered.isSuccess()) {
            throw new IOException(registered.cause());
        }
        self[0] = new NettyServer(registered.channel());
        ChannelFuture bound = registered.channel().bind(address).awaitUninterruptibly();
        if (!bound.isSuccess()) {
            registered.channel().close();
            if (bound.cause() instanceof IOException e) {
                throw e;
            }
            throw new IOException(bound.cause());
        }
        return self[0];
    }

    /** Where it listens; the port that was chosen when 0 was asked for. */
    public InetSocketAddress address() {
        return (InetSocketAddress) channel.localAddress();
    }

    @Override
    public void close() {
        channel.close().awaitUninterruptibly();
        connections.close().awaitUninterruptibly();
    }

    /** One connection; its methods run on its event loop, answers come from anywhere. */
    private static final class Connection extends SimpleChannelInboundHandler<ByteBuf> {
        private final HandshakePolicy policy;
        private final MessageHandler handler;
        private final Intake intake;
        private final AtomicInteger inFlight = new AtomicInteger();
        private final AtomicLong inFlightBytes = new AtomicLong();
        private boolean welcome;
        private boolean ofNode;
        private boolean waitsForRoom;

        Connection(HandshakePolicy policy, MessageHandler handler, Intake intake) {
            this.policy = policy;
            this.handler = handler;
            this.intake = intake;
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.executor()
                    .schedule(
                            () -> {
                                if (!welcome) {
                                    context.close();
                                }
                            },
                            HANDSHAKE_TIMEOUT_MS,
                            TimeUnit.MILLISECONDS);
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf buffer) throws IOException {
            long sizeBytes = buffer.readableBytes();
            Frame frame = Frames.read(buffer);
            if (!welcome) {
                shakeHands(context, frame.envelope());
            } else if (frame.id() != 0) {
                request(context, frame, sizeBytes);
            } else if (ofNode) {
                handler.onMessage(frame.envelope());
            } else {
                throw new ProtocolException("a client sends a message that only nodes send");
            }
        }

        private void request(ChannelHandlerContext context, Frame frame, long sizeBytes) {
            inFlight.incrementAndGet();
            inFlightBytes.addAndGet(sizeBytes);
            intake.take(sizeBytes);
            regulate(context);
            AtomicBoolean answered = new AtomicBoolean();
            try {
                handler.onRequest(frame.envelope(), response -> {
                    if (answered.compareAndSet(false, true)) {
                        answer(context, frame.id(), response);
                        done(context, sizeBytes);
                    }
                });
            } catch (RuntimeException e) {
                if (answered.compareAndSet(false, true)) {
                    done(context, sizeBytes);
                }
                throw e;
            }
        }

        private void done(ChannelHandlerContext context, long sizeBytes) {
            intake.giveBack(sizeBytes);
            long bytesLeft = inFlightBytes.addAndGet(-sizeBytes);
            boolean fewer = inFlight.decrementAndGet() == MAX_IN_FLIGHT / 2;
            boolean smaller = bytesLeft <= MAX_IN_FLIGHT_BYTES / 2 && bytesLeft + sizeBytes > MAX_IN_FLIGHT_BYTES / 2;
            if (fewer || smaller) {
                context.executor().execute(() -> regulate(context));
            }
        }

        private void answer(ChannelHandlerContext context, long id, Envelope response) {
            Envelope fitting = AnswerLimit.fitting(response);
            if (fitting != response) {
                LOG.warn(
                        "An answer of {} bytes to {} is above the limit of {}: it gets an error instead",
                        response.getSerializedSize(),
                        context.channel().remoteAddress(),
                        Frames.MAX_ENVELOPE_BYTES);
            }
            context.writeAndFlush(new Frame(id, fitting)).addListener(written -> {
                // Whoever waits for this answer must not do so until his time is up.
                if (!written.isSuccess() && context.channel().isOpen()) {
                    exceptionCaught(context, written.cause());
                }
            });
        }

        @Override
        public void channelWritabilityChanged(ChannelHandlerContext context) {
            regulate(context);
        }

        /** Decides on the event loop alone whether to read on, so that no decision can overtake a newer one. */
        private void regulate(ChannelHandlerContext context) {
            boolean readOn = inFlight.get() < MAX_IN_FLIGHT
                    && inFlightBytes.get() < MAX_IN_FLIGHT_BYTES
                    && context.channel().isWritable()
                    && !waitsForRoom(context);
            if (readOn != context.channel().config().isAutoRead()) {
                context.channel().config().setAutoRead(readOn);
            }
        }

        private boolean waitsForRoom(ChannelHandlerContext context) {
            if (!waitsForRoom && context.channel().isOpen()) {
                waitsForRoom = intake.isFull(() -> context.executor().execute(() -> {
                    waitsForRoom = false;
                    regulate(context);
                }));
            }
            return waitsForRoom;
        }

        private void shakeHands(ChannelHandlerContext context, Envelope first) throws IOException {
            if (!first.hasHandshake()) {
                throw new ProtocolException("the first frame is no handshake");
            }
            String refused = policy.refuse(first.getHandshake());
            Handshake.Builder own = policy.own().toBuilder();
            if (refused != null) {
                LOG.warn(
                        "A connection from {} is refused: {}", context.channel().remoteAddress(), refused);
                own.setRefused(refused);
            }
            ChannelFuture written = context.writeAndFlush(
                    new Frame(0, Envelope.newBuilder().setHandshake(own).build()));
            if (refused != null) {
                written.addListener(ChannelFutureListener.CLOSE);
            } else {
                welcome = true;
                ofNode = first.getHandshake().getNodeId() != 0
                        || first.getHandshake().getStoreId() != 0;
                Frames.welcome(context.pipeline());
            }
        }

        /** That a client went away without a word is nothing; that it speaks nonsense is worth a line. */
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            if (cause instanceof SocketException) {
                LOG.debug("The connection from {} broke: {}", context.channel().remoteAddress(), cause.getMessage());
            } else {
                LOG.warn(
                        "The connection from {} is closed: {}",
                        context.channel().remoteAddress(),
                        String.valueOf(cause.getMessage()));
            }
            context.close();
        }
    }
}
