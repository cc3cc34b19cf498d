package org.flotilladb.raft;

/**
 * What leader and replica say to one another about the replica's lease; it rides on heartbeats and their answers.
 *
 * @param incarnation the replica's life: a lease ends with the process that asked for it
 * @param number of the question, growing within a life
 * @param durationNs for how long, counted by the replica from when it asked (GRANT)
 * @param index usable once the replica has applied up to here (GRANT)
 */
public record ReplicaLease(Kind kind, long incarnation, long number, long durationNs, long index) {
    /** What is said. */
    public enum Kind {
        /** A replica asks. */
        ASK(1),
        /** The leader grants what was asked with that number. */
        GRANT(2),
        /** The replica gives back all leases up to that number. */
        GIVE_BACK(3),
        /** The leader asks for all leases up to that number; answered by GIVE_BACK. */
        TAKE_BACK(4);

        private final int code;

        Kind(int code) {
            this.code = code;
        }

        /** The number on the wire; never changes. */
        public int code() {
            return code;
        }

        /** @throws IllegalArgumentException for a number that this version does not know */
        public static Kind fromCode(int code) {
            for (Kind kind : values()) {
                if (kind.code == code) {
                    return kind;
                }
            }
            throw new IllegalArgumentException("no kind of replica lease message has the code " + code);
        }
    }

    static ReplicaLease of(Kind kind, long incarnation, long number) {
        return new ReplicaLease(kind, incarnation, number, 0, 0);
    }
}
