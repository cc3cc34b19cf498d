package org.flotilladb.region.placement;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListSet;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.StoreChange;
import org.flotilladb.proto.StoreInfo;
import org.flotilladb.proto.StoreLabel;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.proto.StoreState;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.StorageException;

/**
 * All Stores that belong, or have belonged, to the cluster; part of the state that group 0 replicates, one record for each
 * Store. The loop alone calls it, but for {@link #isRegistered}.
 */
final class StoreRegistry {
    /** Stores that belong to the cluster. */
    static final int MAX_STORES = 1000;
    /** Records kept, those of removed Stores among them: an id without a record is as good as removed. */
    private static final int MAX_RECORDS = 4 * MAX_STORES;

    static final int MAX_ADDRESS_CHARS = 256;
    static final int MAX_LABELS = 8;
    private static final int MAX_LABEL_CHARS = 64;

    private static final byte[] PREFIX = "p/store/".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] VERSION = "p/stores-version".getBytes(StandardCharsets.US_ASCII);

    private final TreeMap<Long, StoreRecord> records = new TreeMap<>();
    private final ConcurrentSkipListSet<Long> registered = new ConcurrentSkipListSet<>();
    private final List<String> nodeAddresses;
    private ClusterInit init = ClusterInit.getDefaultInstance();
    private long version = 1;

    /** @param nodeAddresses the peers list of today, for Stores that have not told their address themselves */
    StoreRegistry(List<String> nodeAddresses) {
        this.nodeAddresses = nodeAddresses;
    }

    /** The Stores that the cluster began with. */
    void begin(ClusterInit cluster) {
        init = cluster;
        for (int i = 0; i < cluster.getStoreIdsCount(); i++) {
            records.putIfAbsent(
                    cluster.getStoreIds(i),
                    StoreRecord.newBuilder()
                            .setId(cluster.getStoreIds(i))
                            .setAddress(cluster.getNodeAddresses(i))
                            .build());
        }
    }

    /** Reads what has changed since the start. */
    void load(KvReader state) {
        byte[] end = PREFIX.clone();
        end[end.length - 1]++;
        try (KvCursor cursor = state.cursor(Family.META, PREFIX, end)) {
            for (boolean more = cursor.seek(PREFIX); more; more = cursor.next()) {
                put(StoreRecord.parseFrom(cursor.value()));
            }
        } catch (InvalidProtocolBufferException e) {
            throw new StorageException(StorageException.Kind.CORRUPT, "the record of a Store is damaged", e);
        }
        byte[] stored = state.get(Family.META, VERSION);
        version = stored == null ? 1 : ByteBuffer.wrap(stored).getLong();
    }

    private void put(StoreRecord record) {
        records.put(record.getId(), record);
        if (record.getRegistered()) {
            registered.add(record.getId());
        }
    }

    private static byte[] key(long storeId) {
        return ByteBuffer.allocate(PREFIX.length + 8)
                .put(PREFIX)
                .putLong(storeId)
                .array();
    }

    /** Applies a change by what is so at this point of the log: one that does not fit does nothing. */
    void apply(StoreChange change, KvBatch batch) {
        StoreRecord known = records.get(change.getId());
        if (change.getAdd() != (known == null) || (known != null && known.getState() == StoreState.STORE_REMOVED)) {
            return;
        }
        StoreRecord.Builder next = known == null
                ? StoreRecord.newBuilder().setId(change.getId()).setJoinToken(change.getJoinToken())
                : known.toBuilder();
        if (change.hasAddress()) {
            next.setAddress(change.getAddress()).setReported(true).clearLabels().addAllLabels(change.getLabelsList());
        }
        if (change.hasState()) {
            next.setState(change.getState());
        }
        if (change.getRegistered()) {
            next.setRegistered(true);
        }
        StoreRecord record = next.build();
        if (record.equals(known)) {
            return;
        }
        put(record);
        batch.put(Family.META, key(record.getId()), record.toByteArray());
        version++;
        batch.put(Family.META, VERSION, ByteBuffer.allocate(8).putLong(version).array());
        if (records.size() > MAX_RECORDS) {
            forgetOne(batch);
        }
    }

    private void forgetOne(KvBatch batch) {
        for (Map.Entry<Long, StoreRecord> entry : records.entrySet()) {
            boolean ofTheStart = init.getStoreIdsList().contains(entry.getKey());
            if (entry.getValue().getState() == StoreState.STORE_REMOVED && !ofTheStart) {
                records.remove(entry.getKey());
                registered.remove(entry.getKey());
                batch.delete(Family.META, key(entry.getKey()));
                return;
            }
        }
    }

    /** Grows with every change. */
    long version() {
        return version;
    }

    Collection<StoreRecord> records() {
        return records.values();
    }

    /** Or null. */
    StoreRecord get(long storeId) {
        return records.get(storeId);
    }

    /** Those that are not removed. */
    int size() {
        int size = 0;
        for (StoreRecord record : records.values()) {
            size += record.getState() == StoreState.STORE_REMOVED ? 0 : 1;
        }
        return size;
    }

    /** Whether a Store's identity is known to be on its disk. Any thread. */
    boolean isRegistered(long storeId) {
        return registered.contains(storeId);
    }

    /** Where a Store is reached: as it has said itself, else as the peers list of today has it. Empty when not known. */
    String addressOf(long storeId) {
        StoreRecord record = records.get(storeId);
        if (record == null || record.getReported()) {
            return record == null ? "" : record.getAddress();
        }
        int position = init.getStoreIdsList().indexOf(storeId);
        return position >= 0 && position < nodeAddresses.size() ? nodeAddresses.get(position) : record.getAddress();
    }

    /** Every Store that is not removed, with its address. */
    List<StoreInfo> infos() {
        List<StoreInfo> infos = new ArrayList<>();
        for (StoreRecord record : records.values()) {
            if (record.getState() != StoreState.STORE_REMOVED) {
                infos.add(info(record.getId()));
            }
        }
        return infos;
    }

    StoreInfo info(long storeId) {
        return StoreInfo.newBuilder()
                .setId(storeId)
                .setAddress(addressOf(storeId))
                .build();
    }

    /** What is wrong with an address and labels that a Store tells, or null. */
    static String refuses(String address, List<StoreLabel> labels) {
        if (address.isEmpty() || address.length() > MAX_ADDRESS_CHARS) {
            return "a Store's address must have 1 to " + MAX_ADDRESS_CHARS + " characters";
        }
        if (labels.size() > MAX_LABELS) {
            return "a Store has at most " + MAX_LABELS + " labels, not " + labels.size();
        }
        for (StoreLabel label : labels) {
            if (label.getKey().isEmpty()
                    || label.getKey().length() > MAX_LABEL_CHARS
                    || label.getValue().length() > MAX_LABEL_CHARS) {
                return "a label's key and value have at most " + MAX_LABEL_CHARS + " characters, and a key at least 1";
            }
        }
        return null;
    }
}
