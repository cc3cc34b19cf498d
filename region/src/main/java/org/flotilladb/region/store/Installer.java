package org.flotilladb.region.store;

import java.util.List;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.SnapshotInstall;
import org.flotilladb.raft.HardState;
import org.flotilladb.raft.RaftInvariantException;
import org.flotilladb.raft.Snapshot;
import org.flotilladb.region.group.RaftGroup;
import org.flotilladb.region.runtime.FailPoints;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.Family;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.LogStore.GroupState;
import org.flotilladb.region.runtime.LogStore.LogBatch;

/**
 * Puts snapshots in the place of what peers had. Two databases and a set of files change, and a crash may come at any
 * point: a note in the data store, durable before anything else, says that the new state wins, and opening the Store does
 * the rest again until the note is gone.
 */
final class Installer {
    private final LogStore logs;
    private final KvStore data;
    private final FailPoints failPoints;
    private List<Install> current = List.of();

    /** A snapshot that the library has taken for a peer. */
    record Install(RegionPeer peer, IncomingSnapshots.Arrived arrived, Snapshot snapshot) {
        Install {
            boolean same = arrived != null
                    && arrived.offer().message().snapshot().index() == snapshot.index()
                    && arrived.offer().message().snapshot().term() == snapshot.term();
            if (!same) {
                throw new RaftInvariantException(peer.group() + " takes " + snapshot + ", but has the rows of "
                        + (arrived == null ? "none" : arrived.offer().message().snapshot()));
            }
        }

        private SnapshotInstall note() {
            return SnapshotInstall.newBuilder()
                    .setRegion(arrived.offer().snapshot().getRegion())
                    .setIndex(snapshot.index())
                    .setTerm(snapshot.term())
                    .setRows(arrived.rows())
                    .build();
        }
    }

    Installer(LogStore logs, KvStore data, FailPoints failPoints) {
        this.logs = logs;
        this.data = data;
        this.failPoints = failPoints;
    }

    /** Before the log is written: notes durably what will be done. */
    void begin(List<Install> installs) {
        current = installs;
        if (installs.isEmpty()) {
            return;
        }
        KvBatch batch = data.batch();
        for (Install install : installs) {
            long regionId = install.peer.region().getId();
            batch.put(Family.META, RegionData.key('i', regionId), install.note().toByteArray());
        }
        if (!failPoints.hit("install-not-noted")) {
            data.write(batch);
            data.sync();
        }
    }

    /** The log begins after the snapshots, durably: takes in the rows. Answers what has been done. */
    List<Install> finish() {
        List<Install> done = current;
        current = List.of();
        for (Install install : done) {
            takeIn(install.note(), install.peer.initialised() ? install.peer.region() : null);
        }
        return done;
    }

    private void takeIn(SnapshotInstall note, Region before) {
        Region region = note.getRegion();
        KvBatch clear = data.batch();
        boolean keepOld = failPoints.hit("old-rows-kept");
        if (before != null && !keepOld && RegionData.hasRows(data, before)) {
            RegionData.delete(clear, before);
        }
        if (!keepOld && RegionData.hasRows(data, region)) {
            RegionData.delete(clear, region);
        }
        if (!clear.isEmpty()) {
            data.write(clear);
        }
        data.ingest(note.getRows());
        KvBatch end = data.batch();
        end.put(Family.META, RegionPeer.regionKey(region.getId()), region.toByteArray());
        RaftGroup.putApplied(end, region.getId(), note.getIndex());
        end.delete(Family.META, RegionData.key('i', region.getId()));
        end.delete(Family.META, RegionData.key('t', region.getId()));
        data.write(end);
        // The rows' files are dropped only when nobody can need them again.
        data.sync();
        data.dropCollection(note.getRows());
    }

    /** The Store opens: finishes what was noted, and drops rows that nobody has noted. */
    void recover() {
        for (SnapshotInstall note : RegionData.installs(data)) {
            long regionId = note.getRegion().getId();
            GroupState state = logs.load(regionId);
            HardState hard = state == null ? new HardState(0, 0, 0) : state.hardState();
            if (state == null || state.truncatedIndex() < note.getIndex()) {
                LogBatch batch = logs.batch();
                batch.beginAfter(regionId, note.getIndex(), note.getTerm());
                // A log has no entry of a term that its peer has not seen.
                boolean older = hard.term() < note.getTerm();
                batch.setHardState(
                        regionId,
                        new HardState(Math.max(hard.term(), note.getTerm()), older ? 0 : hard.vote(), note.getIndex()));
                logs.write(batch, true);
            }
            takeIn(note, recordOf(regionId));
        }
        data.collections().forEach(data::dropCollection);
    }

    private Region recordOf(long regionId) {
        for (Region region : RegionData.regions(data)) {
            if (region.getId() == regionId) {
                return region;
            }
        }
        return null;
    }
}
