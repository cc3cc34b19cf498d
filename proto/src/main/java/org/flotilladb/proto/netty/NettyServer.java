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
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.Handshake;
import org.flotilladb.proto.MessageHandler;
import org.flotilladb.proto.netty.Frames.Frame;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes connections: a handshake in both directions, then messages and requests for a handler. Requests under way are
 * bounded for each connection by not reading on.
 */
public final class NettyServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(NettyServer.class);
    private static final int MAX_IN_FLIGHT = 4096;

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
        NettyServer[] self = new NettyServer[1];
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(threads.group())
                .channel(NioServerSocketChannel.class)
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.TCP_NODELAY, true)
                .childHandler(new ChannelInitializer<SocketChannel>() {
                    @Override
                    protected void initChannel(SocketChannel connection) {
                        self[0].connections.add(connection);
                        Frames.addTo(connection.pipeline());
                        connection.pipeline().addLast(new Connection(policy, handler));
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
        private final AtomicInteger inFlight = new AtomicInteger();
        private boolean welcome;

        Connection(HandshakePolicy policy, MessageHandler handler) {
            this.policy = policy;
            this.handler = handler;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, ByteBuf buffer) throws IOException {
            Frame frame = Frames.read(buffer);
            if (!welcome) {
                shakeHands(context, frame.envelope());
            } else if (frame.id() == 0) {
                handler.onMessage(frame.envelope());
            } else {
                if (inFlight.incrementAndGet() >= MAX_IN_FLIGHT) {
                    context.channel().config().setAutoRead(false);
                }
                long id = frame.id();
                handler.onRequest(frame.envelope(), response -> answer(context, id, response));
            }
        }

        private void answer(ChannelHandlerContext context, long id, Envelope response) {
            context.writeAndFlush(new Frame(id, response));
            if (inFlight.decrementAndGet() == MAX_IN_FLIGHT / 2) {
                context.channel().config().setAutoRead(true);
            }
        }

        private void shakeHands(ChannelHandlerContext context, Envelope first) throws IOException {
            if (!first.hasHandshake()) {
                throw new IOException("the first frame is no handshake");
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
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            LOG.warn(
                    "The connection from {} is closed: {}",
                    context.channel().remoteAddress(),
                    String.valueOf(cause.getMessage()));
            context.close();
        }
    }
}
