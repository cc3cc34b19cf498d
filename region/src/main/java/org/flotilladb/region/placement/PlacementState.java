package org.flotilladb.region.placement;

import com.google.protobuf.InvalidProtocolBufferException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.flotilladb.proto.ClusterInit;
import org.flotilladb.proto.PlacementEntry;
import org.flotilladb.proto.PlacementSettings;
import org.flotilladb.region.runtime.KvReader;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.StorageException;

/**
 * What group 0 has agreed on: the same on every peer that has applied the same entries. Where Regions are is not in it:
 * their leaders report that. The loop alone calls it, but for {@link #catalogEpoch} and {@link StoreRegistry#isRegistered}.
 */
final class PlacementState {
    private static final long FIRST_FREE_ID = 100;

    private final StoreRegistry stores;
    private ClusterInit init;
    private long timestampBound;
    private long nextId;
    private volatile long catalogEpoch;
    private PlacementSettings settings = PlacementSettings.getDefaultInstance();

    /** Reads the applied state. */
    PlacementState(KvReader state, List<String> nodeAddresses) {
        stores = new StoreRegistry(nodeAddresses);
        timestampBound = number(state, "bound", 0);
        nextId = number(state, "next-id", FIRST_FREE_ID);
        catalogEpoch = number(state, "catalog-epoch", 1);
        try {
            byte[] stored = state.get(Family.META, key("init"));
            init = stored == null ? null : ClusterInit.parseFrom(stored);
            byte[] wanted = state.get(Family.META, key("settings"));
            if (wanted != null) {
                settings = PlacementSettings.parseFrom(wanted);
            }
        } catch (InvalidProtocolBufferException e) {
            throw new StorageException(
                    StorageException.Kind.CORRUPT, "the record of the cluster's start or settings is damaged", e);
        }
        if (init != null) {
            stores.begin(init);
        }
        stores.load(state);
    }

    private static byte[] key(String name) {
        return ("p/" + name).getBytes(StandardCharsets.US_ASCII);
    }

    private static long number(KvReader state, String name, long otherwise) {
        byte[] value = state.get(Family.META, key(name));
        return value == null ? otherwise : ByteBuffer.wrap(value).getLong();
    }

    private static byte[] number(long value) {
        return ByteBuffer.allocate(8).putLong(value).array();
    }

    /** Applies one entry of the log. Deterministic. */
    void apply(PlacementEntry entry, KvBatch batch) {
        if (entry.hasInit() && init == null) {
            init = entry.getInit();
            batch.put(Family.META, key("init"), init.toByteArray());
            stores.begin(init);
        }
        if (entry.getTimestampBound() > timestampBound) {
            timestampBound = entry.getTimestampBound();
            batch.put(Family.META, key("bound"), number(timestampBound));
        }
        if (entry.getNextId() > nextId) {
            nextId = entry.getNextId();
            batch.put(Family.META, key("next-id"), number(nextId));
        }
        if (entry.getRaiseCatalogEpochBy() > 0) {
            catalogEpoch += entry.getRaiseCatalogEpochBy();
            batch.put(Family.META, key("catalog-epoch"), number(catalogEpoch));
        }
        entry.getStoresList().forEach(change -> stores.apply(change, batch));
        if (entry.hasSettings()) {
            settings = settings.toBuilder().mergeFrom(entry.getSettings()).build();
            batch.put(Family.META, key("settings"), settings.toByteArray());
        }
    }

    /** What the cluster fixed at its start, or null when it is not known yet. */
    ClusterInit init() {
        return init;
    }

    long timestampBound() {
        return timestampBound;
    }

    /** Ids below are taken. */
    long nextId() {
        return nextId;
    }

    /** Any thread. */
    long catalogEpoch() {
        return catalogEpoch;
    }

    StoreRegistry stores() {
        return stores;
    }

    /** What somebody has set; the rest is as {@link org.flotilladb.region.placement.engine.Policy} has it. */
    PlacementSettings settings() {
        return settings;
    }
}
