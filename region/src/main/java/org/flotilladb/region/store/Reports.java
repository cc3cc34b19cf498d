package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.flotilladb.proto.PlacementRequest;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.proto.RegionHeartbeatRequest;
import org.flotilladb.region.store.RegionLoad.Size;

/**
 * Tells every peer of the Placement Driver which Regions are led here: at once what matters (leader, epoch, peers that are
 * down), soon when size or load have changed by a good part, else rarely. Each of them is told in batches, one at a time,
 * until it has answered; and everything anew when it has forgotten. So thousands of Regions at rest cost a small request now
 * and then. Used by the loop alone.
 */
final class Reports {
    private static final int MAX_BATCH_REGIONS = 512;
    private static final int MAX_BATCH_BYTES = 1 << 20;
    /** A Region of which something is wanted or missing is reported again after so long; nothing else is sooner than that. */
    private static final long AGAIN_NS = 1_000_000_000L;

    private static final long RARELY_NS = 60_000_000_000L;
    /** A change of size or load by this part is worth a report. */
    private static final int PART = 8;
    /** Reads and writes per second that are no load to speak of. */
    private static final long SMALL_LOAD = 100;

    /** The peers of the Placement Driver. */
    interface Audience {
        List<String> addresses();

        /** Asks one of them; answer or failure come in the loop, possibly within this call. */
        void ask(String address, PlacementRequest request, Consumer<PlacementResponse> answer, Runnable failed);
    }

    /** The Regions of this Store. */
    interface Source {
        /** Ids of those that are led here. */
        List<Long> led();

        /** What its leader says about a Region; null when it is not led here. */
        RegionHeartbeat describe(long regionId);
    }

    /**
     * How a Region was when it was last found to be worth a report.
     *
     * @param ailing whether a member is down or not in step
     */
    record Said(long atNs, Size size, long perSecond, boolean ailing) {}

    /** What one of them is still to be told. */
    private static final class Listener {
        private final TreeSet<Long> due = new TreeSet<>();
        /** What it has been sent and has not answered; null: it may be sent more. */
        private List<Long> sent;

        private long table;
    }

    private final Audience audience;
    private final Source regions;
    private final Consumer<PlacementResponse> told;
    private final TreeMap<String, Listener> listeners = new TreeMap<>();
    private final long smallBytes;

    /**
     * @param smallBytes a change of size that is not worth a report
     * @param told takes the answers
     */
    Reports(Audience audience, Source regions, long smallBytes, Consumer<PlacementResponse> told) {
        this.audience = audience;
        this.regions = regions;
        this.smallBytes = smallBytes;
        this.told = told;
    }

    /**
     * Whether a Region is worth a report.
     *
     * @param said null when it has never been
     * @param wanting whether its leader asks for something
     */
    boolean isWorth(Said said, Said now, boolean wanting) {
        if (said == null || said.ailing != now.ailing) {
            return true;
        }
        long ageNs = now.atNs - said.atNs;
        return ageNs >= RARELY_NS || (ageNs >= AGAIN_NS && (now.ailing || wanting || differs(said, now)));
    }

    private boolean differs(Said said, Said now) {
        long bytes = Math.abs(now.size.bytes() - said.size.bytes());
        long perSecond = Math.abs(now.perSecond - said.perSecond);
        return bytes > Math.max(smallBytes, said.size.bytes() / PART)
                || perSecond > Math.max(SMALL_LOAD, said.perSecond / PART);
    }

    /** A Region that is led here is to be reported to everybody. */
    void due(long regionId) {
        for (String address : audience.addresses()) {
            listener(address).due.add(regionId);
        }
    }

    private Listener listener(String address) {
        return listeners.computeIfAbsent(address, a -> new Listener());
    }

    /**
     * Sends what is due.
     *
     * @param greet to everybody: whoever has forgotten what it was told says so
     */
    void send(boolean greet) {
        List<String> addresses = audience.addresses();
        listeners.keySet().retainAll(addresses);
        for (String address : addresses) {
            send(address, listener(address), greet);
        }
    }

    private void send(String address, Listener to, boolean greet) {
        if (to.sent != null || (to.due.isEmpty() && !greet)) {
            return;
        }
        RegionHeartbeatRequest.Builder batch = RegionHeartbeatRequest.newBuilder();
        List<Long> ids = new ArrayList<>();
        int bytes = 0;
        while (!to.due.isEmpty() && ids.size() < MAX_BATCH_REGIONS && bytes < MAX_BATCH_BYTES) {
            long id = to.due.pollFirst();
            RegionHeartbeat report = regions.describe(id);
            if (report != null) {
                bytes += report.getSerializedSize();
                batch.addRegions(report);
                ids.add(id);
            }
        }
        if (ids.isEmpty() && !greet) {
            return;
        }
        to.sent = ids;
        audience.ask(
                address,
                PlacementRequest.newBuilder().setRegionHeartbeat(batch).build(),
                answer -> answered(address, to, answer),
                () -> failed(to));
    }

    private void answered(String address, Listener from, PlacementResponse answer) {
        if (!answer.hasRegionHeartbeat()) {
            failed(from);
            return;
        }
        from.sent = null;
        long table = answer.getRegionHeartbeat().getTableId();
        if (from.table != table) {
            from.table = table;
            from.due.addAll(regions.led());
        }
        told.accept(answer);
        send(address, from, false);
    }

    private static void failed(Listener to) {
        to.due.addAll(to.sent);
        to.sent = null;
    }
}
