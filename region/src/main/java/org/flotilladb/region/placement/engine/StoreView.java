package org.flotilladb.region.placement.engine;

import org.flotilladb.proto.StoreHeartbeat;
import org.flotilladb.proto.StoreLabel;
import org.flotilladb.proto.StoreRecord;
import org.flotilladb.proto.StoreState;

/** A Store as the registry has it and as it was last heard of. */
public final class StoreView {
    private StoreRecord store;
    private StoreHeartbeat last = StoreHeartbeat.getDefaultInstance();
    private boolean heard;
    private long heardNs;

    StoreView(StoreRecord store, long nowNs) {
        this.store = store;
        this.heardNs = nowNs;
    }

    void update(StoreRecord newer) {
        store = newer;
    }

    void heard(StoreHeartbeat heartbeat, long nowNs) {
        last = heartbeat;
        heard = true;
        heardNs = nowNs;
    }

    /** Nobody is taken for silent because another has led until now. */
    void restart(long nowNs) {
        heard = false;
        heardNs = nowNs;
    }

    public long id() {
        return store.getId();
    }

    public StoreRecord store() {
        return store;
    }

    public StoreState state() {
        return store.getState();
    }

    /** What it said last; empty before it has said anything. */
    public StoreHeartbeat last() {
        return last;
    }

    /** Whether it was heard of since this engine began to lead. */
    public boolean heard() {
        return heard;
    }

    public long silentNs(long nowNs) {
        return Math.max(0, nowNs - heardNs);
    }

    /** A label's value, empty when it has none; of {@code host} the address's host where nothing else is said. */
    String label(String key) {
        for (StoreLabel label : store.getLabelsList()) {
            if (label.getKey().equals(key)) {
                return label.getValue();
            }
        }
        int colon = store.getAddress().lastIndexOf(':');
        return key.equals("host") && colon > 0 ? store.getAddress().substring(0, colon) : "";
    }

    /** How it is called in sentences. */
    String name() {
        return store.getAddress().isEmpty()
                ? "Store " + Long.toHexString(id())
                : "Store " + Long.toHexString(id()) + " at " + store.getAddress();
    }

    @Override
    public String toString() {
        return name() + " " + state();
    }
}
