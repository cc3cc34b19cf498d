package org.flotilladb.region.simulation;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEntry;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.raft.ConfChange;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.store.mvcc.Keys;
import org.flotilladb.region.store.mvcc.Mvcc;

/**
 * What the data of each Region must be after each of its entries: a second, plain implementation of applying, fed with
 * the entries in the order in which they were committed. A state is told by the sum of a hash of each of its rows.
 */
final class ReplicaModel {
    private final TreeMap<Long, Group> groups = new TreeMap<>();

    private static final class Group {
        private long rangeVersion;
        private long confVersion;
        private long index;
        private long sum;
        private TreeMap<byte[], byte[]> rows = new TreeMap<>(Arrays::compareUnsigned);
        /** After each entry: range version and sum. */
        private final TreeMap<Long, State> states = new TreeMap<>();

        private void set(byte[] row, byte[] value) {
            byte[] before = value == null ? rows.remove(row) : rows.put(row, value);
            sum -= before == null ? 0 : hash(row, before);
            sum += value == null ? 0 : hash(row, value);
        }
    }

    /** How a replica must look. */
    record State(long rangeVersion, long confVersion, long sum) {}

    /** How one does look, and how many rows it has. */
    record Look(State state, long rows) {}

    /** The Region that the cluster began with. */
    void first(Region region) {
        if (groups.isEmpty()) {
            Group group = new Group();
            group.rangeVersion = region.getEpoch().getRangeVersion();
            group.confVersion = region.getEpoch().getConfVersion();
            groups.put(region.getId(), group);
        }
    }

    /** Takes a committed entry of a Region; those that are known already have no effect. */
    void committed(long regionId, Entry entry) {
        Group group = groups.get(regionId);
        if (group == null || entry.index() <= group.index) {
            return;
        }
        if (entry.index() != group.index + 1) {
            throw new SimulationFailure("entry " + entry.index() + " of Region " + regionId
                    + " is committed, and nobody has seen " + (group.index + 1));
        }
        group.index++;
        if (entry.type() != EntryType.NORMAL) {
            change(group, entry);
        } else if (entry.data().length > 0) {
            apply(group, entry);
        }
        group.states.put(group.index, new State(group.rangeVersion, group.confVersion, group.sum));
    }

    private static void change(Group group, Entry entry) {
        ConfChange change = ConfChange.decode(entry);
        if (change.leavesJoint() || parse(entry, change.context()).getEpoch().getConfVersion() == group.confVersion) {
            group.confVersion++;
        }
    }

    private static RegionEntry parse(Entry entry, byte[] bytes) {
        try {
            return RegionEntry.parseFrom(bytes);
        } catch (InvalidProtocolBufferException e) {
            throw new SimulationFailure("entry " + entry.index() + " is damaged", e);
        }
    }

    private void apply(Group group, Entry entry) {
        RegionEntry command = parse(entry, entry.data());
        if (command.getCompactIndex() > 0 || command.getEpoch().getRangeVersion() != group.rangeVersion) {
            return;
        }
        if (command.hasSplit()) {
            if (command.getEpoch().getConfVersion() == group.confVersion) {
                split(group, command.getSplit());
            }
            return;
        }
        for (KeyWrite write : command.getWritesList()) {
            group.set(
                    row(Mvcc.family(write.getFamily()), write.getKey().toByteArray()),
                    write.getDelete() ? null : write.getValue().toByteArray());
        }
    }

    private void split(Group left, SplitRequest split) {
        left.rangeVersion += split.getKeysCount();
        TreeMap<byte[], byte[]> all = left.rows;
        left.rows = new TreeMap<>(Arrays::compareUnsigned);
        left.sum = 0;
        Group[] parts = new Group[split.getKeysCount() + 1];
        byte[][] starts = new byte[parts.length][];
        parts[0] = left;
        for (int i = 1; i < parts.length; i++) {
            parts[i] = new Group();
            parts[i].rangeVersion = left.rangeVersion;
            parts[i].confVersion = left.confVersion;
            ByteString key = split.getKeys(i - 1);
            starts[i] = Keys.lowerBound(key.toByteArray());
            groups.put(split.getNewRegionIds(i - 1), parts[i]);
        }
        for (Map.Entry<byte[], byte[]> each : all.entrySet()) {
            int part = parts.length - 1;
            byte[] row = each.getKey();
            while (part > 0 && Arrays.compareUnsigned(row, 1, row.length, starts[part], 0, starts[part].length) < 0) {
                part--;
            }
            parts[part].set(row, each.getValue());
        }
        for (int i = 1; i < parts.length; i++) {
            parts[i].states.put(0L, new State(parts[i].rangeVersion, parts[i].confVersion, parts[i].sum));
        }
    }

    private static byte[] row(KvStore.Family family, byte[] key) {
        byte[] row = new byte[key.length + 1];
        row[0] = (byte) family.ordinal();
        System.arraycopy(key, 0, row, 1, key.length);
        return row;
    }

    private static long hash(byte[] row, byte[] value) {
        CRC32C crc = new CRC32C();
        crc.update(row);
        long low = crc.getValue();
        crc.update(value.length);
        crc.update(value);
        return (low << 32 ^ crc.getValue() * 0x9e3779b97f4a7c15L) * 0xbf58476d1ce4e5b9L;
    }

    /** How a replica must look that has applied so much; null when that is not known. */
    State expected(long regionId, long appliedIndex) {
        Group group = groups.get(regionId);
        return group == null ? null : group.states.get(appliedIndex);
    }

    /** How a replica looks. */
    static Look look(KvStore data, Region region) {
        long sum = 0;
        long rows = 0;
        byte[] lower = Keys.lowerBound(region.getStart().toByteArray());
        byte[] upper = Keys.upperBound(region.getEnd().toByteArray());
        for (KvStore.Family family : KvStore.Family.values()) {
            if (family == KvStore.Family.META) {
                continue;
            }
            try (KvCursor cursor = data.cursor(family, lower, upper)) {
                for (boolean more = cursor.seek(lower); more; more = cursor.next()) {
                    sum += hash(row(family, cursor.key()), cursor.value());
                    rows++;
                }
            }
        }
        State state =
                new State(region.getEpoch().getRangeVersion(), region.getEpoch().getConfVersion(), sum);
        return new Look(state, rows);
    }

    /** All rows of a Store. */
    static long countRows(KvStore data) {
        long rows = 0;
        for (KvStore.Family family : KvStore.Family.values()) {
            if (family == KvStore.Family.META) {
                continue;
            }
            try (KvCursor cursor = data.cursor(family, new byte[0], null)) {
                for (boolean more = cursor.seek(new byte[0]); more; more = cursor.next()) {
                    rows++;
                }
            }
        }
        return rows;
    }
}
