package org.flotilladb.region.store.mvcc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import org.flotilladb.proto.CheckStatusResponse;
import org.flotilladb.proto.KeyError;
import org.flotilladb.proto.KeyWrite;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.MutationKind;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.KvStore.KvBatch;
import org.flotilladb.region.store.mvcc.Mvcc.Writes;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands of transactions, as scripts: each step is evaluated on the state that the ones before have left. */
class MvccTest {
    private static final byte[] KEY = {'k'};
    private static final byte[] PRIMARY = {'k'};
    private static final long TTL_MS = 100;

    private final KvStore store = new MemoryKvStore();

    private void write(Writes writes) {
        KvBatch batch = store.batch();
        for (KeyWrite write : writes.list()) {
            if (write.getDelete()) {
                batch.delete(Mvcc.family(write.getFamily()), write.getKey().toByteArray());
            } else {
                batch.put(
                        Mvcc.family(write.getFamily()),
                        write.getKey().toByteArray(),
                        write.getValue().toByteArray());
            }
        }
        store.write(batch);
    }

    private static long ts(String number) {
        return Timestamps.of(Long.parseLong(number), 0);
    }

    private static String name(KeyError error) {
        if (error == null) {
            return "ok";
        }
        if (error.hasLocked()) {
            return "locked";
        } else if (error.hasConflict()) {
            return "conflict";
        } else if (!error.getAlreadyExists().isEmpty()) {
            return "exists";
        } else if (!error.getAborted().isEmpty()) {
            return "aborted";
        }
        return "too-low";
    }

    /**
     * One step, {@code what/start} with further numbers (all in milliseconds, made timestamps); what it answers:
     * {@code put}, {@code insert}, {@code del}, {@code lock}, {@code shared}, {@code check} prewrite (second number: for_update_ts);
     * {@code one-...} the same in one phase, committing at the second number; {@code commit/start/c};
     * {@code rollback/start}; {@code status/start/caller/now} with {@code status!} to roll back what is missing;
     * {@code outcome/start}; {@code beat/start/ttl}.
     */
    private String step(String step) {
        String[] parts = step.split("/");
        long start = ts(parts[1]);
        Writes writes = new Writes();
        String answer;
        switch (parts[0]) {
            case "commit" -> answer = name(Mvcc.commit(store, KEY, start, ts(parts[2]), writes));
            case "rollback" -> {
                long committed = Mvcc.rollback(store, KEY, start, writes);
                answer = committed == 0 ? "ok" : "committed@" + Timestamps.physicalMs(committed);
            }
            case "status", "status!" -> {
                CheckStatusResponse status = Mvcc.checkStatus(
                        store, PRIMARY, start, ts(parts[2]), ts(parts[3]), parts[0].endsWith("!"), writes);
                answer = status.getState().name().toLowerCase(java.util.Locale.ROOT)
                        + (status.getCommitTs() > 0 ? "@" + Timestamps.physicalMs(status.getCommitTs()) : "");
            }
            case "outcome" -> {
                Mvcc.Outcome outcome = Mvcc.outcome(store, KEY, start);
                answer = outcome.committed()
                        ? "committed@" + Timestamps.physicalMs(outcome.commitTs())
                        : outcome.rolledBack() ? "rolled-back" : "none";
            }
            case "beat" ->
                answer = String.valueOf(Mvcc.heartbeat(store, PRIMARY, start, Long.parseLong(parts[2]), writes));
            default -> {
                boolean onePhase = parts[0].startsWith("one-");
                MutationKind kind = switch (parts[0].replace("one-", "")) {
                    case "put" -> MutationKind.PUT;
                    case "insert" -> MutationKind.INSERT;
                    case "del" -> MutationKind.DELETE;
                    case "lock" -> MutationKind.LOCK;
                    case "shared" -> MutationKind.SHARED_LOCK;
                    case "check" -> MutationKind.CHECK;
                    default -> throw new IllegalArgumentException(step);
                };
                Mutation mutation = Mutation.newBuilder()
                        .setKind(kind)
                        .setKey(ByteString.copyFrom(KEY))
                        .setValue(ByteString.copyFromUtf8("v" + parts[1]))
                        .setForUpdateTs(!onePhase && parts.length > 2 ? ts(parts[2]) : 0)
                        .build();
                KeyError error = Mvcc.check(store, mutation, start);
                answer = name(error);
                if (error == null && onePhase) {
                    Mvcc.onePhase(mutation, start, ts(parts[2]), writes);
                } else if (error == null) {
                    Mvcc.prewrite(mutation, PRIMARY, start, TTL_MS, start + 1, writes);
                }
            }
        }
        write(writes);
        return answer;
    }

    @ParameterizedTest
    @CsvSource({
        // prewrite and commit
        "put/10 commit/10/20 outcome/10, ok ok committed@20",
        "put/10 put/10, ok ok",
        "commit/10/20, aborted",
        // a newer version is a conflict, an older or equal one is none
        "one-put/10/20 put/15, ok conflict",
        "one-put/10/20 put/20, ok ok",
        "one-put/10/20 put/25, ok ok",
        "one-del/10/20 put/15, ok conflict",
        // a key locked earlier by this transaction is checked from its lock's timestamp
        "one-put/10/20 put/15/25, ok ok",
        "one-put/10/20 put/15/18, ok conflict",
        // another's lock
        "put/10 put/30, ok locked",
        "lock/10 put/30, ok locked",
        "shared/10 put/30, ok locked",
        "put/10 shared/30, ok locked",
        "shared/10 shared/30, ok ok",
        "shared/10 commit/10/20 shared/30 commit/30/40 outcome/10, ok ok ok ok committed@20",
        // a lock that was committed stops older writers, a shared one only exclusive ones
        "one-lock/10/20 put/15, ok conflict",
        "one-shared/10/20 put/15, ok conflict",
        "one-shared/10/20 shared/15, ok ok",
        "one-lock/10/20 shared/15, ok ok",
        "one-put/10/20 shared/15, ok conflict",
        "one-put/10/20 one-shared/21/30 shared/15, ok ok conflict",
        // a check is refused by newer versions and locks like a shared lock, and nothing is left of it
        "one-put/10/20 check/15, ok conflict",
        "one-put/10/20 one-check/15/25, ok conflict",
        "one-put/10/20 check/20, ok ok",
        "put/10 check/30, ok locked",
        "check/10 put/30, ok locked",
        "check/10 shared/30 check/40, ok ok ok",
        "check/10 commit/10/20 outcome/10 put/15, ok ok none ok",
        "one-check/10/20 outcome/10 put/15, ok none ok",
        "check/10 rollback/10 put/15 outcome/10, ok ok ok rolled-back",
        // must not exist
        "insert/10 commit/10/20 insert/30, ok ok exists",
        "one-put/10/20 one-del/25/30 insert/35, ok ok ok",
        "one-put/10/20 one-lock/25/30 insert/35, ok ok exists",
        "one-put/10/20 insert/15, ok conflict",
        // commit below what readers were promised
        "put/10 status/10/30/20 commit/10/25 commit/10/40, ok alive too-low ok",
        "put/10 commit/10/20 commit/10/20, ok ok ok",
        // roll back, and never commit here again
        "put/10 rollback/10 commit/10/20 outcome/10, ok ok aborted rolled-back",
        "rollback/10 outcome/10, ok rolled-back",
        "put/10 commit/10/20 rollback/10, ok ok committed@20",
        "put/10 rollback/10 put/30 commit/30/40, ok ok ok ok",
        // a rollback record stands beside another's commit at the same timestamp
        "one-put/5/10 rollback/10 outcome/5 outcome/10, ok ok committed@10 rolled-back",
        // below newer versions
        "one-put/10/20 one-put/30/40 one-put/50/60 outcome/10 outcome/30, ok ok ok committed@20 committed@40",
        // what the primary tells
        "put/10 commit/10/20 status/10/0/30, ok ok committed@20",
        "put/10 rollback/10 status/10/0/30, ok ok rolled_back",
        "status/10/0/30 outcome/10, not_found none",
        "status!/10/0/30 outcome/10 put/10, rolled_back rolled-back ok",
        "put/10 status/10/0/110 outcome/10, ok alive none",
        "put/10 status/10/0/111 outcome/10, ok rolled_back rolled-back",
        // who lives says so
        "put/10 beat/10/300 status/10/0/250, ok 300 alive",
        "put/10 beat/10/50 status/10/0/105, ok 100 alive",
        "beat/10/300, -1",
    })
    void each_step_answers_what_the_state_before_it_demands(String steps, String answers) {
        StringBuilder given = new StringBuilder();
        for (String each : steps.split(" ")) {
            given.append(step(each)).append(' ');
        }
        assertEquals(answers, given.toString().trim());
    }

    @ParameterizedTest
    @CsvSource({"10, true", "5000, false"})
    void a_large_value_stands_by_itself_and_goes_with_its_lock(int bytes, boolean inline) {
        Mutation mutation = Mutation.newBuilder()
                .setKind(MutationKind.PUT)
                .setKey(ByteString.copyFrom(KEY))
                .setValue(ByteString.copyFrom(new byte[bytes]))
                .build();
        long start = Timestamps.of(10, 0);
        Writes writes = new Writes();
        Mvcc.prewrite(mutation, PRIMARY, start, TTL_MS, start + 1, writes);
        write(writes);
        byte[] large = Keys.large(KEY, start);
        assertEquals(inline, store.get(KvStore.Family.DEFAULT, large) == null);
        Writes back = new Writes();
        Mvcc.rollback(store, KEY, start, back);
        write(back);
        assertNull(store.get(KvStore.Family.DEFAULT, large));
        Writes again = new Writes();
        Mvcc.onePhase(mutation, start, Timestamps.of(20, 0), again);
        write(again);
        assertEquals(bytes, MvccReader.get(store, KEY, Timestamps.of(30, 0)).value().length);
        assertTrue(MvccReader.get(store, KEY, Timestamps.of(19, 0)).value() == null);
    }
}
