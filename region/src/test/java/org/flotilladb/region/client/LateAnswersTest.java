package org.flotilladb.region.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.KeyValue;
import org.flotilladb.proto.LocateResponse;
import org.flotilladb.proto.LockKeysResponse;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.RegionRoute;
import org.flotilladb.proto.StoreInfo;
import org.flotilladb.proto.TimestampResponse;
import org.flotilladb.proto.Transport;
import org.flotilladb.proto.UnlockKeysResponse;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.simulation.EventHash;
import org.flotilladb.region.simulation.SimNode;
import org.flotilladb.region.simulation.SimTime;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Answers that come when nobody waits for them any more. */
class LateAnswersTest {
    private static final byte[] KEY = {'k'};
    private static final byte[] OTHER = {'o'};
    private static final byte[] VALUE = {'v'};
    private static final Region REGION = Region.newBuilder()
            .setId(9)
            .setEpoch(RegionEpoch.newBuilder().setRangeVersion(1))
            .addPeers(Peer.newBuilder().setId(11).setStoreId(1))
            .build();

    private final SimTime time = new SimTime(new SeededRandom(1), new EventHash());
    private final SimNode node = new SimNode(time, "client", 0, 1, 0);
    private final LateNetwork network = new LateNetwork();
    private final TransactionClient client = new TransactionClient(
            new ClientSettings(List.of("s1"), 1000, 100, 100),
            new ClientEnvironment(node, node, new SeededRandom(2), network, null));

    /** Keeps every lock, and every timestamp if it is told to, until it is released; answers the rest at once. */
    private static final class LateNetwork implements Transport {
        final ArrayDeque<Runnable> late = new ArrayDeque<>();
        final List<String> unlocked = new ArrayList<>();
        boolean lateTimestamps;
        long nextTs = 100;

        @Override
        public void send(String address, Envelope message) {}

        @Override
        public void request(String address, Envelope request, long timeoutMs, ResponseHandler handler) {
            if (request.hasPlacementRequest()) {
                if (request.getPlacementRequest().hasLocate()) {
                    handler.onResponse(place(PlacementResponse.newBuilder()
                            .setLocate(LocateResponse.newBuilder()
                                    .addRoutes(RegionRoute.newBuilder()
                                            .setRegion(REGION)
                                            .setLeaderStoreId(1))
                                    .addStores(StoreInfo.newBuilder().setId(1).setAddress("s1")))));
                    return;
                }
                Envelope timestamp = place(PlacementResponse.newBuilder()
                        .setTimestamp(TimestampResponse.newBuilder()
                                .setFirst(nextTs)
                                .setCount(request.getPlacementRequest()
                                        .getTimestamp()
                                        .getCount())));
                nextTs += 100;
                deliver(lateTimestamps, handler, timestamp);
                return;
            }
            RegionRequest region = request.getRegionRequest();
            if (region.hasLockKeys()) {
                ByteString key = region.getLockKeys().getKeys(0);
                deliver(
                        true,
                        handler,
                        answer(RegionResponse.newBuilder()
                                .setLockKeys(LockKeysResponse.newBuilder()
                                        .addRows(KeyValue.newBuilder()
                                                .setKey(key)
                                                .setValue(ByteString.copyFrom(VALUE))))));
            } else if (region.hasUnlockKeys()) {
                region.getUnlockKeys().getKeysList().forEach(key -> unlocked.add(key.toStringUtf8()));
                if (region.getUnlockKeys().getKeysCount() == 0) {
                    unlocked.add("all");
                }
                handler.onResponse(
                        answer(RegionResponse.newBuilder().setUnlockKeys(UnlockKeysResponse.getDefaultInstance())));
            }
        }

        private void deliver(boolean isLate, ResponseHandler handler, Envelope response) {
            if (isLate) {
                late.add(() -> handler.onResponse(response));
            } else {
                handler.onResponse(response);
            }
        }

        void release() {
            while (!late.isEmpty()) {
                late.poll().run();
            }
        }

        private static Envelope place(PlacementResponse.Builder response) {
            return Envelope.newBuilder().setPlacementResponse(response).build();
        }

        private static Envelope answer(RegionResponse.Builder response) {
            return Envelope.newBuilder().setRegionResponse(response).build();
        }

        @Override
        public void close() {}
    }

    private interface Step {
        void of(Transaction transaction);
    }

    static Stream<Named<Step>> whatACallerDoesNext() {
        return Stream.of(
                Named.of("rolls its statement back", transaction -> transaction.rollbackTo(0)),
                Named.of("begins another statement", Transaction::beginStatement),
                Named.of("writes", transaction -> transaction.put(OTHER, VALUE)),
                Named.of("looks into its buffer", Transaction::buffer),
                Named.of("rolls back", Transaction::rollback),
                Named.of("commits", Transaction::commit));
    }

    @ParameterizedTest
    @MethodSource("whatACallerDoesNext")
    void a_lock_that_comes_when_its_caller_has_gone_on_is_let_go_and_not_noted(Step next) {
        Transaction transaction = client.begin(true);
        CompletableFuture<byte[]> lock = transaction.lock(KEY, 50);
        assertFalse(lock.isDone());
        next.of(transaction);
        network.unlocked.clear();
        network.release();
        assertTrue(lock.isCompletedExceptionally());
        assertNull(transaction.buffer().get(KEY));
        assertEquals(List.of("k"), network.unlocked);
    }

    @Test
    void a_request_for_a_lock_is_taken_back_when_its_caller_goes_on() {
        Transaction transaction = client.begin(true);
        transaction.lock(KEY, 50);
        transaction.rollbackTo(0);
        assertEquals(List.of("k"), network.unlocked);
    }

    @Test
    void a_lock_that_comes_in_time_is_noted_and_kept() {
        Transaction transaction = client.begin(true);
        CompletableFuture<byte[]> lock = transaction.lock(KEY, 50);
        network.release();
        assertArrayEquals(VALUE, lock.join());
        assertTrue(transaction.buffer().get(KEY).held());
        transaction.rollbackTo(0);
        transaction.beginStatement();
        assertEquals(List.of(), network.unlocked);
        transaction.rollback();
        assertEquals(List.of("all"), network.unlocked);
    }

    @Test
    void a_late_lock_of_a_key_that_is_held_already_is_not_let_go() {
        Transaction transaction = client.begin(true);
        transaction.lock(KEY, 50);
        network.release();
        transaction.lock(KEY, 50);
        transaction.rollbackTo(transaction.mark());
        network.release();
        assertTrue(transaction.buffer().get(KEY).held());
        assertEquals(List.of(), network.unlocked);
    }

    @Test
    void a_late_lock_of_a_key_that_is_waited_for_again_is_not_let_go() {
        Transaction transaction = client.begin(true);
        transaction.lock(KEY, 50);
        CompletableFuture<byte[]> again = transaction.lock(KEY, 50);
        network.unlocked.clear();
        network.release();
        assertArrayEquals(VALUE, again.join());
        assertEquals(List.of(), network.unlocked);
    }

    @Test
    void a_timestamp_that_comes_late_is_not_read_at_by_the_next_statement() {
        Transaction transaction = client.begin(true);
        network.lateTimestamps = true;
        CompletableFuture<Long> old = transaction.readTs();
        transaction.beginStatement();
        CompletableFuture<Long> fresh = transaction.readTs();
        network.release();
        assertTrue(fresh.join() > old.join(), fresh.join() + " after " + old.join());
        assertEquals(fresh.join(), transaction.readTs().join());
        assertEquals(fresh.join(), transaction.startTs());
    }

    @Test
    void a_transaction_with_one_snapshot_reads_at_one_timestamp_however_many_were_asked_for() {
        Transaction transaction = client.begin(false);
        network.lateTimestamps = true;
        CompletableFuture<Long> one = transaction.readTs();
        CompletableFuture<Long> two = transaction.readTs();
        network.release();
        network.release();
        assertEquals(one.join(), two.join());
        assertEquals(one.join(), transaction.startTs());
    }
}
