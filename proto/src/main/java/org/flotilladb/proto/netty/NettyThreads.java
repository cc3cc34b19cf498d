package org.flotilladb.proto.netty;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.HashedWheelTimer;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.util.concurrent.TimeUnit;

/** The event loops and the timer of one process or node; daemon threads. */
public final class NettyThreads implements AutoCloseable {
    private static final long TICK_MS = 20;

    private final EventLoopGroup group;
    private final HashedWheelTimer timer;

    public NettyThreads(String name, int threads) {
        group = new MultiThreadIoEventLoopGroup(
                threads, new DefaultThreadFactory(name, true), NioIoHandler.newFactory());
        timer = new HashedWheelTimer(new DefaultThreadFactory(name + "-timer", true), TICK_MS, TimeUnit.MILLISECONDS);
    }

    EventLoopGroup group() {
        return group;
    }

    HashedWheelTimer timer() {
        return timer;
    }

    @Override
    public void close() {
        timer.stop();
        group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
