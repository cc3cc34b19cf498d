package org.flotilladb.region.group;

import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.proto.RaftMessage;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.raft.ReplicaLease;
import org.flotilladb.raft.Snapshot;

/** The raft library's messages as they go over the wire. */
public final class RaftWire {
    private RaftWire() {}

    public static RaftMessage toProto(Message m) {
        RaftMessage.Builder builder = RaftMessage.newBuilder()
                .setType(m.type().code())
                .setTo(m.to())
                .setFrom(m.from())
                .setTerm(m.term())
                .setLogTerm(m.logTerm())
                .setIndex(m.index())
                .setCommit(m.commit())
                .setReject(m.reject())
                .setRejectHint(m.rejectHint())
                .setSentNs(m.sentNs())
                .setPromiseNs(m.promiseNs())
                .setTransferMark(m.transferMark())
                .setPriority(m.priority());
        if (m.context().length > 0) {
            builder.setContext(UnsafeByteOperations.unsafeWrap(m.context()));
        }
        if (m.replicaLease() != null) {
            ReplicaLease lease = m.replicaLease();
            builder.setReplicaLease(org.flotilladb.proto.ReplicaLease.newBuilder()
                    .setKind(lease.kind().code())
                    .setIncarnation(lease.incarnation())
                    .setNumber(lease.number())
                    .setDurationNs(lease.durationNs())
                    .setIndex(lease.index()));
        }
        if (m.snapshot() != null) {
            builder.setSnapshot(toProto(m.snapshot()));
        }
        for (Entry entry : m.entries()) {
            builder.addEntries(org.flotilladb.proto.Entry.newBuilder()
                    .setType(entry.type().code())
                    .setTerm(entry.term())
                    .setIndex(entry.index())
                    .setData(UnsafeByteOperations.unsafeWrap(entry.data())));
        }
        return builder.build();
    }

    /** @throws IllegalArgumentException for a type that this version does not know */
    public static Message fromProto(RaftMessage m) {
        List<Entry> entries = new ArrayList<>(m.getEntriesCount());
        for (org.flotilladb.proto.Entry entry : m.getEntriesList()) {
            entries.add(new Entry(
                    EntryType.fromCode(entry.getType()),
                    entry.getTerm(),
                    entry.getIndex(),
                    entry.getData().toByteArray()));
        }
        return Message.to(m.getTo(), MessageType.fromCode(m.getType()))
                .from(m.getFrom())
                .term(m.getTerm())
                .log(m.getLogTerm(), m.getIndex())
                .entries(entries)
                .commit(m.getCommit())
                .reject(m.getReject(), m.getRejectHint())
                .context(m.getContext().toByteArray())
                .lease(m.getSentNs(), m.getPromiseNs())
                .transferMark(m.getTransferMark())
                .priority(m.getPriority())
                .replicaLease(m.hasReplicaLease() ? lease(m.getReplicaLease()) : null)
                .snapshot(m.hasSnapshot() ? snapshot(m.getSnapshot()) : null)
                .build();
    }

    private static ReplicaLease lease(org.flotilladb.proto.ReplicaLease proto) {
        return new ReplicaLease(
                ReplicaLease.Kind.fromCode(proto.getKind()),
                proto.getIncarnation(),
                proto.getNumber(),
                proto.getDurationNs(),
                proto.getIndex());
    }

    private static Snapshot snapshot(org.flotilladb.proto.Snapshot proto) {
        org.flotilladb.proto.ConfState members = proto.getMetadata().getConfState();
        return new Snapshot(
                proto.getMetadata().getIndex(),
                proto.getMetadata().getTerm(),
                new ConfState(
                        members.getVotersList(),
                        members.getVotersOutgoingList(),
                        members.getLearnersList(),
                        members.getLearnersNextList(),
                        members.getAutoLeave()),
                proto.getData().toByteArray());
    }

    private static org.flotilladb.proto.Snapshot toProto(Snapshot snapshot) {
        ConfState members = snapshot.confState();
        return org.flotilladb.proto.Snapshot.newBuilder()
                .setMetadata(org.flotilladb.proto.SnapshotMetadata.newBuilder()
                        .setIndex(snapshot.index())
                        .setTerm(snapshot.term())
                        .setConfState(org.flotilladb.proto.ConfState.newBuilder()
                                .addAllVoters(members.voters())
                                .addAllVotersOutgoing(members.votersOutgoing())
                                .addAllLearners(members.learners())
                                .addAllLearnersNext(members.learnersNext())
                                .setAutoLeave(members.autoLeave())))
                .setData(UnsafeByteOperations.unsafeWrap(snapshot.data()))
                .build();
    }
}
