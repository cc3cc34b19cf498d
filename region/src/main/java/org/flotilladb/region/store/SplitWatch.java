package org.flotilladb.region.store;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.flotilladb.proto.Region;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.Scheduler;
import org.flotilladb.region.runtime.StorageException;
import org.flotilladb.region.store.RegionLoad.Size;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the Regions led here that are too large or too busy, and where to split them. One Region at a time is measured, in
 * small steps on the scheduler's threads; everything else is the loop's. What is found is a wish: the Placement Driver hears
 * of it with the next report, and gives the ids.
 */
final class SplitWatch {
    private static final Logger LOG = LoggerFactory.getLogger(SplitWatch.class);
    /** Regions that wait to be measured; the others are seen again. */
    private static final int MAX_WAITING = 1024;

    private static final int MAX_WISHES = 256;
    /** Between two steps of a walk, so that it does not take the disk and the threads for itself. */
    private static final long PAUSE_NS = 1_000_000L;
    /** A busy Region must have so many of the last requests on either side of a border, of a hundred. */
    private static final int BALANCED_PERCENT = 25;

    private static final int MIN_SAMPLES = 32;
    /** After a border for a busy Region was found or not, so long nobody looks for another. */
    private static final long LOAD_REST_NS = 10_000_000_000L;

    /**
     * Where a Region is to be split.
     *
     * @param pieces how large the pieces are, but for the last one, which is the rest; counted, or guessed
     */
    private record Wish(RegionPeer peer, long rangeVersion, List<ByteString> keys, List<Size> pieces, boolean counted) {
        boolean stands() {
            return peer.serving() && peer.region().getEpoch().getRangeVersion() == rangeVersion;
        }
    }

    /**
     * How work leaves the loop and comes back.
     *
     * @param loop runs a task in the loop
     * @param failed told, on any thread, that the disk has lost something
     */
    record Work(KvStore data, Scheduler scheduler, Consumer<Runnable> loop, Consumer<StorageException> failed) {}

    /** What is measured just now. */
    private record Job(RegionPeer peer, Region region, Size writtenBefore) {}

    private final SplitSettings limits;
    private final Work work;
    private final StoreCounters counters;
    private final Consumer<RegionPeer> changed;
    private final TreeMap<Long, Wish> wishes = new TreeMap<>();
    private final ArrayDeque<RegionPeer> waiting = new ArrayDeque<>();
    private boolean busy;
    private volatile boolean closed;

    /** @param changed told, in the loop, of a Region that has got a wish */
    SplitWatch(SplitSettings limits, Work work, StoreCounters counters, Consumer<RegionPeer> changed) {
        this.limits = limits;
        this.work = work;
        this.counters = counters;
        this.changed = changed;
    }

    /** Where the Region is to be split; empty when it is well as it is. */
    List<ByteString> keys(RegionPeer peer) {
        Wish wish = wishes.get(peer.region().getId());
        return wish != null && wish.peer == peer && wish.stands() ? wish.keys : List.of();
    }

    /** Whether something is to be done about a Region that is led here; called now and then. */
    void look(RegionPeer peer, long nowNs) {
        RegionLoad load = peer.load();
        boolean free =
                !load.isWaiting() && waiting.size() < MAX_WAITING && keys(peer).isEmpty();
        if (!free) {
            return;
        }
        if (!load.isMeasured() || tooLarge(load)) {
            load.waits(true);
            waiting.add(peer);
            next();
        } else if (load.requestsPerSecond() > limits.maxRequestsPerSecond()
                && peer.region().getPeersCount() > 1
                && load.mayDivide(nowNs)) {
            load.divideAgainAfter(nowNs + LOAD_REST_NS);
            divide(peer);
        }
    }

    private boolean tooLarge(RegionLoad load) {
        Size size = load.size();
        return (size.bytes() > limits.maxBytes() || size.keys() > limits.maxKeys()) && !load.rests();
    }

    /** Forgets wishes that make no sense any more. */
    void tidy() {
        wishes.values().removeIf(wish -> !wish.stands());
    }

    // ---- size ------------------------------------------------------------------------------------------------------

    /** Begins to measure the next Region that waits, if none is being measured. */
    private void next() {
        while (!busy && !closed && !waiting.isEmpty()) {
            RegionPeer peer = waiting.poll();
            peer.load().waits(false);
            if (!peer.serving() || !keys(peer).isEmpty()) {
                continue;
            }
            busy = true;
            Job job = new Job(peer, peer.region(), peer.load().written());
            if (!peer.load().isMeasured()) {
                work.scheduler.execute(() -> estimate(job));
            } else {
                RegionSurvey survey = new RegionSurvey(work.data, job.region, limits);
                work.scheduler.execute(() -> walk(job, survey));
            }
        }
    }

    private void estimate(Job job) {
        read(() -> {
            Size size = RegionSurvey.estimate(work.data, job.region);
            work.loop.accept(() -> ended(job, () -> job.peer.load().measured(size, job.writtenBefore)));
        });
    }

    private void walk(Job job, RegionSurvey survey) {
        read(() -> {
            if (survey.step()) {
                work.scheduler.schedule(PAUSE_NS, () -> walk(job, survey));
            } else {
                RegionSurvey.Found found = survey.found();
                work.loop.accept(() -> ended(job, () -> found(job, found)));
            }
        });
    }

    private void read(Runnable reads) {
        if (closed) {
            return;
        }
        try {
            reads.run();
        } catch (StorageException e) {
            if (!closed) {
                work.failed.accept(e);
            }
        } catch (RuntimeException e) {
            // Such as a key that is none: there it stops the Store as whatever nobody foresaw.
            work.loop.accept(() -> {
                throw e;
            });
        }
    }

    private void ended(Job job, Runnable then) {
        busy = false;
        Region now = job.peer.region();
        boolean same = now.getEpoch().getRangeVersion() == job.region.getEpoch().getRangeVersion();
        if (same && job.peer.serving()) {
            then.run();
        }
        next();
    }

    private void found(Job job, RegionSurvey.Found found) {
        RegionLoad load = job.peer.load();
        if (found.complete()) {
            load.measured(found.total(), job.writtenBefore);
        }
        if (found.borders().isEmpty()) {
            // It is smaller than it seemed, or all of it is one key.
            load.restsUntilGrownBy(new Size(limits.maxBytes(), limits.maxKeys()).part(2));
        } else {
            wish(job.peer, found.borders(), found.pieces(), true);
        }
    }

    private void wish(RegionPeer peer, List<ByteString> keys, List<Size> pieces, boolean counted) {
        Region region = peer.region();
        if (wishes.size() < MAX_WISHES) {
            LOG.info("Region {} is to be split into {}", region.getId(), keys.size() + 1);
            wishes.put(region.getId(), new Wish(peer, region.getEpoch().getRangeVersion(), keys, pieces, counted));
            changed.accept(peer);
        }
    }

    // ---- load ------------------------------------------------------------------------------------------------------

    /** A busy Region is split where about half of the last requests lie on either side. */
    private void divide(RegionPeer peer) {
        List<ByteString> keys = new ArrayList<>(peer.load().samples());
        keys.removeIf(key -> !peer.contains(key.toByteArray()));
        if (keys.size() < MIN_SAMPLES) {
            return;
        }
        int middle = keys.size() / 2;
        int from = keys.indexOf(keys.get(middle));
        int behind = keys.lastIndexOf(keys.get(middle)) + 1;
        // The border is a key of its own: what equals it goes to the right.
        int at = middle - from <= behind - middle || behind == keys.size() ? from : behind;
        if (Math.min(at, keys.size() - at) * 100 >= keys.size() * BALANCED_PERCENT
                && !keys.get(at).equals(peer.region().getStart())) {
            Size half = peer.load().size().part(2);
            wish(peer, List.of(keys.get(at)), List.of(half, half), false);
        }
    }

    // ---- what has become of it -------------------------------------------------------------------------------------

    /** A Region has been split here: the numbers are divided. */
    void divided(RegionPeer old, List<RegionPeer> created) {
        Wish wish = wishes.remove(old.region().getId());
        List<ByteString> starts =
                created.stream().map(each -> each.region().getStart()).toList();
        long before = old.region().getEpoch().getRangeVersion() - created.size();
        boolean asWished = wish != null && wish.peer == old && wish.rangeVersion == before && wish.keys.equals(starts);
        if (asWished) {
            counters.splitByItself();
        }
        List<RegionPeer> all = new ArrayList<>(List.of(old));
        all.addAll(created);
        Size rest = old.load().size();
        Size part = rest.part(all.size());
        for (int i = 0; i < all.size(); i++) {
            boolean end = i == all.size() - 1;
            Size size = end ? rest : asWished ? wish.pieces.get(i) : part;
            rest = rest.minus(size);
            // What is only guessed is measured where it is led.
            all.get(i).load().becomes(size, asWished && wish.counted);
        }
        old.load().halve();
    }

    void close() {
        closed = true;
        waiting.clear();
        wishes.clear();
    }
}
