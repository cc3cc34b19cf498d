package org.flotilladb.region.placement.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.StoreHeartbeat;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.region.runtime.FailPoints;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a running operator asks of a Region that changes otherwise meanwhile. */
class OperatorsTest {
    private long nextId = 1000;
    private long nowNs = 1_000_000_000L;
    private final PlacementEngine engine = new PlacementEngine(
            new RegionTable(),
            count -> {
                nextId += count;
                return nextId - count;
            },
            FailPoints.OFF);

    /** Three Stores, of which two have a peer. */
    @BeforeEach
    void lead() {
        List<StoreRecord> stores = new ArrayList<>();
        for (long id = 1; id <= 3; id++) {
            stores.add(StoreRecord.newBuilder()
                    .setId(id)
                    .setAddress("s" + id)
                    .setRegistered(true)
                    .build());
        }
        engine.stores(stores, nowNs);
        engine.lead(1, nowNs);
        stores.forEach(store -> engine.heartbeat(
                StoreHeartbeat.newBuilder().setStoreId(store.getId()).build(), nowNs));
    }

    private RegionRequest report(long confVersion, Peer... more) {
        nowNs += 100_000_000L;
        Region.Builder region = Region.newBuilder()
                .setId(7)
                .setEpoch(RegionEpoch.newBuilder().setConfVersion(confVersion).setRangeVersion(1))
                .addPeers(Peer.newBuilder().setId(1).setStoreId(1))
                .addPeers(Peer.newBuilder().setId(2).setStoreId(2))
                .addAllPeers(List.of(more));
        RegionHeartbeat.Builder report = RegionHeartbeat.newBuilder()
                .setRegion(region)
                .setLeaderStoreId(1)
                .setTerm(5);
        for (Peer peer : more) {
            report.addPendingPeers(peer.getId());
        }
        return engine.report(report.build(), nowNs);
    }

    /** The peer that is asked for as time passes, at the latest after what has failed has rested. */
    private Peer addition(long confVersion) {
        for (int i = 0; i < 10_000; i++) {
            engine.pass(nowNs);
            for (long id = 1; id <= 3; id++) {
                engine.heartbeat(StoreHeartbeat.newBuilder().setStoreId(id).build(), nowNs);
            }
            RegionRequest asked = report(confVersion);
            if (asked != null) {
                assertEquals(confVersion, asked.getContext().getEpoch().getConfVersion());
                assertEquals(1, asked.getChangePeers().getChangesCount());
                PeerChange change = asked.getChangePeers().getChanges(0);
                assertEquals(PeerChangeKind.ADD_LEARNER, change.getKind());
                assertEquals(3, change.getPeer().getStoreId());
                return change.getPeer();
            }
        }
        return fail("nothing is asked for");
    }

    @Test
    void what_was_not_done_yet_is_asked_for_again() {
        Peer first = addition(1);
        assertEquals(first, addition(1));
    }

    /** Another leader of the Placement Driver may have decided so. */
    @Test
    void a_peer_that_was_added_and_removed_is_not_asked_for_again() {
        Peer first = addition(1);
        assertNull(report(2, first.toBuilder().setRole(PeerRole.LEARNER).build()), "it gets its data");
        assertNotEquals(first.getId(), addition(3).getId());
    }

    @Test
    void a_peer_is_not_asked_for_among_other_members_than_before() {
        Peer first = addition(1);
        // It may have come and gone between the two reports.
        assertNotEquals(first.getId(), addition(3).getId());
    }
}
