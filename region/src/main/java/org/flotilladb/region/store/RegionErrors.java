package org.flotilladb.region.store;

import com.google.protobuf.UnsafeByteOperations;
import org.flotilladb.proto.Busy;
import org.flotilladb.proto.ChangeRefused;
import org.flotilladb.proto.DiskFull;
import org.flotilladb.proto.EntryTooLarge;
import org.flotilladb.proto.EpochNotMatch;
import org.flotilladb.proto.KeyNotInRegion;
import org.flotilladb.proto.NotLeader;
import org.flotilladb.proto.NotReady;
import org.flotilladb.proto.OutcomeUnknown;
import org.flotilladb.proto.PeerMismatch;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionError;
import org.flotilladb.proto.RegionNotFound;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.StaleTerm;
import org.flotilladb.proto.UnknownRequest;

/** The typed refusals of a Store. */
final class RegionErrors {
    private static final long RETRY_AFTER_MS = 20;

    private RegionErrors() {}

    private static RegionResponse response(RegionError.Builder error, String message) {
        return RegionResponse.newBuilder().setError(error.setMessage(message)).build();
    }

    static RegionResponse notFound(long regionId) {
        return stopped(regionId, "Region " + regionId + " has no peer on this Store");
    }

    /** Another Store may have the Region; this one says why it does nothing any more. */
    static RegionResponse stopped(long regionId, String reason) {
        return response(
                RegionError.newBuilder()
                        .setRegionNotFound(RegionNotFound.newBuilder().setRegionId(regionId)),
                reason);
    }

    static RegionResponse notLeader(long regionId, long peerId, long storeId, String address) {
        NotLeader.Builder error = NotLeader.newBuilder()
                .setRegionId(regionId)
                .setLeaderPeerId(peerId)
                .setLeaderStoreId(storeId);
        if (address != null) {
            error.setLeaderAddress(address);
        }
        return response(RegionError.newBuilder().setNotLeader(error), "this peer does not lead Region " + regionId);
    }

    static RegionResponse notReady(String reason) {
        return response(
                RegionError.newBuilder().setNotReady(NotReady.newBuilder().setReason(reason)), reason);
    }

    static RegionResponse peerMismatch(long regionId, long addressed, long here) {
        return response(
                RegionError.newBuilder()
                        .setPeerMismatch(PeerMismatch.newBuilder()
                                .setAddressedPeerId(addressed)
                                .setPeerId(here)),
                "Region " + regionId + " has peer " + here + " on this Store, not " + addressed);
    }

    static RegionResponse staleTerm(long regionId, long meant, long term) {
        return response(
                RegionError.newBuilder().setStaleTerm(StaleTerm.newBuilder().setTerm(term)),
                "Region " + regionId + " is led in term " + term + ", the request was meant for term " + meant);
    }

    static RegionResponse epoch(Region current) {
        return response(
                RegionError.newBuilder()
                        .setEpochNotMatch(EpochNotMatch.newBuilder().addCurrentRegions(current)),
                "Region " + current.getId() + " has changed");
    }

    static RegionResponse keyNotInRegion(byte[] key, Region region) {
        return response(
                RegionError.newBuilder()
                        .setKeyNotInRegion(KeyNotInRegion.newBuilder()
                                .setKey(UnsafeByteOperations.unsafeWrap(key))
                                .setRegion(region)),
                "the key is not in Region " + region.getId());
    }

    static RegionResponse busy(String reason) {
        return response(
                RegionError.newBuilder()
                        .setBusy(Busy.newBuilder().setReason(reason).setRetryAfterMs(RETRY_AFTER_MS)),
                reason);
    }

    static RegionResponse tooLarge(long size, long limit) {
        return response(
                RegionError.newBuilder()
                        .setEntryTooLarge(
                                EntryTooLarge.newBuilder().setSizeBytes(size).setLimitBytes(limit)),
                "an entry of " + size + " bytes is above the limit of " + limit);
    }

    static RegionResponse diskFull(String detail) {
        return response(
                RegionError.newBuilder().setDiskFull(DiskFull.newBuilder().setDetail(detail)), detail);
    }

    static RegionResponse changeRefused(String reason) {
        return response(
                RegionError.newBuilder()
                        .setChangeRefused(ChangeRefused.newBuilder().setReason(reason)),
                reason);
    }

    static RegionResponse unknownRequest() {
        return response(
                RegionError.newBuilder().setUnknownRequest(UnknownRequest.getDefaultInstance()),
                "this node does not know the request: it runs an older version");
    }

    static RegionResponse unknown(String reason) {
        return response(
                RegionError.newBuilder()
                        .setOutcomeUnknown(OutcomeUnknown.newBuilder().setReason(reason)),
                reason);
    }
}
