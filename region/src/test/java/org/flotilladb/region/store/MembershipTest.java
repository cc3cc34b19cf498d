package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.flotilladb.proto.ChangePeersRequest;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerChange;
import org.flotilladb.proto.PeerChangeKind;
import org.flotilladb.proto.PeerRole;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Config;
import org.flotilladb.raft.MemoryStorage;
import org.flotilladb.raft.RawNode;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a Region's record says about its members, and how that changes. */
class MembershipTest {
    private static final long LEADER = 1;

    /** Such as "1:VOTER 2:LEARNER"; a peer's Store has ten times its number. */
    private static Region region(String peers) {
        Region.Builder region =
                Region.newBuilder().setId(7).setEpoch(RegionEpoch.newBuilder().setConfVersion(5));
        for (String each : peers.split(" ")) {
            String[] parts = each.split(":");
            region.addPeers(Peer.newBuilder()
                    .setId(Long.parseLong(parts[0]))
                    .setStoreId(10 * Long.parseLong(parts[0]))
                    .setRole(PeerRole.valueOf(parts[1])));
        }
        return region.build();
    }

    private static String text(Region region) {
        List<String> peers = new ArrayList<>();
        region.getPeersList().forEach(peer -> peers.add(peer.getId() + ":" + peer.getRole()));
        return String.join(" ", peers);
    }

    /** Such as "PROMOTE 2, REMOVE 3"; an ADD_LEARNER may name a Store with "@". */
    private static ChangePeersRequest changes(String text) {
        ChangePeersRequest.Builder request = ChangePeersRequest.newBuilder();
        for (String each : text.split(",")) {
            String[] parts = each.trim().split("[ @]");
            long id = Long.parseLong(parts[1]);
            request.addChanges(PeerChange.newBuilder()
                    .setKind(PeerChangeKind.valueOf(parts[0]))
                    .setPeer(Peer.newBuilder()
                            .setId(id)
                            .setStoreId(parts.length > 2 ? Long.parseLong(parts[2]) : 10 * id)));
        }
        return request.build();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1:VOTER | ADD_LEARNER 2 | 1:VOTER 2:LEARNER |",
                "1:VOTER 2:LEARNER | PROMOTE 2 | 1:VOTER 2:VOTER |",
                "1:VOTER 2:VOTER | REMOVE 2 | 1:VOTER |",
                "1:VOTER 2:VOTER | ADD_LEARNER 2 | 1:VOTER 2:LEARNER |",
                "1:VOTER 2:LEARNER | REMOVE 2 | 1:VOTER |",
                "1:VOTER 2:VOTER 3:VOTER 4:LEARNER | PROMOTE 4, REMOVE 3"
                        + "| 1:VOTER 2:VOTER 3:LEAVING_VOTER 4:INCOMING_VOTER | 1:VOTER 2:VOTER 4:VOTER",
                "1:VOTER 2:VOTER 4:LEARNER | PROMOTE 4, ADD_LEARNER 2"
                        + "| 1:VOTER 2:DEMOTING_VOTER 4:INCOMING_VOTER | 1:VOTER 2:LEARNER 4:VOTER",
                "1:VOTER 2:VOTER | REMOVE 2, ADD_LEARNER 5 | 1:VOTER 2:LEAVING_VOTER 5:LEARNER | 1:VOTER 5:LEARNER",
            })
    void a_change_makes_the_next_record_and_a_joint_one_is_left(
            String before, String change, String after, String left) {
        Region region = region(before);
        ChangePeersRequest request = changes(change);
        assertNull(Membership.refusal(region, request, LEADER));
        Region next = Membership.after(region, request);
        assertEquals(after, text(next));
        assertEquals(6, next.getEpoch().getConfVersion());
        assertEquals(left != null, Membership.isJoint(next));
        if (left != null) {
            assertEquals(left, text(Membership.left(next)));
            assertEquals(7, Membership.left(next).getEpoch().getConfVersion());
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "a leader does not remove itself | 1:VOTER 2:VOTER | REMOVE 1",
                "nor make itself a learner | 1:VOTER 2:VOTER | ADD_LEARNER 1",
                "a voter is a learner first | 1:VOTER 2:VOTER | PROMOTE 3",
                "a voter is one already | 1:VOTER 2:VOTER | PROMOTE 2",
                "so is a learner | 1:VOTER 2:LEARNER | ADD_LEARNER 2",
                "a Store has one peer of a Region | 1:VOTER 2:VOTER | ADD_LEARNER 3@20",
                "also after the change | 1:VOTER 2:VOTER | REMOVE 2, ADD_LEARNER 3@20",
                "or both new ones would be there | 1:VOTER 2:VOTER | REMOVE 2, ADD_LEARNER 3@30, ADD_LEARNER 4@30",
                "who is not there cannot go | 1:VOTER 2:VOTER | REMOVE 3",
                "nobody is named twice | 1:VOTER 2:LEARNER | PROMOTE 2, REMOVE 2",
                "learners come one by one | 1:VOTER | ADD_LEARNER 2, ADD_LEARNER 3",
                "an id is above 0 | 1:VOTER | ADD_LEARNER 0@20",
            })
    void a_change_that_does_not_fit_is_refused(String why, String before, String change) {
        assertNotNull(Membership.refusal(region(before), changes(change), LEADER), why);
    }

    @Test
    void a_change_of_nobody_or_of_too_many_is_refused() {
        ChangePeersRequest.Builder many = ChangePeersRequest.newBuilder();
        for (int i = 2; i < 40; i++) {
            many.addAllChanges(changes("ADD_LEARNER " + i).getChangesList());
        }
        assertNotNull(Membership.refusal(region("1:VOTER"), ChangePeersRequest.getDefaultInstance(), LEADER));
        assertNotNull(Membership.refusal(region("1:VOTER"), many.build(), LEADER));
    }

    @Test
    void a_record_of_an_older_version_names_voters_that_began_together() {
        Region old = Region.newBuilder()
                .setId(1)
                .setEpoch(RegionEpoch.newBuilder().setConfVersion(1).setRangeVersion(4))
                .addPeers(Peer.newBuilder().setId(2).setStoreId(20))
                .addPeers(Peer.newBuilder().setId(1).setStoreId(10))
                .build();
        assertEquals(ConfState.ofVoters(1L, 2L), Membership.confState(old));
        assertFalse(Membership.isGrown(old));
        Region next = Membership.after(old, changes("ADD_LEARNER 3"));
        assertTrue(Membership.isGrown(next));
        Region child = next.toBuilder().setFirstConfVersion(2).build();
        assertFalse(Membership.isGrown(child));
    }

    /** The library computes the membership beside the record; any walk through changes that fit keeps them equal. */
    @Test
    void the_record_and_the_library_stay_in_step_whatever_changes() {
        long seed = Long.getLong("flotilla.seed", 5);
        RandomSource random = new SeededRandom(seed);
        Region region = region("1:VOTER 2:VOTER 3:VOTER");
        MemoryStorage storage = new MemoryStorage();
        storage.setConfState(Membership.confState(region));
        RawNode node = new RawNode(Config.builder(1, storage).build(), 0);
        int joint = 0;
        for (int step = 0; step < 3000; step++) {
            String where = "seed " + seed + ", step " + step + ", " + text(region);
            if (Membership.isJoint(region)) {
                joint++;
                region = Membership.left(region);
                assertEquals(Membership.confState(region), node.applyConfChange(ConfChange.leaveJoint()), where);
                continue;
            }
            ChangePeersRequest.Builder request = ChangePeersRequest.newBuilder();
            for (int i = random.nextInt(3); i >= 0; i--) {
                request.addChanges(PeerChange.newBuilder()
                        .setKindValue(random.nextInt(3))
                        .setPeer(Peer.newBuilder()
                                .setId(1 + random.nextInt(7))
                                .setStoreId(10L * (1 + random.nextInt(7)))));
            }
            if (Membership.refusal(region, request.build(), LEADER) == null) {
                ConfChange change = Membership.confChange(region, request.build());
                region = Membership.after(region, request.build());
                assertEquals(Membership.confState(region), node.applyConfChange(change), where + " after " + request);
            }
        }
        assertTrue(joint > 50, "only " + joint + " joint configurations");
    }
}
