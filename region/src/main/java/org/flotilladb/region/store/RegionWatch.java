package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.RegionHeartbeat;
import org.flotilladb.region.runtime.Clock;

/**
 * Walks over the Regions of a Store, a few at each tick, and looks whether those that are led here should be split or
 * reported. Used by the loop alone.
 */
final class RegionWatch implements Regions.Watcher, Reports.Source {
    /** Regions looked at in a tick. */
    private static final int LOOKS = 256;

    private static final int SEND_EVERY_TICKS = 2;
    private static final int GREET_EVERY_TICKS = 10;
    /** Of the limit of a Region's size: what is not worth a report. */
    private static final int SMALL_PART = 16;

    private final StoreSettings settings;
    private final Clock clock;
    private final Regions regions;
    private final SplitWatch splits;
    private final Reports reports;
    private long ticks;
    private long lookedAt;

    /**
     * @param audience who is told
     * @param told takes what they answer
     */
    RegionWatch(
            StoreSettings settings,
            Clock clock,
            Regions regions,
            SplitWatch.Work work,
            StoreCounters counters,
            Reports.Audience audience,
            Consumer<PlacementResponse> told) {
        this.settings = settings;
        this.clock = clock;
        this.regions = regions;
        splits = new SplitWatch(settings.splits(), work, counters, this::changed);
        reports = new Reports(audience, this, settings.splits().maxBytes() / SMALL_PART, told);
    }

    /** Time has passed. */
    void tick() {
        ticks++;
        long nowNs = clock.nanoTime();
        for (RegionPeer peer : some()) {
            lookedAt = peer.region().getId();
            if (peer.serving()) {
                peer.load().roll(nowNs);
                splits.look(peer, nowNs);
                Reports.Said now = state(peer, nowNs);
                if (reports.isWorth(peer.said(), now, !splits.keys(peer).isEmpty())) {
                    report(peer, now);
                }
            }
        }
        if (ticks % SEND_EVERY_TICKS == 0) {
            reports.send(ticks % GREET_EVERY_TICKS == 0);
        }
        if (ticks % GREET_EVERY_TICKS == 0) {
            splits.tidy();
        }
    }

    /** The next ones by id; after the last one the first ones again, none twice. */
    private List<RegionPeer> some() {
        List<RegionPeer> next = new ArrayList<>();
        for (RegionPeer peer : regions.after(lookedAt)) {
            if (next.size() == LOOKS) {
                return next;
            }
            next.add(peer);
        }
        for (RegionPeer peer : regions.all()) {
            if (next.size() == LOOKS || peer.region().getId() > lookedAt) {
                return next;
            }
            next.add(peer);
        }
        return next;
    }

    private Reports.Said state(RegionPeer peer, long nowNs) {
        RegionLoad load = peer.load();
        return new Reports.Said(
                nowNs,
                load.size(),
                load.perSecond(),
                peer.isAiling(settings.members().peerDownNs()));
    }

    private void report(RegionPeer peer, Reports.Said now) {
        peer.says(now);
        reports.due(peer.region().getId());
    }

    @Override
    public void changed(RegionPeer peer) {
        if (peer.serving()) {
            report(peer, state(peer, clock.nanoTime()));
            reports.send(false);
        }
    }

    @Override
    public void divided(RegionPeer old, List<RegionPeer> created) {
        splits.divided(old, created);
        changed(old);
    }

    @Override
    public List<Long> led() {
        List<Long> led = new ArrayList<>();
        for (RegionPeer peer : regions.all()) {
            if (peer.serving()) {
                led.add(peer.region().getId());
            }
        }
        return led;
    }

    @Override
    public RegionHeartbeat describe(long regionId) {
        RegionPeer peer = regions.get(regionId);
        return peer == null || !peer.serving()
                ? null
                : peer.heartbeat(settings.members().peerDownNs())
                        .addAllSplitKeys(splits.keys(peer))
                        .build();
    }

    void close() {
        splits.close();
    }
}
