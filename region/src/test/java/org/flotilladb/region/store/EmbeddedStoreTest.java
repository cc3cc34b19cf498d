package org.flotilladb.region.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.flotilladb.proto.Context;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.GroupMessage;
import org.flotilladb.proto.Mutation;
import org.flotilladb.proto.MutationKind;
import org.flotilladb.proto.PrewriteRequest;
import org.flotilladb.proto.RaftBatch;
import org.flotilladb.proto.RaftMessage;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionError;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.ScanRequest;
import org.flotilladb.proto.SplitRequest;
import org.flotilladb.region.client.ClientEnvironment;
import org.flotilladb.region.client.ClientException;
import org.flotilladb.region.client.ClientSettings;
import org.flotilladb.region.client.Transaction;
import org.flotilladb.region.client.TransactionClient;
import org.flotilladb.region.group.GroupSettings;
import org.flotilladb.region.runtime.KvReader.Pair;
import org.flotilladb.region.runtime.KvStore;
import org.flotilladb.region.runtime.LocalReads.Page;
import org.flotilladb.region.runtime.LogStore;
import org.flotilladb.region.runtime.system.LocalTransport;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.runtime.system.SystemClock;
import org.flotilladb.region.runtime.system.ThreadScheduler;
import org.flotilladb.region.store.rocks.RocksKvStore;
import org.flotilladb.region.store.rocks.RocksLogStore;
import org.flotilladb.region.store.storage.MemoryKvStore;
import org.flotilladb.region.store.storage.MemoryLogStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One Store in the process, on memory and on RocksDB: everything from a transaction to the log and back. */
class EmbeddedStoreTest {
    private static final String ADDRESS = "local:1";

    @TempDir
    Path directory;

    private final List<AutoCloseable> opened = new ArrayList<>();

    private final class Embedded implements AutoCloseable {
        final ThreadScheduler scheduler = new ThreadScheduler("test", 1);
        final LogStore logs;
        final KvStore data;
        final Store store;
        final TransactionClient client;

        Embedded(LogStore logs, KvStore data) {
            this(logs, data, StoreSettings.of(1, List.of(ADDRESS), GroupSettings.DEFAULT, true));
        }

        Embedded(LogStore logs, KvStore data, StoreSettings settings) {
            this.logs = logs;
            this.data = data;
            SystemClock clock = new SystemClock();
            LocalTransport transport = new LocalTransport(null);
            store = new Store(
                    settings, clock, scheduler, new SeededRandom(7), transport, logs, data, init -> {}, cause -> {});
            transport.register(ADDRESS, store);
            store.start();
            client = new TransactionClient(
                    ClientSettings.of(List.of(ADDRESS)),
                    new ClientEnvironment(clock, scheduler, new SeededRandom(8), transport, store));
        }

        @Override
        public void close() {
            store.closeAndWait();
            scheduler.close();
            logs.close();
            data.close();
        }
    }

    private Embedded open(String kind) {
        return kind.equals("memory")
                ? new Embedded(new MemoryLogStore(), new MemoryKvStore())
                : new Embedded(
                        new RocksLogStore(directory.resolve("log")),
                        new RocksKvStore(directory.resolve("data"), 8 << 20));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    private static ClientException.Kind kindOf(Throwable failure) {
        Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
        return ((ClientException) cause).kind();
    }

    private static List<String> scan(Transaction transaction, String start, String end, boolean reverse) {
        List<String> rows = new ArrayList<>();
        byte[] from = bytes(start);
        byte[] to = end == null ? null : bytes(end);
        while (true) {
            Page page = transaction.scan(from, to, reverse, 3, 1 << 20).join();
            for (Pair row : page.rows()) {
                rows.add(text(row.key()) + "=" + text(row.value()));
            }
            if (page.resumeKey() == null) {
                return rows;
            }
            if (reverse) {
                to = page.resumeKey();
            } else {
                from = page.resumeKey();
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void a_committed_transaction_is_read_by_later_ones_and_not_by_earlier_ones(String kind) {
        try (Embedded db = open(kind)) {
            Transaction before = db.client.begin(false);
            assertNull(before.get(bytes("a")).join());
            Transaction writer = db.client.begin(false);
            writer.insert(bytes("a"), bytes("1"));
            writer.put(bytes("b"), bytes("2"));
            assertEquals("1", text(writer.get(bytes("a")).join()));
            writer.commit().join();
            assertEquals(1, db.client.onePhaseCommits());
            assertNull(before.get(bytes("a")).join());
            Transaction after = db.client.begin(false);
            assertEquals(List.of("a=1", "b=2"), scan(after, "", null, false));
            assertEquals(List.of("b=2", "a=1"), scan(after, "", null, true));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void two_transactions_that_write_one_key_conflict(String kind) {
        try (Embedded db = open(kind)) {
            Transaction one = db.client.begin(false);
            Transaction two = db.client.begin(false);
            one.get(bytes("k")).join();
            two.get(bytes("k")).join();
            one.put(bytes("k"), bytes("one"));
            two.put(bytes("k"), bytes("two"));
            one.commit().join();
            CompletionException failure =
                    assertThrows(CompletionException.class, () -> two.commit().join());
            assertEquals(ClientException.Kind.CONFLICT, kindOf(failure));
            assertEquals("one", text(db.client.begin(false).get(bytes("k")).join()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void a_transaction_over_several_regions_commits_in_two_phases(String kind) {
        try (Embedded db = open(kind)) {
            Transaction load = db.client.begin(false);
            for (int i = 0; i < 30; i++) {
                load.put(bytes(String.format("k%02d", i)), bytes("0"));
            }
            load.commit().join();
            db.client.split(bytes("k10")).join();
            db.client.split(bytes("k20")).join();
            assertEquals(3, db.client.regions(new byte[0], new byte[0]).join().size());
            Transaction over = db.client.begin(false);
            over.put(bytes("k05"), bytes("x"));
            over.put(bytes("k15"), bytes("y"));
            over.delete(bytes("k25"));
            over.commit().join();
            assertEquals(1, db.client.twoPhaseCommits());
            Transaction reader = db.client.begin(false);
            List<String> rows = scan(reader, "k00", "k99", false);
            assertEquals(29, rows.size());
            assertTrue(rows.containsAll(List.of("k05=x", "k15=y", "k24=0")), rows.toString());
            List<String> backwards = scan(db.client.begin(false), "k00", "k99", true);
            java.util.Collections.reverse(backwards);
            assertEquals(rows, backwards);
            assertEquals(
                    List.of("x", "y"),
                    reader.getAll(List.of(bytes("k05"), bytes("k15"))).join().stream()
                            .map(EmbeddedStoreTest::text)
                            .toList());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void a_locked_row_makes_others_wait_and_shows_its_newest_value(String kind) {
        try (Embedded db = open(kind)) {
            Transaction load = db.client.begin(true);
            load.put(bytes("k"), bytes("1"));
            load.commit().join();
            Transaction one = db.client.begin(true);
            Transaction two = db.client.begin(true);
            assertEquals("1", text(one.lock(bytes("k"), 1000).join()));
            var waiting = two.lock(bytes("k"), 60_000);
            one.put(bytes("k"), bytes("2"));
            assertTrue(!waiting.isDone());
            one.commit().join();
            assertEquals("2", text(waiting.join()));
            two.put(bytes("k"), bytes("3"));
            two.commit().join();
            Transaction three = db.client.begin(true);
            three.lock(bytes("k"), 1000).join();
            Transaction four = db.client.begin(true);
            CompletionException failure = assertThrows(
                    CompletionException.class, () -> four.lock(bytes("k"), 1).join());
            assertEquals(ClientException.Kind.LOCK_TIMEOUT, kindOf(failure));
            three.rollback();
            assertArrayEquals(bytes("3"), four.lock(bytes("k"), 1000).join());
            four.rollback();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void two_that_wait_for_one_another_are_told_of_the_deadlock(String kind) {
        try (Embedded db = open(kind)) {
            Transaction one = db.client.begin(true);
            Transaction two = db.client.begin(true);
            one.lock(bytes("a"), 1000).join();
            two.lock(bytes("b"), 1000).join();
            var waiting = one.lock(bytes("b"), 60_000);
            CompletionException failure = assertThrows(
                    CompletionException.class,
                    () -> two.lock(bytes("a"), 60_000).join());
            assertEquals(ClientException.Kind.CONFLICT, kindOf(failure));
            two.rollback();
            waiting.join();
            one.rollback();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void an_insert_of_a_key_that_somebody_inserted_meanwhile_is_refused(String kind) {
        try (Embedded db = open(kind)) {
            Transaction one = db.client.begin(false);
            Transaction two = db.client.begin(false);
            one.get(bytes("k")).join();
            two.get(bytes("k")).join();
            one.insert(bytes("k"), bytes("1"));
            one.commit().join();
            two.insert(bytes("k"), bytes("2"));
            CompletionException failure =
                    assertThrows(CompletionException.class, () -> two.commit().join());
            assertEquals(ClientException.Kind.CONFLICT, kindOf(failure));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void shared_locks_do_not_disturb_one_another_and_stop_a_writer(String kind) {
        try (Embedded db = open(kind)) {
            Transaction one = db.client.begin(false);
            Transaction two = db.client.begin(false);
            Transaction writer = db.client.begin(false);
            for (Transaction each : List.of(one, two, writer)) {
                each.get(bytes("parent")).join();
            }
            one.lockShared(bytes("parent"));
            one.put(bytes("child1"), bytes("1"));
            two.lockShared(bytes("parent"));
            two.put(bytes("child2"), bytes("2"));
            one.commit().join();
            two.commit().join();
            writer.delete(bytes("parent"));
            CompletionException failure = assertThrows(
                    CompletionException.class, () -> writer.commit().join());
            assertEquals(ClientException.Kind.CONFLICT, kindOf(failure));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void a_check_fails_once_the_key_was_written_and_disturbs_no_later_writer(String kind) {
        try (Embedded db = open(kind)) {
            db.client.split(bytes("m")).join();
            for (String row : List.of("a row beside the fence", "x row in another Region")) {
                Transaction late = db.client.begin(false);
                Transaction early = db.client.begin(false);
                late.get(bytes("fence")).join();
                early.get(bytes("fence")).join();
                early.check(bytes("fence"));
                early.put(bytes(row), bytes("early"));
                early.commit().join();
                Transaction touch = db.client.begin(false);
                touch.get(bytes("fence")).join();
                touch.put(bytes("fence"), bytes("touched"));
                touch.commit().join();
                late.check(bytes("fence"));
                late.put(bytes(row + " too"), bytes("late"));
                CompletionException failure = assertThrows(
                        CompletionException.class, () -> late.commit().join());
                assertEquals(ClientException.Kind.CONFLICT, kindOf(failure));
            }
        }
    }

    @Test
    void aTransactionWithChecksAloneHasNothingToCommit() {
        try (Embedded db = open("memory")) {
            Transaction transaction = db.client.begin(false);
            transaction.get(bytes("fence")).join();
            transaction.check(bytes("fence"));
            put(db, "fence", 1);
            transaction.commit().join();
            assertEquals(1, db.client.onePhaseCommits());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"rocksdb"})
    void what_was_committed_is_there_after_a_restart(String kind) {
        try (Embedded db = open(kind)) {
            for (int i = 0; i < 200; i++) {
                Transaction writer = db.client.begin(false);
                writer.put(bytes("k" + i), bytes("v" + i));
                writer.commit().join();
            }
            db.client.split(bytes("k5")).join();
        }
        try (Embedded db = open(kind)) {
            Transaction reader = db.client.begin(false);
            for (int i = 0; i < 200; i++) {
                assertEquals("v" + i, text(reader.get(bytes("k" + i)).join()));
            }
            assertEquals(2, db.client.regions(new byte[0], new byte[0]).join().size());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void aSnapshotThatSeesATransactionSeesWhatThatHadRead(String kind) {
        try (Embedded embedded = open(kind)) {
            embedded.client.split(bytes("m")).join();
            Transaction writer = embedded.client.begin(true);
            writer.get(bytes("x")).join();
            writer.put(bytes("a"), bytes("after b"));
            Transaction snapshot = embedded.client.begin(false);
            snapshot.get(bytes("x")).join();
            Transaction other = embedded.client.begin(false);
            other.put(bytes("b2"), bytes("unrelated"));
            other.put(bytes("y"), bytes("b"));
            other.commit().join();
            writer.beginStatement();
            assertEquals("b", text(writer.get(bytes("y")).join()));
            writer.commit().join();

            assertNull(text(snapshot.get(bytes("y")).join()));
            assertNull(text(snapshot.get(bytes("a")).join()));
        }
    }

    @Test
    void theDiskIsLookedAtAgainBeforeWritesBetweenTwoTicksCanFillIt() {
        AtomicLong usable = new AtomicLong(Long.MAX_VALUE);
        long minUsable = 32_000;
        GroupSettings neverTicks = new GroupSettings(Long.MAX_VALUE / 4, 10, 2, 1_000_000_000L, 0.05, 10_000_000L);
        StoreSettings settings =
                StoreSettings.of(1, List.of(ADDRESS), neverTicks, true).withDisk(usable::get, minUsable);
        try (Embedded embedded = new Embedded(new MemoryLogStore(), new MemoryKvStore(), settings)) {
            put(embedded, "a", 10);
            usable.set(minUsable - 1);
            long written = 0;
            ClientException full = null;
            while (full == null && written < minUsable) {
                try {
                    put(embedded, "a", 500);
                    written += 500;
                } catch (CompletionException e) {
                    full = (ClientException) e.getCause();
                }
            }
            assertTrue(full != null, written + " bytes were written to a full disk");
            assertEquals(ClientException.Kind.FULL, full.kind(), full.toString());
            usable.set(Long.MAX_VALUE);
        }
    }

    private static void put(Embedded embedded, String key, int bytes) {
        Transaction transaction = embedded.client.begin(false);
        transaction.put(bytes(key), new byte[bytes]);
        transaction.commit().join();
    }

    /** Commands that no client of ours sends. */
    private static Map<String, RegionRequest.Builder> oddRequests() {
        Map<String, RegionRequest.Builder> odd = new LinkedHashMap<>();
        odd.put("no command", RegionRequest.newBuilder());
        odd.put("a split at no key", RegionRequest.newBuilder().setSplit(SplitRequest.getDefaultInstance()));
        for (long[] ids : new long[][] {{0, 200}, {1, 200}, {200, 0}, {200, 200}, {-1, 201}}) {
            odd.put(
                    "a split into Region " + ids[0] + " with peer " + ids[1],
                    RegionRequest.newBuilder()
                            .setSplit(SplitRequest.newBuilder()
                                    .addKeys(ByteString.copyFromUtf8("m"))
                                    .addNewRegionIds(ids[0])
                                    .addNewPeerIds(ids[1])));
        }
        Mutation write = Mutation.newBuilder()
                .setKey(ByteString.copyFromUtf8("k"))
                .setValue(ByteString.copyFromUtf8("odd"))
                .build();
        PrewriteRequest.Builder prewrite = PrewriteRequest.newBuilder()
                .setPrimary(write.getKey())
                .setStartTs(5)
                .setOnePhase(true);
        odd.put(
                "a key twice",
                RegionRequest.newBuilder()
                        .setPrewrite(prewrite.clone()
                                .addMutations(write)
                                .addMutations(write.toBuilder().setKind(MutationKind.SHARED_LOCK))));
        odd.put(
                "an unknown kind of write",
                RegionRequest.newBuilder()
                        .setPrewrite(
                                prewrite.clone().addMutations(write.toBuilder().setKindValue(77))));
        odd.put(
                "a range that ends before it starts",
                RegionRequest.newBuilder()
                        .setScan(ScanRequest.newBuilder()
                                .setStart(ByteString.copyFromUtf8("z"))
                                .setEnd(ByteString.copyFromUtf8("a"))
                                .setReadTs(1)));
        return odd;
    }

    @Test
    void oddRequestsAreAnsweredAndTheStoreGoesOn() {
        try (Embedded db = open("memory")) {
            put(db, "k", 3);
            Region region =
                    db.client.regions(new byte[0], new byte[0]).join().get(0).region();
            Context context = Context.newBuilder()
                    .setRegionId(region.getId())
                    .setEpoch(region.getEpoch())
                    .setPeerId(region.getPeers(0).getId())
                    .build();
            oddRequests().forEach((what, request) -> {
                CompletableFuture<RegionResponse> answer = new CompletableFuture<>();
                db.store.region(request.setContext(context).build(), answer::complete);
                RegionResponse response = answer.orTimeout(60, TimeUnit.SECONDS).join();
                boolean refused = response.hasError() || response.getPrewrite().getErrorsCount() > 0;
                assertTrue(refused || response.hasScan(), what + ": " + response);
                put(db, "k", 3);
            });
            assertNull(db.store.failure());
            assertEquals(1, db.client.regions(new byte[0], new byte[0]).join().size());
        }
    }

    @ParameterizedTest
    @CsvSource({
        // Region, peer, term, range version: each as it is plus this
        "0, 0, 0, 0, ANSWER",
        "1, 0, 0, 0, REGION_NOT_FOUND",
        "0, 1, 0, 0, PEER_MISMATCH",
        "0, 0, 1, 0, STALE_TERM",
        "0, 0, -1, 0, ANSWER",
        "0, 0, 0, 1, EPOCH_NOT_MATCH",
        "0, 0, 0, -1, EPOCH_NOT_MATCH",
        "0, 1, 1, 1, PEER_MISMATCH",
    })
    void aRequestForAnotherRegionPeerTermOrRangeIsRefusedWithTheReason(
            long regionOff, long peerOff, long termOff, long versionOff, String expected) {
        try (Embedded db = open("memory")) {
            put(db, "k", 3);
            Region region =
                    db.client.regions(new byte[0], new byte[0]).join().get(0).region();
            long term = db.store.peers().get(1).term();
            assertEquals(1, term, "one below is the term that is not known");
            RegionRequest request = RegionRequest.newBuilder()
                    .setContext(Context.newBuilder()
                            .setRegionId(region.getId() + regionOff)
                            .setPeerId(region.getPeers(0).getId() + peerOff)
                            .setTerm(term + termOff)
                            .setEpoch(region.getEpoch().toBuilder()
                                    .setRangeVersion(region.getEpoch().getRangeVersion() + versionOff)))
                    .setPrewrite(PrewriteRequest.newBuilder()
                            .setPrimary(ByteString.copyFromUtf8("p"))
                            .setStartTs(5)
                            .setOnePhase(true)
                            .addMutations(Mutation.newBuilder().setKey(ByteString.copyFromUtf8("p"))))
                    .build();
            CompletableFuture<RegionResponse> answer = new CompletableFuture<>();
            db.store.region(request, answer::complete);
            RegionResponse response = answer.orTimeout(60, TimeUnit.SECONDS).join();
            String kind =
                    response.hasError() ? response.getError().getKindCase().name() : "ANSWER";
            assertEquals(expected, kind, response.toString());
            assertEquals(expected.equals("ANSWER"), response.getPrewrite().getOnePhaseCommitTs() > 0);
        }
    }

    @Test
    void aRequestOfAKindThatNobodyKnowsIsAnswered() {
        try (Embedded db = open("memory")) {
            CompletableFuture<Envelope> answer = new CompletableFuture<>();
            db.store.onRequest(Envelope.getDefaultInstance(), answer::complete);
            RegionResponse response =
                    answer.orTimeout(60, TimeUnit.SECONDS).join().getRegionResponse();
            assertEquals(
                    RegionError.KindCase.UNKNOWN_REQUEST, response.getError().getKindCase());
        }
    }

    @Test
    void aRaftMessageOfAStrangerIsDropped() {
        try (Embedded db = open("memory")) {
            put(db, "k", 3);
            for (long group : new long[] {0, 1}) {
                for (long from : new long[] {-1, 0, 99}) {
                    for (int type = 0; type < 20; type++) {
                        db.store.onMessage(Envelope.newBuilder()
                                .setRaft(RaftBatch.newBuilder()
                                        .addMessages(GroupMessage.newBuilder()
                                                .setGroupId(group)
                                                .setToStore(db.store.storeId())
                                                .setMessage(RaftMessage.newBuilder()
                                                        .setType(type)
                                                        .setFrom(from)
                                                        .setTo(1)
                                                        .setTerm(1000))))
                                .build());
                    }
                }
            }
            put(db, "k", 3);
            assertNull(db.store.failure());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"memory", "rocksdb"})
    void aDatabaseThatGrowsSplitsByItselfAndStaysWhole(String kind) {
        StoreSettings settings = StoreSettings.of(1, List.of(ADDRESS), GroupSettings.DEFAULT, true)
                .withSplits(SplitSettings.EMBEDDED.withMaxBytes(64 << 10));
        int rows = 3000;
        try (Embedded db = kind.equals("memory")
                ? new Embedded(new MemoryLogStore(), new MemoryKvStore(), settings)
                : new Embedded(
                        new RocksLogStore(directory.resolve("log")),
                        new RocksKvStore(directory.resolve("data"), 8 << 20),
                        settings)) {
            for (int i = 0; i < rows; i += 100) {
                Transaction write = db.client.begin(false);
                for (int row = i; row < i + 100; row++) {
                    write.put(bytes(String.format("k%05d", row)), new byte[100]);
                }
                write.commit().join();
            }
            // 3000 rows of 116 bytes and more, in pieces of 32 to 64 KB.
            long deadlineNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
            while (db.store.regionsAndLeaders()[0] < 6) {
                assertTrue(System.nanoTime() < deadlineNs, db.store.regionsAndLeaders()[0] + " Regions");
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
            }
            List<String> found = scan(db.client.begin(false), "k", "l", false);
            assertEquals(rows, found.size());
            assertTrue(found.get(rows - 1).startsWith("k02999="), found.get(rows - 1));
            assertTrue(db.store.counters().splitsByThemselves() > 0);
            assertTrue(db.store.regionsAndLeaders()[0] <= 12, db.store.regionsAndLeaders()[0] + " Regions");
        }
    }
}
