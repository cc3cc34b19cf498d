package org.flotilladb.raft.sim;

import org.flotilladb.raft.Message;

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

    static Message withSentNs(Message m, long sentNs) {
        return copy(m).lease(sentNs, m.promiseNs()).build();
    }
}
