package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.flotilladb.proto.KeyValue;
import org.flotilladb.proto.SnapshotChunkRequest;
import org.flotilladb.proto.SnapshotChunkResponseOrBuilder;

/** CRC-32C (Castagnoli) of a chunk of a snapshot together with the question that it answers. */
final class SnapshotChecksum {
    private SnapshotChecksum() {}

    static int of(SnapshotChunkRequest request, SnapshotChunkResponseOrBuilder chunk) {
        CRC32C crc = new CRC32C();
        crc.update(ByteBuffer.allocate(13)
                .putLong(request.getSnapshotId())
                .putInt(request.getFamilyValue())
                .put((byte) (chunk.getDone() ? 1 : 0))
                .flip());
        add(crc, request.getFrom());
        add(crc, chunk.getNext());
        for (KeyValue row : chunk.getRowsList()) {
            add(crc, row.getKey());
            add(crc, row.getValue());
        }
        return (int) crc.getValue();
    }

    private static void add(CRC32C crc, ByteString bytes) {
        crc.update(ByteBuffer.allocate(4).putInt(bytes.size()).flip());
        for (ByteBuffer part : bytes.asReadOnlyByteBufferList()) {
            crc.update(part);
        }
    }
}
