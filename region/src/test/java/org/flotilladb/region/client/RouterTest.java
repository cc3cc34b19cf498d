package org.flotilladb.region.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.flotilladb.proto.Busy;
import org.flotilladb.proto.DiskFull;
import org.flotilladb.proto.EntryTooLarge;
import org.flotilladb.proto.Envelope;
import org.flotilladb.proto.EpochNotMatch;
import org.flotilladb.proto.GetResponse;
import org.flotilladb.proto.KeyNotInRegion;
import org.flotilladb.proto.NotLeader;
import org.flotilladb.proto.NotReady;
import org.flotilladb.proto.OutcomeUnknown;
import org.flotilladb.proto.Peer;
import org.flotilladb.proto.PeerMismatch;
import org.flotilladb.proto.Region;
import org.flotilladb.proto.RegionEpoch;
import org.flotilladb.proto.RegionError;
import org.flotilladb.proto.RegionNotFound;
import org.flotilladb.proto.RegionRequest;
import org.flotilladb.proto.RegionResponse;
import org.flotilladb.proto.StaleTerm;
import org.flotilladb.proto.Transport;
import org.flotilladb.proto.UnknownRequest;
import org.flotilladb.region.client.RegionCache.Route;
import org.flotilladb.region.client.Router.Result;
import org.flotilladb.region.runtime.system.SeededRandom;
import org.flotilladb.region.simulation.EventHash;
import org.flotilladb.region.simulation.SimNode;
import org.flotilladb.region.simulation.SimTime;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the router does about each answer. */
class RouterTest {
    private static final long TIMEOUT_MS = 1000;

    private final SimTime time = new SimTime(new SeededRandom(1), new EventHash());
    private final SimNode node = new SimNode(time, "client", 0, 1, 0);
    private final Scripted transport = new Scripted();
    private final ClientSettings settings = new ClientSettings(List.of("s1"), TIMEOUT_MS, 100, 100);
    private final ClientEnvironment environment =
            new ClientEnvironment(node, node, new SeededRandom(2), transport, null);
    private final RegionCache cache = new RegionCache(null, node);
    private final Router router = new Router(settings, environment, cache);
    private final Route route = Route.of(region(2), 1);

    private static Region region(long version) {
        Region.Builder region =
                Region.newBuilder().setId(9).setEpoch(RegionEpoch.newBuilder().setRangeVersion(version));
        for (int i = 1; i <= 3; i++) {
            region.addPeers(Peer.newBuilder().setId(10 + i).setStoreId(i));
        }
        return region.build();
    }

    /** Answers with what the script says, one item for each request; notes whom it was asked of. */
    private final class Scripted implements Transport {
        final ArrayDeque<String> script = new ArrayDeque<>();
        final List<String> asked = new ArrayList<>();

        @Override
        public void send(String address, Envelope message) {}

        @Override
        public void request(String address, Envelope request, long timeoutMs, ResponseHandler handler) {
            asked.add(address);
            String next = script.isEmpty() ? "ok" : script.poll();
            time.schedule(1000, () -> {
                switch (next) {
                    case "not-sent" -> handler.onFailure(new Failure(Failure.Kind.NOT_SENT, next));
                    case "lost" -> handler.onFailure(new Failure(Failure.Kind.LOST, next));
                    case "timed-out" -> handler.onFailure(new Failure(Failure.Kind.TIMED_OUT, next));
                    case "refused" -> handler.onFailure(new Failure(Failure.Kind.REFUSED, next));
                    case "closed" -> handler.onFailure(new Failure(Failure.Kind.CLOSED, next));
                    default ->
                        handler.onResponse(Envelope.newBuilder()
                                .setRegionResponse(answer(next))
                                .build());
                }
            });
        }

        @Override
        public void close() {}
    }

    private static RegionResponse answer(String name) {
        RegionError.Builder error = RegionError.newBuilder().setMessage(name);
        switch (name) {
            case "ok" -> {
                return RegionResponse.newBuilder()
                        .setGet(GetResponse.newBuilder().setFound(true))
                        .build();
            }
            case "leader-is-2" ->
                error.setNotLeader(NotLeader.newBuilder().setLeaderStoreId(2).setLeaderAddress("s2"));
            case "leader-is-9" ->
                error.setNotLeader(NotLeader.newBuilder().setLeaderStoreId(9).setLeaderAddress("s9"));
            case "no-leader" -> error.setNotLeader(NotLeader.getDefaultInstance());
            case "epoch" -> error.setEpochNotMatch(EpochNotMatch.newBuilder().addCurrentRegions(region(3)));
            case "not-in-region" ->
                error.setKeyNotInRegion(KeyNotInRegion.newBuilder().setKey(ByteString.copyFromUtf8("k")));
            case "absent" -> error.setRegionNotFound(RegionNotFound.getDefaultInstance());
            case "other-peer" -> error.setPeerMismatch(PeerMismatch.getDefaultInstance());
            case "old-term" -> error.setStaleTerm(StaleTerm.getDefaultInstance());
            case "not-known" -> error.setUnknownRequest(UnknownRequest.getDefaultInstance());
            case "busy" -> error.setBusy(Busy.getDefaultInstance());
            case "not-ready" -> error.setNotReady(NotReady.getDefaultInstance());
            case "unknown" -> error.setOutcomeUnknown(OutcomeUnknown.getDefaultInstance());
            case "full" -> error.setDiskFull(DiskFull.getDefaultInstance());
            case "too-large" -> error.setEntryTooLarge(EntryTooLarge.getDefaultInstance());
            default -> throw new IllegalArgumentException(name);
        }
        return RegionResponse.newBuilder().setError(error).build();
    }

    private String run(String script) {
        for (int i = 1; i <= 3; i++) {
            cache.leader(route, i, "s" + i);
        }
        cache.insert(route);
        transport.script.addAll(List.of(script.split(" ")));
        CompletableFuture<Result> call =
                router.call(route, RegionRequest.newBuilder(), node.nanoTime() + TIMEOUT_MS * 1_000_000L);
        while (!call.isDone()) {
            assertTrue(time.step(), "nothing is under way, and there is no outcome");
        }
        Result result = call.join();
        String outcome =
                result.failure() != null ? result.failure().kind().name() : result.regroup() ? "regroup" : "ok";
        return outcome + (result.maybeExecuted() ? "?" : "");
    }

    @ParameterizedTest
    @CsvSource({
        "ok, ok, s1",
        "leader-is-2 ok, ok, s1 s2",
        "no-leader ok, ok, s1 s2",
        "no-leader no-leader no-leader ok, ok, s1 s2 s3 s1",
        "leader-is-9, regroup, s1",
        "no-leader no-leader no-leader no-leader, regroup, s1 s2 s3 s1",
        "epoch, regroup, s1",
        "not-in-region, regroup, s1",
        "other-peer, regroup, s1",
        "old-term ok, ok, s1 s1",
        "absent absent ok, ok, s1 s2 s3",
        "busy ok, ok, s1 s1",
        "not-ready not-ready ok, ok, s1 s1 s1",
        // what was never sent has not happened; what got no answer may have
        "not-sent ok, ok, s1 s2",
        "lost ok, ok?, s1 s2",
        "timed-out ok, ok?, s1 s2",
        "unknown ok, ok?, s1 s2",
        "timed-out epoch, regroup?, s1 s2",
        "lost no-leader leader-is-2 full, FULL?, s1 s2 s3 s2",
        "full, FULL, s1",
        "too-large, TOO_LARGE, s1",
        "not-known, INTERNAL, s1",
        "refused, INTERNAL, s1",
        "closed, CLOSED, s1",
    })
    void each_answer_has_its_way_on(String script, String outcome, String asked) {
        assertEquals(outcome, run(script));
        assertEquals(asked, String.join(" ", transport.asked));
    }

    @ParameterizedTest
    @CsvSource({"busy, UNAVAILABLE", "not-ready, UNAVAILABLE", "unknown, UNAVAILABLE?"})
    void the_time_ends_every_retry(String answer, String outcome) {
        StringBuilder script = new StringBuilder(answer);
        for (int i = 0; i < 500; i++) {
            script.append(' ').append(answer);
        }
        assertEquals(outcome, run(script.toString()));
    }

    @ParameterizedTest
    @CsvSource({"epoch, 3", "not-in-region, 0", "other-peer, 0", "leader-is-9, 0", "ok, 2"})
    void the_cache_learns_from_answers(String answer, long version) {
        run(answer);
        Route known = cache.find(new byte[] {'k'});
        assertEquals(version, known == null ? 0 : known.region().getEpoch().getRangeVersion());
    }
}
