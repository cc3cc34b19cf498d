package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.flotilladb.proto.KeyValue;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.SnapshotChunkRequest;
import org.flotilladb.proto.SnapshotChunkResponse;
import org.flotilladb.proto.SnapshotOffer;
import org.flotilladb.raft.Snapshot;
import org.flotilladb.region.runtime.KvReader.KvCursor;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvSnapshot;
import org.flotilladb.region.runtime.RandomSource;
import org.flotilladb.region.runtime.Scheduler;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.mvcc.Mvcc;

/**
 * Snapshots that this Store offers. Each is a view of the data at an applied index, kept open while somebody asks for its
 * rows; who receives keeps the position, so a lost answer is asked for again. The loop makes, counts and drops them; rows
 * are read on other threads.
 */
final class OutgoingSnapshots {
    private final MemberSettings settings;
    private final KvStore data;
    private final Scheduler scheduler;
    private final RandomSource ids;
    private final Consumer<StorageException> failed;
    private final TreeSet<Long> wanted = new TreeSet<>();
    /** By id; guarded by itself. */
    private final TreeMap<Long, Offered> offered = new TreeMap<>();

    private long ticks;

    private static final class Offered {
        private final Region region;
        private final Snapshot snapshot;
        private final KvSnapshot view;
        /** When somebody last asked; the loop's ticks. */
        private long usedAt;

        private long madeAt;
        /** Who was sent the offer, and has not been heard of since. */
        private final TreeSet<Long> receivers = new TreeSet<>();

        private int readers;
        private boolean dropped;

        Offered(Region region, Snapshot snapshot, KvSnapshot view) {
            this.region = region;
            this.snapshot = snapshot;
            this.view = view;
        }
    }

    /** @param failed told, on any thread, that the disk has lost something */
    OutgoingSnapshots(
            MemberSettings settings,
            KvStore data,
            Scheduler scheduler,
            RandomSource ids,
            Consumer<StorageException> failed) {
        this.settings = settings;
        this.data = data;
        this.scheduler = scheduler;
        this.ids = ids;
        this.failed = failed;
    }

    /** A snapshot of the Region as it is, at that index or above; null, and one is made at the end of the round. */
    Snapshot of(RegionPeer peer, long minIndex) {
        synchronized (offered) {
            for (Offered each : offered.values()) {
                if (each.region.getId() == peer.region().getId()
                        && each.region.getEpoch().equals(peer.region().getEpoch())
                        && each.snapshot.index() >= minIndex
                        && ticks - each.madeAt <= settings.idleTicks()) {
                    return each.snapshot;
                }
            }
        }
        wanted.add(peer.region().getId());
        return null;
    }

    /** Makes what is wanted; called between rounds, when data and applied indexes agree. */
    void make(Regions regions) {
        if (wanted.isEmpty()) {
            return;
        }
        synchronized (offered) {
            while (!wanted.isEmpty() && offered.size() < settings.maxOutgoing()) {
                RegionPeer peer = regions.get(wanted.pollFirst());
                if (peer == null
                        || !peer.initialised()
                        || peer.removed()
                        || !peer.group().node().isLeader()) {
                    continue;
                }
                long id = ids.nextLong();
                long index = peer.group().applied();
                SnapshotOffer offer = SnapshotOffer.newBuilder()
                        .setId(id)
                        .setStoreId(regions.storeId())
                        .setRegion(peer.region())
                        .build();
                Snapshot snapshot = new Snapshot(
                        index,
                        peer.group().node().termOf(index),
                        Membership.confState(peer.region()),
                        offer.toByteArray());
                Offered made = new Offered(peer.region(), snapshot, data.snapshot());
                made.usedAt = ticks;
                made.madeAt = ticks;
                offered.put(id, made);
            }
        }
        // The others are asked for again.
        wanted.clear();
    }

    /** An offer has left. */
    void sent(long snapshotId, long peerId) {
        synchronized (offered) {
            Offered each = offered.get(snapshotId);
            if (each != null) {
                each.receivers.add(peerId);
                each.usedAt = ticks;
            }
        }
    }

    /** Drops what nobody asks about any more; those who were to have it are taken to have lost it. */
    void tick(Regions regions) {
        ticks++;
        List<Offered> idle = new ArrayList<>();
        synchronized (offered) {
            for (Offered each : offered.values()) {
                if (ticks - each.usedAt > settings.idleTicks()) {
                    idle.add(each);
                    drop(each);
                }
            }
            offered.values().removeAll(idle);
        }
        for (Offered each : idle) {
            for (long receiver : each.receivers) {
                lost(regions, each.region.getId(), receiver);
            }
        }
    }

    /** A peer has told that the snapshot did not arrive. */
    void lost(Regions regions, long regionId, long peerId) {
        RegionPeer peer = regions.get(regionId);
        if (peer != null) {
            peer.group().node().reportSnapshot(peerId, false);
            regions.touch(peer);
        }
    }

    void close() {
        synchronized (offered) {
            offered.values().forEach(this::drop);
            offered.clear();
        }
    }

    private void drop(Offered each) {
        each.dropped = true;
        if (each.readers == 0) {
            each.view.close();
        }
    }

    // ---- rows ---------------------------------------------------------------------------------------------------

    /** Answers with rows, on another thread. */
    void answer(SnapshotChunkRequest request, Consumer<RegionResponse> answer) {
        Offered from;
        synchronized (offered) {
            from = RegionData.isRows(request.getFamily()) ? offered.get(request.getSnapshotId()) : null;
            if (from != null) {
                from.readers++;
                from.usedAt = ticks;
            }
        }
        if (from == null) {
            answer.accept(response(SnapshotChunkResponse.newBuilder().setUnknown(true)));
            return;
        }
        scheduler.execute(() -> {
            RegionResponse rows;
            try {
                rows = response(read(from, request));
            } catch (StorageException e) {
                failed.accept(e);
                return;
            } finally {
                synchronized (offered) {
                    from.readers--;
                    if (from.dropped && from.readers == 0) {
                        from.view.close();
                    }
                }
            }
            answer.accept(rows);
        });
    }

    private static RegionResponse response(SnapshotChunkResponse.Builder rows) {
        return RegionResponse.newBuilder().setSnapshotChunk(rows).build();
    }

    private SnapshotChunkResponse.Builder read(Offered from, SnapshotChunkRequest request) {
        Family family = Mvcc.family(request.getFamily());
        byte[] lower = RegionData.lower(from.region);
        byte[] start = request.getFrom().isEmpty() ? lower : request.getFrom().toByteArray();
        SnapshotChunkResponse.Builder chunk = SnapshotChunkResponse.newBuilder().setDone(true);
        int bytes = 0;
        try (KvCursor cursor = from.view.cursor(family, lower, RegionData.upper(from.region))) {
            for (boolean more = cursor.seek(start); more; more = cursor.next()) {
                if (bytes >= settings.chunkBytes()) {
                    chunk.setDone(false).setNext(RegionPeer.wrap(cursor.key()));
                    break;
                }
                byte[] value = cursor.value();
                chunk.addRows(KeyValue.newBuilder()
                        .setKey(RegionPeer.wrap(cursor.key()))
                        .setValue(RegionPeer.wrap(value)));
                bytes += cursor.key().length + value.length;
            }
        }
        return chunk.setCrc32C(SnapshotChecksum.of(request, chunk));
    }
}
