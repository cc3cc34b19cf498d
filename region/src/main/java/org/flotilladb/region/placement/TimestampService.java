package org.flotilladb.region.placement;

import java.util.ArrayDeque;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.flotilladb.proto.PlacementEntry;
import org.flotilladb.proto.PlacementError;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.TimestampResponse;
import org.flotilladb.region.group.LeaseClock;
import org.flotilladb.region.group.LeaseClock.Lease;
import org.flotilladb.region.runtime.Clock;

/**
 * Timestamps on demand: keeps the oracle's bound ahead of it in the log, and those waiting who ask for more than the bound
 * allows. The loop alone calls it, but for {@link #tryAllocate}.
 */
final class TimestampService {
    private static final int MAX_WAITING = 10_000;
    private static final int MAX_AT_ONCE = 1 << 16;

    private final LeaseClock leases;
    private final PlacementState state;
    private final PlacementLog log;
    private final BooleanSupplier mayPropose;
    private final TimestampOracle oracle;
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private boolean extensionProposed;
    private Lease lease = Lease.NONE;

    private record Waiting(int count, Consumer<PlacementResponse> answer) {}

    /**
     * @param mayPropose whether this peer leads and has applied an entry of its term
     * @param loop runs a task in the loop soon, from any thread
     */
    TimestampService(
            Clock clock,
            LeaseClock leases,
            PlacementState state,
            PlacementLog log,
            BooleanSupplier mayPropose,
            Consumer<Runnable> loop) {
        this.leases = leases;
        this.state = state;
        this.log = log;
        this.mayPropose = mayPropose;
        this.oracle = new TimestampOracle(clock, leases, () -> loop.accept(this::extendBound));
    }

    /** A timestamp on the caller's thread, or -1: then ask by request. Any thread. */
    long tryAllocate() {
        return oracle.tryAllocate(1);
    }

    /** This peer leads from above what its predecessors were allowed. */
    void lead(long committedBound) {
        extensionProposed = false;
        oracle.lead(committedBound);
        extendBound();
    }

    /** Whether nobody else can lead now. */
    boolean leaseHolds() {
        return leases.holds(lease);
    }

    /** While this holds, this peer may answer. */
    void lease(Lease held) {
        lease = held;
        oracle.lease(held);
        answerWaiting();
    }

    /** Entries were applied. */
    void applied() {
        oracle.committed(state.timestampBound());
    }

    /** This peer does not lead any more, or stops. */
    void end(PlacementError why) {
        lease = Lease.NONE;
        oracle.lease(Lease.NONE);
        extensionProposed = false;
        List<Waiting> unanswered = List.copyOf(waiting);
        waiting.clear();
        unanswered.forEach(each -> PlacementErrors.refuse(each.answer, why));
    }

    private void extendBound() {
        if (!mayPropose.getAsBoolean() || extensionProposed) {
            return;
        }
        extensionProposed = true;
        log.propose(
                PlacementEntry.newBuilder()
                        .setTimestampBound(oracle.nextBound())
                        .build(),
                () -> {
                    extensionProposed = false;
                    answerWaiting();
                },
                error -> extensionProposed = false);
    }

    /** A range of timestamps, at once or when the bound has been moved. */
    void handle(int wanted, Consumer<PlacementResponse> answer) {
        int count = Math.max(1, Math.min(wanted, MAX_AT_ONCE));
        long first = oracle.tryAllocate(count);
        if (first > 0) {
            answer.accept(response(first, count));
        } else if (waiting.size() >= MAX_WAITING) {
            PlacementErrors.refuse(answer, PlacementErrors.notReady("too many requests wait for a timestamp"));
        } else if (!leases.holds(lease)) {
            PlacementErrors.refuse(
                    answer, PlacementErrors.notReady("the Placement Driver's leader has no lease just now"));
        } else {
            waiting.add(new Waiting(count, answer));
            extendBound();
        }
    }

    private PlacementResponse response(long first, int count) {
        return PlacementResponse.newBuilder()
                .setTimestamp(TimestampResponse.newBuilder()
                        .setFirst(first)
                        .setCount(count)
                        .setCatalogEpoch(state.catalogEpoch()))
                .build();
    }

    private void answerWaiting() {
        while (!waiting.isEmpty()) {
            Waiting next = waiting.peek();
            long first = oracle.tryAllocate(next.count);
            if (first <= 0) {
                return;
            }
            waiting.poll();
            next.answer.accept(response(first, next.count));
        }
    }
}
