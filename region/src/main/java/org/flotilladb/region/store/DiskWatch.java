package org.flotilladb.region.store;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Refuses writes before the disk is full. Used by the loop alone. */
final class DiskWatch {
    private static final Logger LOG = LoggerFactory.getLogger(DiskWatch.class);
    /** Bytes stand on disk several times: in both logs, in tables, and again while those are merged. */
    private static final int LOOKS_PER_RESERVE = 32;

    private final StoreSettings settings;
    private String full;
    private long writtenSinceLook;

    DiskWatch(StoreSettings settings) {
        this.settings = settings;
    }

    /** Looks how much room is left. */
    void look() {
        writtenSinceLook = 0;
        long usable = settings.usableBytes().getAsLong();
        if (usable < settings.minUsableBytes()) {
            if (full == null) {
                LOG.warn("{} bytes are left on the disk: writes are refused until there is room", usable);
            }
            full = "the disk is full: the Store at "
                    + settings.nodeAddresses().get(settings.nodeId() - 1) + " has " + (usable >> 20)
                    + " MB left and keeps "
                    + (settings.minUsableBytes() >> 20) + " MB free; make room, then writes work again (reads go on)";
        } else if (full != null) {
            full = null;
            LOG.info("There is room on the disk again: writes are accepted");
        }
    }

    /** Why a write of so many bytes is refused just now, or null. */
    String refuses(long bytes) {
        // Between two ticks a fast disk takes more than what is kept free.
        writtenSinceLook += bytes;
        if (writtenSinceLook > settings.minUsableBytes() / LOOKS_PER_RESERVE) {
            look();
        }
        return full;
    }
}
