package org.flotilladb.raft.sim;

import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.raft.ReplicaLease;

/** Messages changed in one field, for planted bugs. */
final class SimMessages {
    private SimMessages() {}

    private static Message.Builder copy(Message m) {
        return Message.to(m.to(), m.type())
                .from(m.from())
                .term(m.term())
                .log(m.logTerm(), m.index())
                .entries(m.entries())
                .commit(m.commit())
                .reject(m.reject(), m.rejectHint())
                .context(m.context())
                .lease(m.sentNs(), m.promiseNs())
                .transferMark(m.transferMark())
                .vote(m.vote())
                .priority(m.priority())
                .snapshot(m.snapshot())
                .replicaLease(m.replicaLease())
                .responses(m.responses());
    }

    static Message marked(Message m) {
        return copy(m).transferMark(true).build();
    }

    static Message withLog(Message m, long logTerm, long index) {
        return copy(m).log(logTerm, index).build();
    }

    static Message withCommit(Message m, long commit) {
        return copy(m).commit(commit).build();
    }

    static Message withLongLease(Message m) {
        ReplicaLease lease = m.replicaLease();
        return copy(m).replicaLease(new ReplicaLease(
                        lease.kind(), lease.incarnation(), lease.number(), lease.durationNs() * 4, lease.index()))
                .build();
    }

    static Message forgedGiveBack(Message grant) {
        ReplicaLease lease = grant.replicaLease();
        return Message.to(grant.from(), MessageType.HEARTBEAT_RESP)
                .from(grant.to())
                .term(grant.term())
                .replicaLease(new ReplicaLease(ReplicaLease.Kind.GIVE_BACK, lease.incarnation(), lease.number(), 0, 0))
                .build();
    }

    static Message withSentNs(Message m, long sentNs) {
        return copy(m).lease(sentNs, m.promiseNs()).build();
    }
}
