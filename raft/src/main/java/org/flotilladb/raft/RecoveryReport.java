package org.flotilladb.raft;

import java.util.List;

/**
 * What going on without some voters may cost.
 *
 * @param lostVoters those who are no longer counted
 * @param committed everything up to here is kept for sure
 * @param lastIndex entries after {@code committed} up to here are kept, whether they were committed or not; any after it
 *     that the lost voters may have committed are lost
 */
public record RecoveryReport(List<Long> lostVoters, long committed, long lastIndex) {
    @Override
    public String toString() {
        return "Without the voters " + lostVoters + ": entries up to " + committed + " are kept, entries "
                + (committed + 1) + " to " + lastIndex
                + " become committed even if they were not, and whatever the lost"
                + " voters committed after entry " + lastIndex + " is lost.";
    }
}
