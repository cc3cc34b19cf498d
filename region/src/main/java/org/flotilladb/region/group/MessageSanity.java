package org.flotilladb.region.group;

import java.util.List;
import java.util.TreeSet;
import org.flotilladb.raft.ConfState;
import org.flotilladb.raft.Entry;
import org.flotilladb.raft.Message;
import org.flotilladb.raft.MessageType;
import org.flotilladb.raft.RawNode;
import org.flotilladb.raft.Snapshot;

/**
 * Tells messages that no peer of this group can have meant: they would break an invariant, and with it this Store, though
 * nothing is wrong here. What a peer can mean only if this Store has lost what it had acknowledged (a commit index just
 * above its log) is let through: that must stop it.
 */
final class MessageSanity {
    /** Terms come one by one; no two peers of a group are so many elections apart. */
    private static final long MAX_TERMS_APART = 1L << 32;

    private static final long MAX_ENTRIES_APART = 1L << 40;
    /** Of an election timeout, which peers promise one another. */
    private static final long MAX_PROMISE_NS = 600_000_000_000L;

    private final Message message;
    private final RawNode node;
    private final long nowNs;

    private MessageSanity(Message message, RawNode node, long nowNs) {
        this.message = message;
        this.node = node;
        this.nowNs = nowNs;
    }

    /** Why it is nonsense to this peer, or null. */
    static String refuses(Message message, RawNode node, long nowNs) {
        return new MessageSanity(message, node, nowNs).refusal();
    }

    private String refusal() {
        if (message.from() <= 0 || message.from() == node.id()) {
            return "it comes from peer " + message.from();
        }
        String wrong = numbers();
        if (wrong != null) {
            return wrong;
        }
        boolean own = message.term() == node.term();
        return switch (message.type()) {
            // Proposals and wishes come as requests, whose sender is answered.
            case PROP, TRANSFER_LEADER -> "no peer sends it";
            case APP -> own && node.isLeader() ? twoLeaders() : entries();
            case HEARTBEAT -> own && node.isLeader() ? twoLeaders() : null;
            case SNAP -> own && node.isLeader() ? twoLeaders() : snapshot();
            case APP_RESP, HEARTBEAT_RESP -> own && node.isLeader() ? answer() : null;
            default -> null;
        };
    }

    private String numbers() {
        long lastIndex = node.lastIndex() + MAX_ENTRIES_APART;
        boolean asks = message.type() == MessageType.READ_INDEX;
        if (message.term() < (asks ? 0 : 1) || message.term() > node.term() + MAX_TERMS_APART) {
            return "term " + message.term() + " is no successor of " + node.term();
        }
        if (isOutside(message.logTerm(), message.term() + MAX_TERMS_APART)
                || isOutside(message.index(), lastIndex)
                || isOutside(message.commit(), lastIndex)
                || isOutside(message.rejectHint(), lastIndex)) {
            return "it speaks of entry " + message.logTerm() + "/" + message.index() + ", commit " + message.commit()
                    + " and " + message.rejectHint() + ", the last one here is " + node.lastIndex();
        }
        return isOutside(message.promiseNs(), MAX_PROMISE_NS) ? "it promises " + message.promiseNs() + " ns" : null;
    }

    private static boolean isOutside(long value, long most) {
        return value < 0 || value > most;
    }

    private String twoLeaders() {
        return "peer " + message.from() + " would lead term " + message.term() + ", which this peer leads";
    }

    private String entries() {
        long term = message.logTerm();
        long index = message.index();
        if (term > message.term() || (index == 0) != (term == 0)) {
            return "the entry before its own is " + term + "/" + index;
        }
        for (Entry entry : message.entries()) {
            index++;
            if (entry.index() != index || entry.term() < Math.max(1, term) || entry.term() > message.term()) {
                return "its entry " + entry + " does not follow " + term + "/" + (index - 1);
            }
            term = entry.term();
        }
        return null;
    }

    /** What this leader has never sent cannot be answered. */
    private String answer() {
        if (message.sentNs() > nowNs) {
            return "it answers what was sent at " + message.sentNs() + " ns, and now is " + nowNs;
        }
        if (message.type() == MessageType.APP_RESP
                && (message.index() > node.lastIndex() || message.rejectHint() > message.index())) {
            return "it has entry " + Math.max(message.index(), message.rejectHint()) + ", the last one here is "
                    + node.lastIndex();
        }
        return null;
    }

    private String snapshot() {
        Snapshot snapshot = message.snapshot();
        if (snapshot == null) {
            return "there is no snapshot in it";
        }
        boolean possible = snapshot.index() > 0
                && snapshot.index() <= node.lastIndex() + MAX_ENTRIES_APART
                && snapshot.term() > 0
                && snapshot.term() <= message.term()
                && isPossible(snapshot.confState());
        return possible ? null : "it brings " + snapshot;
    }

    private static boolean isPossible(ConfState members) {
        TreeSet<Long> voters = new TreeSet<>(members.voters());
        voters.addAll(members.votersOutgoing());
        return !members.voters().isEmpty()
                && ascends(members.voters())
                && ascends(members.votersOutgoing())
                && ascends(members.learners())
                && ascends(members.learnersNext())
                && members.learners().stream().noneMatch(voters::contains)
                && members.votersOutgoing().containsAll(members.learnersNext())
                && members.learnersNext().stream().noneMatch(members.voters()::contains)
                && (!members.autoLeave() || !members.votersOutgoing().isEmpty());
    }

    private static boolean ascends(List<Long> ids) {
        long before = 0;
        for (long id : ids) {
            if (id <= before) {
                return false;
            }
            before = id;
        }
        return true;
    }
}
