package org.flotilladb.region.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.CommitResponse;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.KeyError;
import org.flotilladb.proto.LocateResponse;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PlacementResponse;
import org.flotilladb.proto.PrewriteResponse;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.RegionRoute;
import org.flotilladb.proto.RollbackResponse;
import org.flotilladb.proto.StoreInfo;
import org.flotilladb.proto.TimestampResponse;
import org.flotilladb.proto.Transport;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.simulation.EventHash;
import org.flotilladb.region.simulation.SimNode;
import org.flotilladb.region.simulation.SimTime;
import org.junit.jupiter.api.Test;

/** A transaction of many keys in one Region: no request keeps a Store busy for long, and few wait there at once. */
class LargeCommitTest {
    private static final int KEYS = 100_000;
    private static final int MOST_KEYS_OF_A_REQUEST = 4096;
    private static final int MOST_AT_ONCE = 8;
    private static final Region REGION = Region.newBuilder()
            .setId(9)
            .setEpoch(RegionEpoch.newBuilder().setRangeVersion(1))
            .addPeers(Peer.newBuilder().setId(11).setStoreId(1))
            .build();

    private final SimTime time = new SimTime(new SeededRandom(1), new EventHash());
    private final SimNode node = new SimNode(time, "client", 0, 1, 0);
    private final OneStore store = new OneStore();
    private final TransactionClient client = new TransactionClient(
            new ClientSettings(List.of("s1"), 1000, 100, 100),
            new ClientEnvironment(node, node, new SeededRandom(2), store, null));

    @Test
    void every_key_is_prewritten_and_then_committed_by_requests_that_are_small_and_few() {
        CompletableFuture<Void> commit = transaction().commit();
        store.answerAll();
        assertTrue(commit.isDone());
        commit.join();
        assertEquals(KEYS, store.prewritten.size());
        assertEquals(KEYS, store.committed.size());
        assertEquals(0, store.rolledBack.size());
    }

    @Test
    void a_refusal_ends_it_and_only_what_was_prewritten_is_rolled_back() {
        store.refuseFrom = 20_000;
        CompletableFuture<Void> commit = transaction().commit();
        store.answerAll();
        assertTrue(commit.isCompletedExceptionally());
        assertEquals(store.prewritten, store.rolledBack);
        assertTrue(store.prewritten.size() < KEYS, store.prewritten.size() + " keys were prewritten");
        assertEquals(0, store.committed.size());
    }

    @Test
    void a_transaction_that_fits_one_request_takes_one_phase() {
        Transaction transaction = client.begin(true);
        for (int i = 0; i < MOST_KEYS_OF_A_REQUEST; i++) {
            transaction.put(key(i), new byte[] {1});
        }
        CompletableFuture<Void> commit = transaction.commit();
        store.answerAll();
        commit.join();
        assertEquals(1, store.requests);
        assertEquals(1, client.onePhaseCommits());
    }

    private Transaction transaction() {
        Transaction transaction = client.begin(true);
        for (int i = 0; i < KEYS; i++) {
            transaction.put(key(i), new byte[] {1});
        }
        return transaction;
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(4).putInt(number).array();
    }

    /** Answers requests to the Region when it is told to, in the order in which they came. */
    private static final class OneStore implements Transport {
        final Set<ByteString> prewritten = new HashSet<>();
        final Set<ByteString> committed = new HashSet<>();
        final Set<ByteString> rolledBack = new HashSet<>();
        int refuseFrom = Integer.MAX_VALUE;
        int requests;
        private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
        private long nextTs = 100;

        void answerAll() {
            while (!waiting.isEmpty()) {
                assertTrue(waiting.size() <= MOST_AT_ONCE, waiting.size() + " requests at once");
                waiting.poll().run();
            }
        }

        @Override
        public void send(String address, Envelope message) {}

        @Override
        public void request(String address, Envelope request, long timeoutMs, ResponseHandler handler) {
            if (request.hasPlacementRequest()) {
                PlacementResponse.Builder answer = PlacementResponse.newBuilder();
                if (request.getPlacementRequest().hasLocate()) {
                    answer.setLocate(LocateResponse.newBuilder()
                            .addRoutes(
                                    RegionRoute.newBuilder().setRegion(REGION).setLeaderStoreId(1))
                            .addStores(StoreInfo.newBuilder().setId(1).setAddress("s1")));
                } else {
                    int count = request.getPlacementRequest().getTimestamp().getCount();
                    answer.setTimestamp(
                            TimestampResponse.newBuilder().setFirst(nextTs).setCount(count));
                    nextTs += count;
                }
                handler.onResponse(
                        Envelope.newBuilder().setPlacementResponse(answer).build());
                return;
            }
            requests++;
            // As over a wire: what is changed in it later does not change what was sent.
            RegionRequest sent = request.getRegionRequest();
            waiting.add(() -> handler.onResponse(
                    Envelope.newBuilder().setRegionResponse(answer(sent)).build()));
        }

        private RegionResponse.Builder answer(RegionRequest request) {
            List<ByteString> keys = new ArrayList<>();
            RegionResponse.Builder answer = RegionResponse.newBuilder();
            if (request.hasPrewrite()) {
                request.getPrewrite().getMutationsList().forEach(each -> keys.add(each.getKey()));
                boolean onePhase = request.getPrewrite().getOnePhase();
                assertFalse(onePhase && keys.size() > MOST_KEYS_OF_A_REQUEST, "one phase of " + keys.size());
                prewritten.addAll(keys);
                PrewriteResponse.Builder prewrite = PrewriteResponse.newBuilder();
                if (onePhase) {
                    prewrite.setOnePhaseCommitTs(nextTs++);
                } else if (prewritten.size() > refuseFrom) {
                    prewrite.addErrors(KeyError.newBuilder().setRefused("somebody was faster"));
                }
                answer.setPrewrite(prewrite);
            } else if (request.hasCommit()) {
                keys.addAll(request.getCommit().getKeysList());
                committed.addAll(keys);
                answer.setCommit(CommitResponse.getDefaultInstance());
            } else {
                keys.addAll(request.getRollback().getKeysList());
                rolledBack.addAll(keys);
                answer.setRollback(RollbackResponse.getDefaultInstance());
            }
            assertTrue(keys.size() <= MOST_KEYS_OF_A_REQUEST, keys.size() + " keys in a request");
            return answer;
        }

        @Override
        public void close() {}
    }
}
