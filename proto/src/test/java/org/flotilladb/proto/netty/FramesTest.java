package org.flotilladb.proto.netty;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.codec.TooLongFrameException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GetRequest;
import org.flotilladb.proto.Handshake;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.netty.Frames.Frame;
import org.junit.jupiter.api.Test;

/** The bytes of a connection: what is read back, and what is refused without harm. */
class FramesTest {
    private static final long SEED = Long.getLong("flotilla.seed", 20261124L);

    /** Keeps the frames that came through, and the first failure. */
    private static final class Sink extends ChannelInboundHandlerAdapter {
        private final List<Frame> frames = new ArrayList<>();
        private Throwable failure;

        @Override
        public void channelRead(ChannelHandlerContext context, Object message) throws IOException {
            ByteBuf buffer = (ByteBuf) message;
            try {
                frames.add(Frames.read(buffer));
            } finally {
                buffer.release();
            }
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            failure = failure == null ? cause : failure;
        }
    }

    private static EmbeddedChannel channel(Sink sink, boolean welcome) {
        EmbeddedChannel channel = new EmbeddedChannel();
        Frames.addTo(channel.pipeline());
        channel.pipeline().addLast(sink);
        if (welcome) {
            Frames.welcome(channel.pipeline());
        }
        return channel;
    }

    private static byte[] bytes(long id, Envelope envelope) {
        EmbeddedChannel channel = channel(new Sink(), true);
        channel.writeOutbound(new Frame(id, envelope));
        ByteBuf all = Unpooled.buffer();
        for (ByteBuf part = channel.readOutbound(); part != null; part = channel.readOutbound()) {
            all.writeBytes(part);
            part.release();
        }
        channel.finishAndReleaseAll();
        return ByteBufUtil.getBytes(all);
    }

    private static Envelope get(int keyBytes) {
        return Envelope.newBuilder()
                .setRegionRequest(RegionRequest.newBuilder()
                        .setGet(GetRequest.newBuilder()
                                .setKey(ByteString.copyFrom(new byte[keyBytes]))
                                .setReadTs(7)))
                .build();
    }

    private static Envelope handshake(int version) {
        return Envelope.newBuilder()
                .setHandshake(Handshake.newBuilder().setProtocolVersion(version))
                .build();
    }

    @Test
    void aFrameIsLengthThenIdThenEnvelope() {
        assertArrayEquals(
                HexFormat.of().parseHex("0000000c" + "0102030405060708" + "0a020801"),
                bytes(0x0102030405060708L, handshake(1)),
                "the format on the wire is fixed: every version must read it");
    }

    @Test
    void framesThatArriveByteByByteOrManyAtOnceAreTheSame() {
        ByteBuf stream = Unpooled.buffer();
        for (int i = 1; i <= 20; i++) {
            stream.writeBytes(bytes(i, get(i * 100)));
        }
        for (int step : new int[] {1, 7, 1000, stream.readableBytes()}) {
            Sink sink = new Sink();
            EmbeddedChannel channel = channel(sink, true);
            for (int at = 0; at < stream.writerIndex(); at += step) {
                channel.writeInbound(stream.copy(at, Math.min(step, stream.writerIndex() - at)));
            }
            assertNull(sink.failure);
            assertEquals(20, sink.frames.size(), "in pieces of " + step);
            for (int i = 1; i <= 20; i++) {
                assertEquals(new Frame(i, get(i * 100)), sink.frames.get(i - 1));
            }
            channel.finishAndReleaseAll();
        }
    }

    @Test
    void aFrameThatIsNotWholeIsNotHandedOn() {
        byte[] whole = bytes(1, get(10));
        Sink sink = new Sink();
        EmbeddedChannel channel = channel(sink, true);
        channel.writeInbound(Unpooled.copiedBuffer(whole, 0, whole.length - 1));
        channel.finish();
        assertEquals(List.of(), sink.frames);
    }

    @Test
    void aHugeLengthIsRefusedBeforeAnythingIsKept() {
        for (String length : new String[] {"04000001", "7fffffff", "80000000", "ffffffff"}) {
            Sink sink = new Sink();
            EmbeddedChannel channel = channel(sink, true);
            channel.writeInbound(Unpooled.copiedBuffer(HexFormat.of().parseHex(length)));
            assertTrue(sink.failure instanceof TooLongFrameException, length + ": " + sink.failure);
            channel.finishAndReleaseAll();
        }
    }

    @Test
    void aLargeLengthTakesMemoryOnlyAsItsBytesArrive() {
        Sink sink = new Sink();
        EmbeddedChannel channel = channel(sink, true);
        ByteBuf first = Unpooled.buffer(16);
        first.writeInt(60 << 20).writeLong(1);
        channel.writeInbound(first);
        // What the decoder keeps is this buffer itself: it has not been copied into one of 60 MiB.
        assertNull(sink.failure);
        assertTrue(first.capacity() <= 64, "capacity " + first.capacity());
        assertEquals(1, first.refCnt());
        channel.finishAndReleaseAll();
    }

    @Test
    void beforeTheHandshakeFramesAreSmall() {
        byte[] request = bytes(1, get(5000));
        Sink stranger = new Sink();
        EmbeddedChannel before = channel(stranger, false);
        before.writeInbound(Unpooled.copiedBuffer(request));
        assertTrue(stranger.failure instanceof TooLongFrameException, String.valueOf(stranger.failure));
        before.finishAndReleaseAll();

        Sink known = new Sink();
        EmbeddedChannel after = channel(known, false);
        after.writeInbound(Unpooled.copiedBuffer(bytes(0, handshake(1))));
        Frames.welcome(after.pipeline());
        after.writeInbound(Unpooled.copiedBuffer(request));
        assertNull(known.failure);
        assertEquals(2, known.frames.size());
        after.finishAndReleaseAll();
    }

    @Test
    void aFrameWithoutAnIdOrWithoutContentIsAnError() {
        assertThrows(IOException.class, () -> Frames.read(Unpooled.buffer().writeInt(1)));
        assertThrows(IOException.class, () -> Frames.read(Unpooled.buffer().writeLong(1)));
        // A field of a later version, which this one does not know.
        assertThrows(
                IOException.class,
                () -> Frames.read(Unpooled.buffer().writeLong(1).writeBytes(new byte[] {(byte) 0xa2, 6, 1, 0})));
        // A group's end is the end of no envelope.
        assertThrows(
                IOException.class,
                () -> Frames.read(Unpooled.buffer().writeLong(1).writeByte(0x0c)));
    }

    @Test
    void aMessageAboveTheLimitIsNotWritten() {
        EmbeddedChannel channel = channel(new Sink(), true);
        assertThrows(Exception.class, () -> channel.writeOutbound(new Frame(1, get(Frames.MAX_BYTES))));
        assertNull(channel.readOutbound());
        channel.finishAndReleaseAll();
    }

    @Test
    void randomBytesEndInAnErrorOrAFrameAndNothingElse() {
        SplittableRandom random = new SplittableRandom(SEED);
        byte[] valid = bytes(5, get(64));
        int refused = 0;
        for (int round = 0; round < 20_000; round++) {
            byte[] bytes;
            if (round % 2 == 0) {
                bytes = new byte[random.nextInt(1, 200)];
                random.nextBytes(bytes);
                if (bytes.length > 4 && round % 4 == 0) {
                    bytes[0] = 0;
                    bytes[1] = 0;
                    bytes[2] = 0;
                    bytes[3] = (byte) random.nextInt(0, bytes.length - 3);
                }
            } else {
                bytes = valid.clone();
                for (int i = random.nextInt(1, 4); i > 0; i--) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
                }
            }
            Sink sink = new Sink();
            EmbeddedChannel channel = channel(sink, true);
            channel.writeInbound(Unpooled.copiedBuffer(bytes));
            if (sink.failure != null) {
                refused++;
                assertTrue(
                        sink.failure instanceof IOException || sink.failure instanceof DecoderException,
                        () -> "seed " + SEED + ", " + HexFormat.of().formatHex(bytes) + ": " + sink.failure);
                assertNotNull(sink.failure.getMessage());
            }
            channel.finishAndReleaseAll();
        }
        assertTrue(refused > 1000, "only " + refused + " of the rounds were refused");
        assertFalse(refused == 20_000);
    }
}
