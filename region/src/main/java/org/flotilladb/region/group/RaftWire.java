package org.flotilladb.region.group;

import com.google.protobuf.UnsafeByteOperations;
import java.util.ArrayList;
import java.util.List;
import org.flotilladb.proto.RaftMessage;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.EntryType;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;

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
                .setTransferMark(m.transferMark());
        if (m.context().length > 0) {
            builder.setContext(UnsafeByteOperations.unsafeWrap(m.context()));
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
        return new Message(
                MessageType.fromCode(m.getType()),
                m.getTo(),
                m.getFrom(),
                m.getTerm(),
                m.getLogTerm(),
                m.getIndex(),
                entries,
                m.getCommit(),
                m.getReject(),
                m.getRejectHint(),
                m.getContext().toByteArray(),
                m.getSentNs(),
                m.getPromiseNs(),
                m.getTransferMark());
    }
}
