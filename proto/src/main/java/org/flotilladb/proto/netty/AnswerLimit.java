package org.flotilladb.proto.netty;

import org.flotilladb.proto.EntryTooLarge;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RegionError;
import org.flotilladb.proto.RegionResponse;

/** What becomes of an answer that does not fit into a frame: an error in the form that its receiver knows. */
final class AnswerLimit {
    private AnswerLimit() {}

    /** The answer itself if it fits, or if its kind has no error (then it cannot be written). */
    static Envelope fitting(Envelope answer) {
        int sizeBytes = answer.getSerializedSize();
        if (sizeBytes <= Frames.MAX_ENVELOPE_BYTES) {
            return answer;
        }
        String message = "The answer has " + sizeBytes + " bytes, above the limit of " + Frames.MAX_ENVELOPE_BYTES
                + " for one message: ask for fewer or smaller rows at a time";
        return switch (answer.getBodyCase()) {
            case REGION_RESPONSE ->
                Envelope.newBuilder()
                        .setRegionResponse(RegionResponse.newBuilder()
                                .setError(RegionError.newBuilder()
                                        .setMessage(message)
                                        .setEntryTooLarge(EntryTooLarge.newBuilder()
                                                .setSizeBytes(sizeBytes)
                                                .setLimitBytes(Frames.MAX_ENVELOPE_BYTES))))
                        .build();
            case PLACEMENT_RESPONSE ->
                Envelope.newBuilder()
                        .setPlacementResponse(PlacementResponse.newBuilder()
                                .setError(PlacementError.newBuilder().setMessage(message)))
                        .build();
            default -> answer;
        };
    }
}
