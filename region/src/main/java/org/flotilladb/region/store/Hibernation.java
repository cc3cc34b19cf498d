package org.flotilladb.region.store;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.runtime.FailPoints;

/**
 * Groups of which nobody wants anything rest: no ticks, no messages. This wakes those that have a reason to doubt: their
 * leader's Store has fallen silent or was restarted, a Store whose peer lacks something is back, or nobody has looked for
 * long. All in steps that are bounded, however many Regions there are. Used by the loop alone.
 */
final class Hibernation implements StoreWatch.Listener {
    private static final int LOOKS_PER_TICK = 100;
    private static final int WAKES_PER_TICK = 500;

    /** The other Stores of the cluster. */
    interface Others {
        Collection<Long> ids();

        /** Tells all of them that this Store lives. */
        void sendSignOfLife();
    }

    private final TreeMap<Long, RegionPeer> peers;
    private final Consumer<RegionPeer> touch;
    private final Others others;
    private final FailPoints failPoints;
    private final boolean on;
    private final int signEveryTicks;
    private final long checkEveryNs;
    private final StoreWatch stores;
    private final TreeSet<Long> toWake = new TreeSet<>();
    private long lookedAt = Long.MIN_VALUE;
    private long ticks;

    /**
     * @param peers of the Store, by Region; they come and go
     * @param touch told of a peer that has something to say
     */
    Hibernation(
            GroupSettings settings,
            TreeMap<Long, RegionPeer> peers,
            Consumer<RegionPeer> touch,
            Others others,
            FailPoints failPoints) {
        this.failPoints = failPoints;
        this.peers = peers;
        this.touch = touch;
        this.others = others;
        on = settings.rest().on();
        signEveryTicks = Math.max(1, settings.electionTicks() / 2);
        checkEveryNs = settings.rest().checkTicks() * settings.tickNs();
        stores = new StoreWatch(2 * settings.electionTicks(), this);
    }

    /** Something came from another Store of the cluster, in that life of it. */
    void heard(long storeId, long life) {
        if (on) {
            stores.heard(storeId, life);
        }
    }

    /** Whether a Store's peers need not be waited for. */
    boolean isSilent(long storeId) {
        return stores.isSilent(storeId);
    }

    /** @param looked told of each peer at rest that is looked at, and may wake it */
    void tick(long nowNs, Consumer<RegionPeer> looked) {
        if (!on) {
            return;
        }
        if (++ticks % signEveryTicks == 0) {
            others.sendSignOfLife();
        }
        stores.tick(others.ids());
        wakeSome(nowNs);
        lookAtSome(nowNs, looked);
    }

    private void wakeSome(long nowNs) {
        for (int i = 0; i < WAKES_PER_TICK && !toWake.isEmpty(); i++) {
            RegionPeer peer = peers.get(toWake.pollFirst());
            if (peer != null && !peer.removed()) {
                peer.group().wake(nowNs);
                touch.accept(peer);
            }
        }
    }

    private void lookAtSome(long nowNs, Consumer<RegionPeer> looked) {
        List<RegionPeer> some = new ArrayList<>();
        for (RegionPeer peer : peers.tailMap(lookedAt, false).values()) {
            if (some.size() == LOOKS_PER_TICK) {
                break;
            }
            some.add(peer);
        }
        lookedAt = some.size() < LOOKS_PER_TICK
                ? Long.MIN_VALUE
                : some.get(some.size() - 1).region().getId();
        for (RegionPeer peer : some) {
            if (!peer.removed() && peer.group().isResting()) {
                looked.accept(peer);
                boolean spoke = !failPoints.hit("rest-unchecked") && peer.rest.look(nowNs, checkEveryNs);
                if (spoke || !peer.group().isResting()) {
                    touch.accept(peer);
                }
            }
        }
    }

    @Override
    public void leadsNoMore(long storeId) {
        if (failPoints.hit("silent-store-unnoticed")) {
            return;
        }
        for (RegionPeer peer : peers.values()) {
            if (peer.group().isResting() && peer.leaderStore() == storeId) {
                toWake.add(peer.region().getId());
            }
        }
    }

    @Override
    public void back(long storeId) {
        for (RegionPeer peer : peers.values()) {
            boolean leads = peer.group().isResting() && peer.group().node().isLeader();
            if (leads
                    && Membership.onStore(peer.region(), storeId) != null
                    && peer.group().isAnyoneBehind()) {
                toWake.add(peer.region().getId());
            }
        }
    }
}
