package org.flotilladb.region.placement.engine;

import com.google.protobuf.ByteString;
import java.util.List;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.region.placement.engine.Operator.Kind;

/** A leader that wants its Region to be smaller gets the ids for it. */
final class SplitCheck implements Check {
    private final IdSource ids;

    SplitCheck(IdSource ids) {
        this.ids = ids;
    }

    @Override
    public Plan look(RegionView region) {
        List<ByteString> keys = region.report().getSplitKeysList();
        if (keys.isEmpty()) {
            return null;
        }
        List<Step> steps = split(region, keys, ids);
        return steps == null ? null : new Plan(Kind.SPLIT, "its leader asks for it", steps);
    }

    /** Steps that make borders of the keys; null when there are no ids just now, or a change of membership is under way. */
    static List<Step> split(RegionView region, List<ByteString> keys, IdSource ids) {
        if (region.joint()) {
            return null;
        }
        int peers = region.peers().size();
        long next = ids.take(keys.size() * (1 + peers));
        if (next == 0) {
            return null;
        }
        SplitRequest.Builder split = SplitRequest.newBuilder().addAllKeys(keys);
        for (int i = 0; i < keys.size(); i++) {
            split.addNewRegionIds(next++);
            for (int j = 0; j < peers; j++) {
                split.addNewPeerIds(next++);
            }
        }
        return List.of(new Step.Split(split.build(), region.region().getEpoch().getConfVersion()));
    }
}
