package org.flotilladb.region.store;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Consumer;
import org.flotilladb.proto.Region;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.KvSnapshot;
import org.flotilladb.region.runtime.LocalReads;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.mvcc.MvccReader;

/**
 * Reads from this process, on the caller's thread. It shares with the loop only what {@link RegionPeer} publishes: what
 * is served, the range, the latches and {@code max_ts}. The order of its looks is a safety rule (see the module's
 * decisions).
 */
final class LocalReader implements LocalReads {
    private final ConcurrentSkipListMap<byte[], RegionPeer> byStart =
            new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
    private final KvStore data;
    private final Consumer<StorageException> failed;

    /** @param failed told, on the reader's thread, that the disk has lost something */
    LocalReader(KvStore data, Consumer<StorageException> failed) {
        this.data = data;
        this.failed = failed;
    }

    /** A peer may be read from as soon as it serves. For the loop. */
    void add(RegionPeer peer) {
        byStart.put(peer.region().getStart().toByteArray(), peer);
    }

    /** It is read from no more. For the loop. */
    void remove(RegionPeer peer) {
        byStart.remove(peer.region().getStart().toByteArray(), peer);
    }

    /** How many Regions have a peer here, and how many of them this Store leads. May be a little old. */
    long[] regionsAndLeaders() {
        long leaders = 0;
        long regions = 0;
        for (RegionPeer peer : byStart.values()) {
            regions++;
            leaders += peer.served().term() != 0 ? 1 : 0;
        }
        return new long[] {regions, leaders};
    }

    private RegionPeer find(byte[] key) {
        Map.Entry<byte[], RegionPeer> entry = byStart.floorEntry(key);
        return entry != null && entry.getValue().contains(key) ? entry.getValue() : null;
    }

    @Override
    public Read get(byte[] key, long readTs) {
        RegionPeer peer = find(key);
        if (peer == null) {
            return Read.NOT_SERVED;
        }
        RegionPeer.Served before = peer.served();
        // The range is looked at after what is served: a split between the two shows in one of them.
        if (before.term() == 0 || !peer.contains(key)) {
            return Read.NOT_SERVED;
        }
        peer.raiseMaxTs(readTs);
        if (peer.latches.hides(key, readTs)) {
            return Read.NOT_SERVED;
        }
        Read read;
        try (KvSnapshot snapshot = data.snapshot()) {
            read = MvccReader.get(snapshot, key, readTs);
        } catch (StorageException e) {
            failed.accept(e);
            throw e;
        }
        if (!stillServes(peer, before)) {
            return Read.NOT_SERVED;
        }
        peer.load().readLocally();
        return read;
    }

    @Override
    public Page scan(byte[] start, byte[] end, boolean reverse, int limit, int maxBytes, long readTs) {
        RegionPeer peer = reverse ? findBefore(end) : find(start);
        if (peer == null) {
            return Page.NOT_SERVED;
        }
        RegionPeer.Served before = peer.served();
        Region region = peer.region();
        if (before.term() == 0 || !(reverse ? reaches(region, end) : peer.contains(start))) {
            return Page.NOT_SERVED;
        }
        byte[] regionStart = region.getStart().toByteArray();
        byte[] regionEnd = region.getEnd().toByteArray();
        byte[] from = Arrays.compareUnsigned(start, regionStart) < 0 ? regionStart : start;
        byte[] to = end;
        if (regionEnd.length > 0 && (end == null || end.length == 0 || Arrays.compareUnsigned(end, regionEnd) > 0)) {
            to = regionEnd;
        }
        peer.raiseMaxTs(readTs);
        if (peer.latches.firstHiding(from, to, readTs) != null) {
            return Page.NOT_SERVED;
        }
        Page page;
        try (KvSnapshot snapshot = data.snapshot()) {
            page = MvccReader.scan(snapshot, from, to, reverse, limit, maxBytes, readTs, new long[0], false);
        } catch (StorageException e) {
            failed.accept(e);
            throw e;
        }
        if (!stillServes(peer, before)) {
            return Page.NOT_SERVED;
        }
        peer.load().readLocally();
        if (page.resumeKey() == null && page.locked() == null) {
            byte[] next = reverse
                    ? (Arrays.compareUnsigned(start, regionStart) < 0 ? regionStart : null)
                    : (to == regionEnd && regionEnd.length > 0 ? regionEnd : null);
            if (next != null && !(end != null && !reverse && Arrays.equals(end, next))) {
                return new Page(page.rows(), next, null);
            }
        }
        return page;
    }

    private RegionPeer findBefore(byte[] end) {
        Map.Entry<byte[], RegionPeer> entry =
                end == null || end.length == 0 ? byStart.lastEntry() : byStart.lowerEntry(end);
        if (entry == null) {
            return null;
        }
        return reaches(entry.getValue().region(), end) ? entry.getValue() : null;
    }

    /** Whether a range that ends there, or nowhere, ends within or right behind the Region. */
    private static boolean reaches(Region region, byte[] end) {
        byte[] regionEnd = region.getEnd().toByteArray();
        return regionEnd.length == 0 || (end != null && end.length > 0 && Arrays.compareUnsigned(end, regionEnd) <= 0);
    }

    /** The last checks of a read: the same leadership and the same range as before the snapshot, and then the lease. */
    private boolean stillServes(RegionPeer peer, RegionPeer.Served before) {
        RegionPeer.Served now = peer.served();
        return now.term() == before.term()
                && now.rangeVersion() == before.rangeVersion()
                && now.term() != 0
                // The lease of this leadership: another may have begun since.
                && peer.holds(now);
    }
}
