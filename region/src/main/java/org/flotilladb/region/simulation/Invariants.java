package org.flotilladb.region.simulation;

import com.google.protobuf.InvalidProtocolBufferException;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.zip.CRC32C;
import org.flotilladb.proto.Family;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEntry;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.region.placement.PlacementGroup;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.store.PeerView;
import org.flotilladb.region.store.mvcc.WriteRecord;

/**
 * What must hold between the nodes at every step: one leader for a term, logs that match, committed entries that stay,
 * key ranges without gap or overlap, epochs that only grow, data that is what the applied entries make it, and no commit
 * acknowledged before a majority of the disks has it.
 */
final class Invariants {
    /** A Region has two voters at least. */
    private static final int MAJORITY = 2;

    private final int members;
    private final RegionRecords records = new RegionRecords();
    /** Peers that knew their Region and are gone from a node: group, node, peer. */
    private final TreeSet<Position> buried = new TreeSet<>();

    private final TreeMap<Integer, TreeSet<Position>> alive = new TreeMap<>();
    private final TreeMap<Position, Known> entries = new TreeMap<>();
    private final TreeMap<Position, Long> committedTerms = new TreeMap<>();
    private final TreeMap<Position, Integer> leaders = new TreeMap<>();
    private final ReplicaModel model = new ReplicaModel();
    private final TreeMap<Long, TreeMap<Position, Integer>> durableCommits = new TreeMap<>();
    private final TreeSet<Long> ledBefore = new TreeSet<>();
    private long elections;
    private long replicasCompared;
    private ElectionWatcher watcher = (node, group) -> {};

    /** A group with an index, or with a term; and a term where an index alone does not tell. */
    private record Position(long group, long at, long term) implements Comparable<Position> {
        @Override
        public int compareTo(Position other) {
            int byGroup = Long.compare(group, other.group);
            if (byGroup != 0) {
                return byGroup;
            }
            int byAt = Long.compare(at, other.at);
            return byAt != 0 ? byAt : Long.compare(term, other.term);
        }
    }

    private record Known(long previousTerm, int check, int bytes) {}

    /** What one life of one node has been seen to have committed, and the epochs it has had. */
    static final class Seen {
        private final TreeMap<Long, Long> peer = new TreeMap<>();
        private final TreeMap<Long, Long> commit = new TreeMap<>();
        private final TreeMap<Long, Region> region = new TreeMap<>();

        /** Another peer of the group may have taken the place of the one seen before. */
        private void peerIs(long group, long id) {
            Long before = peer.put(group, id);
            if (before != null && before != id) {
                commit.remove(group);
                region.remove(group);
            }
        }
    }

    /** @param nodes in the Placement Driver's group */
    Invariants(int nodes) {
        members = nodes;
    }

    /** The Regions as the newest records say. */
    RegionRecords records() {
        return records;
    }

    /** Leaders that were elected, in all groups. */
    long elections() {
        return elections;
    }

    /** How often a replica's data was compared with what its entries make it. */
    long replicasCompared() {
        return replicasCompared;
    }

    /** Told when somebody has been elected. */
    interface ElectionWatcher {
        void elected(int node, long group);
    }

    void watch(ElectionWatcher told) {
        watcher = told;
    }

    private static void broken(String what) {
        throw new SimulationFailure(what);
    }

    // ---- logs ------------------------------------------------------------------------------------------------------

    /** The observer of one node's log disk. */
    SimLogStore.Observer observer(int node) {
        return new SimLogStore.Observer() {
            @Override
            public void appended(long groupId, List<Entry> appended, long previousTerm) {
                long previous = previousTerm;
                for (Entry entry : appended) {
                    written(node, groupId, entry, previous);
                    previous = entry.term();
                }
            }

            @Override
            public void durable(long groupId, List<Entry> durable) {
                if (groupId != PlacementGroup.GROUP_ID) {
                    durable.forEach(entry -> noteCommits(node, groupId, entry));
                }
            }
        };
    }

    /** Log matching: entries of one index and term are the same, and follow the same. */
    private void written(int node, long groupId, Entry entry, long previousTerm) {
        CRC32C crc = new CRC32C();
        crc.update(entry.data());
        Known now = new Known(previousTerm, (int) crc.getValue(), entry.data().length);
        Known before = entries.putIfAbsent(new Position(groupId, entry.index(), entry.term()), now);
        if (before != null && !before.equals(now)) {
            broken("logs do not match: node " + node + " has another entry " + entry.index() + " of term "
                    + entry.term() + " in group " + groupId + " than was seen before (" + now + ", " + before + ")");
        }
    }

    private void noteCommits(int node, long groupId, Entry entry) {
        if (entry.data().length == 0 || entry.type() != EntryType.NORMAL) {
            return;
        }
        RegionEntry command;
        try {
            command = RegionEntry.parseFrom(entry.data());
        } catch (InvalidProtocolBufferException e) {
            throw new SimulationFailure("entry " + entry.index() + " of group " + groupId + " is damaged", e);
        }
        Position position = new Position(groupId, entry.index(), entry.term());
        for (KeyWrite write : command.getWritesList()) {
            if (write.getFamily() == Family.FAMILY_WRITE && !write.getDelete()) {
                long startTs = WriteRecord.startTs(write.getValue().toByteArray());
                durableCommits
                        .computeIfAbsent(startTs, ts -> new TreeMap<>())
                        .merge(position, 1 << node, (a, b) -> a | b);
            }
        }
    }

    /** A client has been told that the transaction with this start is committed; what is wrong with that, or null. */
    String acknowledged(long startTs) {
        int best = 0;
        for (int nodes : durableCommits.getOrDefault(startTs, new TreeMap<>()).values()) {
            best = Math.max(best, Integer.bitCount(nodes));
        }
        return best >= Math.min(MAJORITY, members)
                ? null
                : "the commit of the transaction with start " + startTs + " was acknowledged when " + best
                        + " disks had synced it";
    }

    // ---- after each task of a node ---------------------------------------------------------------------------------

    /**
     * Looks at a node after one of its tasks.
     *
     * @param open whether its Regions have been opened
     */
    void look(int node, boolean open, List<PeerView> peers, SimLogStore log, Seen seen) {
        noteTheRemoved(node, open, peers);
        for (PeerView peer : peers) {
            long group = peer.groupId();
            seen.peerIs(group, peer.peerId());
            if (peer.region() != null) {
                model.first(peer.region());
                records.seen(peer.region());
            }
            if (peer.leads()) {
                lead(node, group, peer.term());
            }
            if (peer.appliedIndex() > peer.commitIndex() || peer.commitIndex() > peer.lastIndex()) {
                broken("node " + node + ", group " + group + ": applied, commit and last index are out of order: "
                        + peer.appliedIndex() + ", " + peer.commitIndex() + ", " + peer.lastIndex());
            }
            Long known = seen.commit.get(group);
            long from = known == null ? peer.commitIndex() + 1 : known + 1;
            if (known == null) {
                from = Math.max(1, log.load(group) == null ? 1 : log.load(group).firstIndex());
            }
            if (known != null && peer.commitIndex() < known) {
                broken("node " + node + ", group " + group + ": the commit index goes back from " + known + " to "
                        + peer.commitIndex());
            }
            if (known == null || peer.commitIndex() > known) {
                committed(node, group, from, peer.commitIndex(), log);
                seen.commit.put(group, peer.commitIndex());
            }
            if (peer.region() != null) {
                Region before = seen.region.put(group, peer.region());
                if (before != null
                        && (before.getEpoch().getRangeVersion()
                                        > peer.region().getEpoch().getRangeVersion()
                                || before.getEpoch().getConfVersion()
                                        > peer.region().getEpoch().getConfVersion())) {
                    broken("node " + node + ": the epoch of Region " + group + " goes back from " + before.getEpoch()
                            + " to " + peer.region().getEpoch());
                }
            }
        }
    }

    /** Whoever was removed from a node does not come back to it. */
    private void noteTheRemoved(int node, boolean open, List<PeerView> peers) {
        TreeSet<Position> before = alive.computeIfAbsent(node, n -> new TreeSet<>());
        TreeSet<Position> now = new TreeSet<>();
        for (PeerView peer : peers) {
            Position position = new Position(peer.groupId(), node, peer.peerId());
            if (buried.contains(position)) {
                broken("node " + node + ": peer " + peer.peerId() + " of Region " + peer.groupId()
                        + " was removed and is back");
            }
            if (peer.region() != null) {
                now.add(position);
            }
        }
        if (open) {
            for (Position each : before) {
                if (!now.contains(each) && records.isGone(each.group, each.term)) {
                    buried.add(each);
                }
            }
            alive.put(node, now);
        }
    }

    private void lead(int node, long group, long term) {
        Integer before = leaders.putIfAbsent(new Position(group, 0, term), node);
        if (before == null) {
            // The first leader of a group is no election: every split has one.
            elections += ledBefore.add(group) ? 0 : 1;
            watcher.elected(node, group);
        } else if (before != node) {
            broken("nodes " + before + " and " + node + " both lead group " + group + " in term " + term);
        }
    }

    private void committed(int node, long group, long known, long to, SimLogStore log) {
        // What a snapshot has brought is in no log here.
        long from = log.load(group) == null
                ? known
                : Math.max(known, log.load(group).firstIndex());
        if (from > to) {
            return;
        }
        for (Entry entry : log.entries(group, from, to + 1, Long.MAX_VALUE)) {
            Long before = committedTerms.putIfAbsent(new Position(group, entry.index(), 0), entry.term());
            if (before != null && before != entry.term()) {
                broken("node " + node + " has committed entry " + entry.index() + " of group " + group + " with term "
                        + entry.term() + ", it was committed with term " + before + " before");
            }
            if (group != PlacementGroup.GROUP_ID) {
                model.committed(group, entry);
            }
        }
    }

    // ---- now and then ----------------------------------------------------------------------------------------------

    /**
     * The Regions cover the key space once; those of one node do not overlap, and it has no rows beside them; its data equals
     * that of others that have applied the same.
     */
    void compare(int node, List<PeerView> peers, KvStore data) {
        records.check();
        TreeMap<byte[], Region> byStart = new TreeMap<>(Arrays::compareUnsigned);
        for (PeerView peer : peers) {
            if (peer.region() != null) {
                Region twin = byStart.put(peer.region().getStart().toByteArray(), peer.region());
                if (twin != null) {
                    broken("node " + node + ": Regions " + twin.getId() + " and " + peer.groupId()
                            + " begin at the same key");
                }
            }
        }
        Region before = null;
        for (Region each : byStart.values()) {
            if (before != null
                    && (before.getEnd().isEmpty()
                            || Arrays.compareUnsigned(
                                            before.getEnd().toByteArray(),
                                            each.getStart().toByteArray())
                                    > 0)) {
                broken("node " + node + ": Regions " + before.getId() + " and " + each.getId() + " overlap");
            }
            before = each;
        }
        long rows = 0;
        for (PeerView peer : peers) {
            ReplicaModel.State expected =
                    peer.region() == null ? null : model.expected(peer.groupId(), peer.appliedIndex());
            if (peer.region() != null) {
                ReplicaModel.Look found = ReplicaModel.look(data, peer.region());
                rows += found.rows();
                if (expected != null) {
                    replicasCompared++;
                    if (!expected.equals(found.state())) {
                        broken("node " + node + ": the replica of Region " + peer.groupId() + " that has applied "
                                + peer.appliedIndex() + " entries is not what these make it: " + found
                                + " instead of " + expected);
                    }
                }
            }
        }
        long all = ReplicaModel.countRows(data);
        if (all != rows) {
            broken("node " + node + ": " + (all - rows) + " rows belong to no Region that has a peer here");
        }
    }
}
