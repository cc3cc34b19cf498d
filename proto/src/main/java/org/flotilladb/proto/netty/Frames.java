package org.flotilladb.proto.netty;

import com.google.protobuf.CodedOutputStream;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.MessageToByteEncoder;
import io.netty.handler.codec.TooLongFrameException;
import io.netty.handler.flush.FlushConsolidationHandler;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteOrder;
import org.flotilladb.proto.Envelope;

/**
 * Frames: four bytes with the length of the rest, most significant first, eight bytes of request id (0: one way), then
 * the envelope. A frame's buffer grows as its bytes arrive, whatever its length says.
 */
final class Frames {
    /** Largest frame taken. */
    static final int MAX_BYTES = 64 << 20;

    /** Largest frame taken before the handshake: nobody can make this process keep more without having said who he is. */
    static final int MAX_HANDSHAKE_BYTES = 4 << 10;

    private static final int LENGTH_BYTES = 4;
    private static final int ID_BYTES = 8;

    /** Largest envelope that fits into a frame. */
    static final int MAX_ENVELOPE_BYTES = MAX_BYTES - LENGTH_BYTES - ID_BYTES;

    private static final int FLUSH_AFTER = 64;

    private Frames() {}

    /** One frame to be written. */
    record Frame(long id, Envelope envelope) {}

    static void addTo(ChannelPipeline pipeline) {
        pipeline.addLast(new FlushConsolidationHandler(FLUSH_AFTER, true));
        pipeline.addLast(new Decoder());
        pipeline.addLast(new Encoder());
    }

    /** The handshake is over: from now on frames may have their full size. */
    static void welcome(ChannelPipeline pipeline) {
        pipeline.get(Decoder.class).limitBytes = MAX_BYTES;
    }

    /**
     * The frame in a buffer from the decoder.
     *
     * @throws IOException when the bytes are no frame of ours
     */
    static Frame read(ByteBuf buffer) throws IOException {
        if (buffer.readableBytes() < ID_BYTES) {
            throw new ProtocolException("a frame of " + buffer.readableBytes() + " bytes has no request id");
        }
        long id = buffer.readLong();
        Envelope envelope = Envelope.parseFrom(buffer.nioBuffer());
        if (envelope.getBodyCase() == Envelope.BodyCase.BODY_NOT_SET) {
            throw new ProtocolException("a frame has nothing in it that this version knows");
        }
        return new Frame(id, envelope);
    }

    /** Cuts the stream into frames; refuses a length before any byte of that frame is kept. */
    private static final class Decoder extends LengthFieldBasedFrameDecoder {
        private int limitBytes = MAX_HANDSHAKE_BYTES;

        Decoder() {
            super(MAX_BYTES, 0, LENGTH_BYTES, 0, LENGTH_BYTES);
        }

        @Override
        protected long getUnadjustedFrameLength(ByteBuf buffer, int offset, int length, ByteOrder order) {
            long bytes = super.getUnadjustedFrameLength(buffer, offset, length, order);
            if (bytes > limitBytes) {
                throw new TooLongFrameException("a frame of " + bytes + " bytes is above the limit of " + limitBytes);
            }
            return bytes;
        }
    }

    private static final class Encoder extends MessageToByteEncoder<Frame> {
        Encoder() {
            super(Frame.class, true);
        }

        /** Refuses what is too large before it takes memory; the write fails with it. */
        @Override
        protected ByteBuf allocateBuffer(ChannelHandlerContext context, Frame frame, boolean preferDirect)
                throws IOException {
            int size = frame.envelope().getSerializedSize();
            if (size > MAX_ENVELOPE_BYTES) {
                throw new IOException("a message of " + size + " bytes is above the limit of " + MAX_ENVELOPE_BYTES);
            }
            return context.alloc().ioBuffer(LENGTH_BYTES + ID_BYTES + size);
        }

        @Override
        protected void encode(ChannelHandlerContext context, Frame frame, ByteBuf out) throws IOException {
            int size = frame.envelope().getSerializedSize();
            out.writeInt(ID_BYTES + size);
            out.writeLong(frame.id());
            out.ensureWritable(size);
            CodedOutputStream stream = CodedOutputStream.newInstance(out.nioBuffer(out.writerIndex(), size));
            frame.envelope().writeTo(stream);
            stream.flush();
            out.writerIndex(out.writerIndex() + size);
        }
    }
}
