package org.flotilladb.region.store;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.flotilladb.proto.RegionEntry;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.raft.Entry;
import org.flotilladb.region.store.RegionPeer.HeldKey;

/**
 * What a leader has proposed and not answered yet, in the order of the log; then what was applied and waits until its
 * effects are visible. Used by the loop alone.
 */
final class Proposals {
    /**
     * An entry on its way.
     *
     * @param keys that it holds
     * @param response when its effects are visible, unless applying says otherwise
     */
    record Proposal(
            long index,
            long term,
            RegionEntry entry,
            long startTs,
            List<HeldKey> keys,
            RegionResponse response,
            Consumer<RegionResponse> answer) {}

    /** One that was applied, or has lost its place. */
    record Finished(Proposal proposal, RegionResponse response) {
        void answer() {
            proposal.answer.accept(response);
        }
    }

    private final ArrayDeque<Proposal> open = new ArrayDeque<>();
    private final List<Finished> finished = new ArrayList<>();

    void add(Proposal proposal) {
        open.add(proposal);
    }

    /**
     * The proposal that an entry carries out, or null if it was not made here; those that have lost their place are
     * finished.
     */
    Proposal take(Entry entry, Supplier<RegionResponse> lost) {
        Proposal proposal = null;
        while (!open.isEmpty() && open.peek().index <= entry.index()) {
            Proposal next = open.poll();
            if (next.index == entry.index() && next.term == entry.term()) {
                proposal = next;
            } else {
                finish(next, lost.get());
            }
        }
        return proposal;
    }

    /** The answer is known; it leaves when the effects are visible. Nobody waits for null. */
    void finish(Proposal proposal, RegionResponse response) {
        if (proposal != null) {
            finished.add(new Finished(proposal, response));
        }
    }

    boolean anyFinished() {
        return !finished.isEmpty();
    }

    /** Those whose answers may leave. */
    List<Finished> takeFinished() {
        List<Finished> now = List.copyOf(finished);
        finished.clear();
        return now;
    }

    /** Those whose outcome is not known. */
    List<Proposal> takeOpen() {
        List<Proposal> now = List.copyOf(open);
        open.clear();
        return now;
    }
}
