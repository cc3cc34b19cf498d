package org.flotilladb.raft.sim;

/** Errors planted by the simulation, one per safety rule: the general invariants must find each of them. */
public enum Bug {
    NONE("everything as documented"),
    VOTE_NOT_STORED("the vote is forgotten by a crash"),
    TERM_NOT_STORED("the term is forgotten by a crash"),
    ANSWERS_BEFORE_SYNC("answers leave before what they speak of is durable"),
    ENTRIES_NOT_SYNCED("entries are written and never synced"),
    PROMISE_FORGOTTEN_BY_RESTART("a restarted peer votes at once"),
    PROMISE_NOT_STORED(
            "a restarted peer keeps to the election timeout of its settings, not to the one it has promised"),
    PROMISE_IGNORED("every vote request claims to come from a transfer"),
    LEASE_COUNTED_FROM_ARRIVAL("an answer counts from when it arrives, not from when the round was sent"),
    LEASE_NOT_CHECKED("a leader serves reads without a lease"),
    LEASE_READ_BEFORE_APPLY("a leader serves a read before it has applied what is committed"),
    LEASE_KEPT_IN_TRANSFER("a leader serves by the lease that it had before a transfer began"),
    CLOCK_RATES_IGNORED("clocks run at rates beyond the configured error"),
    VOTER_IGNORES_LOGS("a voter takes every candidate's log for newer than its own"),
    OLD_TERMS_COMMITTED_BY_COUNTING("a leader commits an older term's entry because a majority has it"),
    COMMIT_ANNOUNCED_EARLY("a leader announces its last entry as committed"),
    PREVIOUS_ENTRY_NOT_CHECKED("a follower appends after an entry that does not match"),
    READ_INDEX_NOT_PROVEN("a leader answers a read index without asking whether it still leads"),
    MEMBERSHIP_NOT_STORED("a restarted peer acts by the group's first membership"),
    MEMBERSHIP_CHANGES_OVERLAP("a change of membership is proposed while another one is pending"),
    HOLDER_FORGOTTEN("a leader commits without asking the replicas that hold leases"),
    REPLICA_LEASE_TOO_LONG("a replica uses its lease longer than was granted"),
    REPLICA_LEASE_KEPT("a replica serves by a lease that has ended"),
    REPLICA_READ_BEFORE_APPLY("a replica serves a read before it has applied what its log held"),
    ENTRY_APPLIED_TWICE("a restarted peer applies an entry that its state already has");

    private final String sentence;

    Bug(String sentence) {
        this.sentence = sentence;
    }

    public String sentence() {
        return sentence;
    }
}
