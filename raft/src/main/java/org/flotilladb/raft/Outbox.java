package org.flotilladb.raft;

import java.util.ArrayList;
import java.util.List;

/** Collects what a peer has to say and makes each {@link Ready} of it, in the order that safety demands. */
final class Outbox {
    /** What a list of messages begins with: most stay short. */
    private static final int FEW = 4;

    private final Core core;
    private final boolean async;
    /** May leave before anything is durable. */
    private List<Message> early = new ArrayList<>(FEW);
    /** Must wait for what was to be stored when they were sent; some are to this peer itself. */
    private List<Message> late = new ArrayList<>(FEW);

    private List<Ready.ReadState> readStates = new ArrayList<>(FEW);
    private SoftState toldSoft;
    private HardState toldHard;
    /** Term and vote that are known to be on stable storage. */
    private long durableTerm;

    private long durableVote;

    private Ready handedOut;
    /** What this peer tells itself once the Ready handed out has been handled. */
    private List<Message> onAdvance = List.of();

    Outbox(Core core) {
        this.core = core;
        this.async = core.config.asyncStorageWrites;
    }

    /** The state that the peer starts with needs no telling, unless it promises more than what is stored. */
    void begin(long storedPromiseNs) {
        toldSoft = softState();
        toldHard = new HardState(core.term, core.vote, core.log.committed(), storedPromiseNs);
        identityDurable(core.term, core.vote);
    }

    void send(Message message) {
        boolean mayLeaveEarly = switch (message.type()) {
            case APP, HEARTBEAT, SNAP -> true;
            case APP_RESP, VOTE_RESP, PRE_VOTE_RESP -> false;
            default -> !core.config.holdUntilDurable;
        };
        (mayLeaveEarly ? early : late).add(message);
    }

    void readProven(long index, byte[] context) {
        readStates.add(new Ready.ReadState(index, context));
    }

    void identityDurable(long term, long vote) {
        durableTerm = term;
        durableVote = vote;
    }

    SoftState softState() {
        if (toldSoft != null && toldSoft.leader() == core.leader && toldSoft.role() == core.role) {
            return toldSoft;
        }
        return new SoftState(core.leader, core.role);
    }

    private boolean hardStateTold() {
        return toldHard.term() == core.term
                && toldHard.vote() == core.vote
                && toldHard.commit() == core.log.committed()
                && toldHard.promiseNs() == core.promises.promisedNs();
    }

    boolean hasReady() {
        RaftLog log = core.log;
        return !early.isEmpty()
                || !late.isEmpty()
                || !readStates.isEmpty()
                || core.leading.hasUnsent()
                || core.reads.hasUnsent()
                || log.unstable().hasNextEntries()
                || log.unstable().nextSnapshot() != null
                || log.hasNextCommitted(!async)
                || !softState().equals(toldSoft)
                || !hardStateTold();
    }

    /** Makes the next Ready; what is in it will not be in a later one. */
    Ready take() {
        if (handedOut != null) {
            throw new IllegalStateException("the last Ready has not been advanced past");
        }
        core.reads.flush();
        core.leading.flush();
        RaftLog log = core.log;
        HardState hard = hardStateTold() ? null : core.hardState();
        boolean identityChanged = hard != null
                && (hard.term() != toldHard.term()
                        || hard.vote() != toldHard.vote()
                        || hard.promiseNs() != toldHard.promiseNs());
        SoftState soft = softState();
        List<Entry> entries = log.unstable().nextEntries();
        Snapshot snapshot = log.unstable().nextSnapshot();
        List<Entry> committed = log.nextCommitted(!async);
        boolean mustSync = identityChanged || !entries.isEmpty() || (core.config.holdUntilDurable && snapshot != null);
        if (core.config.holdUntilDurable && !(durableTerm == core.term && durableVote == core.vote)) {
            early.addAll(late);
            late = early;
            early = new ArrayList<>(FEW);
        }
        List<Message> after = List.of();
        if (async) {
            askThreads(hard, entries, snapshot, committed, identityChanged);
        } else {
            after = forOthers(snapshot, committed);
        }
        Ready ready = new Ready(
                soft.equals(toldSoft) ? null : soft,
                hard,
                entries,
                snapshot,
                committed,
                early.isEmpty() ? List.of() : early,
                after.isEmpty() ? List.of() : after,
                readStates.isEmpty() ? List.of() : readStates,
                mustSync);
        handedOut = async ? null : ready;
        early = renewed(early);
        late = renewed(late);
        readStates = renewed(readStates);
        toldSoft = soft;
        toldHard = hard == null ? toldHard : hard;
        log.unstable().accept();
        if (!committed.isEmpty()) {
            log.acceptApplying(committed, !async);
        }
        return ready;
    }

    /** What has been handed out is handled: what this peer tells itself now. */
    List<Message> advance() {
        if (async) {
            throw new IllegalStateException("with asynchronous storage writes there is no advance");
        }
        Ready done = handedOut;
        if (done == null) {
            throw new IllegalStateException("no Ready to advance past");
        }
        handedOut = null;
        if (done.hardState() != null) {
            identityDurable(done.hardState().term(), done.hardState().vote());
        }
        List<Message> steps = onAdvance;
        onAdvance = List.of();
        return steps;
    }

    // ---- storage handled by the user's own thread ------------------------------------------------------------------

    /** What is to leave once everything is stored; what this peer tells itself waits for {@link #advance}. */
    private List<Message> forOthers(Snapshot snapshot, List<Entry> committed) {
        List<Message> toSelf = new ArrayList<>(FEW);
        List<Message> toOthers = late;
        for (Message message : late) {
            if (message.to() == core.id) {
                toSelf.add(message);
            }
        }
        if (!toSelf.isEmpty()) {
            toOthers = new ArrayList<>(late.size());
            for (Message message : late) {
                if (message.to() != core.id) {
                    toOthers.add(message);
                }
            }
        }
        if (needsAppendAnswer(snapshot, false)) {
            toSelf.add(appendAnswer(snapshot));
        }
        if (!committed.isEmpty()) {
            toSelf.add(applyAnswer(committed));
        }
        onAdvance = toSelf;
        if (!core.config.holdUntilDurable) {
            early.addAll(toOthers);
            toOthers = early;
            early = new ArrayList<>(FEW);
        }
        return toOthers;
    }

    // ---- storage handled by messages -------------------------------------------------------------------------------

    private void askThreads(
            HardState hard, List<Entry> entries, Snapshot snapshot, List<Entry> committed, boolean identityChanged) {
        if (!entries.isEmpty() || hard != null || snapshot != null || !late.isEmpty()) {
            List<Message> responses = new ArrayList<>(late);
            if (needsAppendAnswer(snapshot, identityChanged)) {
                responses.add(appendAnswer(snapshot));
            }
            HardState state = hard == null ? HardState.EMPTY : hard;
            early.add(Message.to(Message.APPEND_THREAD, MessageType.STORAGE_APPEND)
                    .from(core.id)
                    .term(state.term())
                    .vote(state.vote())
                    .commit(state.commit())
                    .lease(0, state.promiseNs())
                    .entries(entries)
                    .snapshot(snapshot)
                    .responses(responses)
                    .build());
        }
        if (!committed.isEmpty()) {
            early.add(Message.to(Message.APPLY_THREAD, MessageType.STORAGE_APPLY)
                    .from(core.id)
                    .entries(committed)
                    .responses(List.of(applyAnswer(committed)))
                    .build());
        }
    }

    private boolean needsAppendAnswer(Snapshot snapshot, boolean identityChanged) {
        return core.log.unstable().hasEntries()
                || snapshot != null
                || (identityChanged && core.config.holdUntilDurable);
    }

    /**
     * Reports what is stable by then. It names the last entry of the log as it stands now: writes are done in order, so
     * when this one is done, so are those before it. It is of this term, and void in a later one: the entry may have been
     * replaced meanwhile by one that is stored only now, even by one of the same index and term that was appended, lost
     * and appended again (the ABA problem).
     */
    private Message appendAnswer(Snapshot snapshot) {
        Message.Builder answer = Message.to(core.id, MessageType.STORAGE_APPEND_RESP)
                .from(Message.APPEND_THREAD)
                .term(core.term)
                .vote(core.vote)
                .snapshot(snapshot);
        if (core.log.unstable().hasEntries()) {
            answer.log(core.log.lastTerm(), core.log.lastIndex());
        }
        return answer.build();
    }

    private Message applyAnswer(List<Entry> entries) {
        return Message.to(core.id, MessageType.STORAGE_APPLY_RESP)
                .from(Message.APPLY_THREAD)
                .entries(entries)
                .build();
    }

    /** A list that was handed out is the receiver's; an empty one never is. */
    private static <T> List<T> renewed(List<T> handedOut) {
        return handedOut.isEmpty() ? handedOut : new ArrayList<>(FEW);
    }
}
