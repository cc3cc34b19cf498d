package org.flotilladb.raft;

import java.util.TreeMap;
import org.flotilladb.raft.ReplicaLease.Kind;
import org.flotilladb.raft.tracker.Progress;

/**
 * A leader's side of replica leases. While a replica holds one, nothing commits that the replica does not have; so the
 * replica may read what it has applied, and it is the newest that anybody can have been shown. No replica lease reaches
 * beyond the leader's own, so none is left when another leader can be elected.
 */
final class Grants {
    private final Core core;
    private final TreeMap<Long, Holder> holders = new TreeMap<>();
    private final TreeMap<Long, ReplicaLease> questions = new TreeMap<>();
    /** The newest question of each replica that was granted or given back; older ones that come late are void. */
    private final TreeMap<Long, ReplicaLease> closed = new TreeMap<>();
    /** What a majority held one heartbeat ago: a replica that lacks it holds up writes and gets no lease. */
    private long heldBefore;

    private long heldNow;
    /** Nothing is granted and everything taken back, until then (in ticks of the election timer) or what it was for. */
    private boolean takingBack;

    private static final class Holder {
        final long incarnation;
        long number;
        long untilNs;

        Holder(long incarnation) {
            this.incarnation = incarnation;
        }
    }

    Grants(Core core) {
        this.core = core;
    }

    void reset() {
        holders.clear();
        questions.clear();
        closed.clear();
        heldBefore = Long.MAX_VALUE;
        heldNow = Long.MAX_VALUE;
        takingBack = false;
    }

    // ---- holders -------------------------------------------------------------------------------------------------

    boolean any() {
        expire();
        return !holders.isEmpty();
    }

    private void expire() {
        holders.values().removeIf(holder -> core.nowNs >= holder.untilNs);
    }

    /** The write rule: every holder must have it, holders counted at the moment of committing. */
    long limit(long index) {
        if (holders.isEmpty()) {
            return index;
        }
        expire();
        long limited = index;
        for (long id : holders.keySet()) {
            Progress peer = core.members.peer(id);
            limited = Math.min(limited, peer == null ? 0 : peer.match());
        }
        return limited;
    }

    /** From now on nothing is granted, and what is out is asked back. */
    void takeBack() {
        takingBack = true;
        if (any()) {
            core.leading.broadcastHeartbeat();
        }
    }

    void grantAgain() {
        takingBack = false;
    }

    // ---- what is said --------------------------------------------------------------------------------------------

    /** Heartbeats are about to be sent. */
    void round() {
        heldBefore = heldNow;
        heldNow = core.members
                .counted()
                .reachedByMajority(voter -> core.members.peer(voter).match());
    }

    /** What a heartbeat to that replica says; null for nothing. */
    ReplicaLease forHeartbeat(Progress to) {
        Holder holder = holders.get(to.id());
        if (takingBack) {
            return holder == null ? null : ReplicaLease.of(Kind.TAKE_BACK, holder.incarnation, holder.number);
        }
        ReplicaLease question = questions.remove(to.id());
        if (question == null || !mayGrant(to)) {
            return null;
        }
        long leaseUntilNs = core.promises.leaseUntilNs();
        if (core.nowNs >= leaseUntilNs) {
            return null;
        }
        // No longer than its own lease, and where it decides alone, than what it will keep to after a restart.
        long leftNs = leaseUntilNs == Long.MAX_VALUE ? Long.MAX_VALUE : leaseUntilNs - core.nowNs;
        long durationNs = Math.min(leftNs, core.promises.leaseNs());
        if (durationNs <= 0) {
            return null;
        }
        long untilNs = core.nowNs + core.promises.longest(durationNs);
        if (holder == null || holder.incarnation != question.incarnation()) {
            Holder next = new Holder(question.incarnation());
            // An earlier life holds nothing any more, but a lease of it that is counted is not forgotten early.
            next.untilNs = holder == null ? untilNs : Math.max(holder.untilNs, untilNs);
            holders.put(to.id(), next);
            holder = next;
        }
        holder.number = question.number();
        close(to.id(), question);
        holder.untilNs = Math.max(holder.untilNs, untilNs);
        core.promises.extend(untilNs);
        return new ReplicaLease(
                Kind.GRANT, question.incarnation(), question.number(), durationNs, core.log.lastIndex());
    }

    private boolean mayGrant(Progress to) {
        return core.leading.committedInTerm()
                && core.log.applied() >= core.leading.termStartIndex()
                && !core.transfer.endsLease()
                && !core.leading.changingMembers()
                && to.state() == Progress.State.REPLICATE
                && to.match() >= heldBefore;
    }

    /** What a replica's answer to a heartbeat says. */
    void handle(long from, ReplicaLease message) {
        if (message == null) {
            return;
        }
        ReplicaLease last = closed.get(from);
        if (message.kind() == Kind.ASK) {
            // A question that comes late must not stand for a newer one: what is given back goes by its number.
            if (last == null || last.incarnation() != message.incarnation() || last.number() < message.number()) {
                questions.put(from, message);
            }
        } else if (message.kind() == Kind.GIVE_BACK) {
            close(from, message);
            Holder holder = holders.get(from);
            if (holder != null && holder.incarnation == message.incarnation() && holder.number <= message.number()) {
                holders.remove(from);
                core.leading.holderGone();
            }
        }
    }

    private void close(long from, ReplicaLease upTo) {
        ReplicaLease last = closed.get(from);
        if (last == null || last.incarnation() != upTo.incarnation() || last.number() < upTo.number()) {
            closed.put(from, upTo);
        }
        ReplicaLease question = questions.get(from);
        if (question != null && question.incarnation() == upTo.incarnation() && question.number() <= upTo.number()) {
            questions.remove(from);
        }
    }
}
