package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.TreeMap;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.Family;
import org.flotilladb.proto.KeyValue;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.SnapshotChunkRequest;
import org.flotilladb.proto.SnapshotChunkResponse;
import org.flotilladb.proto.SnapshotOffer;
import org.flotilladb.proto.Transport;
import org.flotilladb.raft.Message;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.Scheduler;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.mvcc.Mvcc;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Snapshots on their way to this Store. An offer is not shown to the library before its rows are here: they are asked for
 * chunk by chunk, checked, collected beside the data and made durable; then the message goes to the group. The loop starts
 * each step; rows are written on other threads, one step at a time.
 */
final class IncomingSnapshots {
    private static final Logger LOG = LoggerFactory.getLogger(IncomingSnapshots.class);
    private static final long REQUEST_TIMEOUT_MS = 2000;
    private static final int MAX_FAILURES = 5;

    private final MemberSettings settings;
    private final KvStore data;
    private final Scheduler scheduler;
    private final Transport transport;
    private final Loop loop;
    private final FailPoints failPoints;
    private final TreeMap<Long, Incoming> byRegion = new TreeMap<>();
    private final ArrayDeque<Incoming> waiting = new ArrayDeque<>();
    private long budgetBytes;
    private long names;

    /** Told, in the loop, how a snapshot has ended. */
    interface Listener {
        /** All rows are durable here. */
        void arrived(Arrived snapshot);

        /** They will not come; the leader is to be told. */
        void failed(Offer offer);
    }

    /** An offer of a leader: the message that the library is to be given when the rows are here. */
    record Offer(long regionId, long peerId, long fromStore, String address, Message message, SnapshotOffer snapshot) {}

    /** Rows that are durable under a name. */
    record Arrived(Offer offer, String rows) {}

    IncomingSnapshots(
            MemberSettings settings,
            KvStore data,
            Scheduler scheduler,
            Transport transport,
            Loop loop,
            FailPoints failPoints) {
        this.settings = settings;
        this.data = data;
        this.scheduler = scheduler;
        this.transport = transport;
        this.loop = loop;
        this.failPoints = failPoints;
        this.budgetBytes = settings.bytesPerTick();
    }

    /** What the data of a snapshot message says; null when it is nothing that a Store of this version offers. */
    static SnapshotOffer parse(Message message) {
        if (message.snapshot() == null) {
            return null;
        }
        try {
            SnapshotOffer offer = SnapshotOffer.parseFrom(message.snapshot().data());
            return offer.hasRegion() ? offer : null;
        } catch (InvalidProtocolBufferException e) {
            return null;
        }
    }

    /** Begins to fetch what is offered, unless that is under way, or too much else is. */
    void begin(Offer offer, Listener listener) {
        Incoming present = byRegion.get(offer.regionId());
        if (present != null) {
            if (present.offer.snapshot().getId() == offer.snapshot().getId()
                    || present.offer.message().term() > offer.message().term()) {
                return;
            }
            present.drop();
        }
        if (byRegion.size() >= settings.maxIncoming()) {
            listener.failed(offer);
            return;
        }
        Incoming incoming = new Incoming(offer, listener);
        byRegion.put(offer.regionId(), incoming);
        incoming.next();
    }

    /** The peer is gone: nothing is fetched for it any more. */
    void cancel(long regionId) {
        Incoming present = byRegion.get(regionId);
        if (present != null) {
            present.drop();
        }
    }

    /** Time has passed: more bytes may be asked for. */
    void tick() {
        budgetBytes = Math.min(settings.bytesPerTick(), budgetBytes + settings.bytesPerTick());
        while (budgetBytes > 0 && !waiting.isEmpty()) {
            waiting.poll().next();
        }
    }

    void close() {
        new ArrayList<>(byRegion.values()).forEach(Incoming::drop);
    }

    private final class Incoming implements Transport.ResponseHandler {
        private final Offer offer;
        private final Listener listener;
        private final String name;
        private final KvStore.Collection rows;
        private int family;
        private ByteString from = ByteString.EMPTY;
        private int failures;
        private volatile boolean dropped;
        private SnapshotChunkRequest asked;

        Incoming(Offer offer, Listener listener) {
            this.offer = offer;
            this.listener = listener;
            this.name = "snapshot-" + offer.regionId() + "-" + ++names;
            this.rows = data.collect(name);
        }

        /** In the loop: nobody wants it any more. Whichever step is under way clears up. */
        void drop() {
            dropped = true;
            byRegion.remove(offer.regionId(), this);
        }

        private void clearUp() {
            rows.close();
            data.dropCollection(name);
        }

        private void fail(String why) {
            if (!dropped) {
                LOG.info("The snapshot of Region {} does not arrive: {}", offer.regionId(), why);
                drop();
                listener.failed(offer);
            }
            clearUp();
        }

        /** In the loop: asks for the next rows, now or when the bandwidth allows. */
        void next() {
            if (dropped) {
                clearUp();
                return;
            }
            if (budgetBytes <= 0) {
                waiting.add(this);
                return;
            }
            asked = SnapshotChunkRequest.newBuilder()
                    .setSnapshotId(offer.snapshot().getId())
                    .setFamily(Family.forNumber(RegionData.ROWS.get(family).ordinal()))
                    .setFrom(from)
                    .build();
            transport.request(
                    offer.address(),
                    Envelope.newBuilder()
                            .setRegionRequest(RegionRequest.newBuilder()
                                    .setContext(Context.newBuilder().setRegionId(offer.regionId()))
                                    .setSnapshotChunk(asked))
                            .build(),
                    REQUEST_TIMEOUT_MS,
                    this);
        }

        @Override
        public void onResponse(Envelope response) {
            SnapshotChunkResponse chunk = response.getRegionResponse().getSnapshotChunk();
            if (!response.getRegionResponse().hasSnapshotChunk()) {
                loop.submit(
                        () -> tryAgain(response.getRegionResponse().getError().getMessage()));
            } else if (chunk.getUnknown()) {
                loop.submit(() -> fail("its sender does not have it any more"));
            } else if (chunk.getCrc32C() != SnapshotChecksum.of(asked, chunk)
                    && !failPoints.hit("snapshot-checksum-unchecked")) {
                loop.submit(() -> tryAgain("rows were damaged on their way"));
            } else {
                scheduler.execute(() -> take(chunk));
            }
        }

        @Override
        public void onFailure(Transport.Failure failure) {
            loop.submit(() -> tryAgain(failure.message()));
        }

        private void tryAgain(String why) {
            if (++failures > MAX_FAILURES) {
                fail(why);
            } else {
                // Not at once: the sender may be gone for a moment.
                waiting.add(this);
            }
        }

        /** Not in the loop: writes rows; the last time waits for the disk. */
        private void take(SnapshotChunkResponse chunk) {
            if (dropped) {
                loop.submit(this::clearUp);
                return;
            }
            try {
                long bytes = 0;
                for (KeyValue row : chunk.getRowsList()) {
                    rows.put(
                            Mvcc.family(asked.getFamily()),
                            row.getKey().toByteArray(),
                            row.getValue().toByteArray());
                    bytes += row.getKey().size() + row.getValue().size();
                }
                boolean last = chunk.getDone() && family == RegionData.ROWS.size() - 1;
                if (last) {
                    rows.finish();
                }
                long taken = bytes;
                loop.submit(() -> taken(chunk, taken, last));
            } catch (StorageException e) {
                stop(e);
            }
        }

        private void stop(StorageException e) {
            loop.submit(() -> {
                if (e.kind() == StorageException.Kind.FULL) {
                    fail(e.getMessage());
                } else {
                    throw e;
                }
            });
        }

        private void taken(SnapshotChunkResponse chunk, long bytes, boolean last) {
            budgetBytes -= bytes;
            failures = 0;
            if (last && !dropped) {
                drop();
                rows.close();
                listener.arrived(new Arrived(offer, name));
                return;
            }
            if (chunk.getDone()) {
                family++;
                from = ByteString.EMPTY;
            } else {
                from = chunk.getNext();
            }
            next();
        }
    }

    /** Forgets rows that have been taken in, or are not needed after all. */
    void discard(Arrived arrived) {
        data.dropCollection(arrived.rows());
    }
}
