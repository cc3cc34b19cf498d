package org.flotilladb.proto.netty;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.handler.codec.MessageToByteEncoder;
import io.netty.handler.flush.FlushConsolidationHandler;
import java.io.IOException;
import org.flotilladb.proto.Envelope;

/**
 * Frames: four bytes with the length of the rest, most significant first, eight bytes of request id (0: one way), then
 * the envelope. A frame's buffer grows as its bytes arrive, whatever its length says.
 */
final class Frames {
    /** Largest frame taken. */
    static final int MAX_BYTES = 64 << 20;

    private static final int LENGTH_BYTES = 4;
    private static final int ID_BYTES = 8;
    private static final int FLUSH_AFTER = 64;

    private Frames() {}

    /** One frame to be written. */
    record Frame(long id, Envelope envelope) {}

    static void addTo(ChannelPipeline pipeline) {
        pipeline.addLast(new FlushConsolidationHandler(FLUSH_AFTER, true));
        pipeline.addLast(new LengthFieldBasedFrameDecoder(MAX_BYTES, 0, LENGTH_BYTES, 0, LENGTH_BYTES));
        pipeline.addLast(new Encoder());
    }

    /** The frame in a buffer from the decoder. */
    static Frame read(ByteBuf buffer) throws IOException {
        if (buffer.readableBytes() < ID_BYTES) {
            throw new IOException("a frame of " + buffer.readableBytes() + " bytes has no request id");
        }
        long id = buffer.readLong();
        CodedInputStream in = CodedInputStream.newInstance(buffer.nioBuffer());
        return new Frame(id, Envelope.parseFrom(in));
    }

    private static final class Encoder extends MessageToByteEncoder<Frame> {
        Encoder() {
            super(Frame.class, true);
        }

        @Override
        protected ByteBuf allocateBuffer(ChannelHandlerContext context, Frame frame, boolean preferDirect) {
            return context.alloc()
                    .ioBuffer(LENGTH_BYTES + ID_BYTES + frame.envelope().getSerializedSize());
        }

        @Override
        protected void encode(ChannelHandlerContext context, Frame frame, ByteBuf out) throws IOException {
            int size = frame.envelope().getSerializedSize();
            if (size > MAX_BYTES - ID_BYTES) {
                throw new IOException("a message of " + size + " bytes is above the limit of " + MAX_BYTES);
            }
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
