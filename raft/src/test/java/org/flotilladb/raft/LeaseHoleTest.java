package org.flotilladb.raft;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Holes in leases, most of them known from other libraries: each is a short story that ends in a read of an old value
 * where a rule is switched off, and in none where it is on. Switches are here, not in the library: messages and settings
 * are changed, or the caller does not do its part.
 */
@DisplayName("Known holes in leases")
class LeaseHoleTest {
    private static final long E_NS = Group.PROMISE_NS;
    private static final long MS = 1_000_000L;

    /** A story; it tells whether an old value was read. */
    private interface Story {
        boolean staleRead(boolean ruleOn) throws ProposalDroppedException;
    }

    enum Hole {
        /** etcd, raft-rs, MicroRaft, Ratis, OpenRaft. */
        A_VOTER_THAT_RESTARTS_FORGETS_WHOM_IT_PROMISED(LeaseHoleTest::restartForgetsPromise),
        A_VOTER_THAT_RESTARTS_WITH_A_SHORTER_TIMEOUT_FORGETS_HOW_LONG_IT_PROMISED(LeaseHoleTest::restartForgetsLength),
        /** JRaft. */
        PRE_VOTE_ALONE_IS_NO_PROMISE(LeaseHoleTest::preVoteAlone),
        /** MicroRaft. */
        A_LEASE_IS_COUNTED_FROM_THE_ARRIVAL_OF_AN_ANSWER(LeaseHoleTest::countedFromArrival),
        /** MicroRaft. */
        A_LEASE_IS_MEASURED_ON_THE_WALL_CLOCK(LeaseHoleTest::wallClock),
        CLOCKS_ARE_TAKEN_TO_RUN_AT_ONE_RATE(LeaseHoleTest::clockRates),
        A_SUSPENDED_MACHINE_GOES_ON_WITH_ITS_LEASE(LeaseHoleTest::suspended),
        A_LEADER_KEEPS_ITS_LEASE_WHILE_IT_HANDS_OVER(LeaseHoleTest::transfer),
        /** TiKV, issue 16069. */
        A_LEADER_READS_BEFORE_IT_HAS_APPLIED_WHAT_A_REPLICA_HAS_SHOWN(LeaseHoleTest::leaderBehindReplica),
        A_WRITE_COMMITS_WITHOUT_A_REPLICA_THAT_HOLDS_A_LEASE(LeaseHoleTest::holderForgotten);

        private final Story story;

        Hole(Story story) {
            this.story = story;
        }
    }

    @ParameterizedTest
    @EnumSource
    void isClosedByItsRule(Hole hole) throws Exception {
        assertFalse(hole.story.staleRead(true), "an old value was read");
    }

    @ParameterizedTest
    @EnumSource
    void isOpenWithoutIt(Hole hole) throws Exception {
        assertTrue(hole.story.staleRead(false), "no old value was read: the story shows nothing");
    }

    // ---- stories
    // -----------------------------------------------------------------------------------------------------

    private static boolean restartForgetsPromise(boolean ruleOn) throws ProposalDroppedException {
        boolean[] restarted = new boolean[1];
        Group group = ledByOne(
                Group.of(3, builder -> leases(builder, E_NS, Group.RATE_ERROR).promiseAtStart(restarted[0] && ruleOn)));
        waitUntilOnlyTwoStandsByOne(group);
        restarted[0] = true;
        group.restart(2);
        return threeWritesWhileOneReads(group, group.node(1).leaseUntilNs());
    }

    private static boolean restartForgetsLength(boolean ruleOn) throws ProposalDroppedException {
        long[] promiseNs = {4 * E_NS};
        boolean[] restarted = new boolean[1];
        Group group = ledByOne(Group.of(
                3, builder -> leases(builder, promiseNs[0], Group.RATE_ERROR).promiseAtStart(restarted[0])));
        cut(group, 1, 3);
        group.ticks(45);
        restarted[0] = true;
        promiseNs[0] = E_NS;
        if (!ruleOn) {
            HardState state = group.peer(2).storage.hardState();
            group.peer(2).storage.setHardState(new HardState(state.term(), state.vote(), state.commit()));
        }
        group.restart(2);
        group.nowNs += E_NS + MS;
        return threeWritesWhileOneReads(group, group.node(1).leaseUntilNs());
    }

    private static boolean preVoteAlone(boolean ruleOn) throws ProposalDroppedException {
        Group group = ledByOne(Group.of(
                3,
                builder -> leases(builder, E_NS, Group.RATE_ERROR)
                        .promiseAtStart(false)
                        .preVote(false)
                        .electionTick(100)));
        waitUntilOnlyTwoStandsByOne(group);
        group.isolate(1);
        group.node(3).campaign(group.nowNs);
        group.peer(3).handleAll();
        for (Message m : group.takeWire()) {
            // A vote that a transfer has caused is the one that no promise stands against.
            boolean request = m.type() == MessageType.VOTE;
            group.deliver(
                    !request || ruleOn
                            ? m
                            : Message.to(m.to(), m.type())
                                    .from(m.from())
                                    .term(m.term())
                                    .log(m.logTerm(), m.index())
                                    .transferMark(true)
                                    .build());
        }
        group.settle();
        return threeWritesWhileOneReads(group, group.node(1).leaseUntilNs());
    }

    private static boolean countedFromArrival(boolean ruleOn) throws ProposalDroppedException {
        Group group = ledByOne(withLeases());
        long sentNs = group.nowNs;
        group.node(1).tick(sentNs);
        group.node(1).tick(sentNs);
        group.peer(1).handleAll();
        group.takeWire().forEach(group::deliver);
        group.peer(2).handleAll();
        List<Message> answers = group.takeWire();
        group.nowNs = sentNs + E_NS * 9 / 10;
        for (Message m : answers) {
            group.deliver(Message.to(m.to(), m.type())
                    .from(m.from())
                    .term(m.term())
                    .context(m.context())
                    .lease(ruleOn ? m.sentNs() : group.nowNs, m.promiseNs())
                    .build());
        }
        group.nowNs = sentNs + E_NS + MS;
        return threeWritesWhileOneReads(group, group.node(1).leaseUntilNs());
    }

    private static boolean wallClock(boolean ruleOn) throws ProposalDroppedException {
        Group group = ledByOne(withLeases());
        group.nowNs += E_NS + MS;
        if (!ruleOn) {
            // Somebody has set the wall clock back.
            group.clock(1, ns -> ns - E_NS);
        }
        return threeWritesWhileOneReads(group, group.node(1).leaseUntilNs());
    }

    private static boolean clockRates(boolean ruleOn) throws ProposalDroppedException {
        double trusted = ruleOn ? Group.RATE_ERROR : 0;
        Group group = Group.of(3, builder -> leases(builder, E_NS, trusted).promiseAtStart(false));
        group.clock(1, ns -> (long) (ns * (1 - Group.RATE_ERROR)));
        group.clock(2, ns -> (long) (ns * (1 + Group.RATE_ERROR)));
        group.clock(3, ns -> (long) (ns * (1 + Group.RATE_ERROR)));
        ledByOne(group);
        group.nowNs += (long) (E_NS / (1 + Group.RATE_ERROR)) + MS;
        return threeWritesWhileOneReads(group, group.node(1).leaseUntilNs());
    }

    private static boolean suspended(boolean ruleOn) throws ProposalDroppedException {
        Group group = ledByOne(withLeases());
        long stoodStillNs = 2 * E_NS;
        group.clock(1, ns -> ns - stoodStillNs);
        group.nowNs += stoodStillNs;
        if (ruleOn) {
            group.node(1).suspectClock(group.clock(1));
        }
        return threeWritesWhileOneReads(group, group.node(1).leaseUntilNs());
    }

    private static boolean transfer(boolean ruleOn) throws ProposalDroppedException {
        Group group = ledByOne(withLeases());
        long beforeNs = group.node(1).leaseUntilNs();
        group.node(1).transferLeader(3, group.nowNs);
        group.peer(1).handleAll();
        group.takeWire().forEach(group::deliver);
        return threeWritesWhileOneReads(group, ruleOn ? group.node(1).leaseUntilNs() : beforeNs);
    }

    private static boolean leaderBehindReplica(boolean ruleOn) throws ProposalDroppedException {
        Group group = withHolder();
        group.peer(1).propose("new");
        group.peer(1).handle();
        group.takeWire().forEach(group::deliver);
        group.peer(2).handleAll();
        group.peer(3).handleAll();
        group.takeWire().forEach(group::deliver);
        // The leader has committed it and tells so, and is slow to apply it.
        Ready slow = group.node(1).ready();
        slow.messagesBeforePersist().forEach(group::deliver);
        group.peer(3).handleAll();
        assertTrue(group.peer(3).applied.contains("new"));
        assertTrue(group.nowNs < group.node(3).replicaLeaseUntilNs(), "the replica may show it");
        boolean lease = group.nowNs < group.node(1).leaseUntilNs();
        boolean waits = ruleOn && group.node(1).appliedIndex() < group.node(1).commitIndex();
        return lease && !waits && !group.peer(1).applied.contains("new");
    }

    private static boolean holderForgotten(boolean ruleOn) throws ProposalDroppedException {
        Group group = withHolder();
        ReplicaLease[] granted = new ReplicaLease[1];
        group.filter(message -> {
            granted[0] = message.to() == 3 && message.replicaLease() != null ? message.replicaLease() : granted[0];
            return true;
        });
        group.ticks(2);
        group.isolate(3);
        if (!ruleOn) {
            group.deliver(Message.to(1, MessageType.HEARTBEAT_RESP)
                    .from(3)
                    .term(group.node(1).term())
                    .replicaLease(
                            ReplicaLease.of(ReplicaLease.Kind.GIVE_BACK, granted[0].incarnation(), granted[0].number()))
                    .build());
        }
        group.peer(1).propose("new");
        group.settle();
        assertTrue(group.nowNs < group.node(3).replicaLeaseUntilNs());
        return group.peer(1).applied.contains("new") && !group.peer(3).applied.contains("new");
    }

    // ---- what they share
    // ---------------------------------------------------------------------------------------------

    private static Config.Builder leases(Config.Builder builder, long promiseNs, double rateError) {
        return builder.leases(promiseNs, rateError, Group.MARGIN_NS);
    }

    private static Group withLeases() {
        return Group.withLeases(3);
    }

    /** Peer 1 leads and has a lease that a round of this moment has renewed. */
    private static Group ledByOne(Group group) throws ProposalDroppedException {
        group.elect(1);
        group.peer(1).propose("old");
        group.settle();
        group.ticks(4);
        assertTrue(group.clock(1) < group.node(1).leaseUntilNs(), "peer 1 has a lease");
        return group;
    }

    private static Group withHolder() throws ProposalDroppedException {
        Group group = ledByOne(withLeases());
        group.node(3).wantReplicaLease(true);
        group.ticks(4);
        assertTrue(group.nowNs < group.node(3).replicaLeaseUntilNs(), "peer 3 holds a replica lease");
        return group;
    }

    private static void cut(Group group, long one, long other) {
        Predicate<Message> between = m -> (m.from() == one && m.to() == other) || (m.from() == other && m.to() == one);
        group.filter(between.negate());
    }

    /** Peer 3 has not heard peer 1 for so long that its promise is over; the lease rests on peer 2. */
    private static void waitUntilOnlyTwoStandsByOne(Group group) {
        cut(group, 1, 3);
        group.ticks(14);
        assertTrue(group.nowNs < group.node(1).leaseUntilNs());
    }

    /**
     * Peer 1 is cut off; peer 3 campaigns and, if it is elected, has a write acknowledged; then peer 1 reads under its
     * lease, as far as it thinks that it has one. Whether the read misses the write.
     */
    private static boolean threeWritesWhileOneReads(Group group, long leaseUntilNs) throws ProposalDroppedException {
        group.isolate(1);
        group.node(3).campaign(group.clock(3));
        group.settle();
        if (group.node(3).isLeader()) {
            group.peer(3).propose("new");
            group.settle();
        }
        boolean acknowledged = group.peer(3).applied.contains("new");
        boolean served = group.node(1).isLeader() && group.clock(1) < leaseUntilNs;
        return served && acknowledged && !group.peer(1).applied.contains("new");
    }
}
